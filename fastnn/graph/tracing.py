"""Whether a ``call`` is being traced, and the losses that it adds on the way."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["is_tracing", "losses_of_trace", "tracing"]

_losses: contextvars.ContextVar[list[Any] | None] = contextvars.ContextVar("fastnn_trace", default=None)


@contextmanager
def tracing() -> Iterator[list[Any]]:
    """A block in which a ``call`` runs on symbols; gives the list that ``add_loss`` fills."""
    losses: list[Any] = []
    token = _losses.set(losses)
    try:
        yield losses
    finally:
        _losses.reset(token)


def is_tracing() -> bool:
    """Whether symbols belong to the trace of a ``call``, which nobody else sees."""
    return _losses.get() is not None


def losses_of_trace() -> list[Any] | None:
    """The losses added so far in the trace under way; None outside of one."""
    return _losses.get()
