"""``tf.compat.v1``: the few names that scripts of TensorFlow 2 still take from there."""

from __future__ import annotations

import logging as _logging
from types import SimpleNamespace
from typing import Any, NoReturn

from .random import set_seed

__all__ = ["get_logger", "v1", "v2"]


def get_logger() -> _logging.Logger:
    """The logger of Python that is named "tensorflow"; fastnn writes nothing to it."""
    return _logging.getLogger("tensorflow")


class _V1(SimpleNamespace):
    """Names of TensorFlow 1, or the word of today."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"tf.compat.v1.{name} is of TensorFlow 1, with its graphs and sessions. Use tf.keras, tf.GradientTape, and "
            f"tf.{name} if it is there."
        )


def _set_verbosity(v: Any) -> None:
    """Accepted: fastnn logs nothing."""


v1 = _V1(
    set_random_seed=set_seed,
    enable_eager_execution=lambda *arguments, **named: None,
    enable_v2_behavior=lambda: None,
    executing_eagerly=lambda: True,
    logging=SimpleNamespace(set_verbosity=_set_verbosity, DEBUG=10, INFO=20, WARN=30, WARNING=30, ERROR=40, FATAL=50),
)
v2: Any = SimpleNamespace(enable_v2_behavior=lambda: None)
