"""More of the same numbers: repeated, tiled, padded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..shapes import Shape
from .axes import axis_of
from .function import Function
from .shaping import sizes_of

__all__ = ["pad", "repeat", "tile"]


class Repeat(Function):
    """Each number several times in a row; its gradient is the sum over them."""

    def __init__(self, repeats: Any, axis: int | None):
        self.repeats, self.axis = repeats, axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axis is None:
            shape, axis = [None if None in input_shape else math.prod(input_shape)], 0
        else:
            shape, axis = list(input_shape), axis_of(self.name, self.axis, input_shape)
        counts, length = np.asarray(self.repeats), shape[axis]
        if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts < 0).any():
            raise ValueError(
                f"ops.repeat: repeats must be an integer, or one for each index. Received: {self.repeats!r}."
            )
        if counts.size > 1 and length is not None and counts.size != length:
            raise ValueError(
                f"ops.repeat: repeats must have one number for each of the {length} indices of axis {self.axis}. "
                f"Received: {counts.size} numbers."
            )
        shape[axis] = int(counts.sum()) if counts.size > 1 else None if length is None else length * int(counts.sum())
        return tuple(shape)

    def forward(self, x, training=False):
        return np.repeat(x, self.repeats, self.axis), x.shape

    def backward(self, dy, shape, need_dx=True):
        axis = 0 if self.axis is None else self.axis % len(shape)
        length = math.prod(shape) if self.axis is None else shape[axis]
        counts = np.broadcast_to(self.repeats, (length,))
        if counts.size and (counts == counts[0]).all():
            split = (*dy.shape[:axis], length, counts[0], *dy.shape[axis + 1 :])
            return dy.reshape(split).sum(axis + 1).reshape(shape)
        dx = np.zeros((length,) if self.axis is None else shape, dy.dtype)
        places: Any = [slice(None)] * axis + [np.repeat(np.arange(length), counts)]
        np.add.at(dx, tuple(places), dy)
        return dx.reshape(shape)


class Tile(Function):
    """The whole array several times side by side; the gradient is the sum over the copies."""

    def __init__(self, repeats: Sequence[int]):
        self.repeats = tuple(repeats)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, counts = self.aligned(input_shape)
        return tuple(None if n is None else n * k for n, k in zip(shape, counts, strict=True))

    def aligned(self, shape: Any) -> tuple[Shape, tuple[int, ...]]:
        """The shape and the repeats, filled up in front to the same length."""
        lead = max(len(shape), len(self.repeats))
        return (1,) * (lead - len(shape)) + tuple(shape), (1,) * (lead - len(self.repeats)) + self.repeats

    def forward(self, x, training=False):
        return np.tile(x, self.repeats), x.shape

    def backward(self, dy, shape, need_dx=True):
        full, counts = self.aligned(shape)
        split = [size for pair in zip(counts, full, strict=True) for size in pair]
        return dy.reshape(split).sum(tuple(range(0, 2 * len(full), 2))).reshape(shape)


class Pad(Function):
    """More places at both ends of each axis."""

    def __init__(self, widths: Sequence[tuple[int, int]], mode: Any, value: Any):
        self.widths, self.mode, self.value = widths, mode, value

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(self.widths) not in (1, len(input_shape)):
            raise ValueError(
                "ops.pad: pad_width must have a pair for each axis, or one pair for all. Received: "
                f"pad_width={self.widths} for an array of shape {tuple(input_shape)}."
            )
        widths = self.of(input_shape)
        return tuple(None if n is None else n + a + b for n, (a, b) in zip(input_shape, widths, strict=True))

    def of(self, shape: Any) -> list[tuple[int, int]]:
        """The widths of each axis."""
        return list(self.widths) * (len(shape) if len(self.widths) == 1 else 1)

    def forward(self, x, training=False):
        widths = self.of(x.shape)
        if self.mode == "constant":
            return np.pad(x, widths, constant_values=self.value), (widths, x.shape)
        return np.pad(x, widths, mode=self.mode), (widths, x.shape)

    def backward(self, dy, ctx, need_dx=True):
        widths, shape = ctx
        if self.mode == "constant":
            return dy[tuple(slice(a, a + n) for (a, _), n in zip(widths, shape, strict=True))]
        places = np.pad(np.arange(math.prod(shape)).reshape(shape), widths, mode=self.mode)
        return np.bincount(places.ravel(), dy.ravel(), math.prod(shape)).astype(dy.dtype).reshape(shape)


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Each number several times in a row.

    Parameters
    ----------
    x : array or Symbol
    repeats : int, or one for each place of the axis
    axis : int or None
        None: of the flattened array.

    Examples
    --------
    >>> repeat([1, 2], 2)
    array([1, 1, 2, 2])
    """
    return Repeat(np.asarray(repeats).tolist(), axis)(x)


def tile(x: Any, repeats: int | Sequence[int]) -> Any:
    """The whole array several times side by side along each axis.

    Examples
    --------
    >>> tile([1, 2], 2)
    array([1, 2, 1, 2])
    """
    return Tile(sizes_of("tile", "repeats", repeats))(x)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """More places at both ends of each axis.

    Parameters
    ----------
    x : array or Symbol
    pad_width : int, pair, or one pair (before, after) for each axis
    mode : {"constant", "reflect", "symmetric", "edge", "wrap"}
    constant_values : number, optional
        Default: 0.

    Examples
    --------
    >>> pad([1, 2], (1, 2))
    array([0, 1, 2, 0, 0])
    >>> pad([1, 2, 3], 1, mode="reflect")
    array([2, 1, 2, 3, 2])
    """
    if mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        raise ValueError(
            f'ops.pad: mode must be "constant", "reflect", "symmetric", "edge" or "wrap". Received: mode={mode!r}.'
        )
    if constant_values is not None and mode != "constant":
        raise ValueError(f'ops.pad takes constant_values only with mode="constant". Received: mode={mode!r}.')
    try:
        widths = np.asarray(pad_width)
        pairs = np.broadcast_to(widths, (len(widths) if widths.ndim == 2 else 1, 2))
        if widths.dtype.kind not in "iu" or (widths < 0).any():
            raise ValueError
    except ValueError:
        raise ValueError(
            "ops.pad: pad_width must be a number, a pair (before, after), or a pair for each axis, none below 0. "
            f"Received: pad_width={pad_width!r}."
        ) from None
    value = 0 if constant_values is None else constant_values
    return Pad([(int(a), int(b)) for a, b in pairs], mode, value)(x)
