"""Which tapes are open in this thread, and whether one of them follows a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["is_followed", "is_recording", "note", "open_tapes", "unrecorded"]

open_tapes: ContextVar[tuple[Any, ...]] = ContextVar("fastnn_tapes", default=())
"""The tapes whose blocks this thread is in, outermost first."""


def is_recording() -> bool:
    """Whether a tape is open in this thread."""
    return bool(open_tapes.get())


def is_followed(*values: Any) -> bool:
    """Whether an open tape follows one of these."""
    tapes = open_tapes.get()
    return bool(tapes) and any(tape.follows(value) for tape in tapes for value in values)


@contextmanager
def unrecorded() -> Iterator[None]:
    """A block in which no tape records anything."""
    token = open_tapes.set(())
    try:
        yield
    finally:
        open_tapes.reset(token)


def note(
    operation: Any,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    ctx: Any,
    weights: Sequence[Any] = (),
    form: tuple[bool, bool] = (False, False),
) -> None:
    """Let all open tapes record a call.

    Parameters
    ----------
    operation : object with ``backward``
    inputs : list
        The user's objects, to identify them later.
    outputs : list of Tensor
        What the user gets.
    ctx
        From ``forward``.
    weights : list of Parameter
        Those whose ``grad`` its ``backward`` assigns.
    form : (bool, bool)
        Whether ``backward`` gives a list, and takes one.
    """
    for tape in open_tapes.get():
        tape.note(operation, inputs, outputs, ctx, weights, form)
