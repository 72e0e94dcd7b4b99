"""Text and sequence helpers in Keras' place; they are defined in ``fastnn.text`` and ``fastnn.utils``."""

from ..utils import timeseries_dataset_from_array
from . import sequence, text

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]
