"""Optuna: trials that look hopeless end early."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..callbacks import Callback
from ..extras import library

__all__ = ["OptunaPruning"]


class OptunaPruning(Callback):
    """Reports a number of each epoch to a trial of Optuna, and ends training when the study's pruner says so.

    Parameters
    ----------
    trial : optuna.Trial
    monitor : str
        The name in the logs, "val_loss" or "val_accuracy" for example; the study's direction says which way is better.
    interval : int
        Report after every this many epochs; with ``validation_freq=n`` use ``interval=n``.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    optuna.TrialPruned
        In ``fit``, if the trial is to be pruned; ``study.optimize`` takes it.
    ValueError
        If ``interval`` is not a positive integer; in ``fit``, if the logs lack ``monitor`` or it is not one number.

    References
    ----------
    Akiba et al.: Optuna: A Next-generation Hyperparameter Optimization Framework, KDD 2019.

    Examples
    --------
    >>> OptunaPruning(trial=None, interval=0)
    Traceback (most recent call last):
        ...
    ValueError: interval must be a number of epochs, at least 1. Received: interval=0.
    """

    def __init__(self, trial: Any, monitor: str = "val_loss", interval: int = 1):
        super().__init__()
        if not isinstance(interval, (int, np.integer)) or isinstance(interval, bool) or interval < 1:
            raise ValueError(f"interval must be a number of epochs, at least 1. Received: interval={interval!r}.")
        self._pruned = library("optuna", "optuna", "OptunaPruning").TrialPruned
        self.trial, self.monitor, self.interval = trial, monitor, int(interval)

    def __deepcopy__(self, memo: dict[int, Any]) -> OptunaPruning:
        """A callback that reports to the same trial, for the copies that scikit-learn makes of an estimator."""
        return OptunaPruning(self.trial, self.monitor, self.interval)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.interval:
            return
        value = (logs or {}).get(self.monitor)
        if value is None or np.ndim(value):
            raise ValueError(self._refusal(logs or {}))
        self.trial.report(float(value), step=int(epoch))
        if self.trial.should_prune():
            raise self._pruned(f"Pruned after epoch {epoch + 1}, where {self.monitor} was {float(value):.6g}.")

    def _refusal(self, logs: dict[str, Any]) -> str:
        if self.monitor in logs:
            return (
                f"OptunaPruning reports one number. Received: monitor={self.monitor!r}, which has the shape "
                f"{np.shape(logs[self.monitor])}. Use one of {', '.join(n for n in logs if not np.ndim(logs[n]))}."
            )
        hint = f"Use one of {', '.join(logs)}."
        if self.monitor.startswith("val_"):
            hint += " Pass fit validation_data or validation_split, and with validation_freq=n use interval=n."
        return f"OptunaPruning watches {self.monitor!r}, which is not in the logs. Received: {', '.join(logs)}. {hint}"
