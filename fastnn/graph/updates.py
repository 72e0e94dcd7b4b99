"""Statistics that a step updates: kept back until its loss has been found finite.

A layer such as BatchNormalization moves its averages in ``forward``.  Within a training step the new values wait, so
that a step which is refused leaves them as they were; outside of one they are written at once.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["collected_updates", "commit", "latest_value", "update_later"]

_waiting: contextvars.ContextVar[list[tuple[Any, np.ndarray]] | None] = contextvars.ContextVar(
    "fastnn_updates", default=None
)


def update_later(parameter: Any, value: np.ndarray) -> None:
    """Let ``parameter`` take this value once the step is known to be good; at once where no step is under way."""
    waiting = _waiting.get()
    if waiting is None:
        parameter.value[...] = value
    else:
        waiting.append((parameter, value))


def latest_value(parameter: Any) -> np.ndarray:
    """The value that waits for ``parameter`` in this step, or the one that it has: a layer may run twice in a step."""
    for waiting, value in reversed(_waiting.get() or ()):
        if waiting is parameter:
            return value
    return parameter.value


@contextmanager
def collected_updates() -> Iterator[list[tuple[Any, np.ndarray]]]:
    """Collect the updates of this block instead of writing them; ``commit`` writes what it gives."""
    waiting: list[tuple[Any, np.ndarray]] = []
    token = _waiting.set(waiting)
    try:
        yield waiting
    finally:
        _waiting.reset(token)


def commit(updates: list[tuple[Any, np.ndarray]]) -> None:
    """Write collected updates, in the order in which they came."""
    for parameter, value in updates:
        parameter.value[...] = value
