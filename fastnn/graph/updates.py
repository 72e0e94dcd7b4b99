"""Statistics that a step updates: kept back until its loss has been found finite.

A layer such as BatchNormalization moves its averages in ``forward``.  Within a training step the new values wait, so
that a step which is refused leaves them as they were; outside of one they are written at once.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

__all__ = ["commit", "latest_value", "update_later", "waiting"]

Updates = list[tuple[Any, np.ndarray]]


class _Waiting(threading.local):
    """The updates of the step that this thread is in; None outside of a step.

    A step sets ``updates`` to a list of its own, and puts back what was there before when it ends.
    """

    updates: Updates | None = None


waiting = _Waiting()


def update_later(parameter: Any, value: np.ndarray) -> None:
    """Let ``parameter`` take this value once the step is known to be good; at once where no step is under way."""
    if waiting.updates is None:
        parameter.value[...] = value
    else:
        waiting.updates.append((parameter, value))


def latest_value(parameter: Any) -> np.ndarray:
    """The value that waits for ``parameter`` in this step, or the one that it has: a layer may run twice in a step."""
    for changed, value in reversed(waiting.updates or ()):
        if changed is parameter:
            return value
    return parameter.value


def commit(updates: Updates) -> None:
    """Write updates, in the order in which they came."""
    for parameter, value in updates:
        parameter.value[...] = value
