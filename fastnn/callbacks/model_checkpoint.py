"""Write the model, or its weights, to a file while it trains."""

from __future__ import annotations

import os
from typing import Any

from fastnn.callbacks.monitor import MonitorCallback

from .save_freq import check_save_freq

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(MonitorCallback):
    """Saves the model after each epoch, or every few batches; with ``save_best_only`` when a number got better.

    A save is whole or not there: an older file survives a failure, and a kill at any moment.

    Parameters
    ----------
    filepath : path
        May contain names from the logs, and the epoch (counted from 1) and batch:
        ``"{epoch:02d}-{val_loss:.2f}.safetensors"``.  Folders are made.
    monitor : str
        The name in the logs that ``save_best_only`` goes by.
    verbose : int
        1 prints a line when it saves.
    save_best_only : bool
        Save only when ``monitor`` is better than ever before.
    save_weights_only : bool
        ``model.save_weights`` instead of ``model.save``.
    mode : {"auto", "min", "max"}
        Which way is better; "auto" asks the metric.
    save_freq : "epoch" or int
        Number of batches after which to save; with it the numbers of the epoch so far are what counts.
    initial_value_threshold : float, optional
        Save only what is better than this.

    Raises
    ------
    ValueError
        For another save_freq, or a path that ends as the files of Keras do.
    KeyError
        When saving, if filepath names an entry that the logs do not have.

    Examples
    --------
    >>> checkpoint = ModelCheckpoint("best.safetensors", monitor="val_accuracy", save_best_only=True)
    """

    remembers = ("best", "_epoch", "_batches")

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode)
        self.save_freq: Any = check_save_freq(save_freq)
        self.filepath = os.fspath(filepath)
        wrong = ".keras" if save_weights_only else (".h5", ".hdf5")
        if self.filepath.lower().endswith(wrong):
            raise ValueError(
                f"{'Weights' if save_weights_only else 'Models'} are written as .safetensors, or as "
                f"{'.weights.h5' if save_weights_only else '.keras'} for Keras. "
                f'Received: filepath="{self.filepath}" with save_weights_only={save_weights_only}. '
                "Use a path that ends so."
            )
        self.verbose = verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.initial_value_threshold = self.best = initial_value_threshold
        self._epoch = self._batches = 0

    def on_train_begin(self, logs=None):
        self._batches = 0
        if self.save_best_only:
            self._sign = self._sign or self._direction_if_known()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _direction_if_known(self) -> int:
        try:
            return self._direction()
        except ValueError:  # metrics that are bound to their targets at the first batch have their names then
            return 0

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        logs, value = logs or {}, None
        if self.save_best_only:
            value = self.watched(logs)
            if value is None or not self.better(value, self.best):
                if value is not None and self.verbose:
                    print(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
        path = self._path(epoch, batch, logs)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.verbose:
            words = "" if value is None else f"{self.monitor} improved to {value:.5f}, "
            print(f"Epoch {epoch + 1}: {words}saving to {path}")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if value is not None:
            self.best = value

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        known = logs | {"epoch": epoch + 1} | ({} if batch is None else {"batch": batch + 1})
        try:
            return self.filepath.format(**known)
        except (KeyError, IndexError) as error:
            raise KeyError(
                f'filepath "{self.filepath}" names {error}, which is not in the logs. Available: {", ".join(known)}.'
            ) from None
