"""Layers whose weights come from a file: they are made without drawing, and no larger than the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ... import seeds

__all__ = ["room", "unfilled"]


class Room:
    """How many bytes of weights may still be made."""

    def __init__(self, size: int):
        self.size = self.left = size

    def zeros(self, shape: tuple[int, ...], dtype: Any, name: str) -> np.ndarray:
        """A weight to be filled from the file.

        Raises
        ------
        ValueError
            If the file is too small to hold it.
        """
        needed = math.prod(shape) * np.dtype(dtype).itemsize
        if any(n < 0 for n in shape) or needed > self.left:
            raise ValueError(
                f"Weight {name!r} of shape {shape} needs {needed} bytes, more than the whole file of {self.size} bytes."
            )
        self.left -= needed
        return np.zeros(shape, dtype)


_room: ContextVar[Room | None] = ContextVar("room", default=None)


def room() -> Room | None:
    """The room of the block around, None outside of one."""
    return _room.get()


@contextmanager
def unfilled(size: int) -> Iterator[None]:
    """Within the block weights are zeros, at most ``size`` bytes of them, and no key is drawn from the stream."""
    token = _room.set(Room(size))
    try:
        with seeds.set_aside():
            yield
    finally:
        _room.reset(token)
