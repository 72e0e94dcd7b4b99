"""Reductions: sums, means, extremes and counts along axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active
from .arithmetic import absolute, maximum, minimum, power, sqrt, square, subtract
from .axes import axes_of, axis_of
from .comparisons import not_equal
from .conversion import Real, cast
from .function import Function

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "moments",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]

Axis = int | Sequence[int] | None


class Reduction(Function):
    """A function that takes axes together.

    Parameters
    ----------
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether the axes stay, with length 1.
    """

    def __init__(self, axis: Axis = None, keepdims: bool = False):
        self.axis, self.keepdims = axis, bool(keepdims)

    def axes(self, shape: Any) -> tuple[int, ...]:
        """The axes that are taken together."""
        return axes_of(self.name, self.axis, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes = self.axes(input_shape)
        if self.keepdims:
            return tuple(1 if i in axes else n for i, n in enumerate(input_shape))
        return tuple(n for i, n in enumerate(input_shape) if i not in axes)

    def count(self, shape: Any) -> int:
        """How many numbers each result is made of."""
        return math.prod(shape[axis] for axis in self.axes(shape))

    def spread(self, part: np.ndarray, shape: Any) -> np.ndarray:
        """A result, or the gradient of one, with its axes put back as length 1."""
        return part if self.keepdims else np.expand_dims(part, self.axes(shape))


class Sum(Reduction):
    """The gradient of each number is that of the sum."""

    kind = "i"

    def forward(self, x, training=False):
        return x.sum(self.axes(x.shape), keepdims=self.keepdims), x.shape

    def backward(self, dy, shape, need_dx=True):
        return np.broadcast_to(self.spread(dy, shape), shape)


class Mean(Reduction):
    kind = "f"

    def forward(self, x, training=False):
        total = x.sum(self.axes(x.shape), keepdims=self.keepdims)
        return total / x.dtype.type(self.count(x.shape)), x.shape

    def backward(self, dy, shape, need_dx=True):
        part = dy / dy.dtype.type(self.count(shape))
        return np.broadcast_to(self.spread(part, shape), shape)


class Extreme(Reduction):
    """max or min; those that are equal share the gradient."""

    def __init__(self, name: str, axis: Axis, keepdims: bool):
        super().__init__(axis, keepdims)
        self.name = name

    def forward(self, x, training=False):
        if 0 in x.shape and self.count(x.shape) == 0:
            raise ValueError(f"ops.{self.name} of an empty array is not defined. Received: shape {x.shape}.")
        y = getattr(x, self.name)(self.axes(x.shape), keepdims=self.keepdims)
        return y, (x, y)

    def backward(self, dy, ctx, need_dx=True):
        x, y = ctx
        found = x == self.spread(y, x.shape)
        share = self.spread(dy, x.shape) / found.sum(self.axes(x.shape), keepdims=True)
        return (found * share).astype(dy.dtype, copy=False)


class Prod(Reduction):
    """Each number has the product of all others as its slope."""

    kind = "i"

    def forward(self, x, training=False):
        return x.prod(self.axes(x.shape), keepdims=self.keepdims), x

    def backward(self, dy, x, need_dx=True):
        axes = self.axes(x.shape)
        last = tuple(range(x.ndim - len(axes), x.ndim))
        moved = np.moveaxis(x, axes, last)
        rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], self.count(x.shape))
        before, after = np.ones_like(rows), np.ones_like(rows)
        np.cumprod(rows[..., :-1], axis=-1, out=before[..., 1:])
        after[..., :-1] = np.cumprod(rows[..., :0:-1], axis=-1)[..., ::-1]
        others = np.moveaxis((before * after).reshape(moved.shape), last, axes)
        return self.spread(dy, x.shape) * others


class LogSumExp(Reduction):
    """log Σ eˣ, from the largest number on, so that nothing overflows; its slope is the softmax."""

    name = "logsumexp"
    kind = "f"

    def forward(self, x, training=False):
        axes = self.axes(x.shape)
        top = x.max(axes, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, x.dtype.type(0))
        y = active().log(active().exp(x - top).sum(axes, keepdims=True)) + top
        return y if self.keepdims else y.reshape(self.compute_output_shape(x.shape)), (x, y)

    def backward(self, dy, ctx, need_dx=True):
        x, y = ctx
        y = np.where(np.isfinite(y), y, y.dtype.type(0))
        return self.spread(dy, x.shape) * active().exp(x - y)


class Arg(Reduction):
    """argmax or argmin: the first place of the extreme; axis None counts through the flattened array."""

    def __init__(self, name: str, axis: int | None, keepdims: bool):
        super().__init__(axis, keepdims)
        self.name = name

    def axes(self, shape: Any) -> tuple[int, ...]:
        return axes_of(self.name, None if self.axis is None else axis_of(self.name, self.axis, shape), shape)

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return "int64"

    def forward(self, x, training=False):
        return getattr(np, self.name)(x, self.axis, keepdims=self.keepdims), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class Logical(Reduction):
    """any or all."""

    def __init__(self, name: str, axis: Axis, keepdims: bool):
        super().__init__(axis, keepdims)
        self.name = name

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return "bool"

    def forward(self, x, training=False):
        return getattr(np, self.name)(x, self.axes(x.shape), keepdims=self.keepdims), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class CumSum(Function):
    """Each sum goes into those after it, so the gradient is the sum from behind."""

    name = "cumsum"
    kind = "i"

    def __init__(self, axis: int | None):
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axis is None:
            return (None if None in input_shape else math.prod(input_shape),)
        axis_of(self.name, self.axis, input_shape)
        return input_shape

    def forward(self, x, training=False):
        return np.cumsum(x, self.axis), x.shape

    def backward(self, dy, shape, need_dx=True):
        axis = 0 if self.axis is None else self.axis
        return np.flip(np.cumsum(np.flip(dy, axis), axis), axis).reshape(shape)


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum along axes; bools are counted.

    Parameters
    ----------
    x : array or Symbol
    axis : int, tuple of int or None
        None: all axes.
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> sum([[1, 2], [3, 4]], axis=0)
    array([4, 6])
    """
    return Sum(axis, keepdims)(x)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean along axes: ``Σ x / n``.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.

    Examples
    --------
    >>> mean([[1, 2], [3, 4]], axis=-1).tolist()
    [1.5, 3.5]
    """
    return Mean(axis, keepdims)(x)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The variance along axes: ``mean((x − mean(x))²)``.

    Examples
    --------
    >>> var([1, 3]).tolist()
    1.0
    """
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The standard deviation along axes, the root of ``var``.

    Examples
    --------
    >>> std([1, 3]).tolist()
    1.0
    """
    return sqrt(var(x, axis, keepdims))


def moments(x: Any, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """The mean and the variance along axes.

    Parameters
    ----------
    x, axes, keepdims
        As for ``sum``.
    synchronized : bool
        Accepted as Keras does: there is one process.

    Examples
    --------
    >>> [float(part) for part in moments([1.0, 3.0], 0)]
    [2.0, 1.0]
    """
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: str | None = None) -> Any:
    """The product along axes.

    Examples
    --------
    >>> prod([[1, 2], [3, 4]], axis=1)
    array([ 2, 12])
    """
    return Prod(axis, keepdims)(x if dtype is None else cast(x, dtype))


def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest number along axes; those that are equal share the gradient.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.
    initial : number, optional
        The result is not below it.

    Examples
    --------
    >>> max([[1, 5], [7, 2]], axis=0)
    array([7, 5])
    """
    y = Extreme("max", axis, keepdims)(x)
    return y if initial is None else maximum(y, initial)


