"""A line of numbers for each epoch, in a file."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fastnn.callbacks.callback import Callback

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes the logs of each epoch as a row of a CSV file.

    Parameters
    ----------
    filename : path
    separator : str
    append : bool
        Go on at the end of a file that is there, instead of starting it anew.
    """

    remembers = ("_names", "_end")

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        super().__init__()
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._file: TextIO | None = None
        self._writer: Any = None
        self._names: list[str] | None = None
        self._end = 0  # of what is to be kept of the file, in bytes

    def on_train_begin(self, logs=None):
        self._close()
        self._file = self.filename.open("a", newline="", encoding="utf-8")
        self._names, self._end = None, self._size() if self.append else 0

    def on_epoch_begin(self, epoch, logs=None):
        if self._size() > self._end:  # rows of an earlier training, or of epochs that a run goes back to
            self._file.truncate(self._end)

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
        self._file.flush()
        self._end = self._size()

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def on_train_end(self, logs=None):
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _text(value: Any) -> Any:
    return f"[{', '.join(map(str, np.ravel(value).tolist()))}]" if np.ndim(value) else value
