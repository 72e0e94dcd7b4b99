"""Axes: an int, a tuple, negative ones, or None for all."""

from __future__ import annotations

import operator
from typing import Any

from ..shapes import Shape

__all__ = ["axes_of", "axis_of", "length_along"]


def axis_of(name: str, axis: Any, shape: Shape, extra: int = 0, word: str = "axis") -> int:
    """A single axis, counted from the front.

    Parameters
    ----------
    extra : int
        How many axes the result has more than ``shape``: 1 where an axis is put in.

    Raises
    ------
    TypeError, ValueError
        If it is not an integer, or the axis does not exist.

    Examples
    --------
    >>> axis_of("sum", -1, (2, 3))
    1
    """
    try:
        index = operator.index(axis)
    except TypeError:
        raise TypeError(f"{word} of ops.{name} must be an integer. Received: {word}={axis!r}.") from None
    count = len(shape) + extra
    if not -count <= index < count:
        what = f"{word} must be from {-count} to {count - 1}" if count else "it has no axes"
        raise ValueError(f"ops.{name}: for an array of shape {shape}, {what}. Received: {word}={axis}.")
    return index % count


def axes_of(name: str, axis: Any, shape: Shape) -> tuple[int, ...]:
    """Axes in ascending order; None: all.

    Raises
    ------
    TypeError, ValueError
        If one is not an integer, does not exist, or occurs twice.

    Examples
    --------
    >>> axes_of("sum", (-1, 0), (2, 3, 4))
    (0, 2)
    """
    if axis is None:
        return tuple(range(len(shape)))
    given = axis if isinstance(axis, (list, tuple)) else (axis,)
    axes = sorted(axis_of(name, one, shape) for one in given)
    if len(set(axes)) < len(axes):
        raise ValueError(f"ops.{name}: each axis can be given only once. Received: axis={axis}.")
    return tuple(axes)


def length_along(name: str, shape: Shape, axis: int, instead: str) -> int:
    """The length of an axis that must be known.

    Raises
    ------
    ValueError
        If it is open; ``instead`` says what to do.
    """
    length = shape[axis]
    if length is None:
        raise ValueError(f"ops.{name} needs the length of axis {axis}, which is open in {shape}. {instead}")
    return length
