"""Input pipelines: ``Dataset``, and the batch iterators that ``fit`` reads from."""

from .batches import ArrayBatches, IterableBatches
from .dataset import AUTOTUNE, Dataset
from .spec import TensorSpec
from .stream import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "ArrayBatches",
    "Dataset",
    "IterableBatches",
    "TensorSpec",
]
