"""Broadcasting: axes of length 1 are stretched, and gradients are summed back over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..shapes import Shape

__all__ = ["broadcast_shapes", "sum_to"]


def broadcast_shapes(name: str, shapes: Sequence[Shape]) -> Shape:
    """The shape that these shapes broadcast to; an open size stays open beside 1, and gives way to any other.

    Raises
    ------
    ValueError
        If they do not fit; the message names the function and the axis.

    Examples
    --------
    >>> broadcast_shapes("add", [(None, 1, 4), (3, 1)])
    (None, 3, 4)
    """
    result: list[int | None] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for axis in range(-len(shape), 0):
            size, so_far = shape[axis], result[axis]
            if so_far == 1 or (so_far is None and size != 1):
                result[axis] = size
            elif size not in (1, None, so_far):
                raise ValueError(
                    f"ops.{name} can stretch only axes of length 1. Received: shapes {' and '.join(map(str, shapes))}, "
                    f"which have {so_far} and {size} on axis {axis}."
                )
    return tuple(result)


def sum_to(dy: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The gradient of an operand of this shape that was stretched to the shape of ``dy``.

    Examples
    --------
    >>> sum_to(np.ones((2, 3)), (1, 3)).tolist()
    [[2.0, 2.0, 2.0]]
    """
    if dy.shape == tuple(shape):
        return dy
    lead = dy.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1 and dy.shape[lead + i] != 1]
    return dy.sum(axis=(*range(lead), *stretched)).reshape(shape)
