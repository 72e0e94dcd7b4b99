"""The base of all callbacks: a method for each moment of training, testing and predicting."""

from __future__ import annotations

from typing import Any

__all__ = ["HOOKS", "Callback"]

HOOKS = (
    "on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end", "on_train_batch_begin", "on_train_batch_end",
    "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end", "on_predict_begin", "on_predict_end",
    "on_predict_batch_begin", "on_predict_batch_end",
)  # fmt: skip
"""The names of all moments."""

Logs = dict[str, Any] | None


class Callback:
    """Base of all callbacks; a subclass overrides the moments it cares for, the others cost nothing.

    Attributes
    ----------
    model : Model
        Set before training; ``model.stop_training = True`` ends it after the batch.
    params : dict
        ``epochs``, ``steps`` and ``verbose`` of this call of ``fit``.
    remembers : tuple of str
        The attributes that change while training: numbers, strings, arrays, and lists and dicts of them. With
        ``BackupAndRestore`` they are saved, and restored when a run resumes.
    """

    remembers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Keep the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Keep the parameters of this call."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """The state that a resumed run in another process needs: the attributes that ``remembers`` names."""
        return {name: getattr(self, name) for name in self.remembers}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``get_state`` gave; called after ``on_train_begin``."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch; ``logs`` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before epoch ``epoch``, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After epoch ``epoch``; ``logs`` hold its loss and metrics, validation's as ``val_<name>``."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The older name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The older name of ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training batch; ``logs`` hold the loss and metrics so far in this epoch."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before evaluation, also before validation within ``fit``."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of evaluation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of prediction; ``logs`` hold its ``outputs``."""