def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest number along axes; those that are equal share the gradient.

    Parameters
    ----------
    x, axis, keepdims
        As for ``sum``.
    initial : number, optional
        The result is not above it.

    Examples
    --------
    >>> min([[1, 5], [7, 2]], axis=0)
    array([1, 2])
    """
    y = Extreme("min", axis, keepdims)(x)
    return y if initial is None else minimum(y, initial)


def amax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Another word for ``max``.

    Examples
    --------
    >>> amax([1, 5]).tolist()
    5
    """
    return max(x, axis, keepdims)


def amin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Another word for ``min``.

    Examples
    --------
    >>> amin([1, 5]).tolist()
    1
    """
    return min(x, axis, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the largest number along an axis, the first of several; None: in the flattened array.

    Examples
    --------
    >>> argmax([[1, 5], [7, 2]], axis=-1)
    array([1, 0])
    """
    return Arg("argmax", axis, keepdims)(x)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the smallest number along an axis, the first of several; None: in the flattened array.

    Examples
    --------
    >>> argmin([[1, 5], [7, 2]], axis=-1)
    array([0, 1])
    """
    return Arg("argmin", axis, keepdims)(x)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether one is true.

    Examples
    --------
    >>> any([[True, False], [False, False]], axis=1)
    array([ True, False])
    """
    return Logical("any", axis, keepdims)(x)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all are true.

    Examples
    --------
    >>> all([[True, False], [True, True]], axis=1)
    array([False,  True])
    """
    return Logical("all", axis, keepdims)(x)


def count_nonzero(x: Any, axis: Axis = None) -> Any:
    """How many numbers are not 0.

    Examples
    --------
    >>> count_nonzero([[0, 1], [2, 3]], axis=0)
    array([1, 2])
    """
    return sum(not_equal(x, 0), axis)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """``log Σ eˣ``; large numbers do not overflow.

    Examples
    --------
    >>> (logsumexp([1000.0, 1000.0]) - 1000).round(2).tolist()
    0.6899999976158142
    """
    return LogSumExp(axis, keepdims)(x)


def cumsum(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
    """The sums of the first numbers along an axis; None: of the flattened array.

    Examples
    --------
    >>> cumsum([1, 2, 3])
    array([1, 3, 6])
    """
    return CumSum(axis)(x if dtype is None else cast(x, dtype))


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The length of vectors: the root of the sum of squares, or the norm of another order.

    Parameters
    ----------
    x : array or Symbol
    ord : {None, 2, "fro", 1, inf, -inf} or number
        ``(Σ |x|ᵒʳᵈ)^(1/ord)``; inf and -inf: the largest and smallest size.
    axis : int, tuple of int or None
        None, or two axes: of all numbers together, for None and "fro" alone.
    keepdims : bool

    Raises
    ------
    ValueError
        For norms of matrices of other orders.

    Examples
    --------
    >>> norm([3, 4]).tolist(), norm([3, -4], ord=1).tolist()
    (5.0, 7.0)
    """
    x = Real()(x)
    axes = axis if isinstance(axis, (list, tuple)) else (axis,)
    vector = len(axes) == 1 and (axis is not None or len(x.shape) == 1)
    if ord is None or ord == "fro" or (ord == 2 and vector):
        return sqrt(sum(square(x), axis, keepdims))
    if not vector or isinstance(ord, str):
        raise ValueError(
            f"ops.norm supports matrices only with ord=None and 'fro'. Received: ord={ord!r}, axis={axis}. Give a "
            "single axis for the norms of vectors."
        )
    size = absolute(x)
    if math.isinf(ord):
        return max(size, axis, keepdims) if ord > 0 else min(size, axis, keepdims)
    if ord == 1:
        return sum(size, axis, keepdims)
    return power(sum(power(size, ord), axis, keepdims), 1 / ord)
