"""A line of JSON for each epoch, in a file."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .callback import Callback

__all__ = ["JSONLogger"]


class JSONLogger(Callback):
    """Writes the logs of each epoch as one line of JSON: ``{"epoch": 0, "loss": 0.5, "val_loss": 0.6}``.

    Each line is there when its epoch is over, so that another program may follow the file.  Numbers that are not finite
    are null; metrics with several values are lists.

    Parameters
    ----------
    filename : path
    append : bool
        Go on at the end of a file that is there, instead of starting it anew.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.jsonl"
    >>> logger = JSONLogger(path)
    >>> logger.on_train_begin()
    >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": float("nan")})
    >>> logger.on_train_end()
    >>> path.read_text()
    '{"epoch": 0, "loss": 0.5, "val_loss": null}\\n'
    """

    def __init__(self, filename: str | os.PathLike[str], append: bool = False):
        super().__init__()
        self.filename, self.append = Path(filename), append
        self._file: TextIO | None = None

    def on_train_begin(self, logs=None):
        self._close()
        self._file = self.filename.open("a" if self.append else "w", encoding="utf-8")

    def on_epoch_end(self, epoch, logs=None):
        entry = {"epoch": int(epoch)} | {name: _plain(value) for name, value in (logs or {}).items()}
        self._file.write(f"{json.dumps(entry, ensure_ascii=False, allow_nan=False)}\n")
        self._file.flush()

    def on_train_end(self, logs=None):
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def _plain(value: Any) -> Any:
    if np.ndim(value):
        return [_plain(one) for one in value]
    number = float(value)
    return number if math.isfinite(number) else None
