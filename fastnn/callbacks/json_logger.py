"""A line of JSON for each epoch, in a file."""

from __future__ import annotations

import json

from ..plain import plain
from .epoch_file import EpochFile

__all__ = ["JSONLogger"]


class JSONLogger(EpochFile):
    """Writes the logs of each epoch as one line of JSON: ``{"epoch": 0, "loss": 0.5, "val_loss": 0.6}``.

    Each line is there when its epoch is over, so that another program may follow the file.  Numbers that are not finite
    are null; metrics with several values are lists.

    Parameters
    ----------
    filename : path
    append : bool
        Append to an existing file instead of overwriting it.

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

    def on_epoch_end(self, epoch, logs=None):
        entry = plain({"epoch": int(epoch)} | (logs or {}))
        self._file.write(f"{json.dumps(entry, ensure_ascii=False, allow_nan=False)}\n")
        self._written()
