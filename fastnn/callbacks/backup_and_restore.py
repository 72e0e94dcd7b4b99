"""Back up training while it runs, so that it can resume after an interruption."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Any

from .callback import Callback
from .save_freq import check_save_freq

__all__ = ["BackupAndRestore"]

_PART = re.compile(r"\.latest\.safetensors\.\w+\.part|\.tmp\w{6}")
"""Files that are not whole yet: ours, and what the safetensors package writes before it."""


class BackupAndRestore(Callback):
    """Goes on with a ``fit`` that was broken off, even by ``kill -9``, to the bits of one that was not.

    Start the same script again.  If ``fit`` finds a backup, it continues from there: weights, the optimizer and
    its learning rate, draws of dropout, the order of the data, running losses and metrics, states of stateful layers,
    and what callbacks remember are as they were.  At the end of training the backup is deleted.

    A data set is iterated again up to the batch that comes next, without training, so functions in it draw what they
    drew.  A generator of batches cannot be, and is refused.  Draws from NumPy's global generator and the user's own are
    repeated only there.

    Parameters
    ----------
    backup_dir : path
        A folder for this training alone; made if need be.
    save_freq : "epoch" or int
        Back up after each epoch, or after this number of batches.
    double_checkpoint : bool
        Keep the backup before the last one too, for the case that the last one is damaged.
    delete_checkpoint : bool
        False keeps the backup at the end of training: ``fit`` with more epochs continues from there.

    Raises
    ------
    ValueError
        For another save_freq or an empty path; from ``fit``, if the backup is damaged, or that of another model or of
        other data.

    Examples
    --------
    >>> backup = BackupAndRestore("backup", save_freq=100)
    """

    remembers = ("_batches",)

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        self.backup_dir = os.fspath(backup_dir) if backup_dir else ""
        if not self.backup_dir:
            raise ValueError(f'backup_dir must be the path of a folder. Received: {backup_dir!r}. Use "backup".')
        self.save_freq, self.double_checkpoint = check_save_freq(save_freq), double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._latest = os.path.join(self.backup_dir, "latest.safetensors")
        self._previous = os.path.join(self.backup_dir, "previous.safetensors")
        self._batches = 0

    def on_train_begin(self, logs=None):
        self._batches = 0
        self._delete_parts()
        self.model.current_run.go_on_from([self._latest, self._previous])

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches == self.save_freq:
            self._batches = 0
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs=None):
        if self.delete_checkpoint:
            self.delete()

    def _save(self) -> None:
        """Ask for a backup, which is written once all callbacks have had this moment."""
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._latest):
            os.replace(self._latest, self._previous)
        self.model.current_run.wanted = self._latest

    def _delete_parts(self) -> None:
        """Delete what a write that was broken off has left."""
        for name in os.listdir(self.backup_dir) if os.path.isdir(self.backup_dir) else ():
            if _PART.fullmatch(name):
                os.unlink(os.path.join(self.backup_dir, name))

    def delete(self) -> None:
        """Delete the backup, so that the next ``fit`` starts over."""
        for path in (self._latest, self._previous):
            if os.path.exists(path):
                os.unlink(path)
        with contextlib.suppress(OSError):  # the folder holds other files
            os.rmdir(self.backup_dir)
