"""Norms whose statistics belong to single rows: the checks of their arguments, and rows over any axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["RowNorm", "axes_argument", "axes_within", "checked_epsilon", "from_rows", "known_sizes", "to_rows"]


def axes_argument(axis: Any, layer: Layer) -> int | list[int]:
    """An axis, or a list of different axes; otherwise the error that says so."""
    several = isinstance(axis, Sequence) and not isinstance(axis, str)
    axes: list[Any] = list(axis) if several else [axis]
    if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
        raise TypeError(
            f"axis of {type(layer).__name__} must be an integer or a list of integers. Received: axis={axis!r}."
        )
    axes = [int(a) for a in axes]
    if not axes or len(set(axes)) != len(axes):
        raise ValueError(
            f"axis of {type(layer).__name__} must name at least one axis, and each only once. Received: axis={axis!r}."
        )
    return axes if several else axes[0]


def checked_epsilon(value: Any, layer: Layer) -> float:
    """A number from 0 up, or the error that says so."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
        raise ValueError(f"epsilon of {type(layer).__name__} must be a number ≥ 0. Received: epsilon={value!r}.")
    return float(value)


def axes_within(axis: int | list[int], input_shape: Shape, layer: Layer) -> tuple[int, ...]:
    """The axes counted from the front and in ascending order; the error of a shape that does not have them."""
    rank, axes = len(input_shape), tuple(axis) if isinstance(axis, list) else (axis,)
    found = _from_the_front(axes, rank)
    if len(found) < len(axes) or found[0] == 0:
        if any(not -rank <= a < rank for a in axes):
            layer.refuse_shape(f"an input that has axis {axis}", input_shape)
        if len(found) < len(axes):
            layer.refuse_shape(f"an input in which axis={axis} names different axes", input_shape)
        layer.refuse_shape(f"axis={axis} to leave out the batch, axis 0", input_shape, "Use BatchNormalization there.")
    return found


@lru_cache(maxsize=256)
def _from_the_front(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Those axes that an array of this rank has, each once, in ascending order."""
    return tuple(sorted({axis % rank for axis in axes if -rank <= axis < rank}))


def known_sizes(axes: Sequence[int], input_shape: Shape, layer: Layer) -> tuple[int, ...]:
    """The sizes of the axes; the error of a shape in which one is not known, or is 0."""
    sizes = [input_shape[axis] for axis in axes]
    for axis, size in zip(axes, sizes, strict=True):
        if not size:
            layer.refuse_shape(f"an input whose axis {axis} has a known size, at least 1", input_shape)
    return tuple(n for n in sizes if n)


@lru_cache(maxsize=256)
def _order(axes: tuple[int, ...], rank: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The axes with those of a row behind, and the way back; None where they are there already."""
    there = (*(a for a in range(rank) if a not in axes), *axes)
    if there == tuple(range(rank)):
        return None
    return there, tuple(there.index(a) for a in range(rank))


def to_rows(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """x as (rows, C): the axes of a row together are C."""
    order = _order(axes, x.ndim)
    if order is not None:
        x = np.ascontiguousarray(x.transpose(order[0]))
    return x.reshape(-1, math.prod(x.shape[-len(axes) :]))


def from_rows(rows: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """The way back from ``to_rows`` of an array of this shape."""
    order = _order(axes, len(shape))
    if order is None:
        return rows.reshape(shape)
    return np.ascontiguousarray(rows.reshape([shape[axis] for axis in order[0]]).transpose(order[1]))


class RowNorm(Layer):
    """Base of layers that normalise each row over ``axis``; a subclass computes on rows.

    It writes ``normalize(rows, residual) -> (y, total, statistics)`` and
    ``gradient(dy, rows, statistics, dtotal, need_dx) -> dx``, arrays (rows, C), and lists its weights, each as large as
    the axes of a row, in ``weights``.
    """

    supports_masking = True
    takes_residual = True
    """Whether ``forward_as`` adds a residual in the same pass."""
    axis: int | list[int]

    def normalize(self, rows: np.ndarray, residual: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None, Any]:
        """The output, the sum of rows and residual where there is one, and what ``gradient`` needs."""
        raise NotImplementedError

    def gradient(
        self, dy: np.ndarray, rows: np.ndarray, statistics: Any, dtotal: np.ndarray | None, need_dx: bool
    ) -> np.ndarray | None:
        """The gradient of the rows, plus ``dtotal``; those of the weights are assigned."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = known_sizes(axes_within(self.axis, input_shape, self), input_shape, self)
        for weight in self.weights:
            if weight.shape != sizes:
                self.refuse_shape(f"sizes {weight.shape} on axis {self.axis}, as it was built", input_shape)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        y, _, ctx = self.forward_as(x)
        return y, ctx

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.backward_as(dy, ctx, need_dx)

    def forward_as(
        self, x: np.ndarray, residual: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        """``forward`` of x + residual; the sum comes back too.  The fusion pass calls it."""
        axes = axes_within(self.axis, x.shape, self)
        rows = to_rows(x, axes)
        y, total, statistics = self.normalize(rows, None if residual is None else to_rows(residual, axes))
        ctx = x.shape, axes, rows if total is None else total, statistics
        return from_rows(y, x.shape, axes), None if total is None else from_rows(total, x.shape, axes), ctx

    def backward_as(
        self, dy: np.ndarray, ctx: Any, need_dx: bool = True, dtotal: np.ndarray | None = None
    ) -> np.ndarray | None:
        """``backward`` of ``forward_as``: the gradient of x and of the residual, with that of the sum added."""
        shape, axes, rows, statistics = ctx
        dtotal = None if dtotal is None else to_rows(dtotal, axes)
        dx = self.gradient(to_rows(dy, axes), rows, statistics, dtotal, need_dx)
        return None if dx is None else from_rows(dx, shape, axes)


def flat(array: Any) -> Any:
    """A weight or its gradient as one row, a view."""
    return array if array is None or array.ndim == 1 else array.reshape(-1)
