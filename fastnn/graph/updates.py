"""Statistics that a step updates: kept back until its loss has been found finite.

A layer such as BatchNormalization moves its averages in ``forward``.  Within a training step the new values wait, so
that a step which is refused leaves them as they were; outside of one they are written at once.  What must move at once
(the counter of a layer that draws, the states that a stateful layer carries) is put back if the step is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

__all__ = ["Attempt", "commit", "latest_value", "next_draw", "on_refusal", "update_later"]

Updates = list[tuple[Any, np.ndarray]]


class _Waiting(threading.local):
    """What the step that this thread is in holds back, and how to undo the rest; None outside of a step."""

    updates: Updates | None = None
    undo: list[Callable[[], None]] | None = None


_waiting = _Waiting()


class Attempt:
    """A step, as a block: gives the updates that wait, for ``commit``; an error puts back what has moved already."""

    __slots__ = ("_before",)

    def __enter__(self) -> Updates:
        self._before = _waiting.updates, _waiting.undo
        updates: Updates = []
        _waiting.updates, _waiting.undo = updates, []
        return updates

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        undo = _waiting.undo
        _waiting.updates, _waiting.undo = self._before
        if kind is not None:
            for back in reversed(undo or ()):
                back()


def update_later(parameter: Any, value: np.ndarray) -> None:
    """Let ``parameter`` take this value once the step is known to be good; at once where no step is under way."""
    if _waiting.updates is None:
        parameter.value[...] = value
    else:
        _waiting.updates.append((parameter, value))


def on_refusal(undo: Callable[[], None]) -> None:
    """Let ``undo`` be called if the step under way is refused; does nothing outside a step."""
    if _waiting.undo is not None:
        _waiting.undo.append(undo)


def next_draw(owner: Any) -> int:
    """The counter of a draw of random numbers: ``owner.calls``, which moves on, and back if the step is refused."""
    call = owner.calls
    on_refusal(partial(setattr, owner, "calls", call))
    owner.calls = call + 1
    return call


def latest_value(parameter: Any) -> np.ndarray:
    """The value that waits for ``parameter`` in this step, or the one that it has: a layer may run twice in a step."""
    for changed, value in reversed(_waiting.updates or ()):
        if changed is parameter:
            return value
    return parameter.value


def commit(updates: Updates) -> None:
    """Write updates, in the order in which they came; from here on the step is not refused any more."""
    for parameter, value in updates:
        parameter.value[...] = value
    if _waiting.undo:
        _waiting.undo.clear()
