"""Values of an ONNX graph as converters hold them, and sizes that are only known when the graph runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Size", "Value", "broadcast"]

Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Value:
    """One array of the graph that is being written.

    Attributes
    ----------
    name : str
        Of the array; "" for a constant that no node has read yet.
    shape : tuple of int or None
        None where a size is only known when the graph runs.
    dtype : str
    order : tuple of int or None
        Axis i of the value is axis ``order[i]`` of the array: a transpose that is written when a node needs it.
    array : array, optional
        The numbers of a constant.
    """

    name: str
    shape: Shape
    dtype: str
    order: tuple[int, ...] | None = None
    array: np.ndarray | None = None

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


@dataclass(frozen=True)
class Size:
    """The size of an axis of a value, where it is only known when the graph runs."""

    value: Value
    axis: int


def broadcast(shapes: list[Shape]) -> Shape:
    """The shape of what elementwise operations give for these; an open size stretches over 1 and over itself.

    Examples
    --------
    >>> broadcast([(None, 1, 3), (5, 1)])
    (None, 5, 3)
    """
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    merged: list[Any] = []
    for sizes in zip(*full, strict=True):
        known = {n for n in sizes if n not in (None, 1)}
        merged.append(known.pop() if known else None if None in sizes else 1)
    return tuple(merged)
