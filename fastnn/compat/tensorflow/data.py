"""``tf.data``: ``Dataset`` is ``fastnn.data.Dataset`` itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ... import absent
from ...data import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "Options",
    "TextLineDataset",
    "experimental",
]


def TextLineDataset(
    filenames: Any,
    compression_type: str | None = None,
    buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    name: str | None = None,
) -> Dataset:
    """The lines of text files: ``Dataset.from_text_lines``; what is about buffers has no effect."""
    return Dataset.from_text_lines(filenames, compression_type)


class Options(SimpleNamespace):
    """Settings of pipelines; any may be set, and none has an effect."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        part = Options()
        setattr(self, name, part)
        return part


class experimental:
    """``tf.data.experimental``: the older place of some names."""

    AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY

    @staticmethod
    def cardinality(dataset: Dataset) -> int:
        """The number of elements."""
        return dataset.cardinality()

    @staticmethod
    def get_single_element(dataset: Dataset) -> Any:
        """The only element."""
        return dataset.get_single_element()

    @staticmethod
    def enumerate_dataset(start: int = 0) -> Any:
        """For ``dataset.apply``: numbered elements."""
        return lambda dataset: dataset.enumerate(start)

    @staticmethod
    def ignore_errors(log_warning: bool = False) -> Any:
        """For ``dataset.apply``: without the elements whose computation fails."""
        return lambda dataset: dataset.ignore_errors(log_warning)

    @staticmethod
    def unbatch() -> Any:
        """For ``dataset.apply``: the rows of batches."""
        return lambda dataset: dataset.unbatch()

    @staticmethod
    def prefetch_to_device(device: str, buffer_size: int | None = None) -> Any:
        """For ``dataset.apply``: the dataset itself; there is one device."""
        return lambda dataset: dataset

    @staticmethod
    def assert_cardinality(expected_cardinality: int) -> Any:
        """For ``dataset.apply``: the dataset with this many elements at most."""
        return lambda dataset: dataset.take(expected_cardinality)


__getattr__ = absent.answer(__name__)
