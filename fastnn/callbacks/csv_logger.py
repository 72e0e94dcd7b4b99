"""A line of numbers for each epoch, in a file."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from fastnn.callbacks.epoch_file import EpochFile

__all__ = ["CSVLogger"]


class CSVLogger(EpochFile):
    """Writes the logs of each epoch as a row of a CSV file.

    Parameters
    ----------
    filename : path
    separator : str
    append : bool
        Append to an existing file instead of overwriting it.
    """

    remembers = ("_names", "_end")

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        super().__init__(filename, append)
        self.separator = separator
        self._writer: Any = None
        self._names: list[str] | None = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._names = self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._names is None:
            self._names = sorted(logs)
            if not any(name.startswith("val_") for name in self._names):
                self._names += [f"val_{name}" for name in self._names]
        if self._writer is None:
            self._writer = csv.DictWriter(
                self._file, ["epoch", *self._names], restval="NA", extrasaction="ignore", delimiter=self.separator
            )
            if not self._size():
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch} | {name: _text(value) for name, value in logs.items()})
        self._written()


def _text(value: Any) -> Any:
    return f"[{', '.join(map(str, np.ravel(value).tolist()))}]" if np.ndim(value) else value
