"""A text file that grows with each epoch of a training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .callback import Callback

__all__ = ["EpochFile"]


class EpochFile(Callback):
    """Base of the callbacks that write a piece of text for each epoch; it is there when the epoch is over.

    A run that resumes from a backup first removes what was written after it, so that each epoch occurs once.

    Parameters
    ----------
    filename : path
    append : bool
        Append to an existing file instead of overwriting it.
    """

    remembers: tuple[str, ...] = ("_end",)

    def __init__(self, filename: str | os.PathLike[str], append: bool = False):
        super().__init__()
        self.filename, self.append = Path(filename), append
        self._file: Any = None  # open while it trains
        self._end = 0  # of what is to be kept of the file, in bytes

    def on_train_begin(self, logs=None):
        self._close()
        self._file = self.filename.open("a", newline="", encoding="utf-8")
        self._end = self._size() if self.append else 0

    def on_epoch_begin(self, epoch, logs=None):
        if self._size() > self._end:  # text of an earlier training, or of epochs that a run goes back to
            self._file.truncate(self._end)

    def on_train_end(self, logs=None):
        self._close()

    def _written(self) -> None:
        """Note that the text of an epoch is whole."""
        self._file.flush()
        self._end = self._size()

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
