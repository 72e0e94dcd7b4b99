"""Going on with a training that was broken off: its backup, and the options that may not change."""

from __future__ import annotations

import argparse
import os
from typing import Any

from .. import callbacks
from .answer import say

__all__ = ["Resuming", "backup_folder"]

_FIXED = ("seed", "validation", "validation_split", "loss", "metrics", "optimizer", "learning_rate")


def backup_folder(checkpoint: str) -> str:
    """Return the folder beside a checkpoint that holds what its training needs to continue.

    Examples
    --------
    >>> backup_folder("runs/last.safetensors")
    'runs/last.backup'
    """
    return f"{os.path.splitext(checkpoint)[0]}.backup"


class Resuming(callbacks.Callback):
    """Notes the epoch at which a command begins to train, and refuses to resume with other options.

    Attributes
    ----------
    first : int or None
        Epochs done before; None until an epoch begins.
    """

    def __init__(self, options: argparse.Namespace):
        super().__init__()
        self.options = options
        self.first: int | None = None

    def get_state(self) -> dict[str, Any]:
        """The options that determine the examples, the loss and the optimizer."""
        return {name: getattr(self.options, name) for name in _FIXED}

    def set_state(self, state: dict[str, Any]) -> None:
        """Refuse others."""
        for name, ours in self.get_state().items():
            if name in state and state[name] != ours:
                option, checkpoint = f"--{name.replace('_', '-')}", self.options.checkpoint
                raise ValueError(
                    f"{checkpoint} was trained with {_words(option, state[name])}. Received: {_words(option, ours)}. "
                    f"Use the options of its first run with --resume, or --model {checkpoint} to train it further."
                )

    def on_epoch_begin(self, epoch, logs=None):
        if self.first is None:
            self.first = epoch
            if epoch:
                say(f"Resumed from {self.options.checkpoint} after epoch {epoch} of {self.options.epochs}.")


def _words(option: str, value: Any) -> str:
    """An option as it is typed."""
    if value is None:
        return f"no {option}"
    return f"{option} {' '.join(value) if isinstance(value, list) else value}"
