"""``tf.data``: ``Dataset`` is ``fastnn.data.Dataset`` itself."""

from ... import absent
from ...data import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]

__getattr__ = absent.answer(__name__)
