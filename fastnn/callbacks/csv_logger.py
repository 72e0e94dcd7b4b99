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

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        super().__init__()
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._file: TextIO | None = None
        self._writer: Any = None

    def on_train_begin(self, logs=None):
        self._close()
        self._header = not (self.append and self.filename.exists() and self.filename.stat().st_size)
        self._file = self.filename.open("a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._writer is None:
            names = sorted(logs)
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]
            self._writer = csv.DictWriter(
                self._file, ["epoch", *names], restval="NA", extrasaction="ignore", delimiter=self.separator
            )
            if self._header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch} | {name: _text(value) for name, value in logs.items()})
        self._file.flush()

    def on_train_end(self, logs=None):
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _text(value: Any) -> Any:
    return f"[{', '.join(map(str, np.ravel(value).tolist()))}]" if np.ndim(value) else value
