"""Arithmetic of two operands, with broadcasting, and the plain functions of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .broadcasting import broadcast_shapes, sum_to
from .function import Elementwise, Function, wanted

__all__ = [
    "abs",
    "absolute",
    "add",
    "divide",
    "floor_divide",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "power",
    "reciprocal",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "subtract",
    "true_divide",
]


class Binary(Function):
    """A function of two operands that broadcast; a subclass writes ``compute`` and ``slopes``."""

    takes_several = True
    selects_gradients = True
    kind = "i"
    keeps = True
    """Whether the slopes need the operands."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return broadcast_shapes(self.name, input_shape)

    def compute(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The output."""
        raise NotImplementedError

    def slopes(self, dy: np.ndarray, a: np.ndarray, b: np.ndarray, need: Any) -> tuple[Any, Any]:
        """The gradients of both operands as large as ``dy``; None where there is no slope, or none is needed."""
        return None, None

    def forward(self, x: Any, training: bool = False) -> tuple[np.ndarray, Any]:
        a, b = x
        return self.compute(a, b), (a.shape, b.shape, *(x if self.keeps else (None, None)))

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[Any]:
        *shapes, a, b = ctx
        slopes = self.slopes(dy, a, b, wanted(need_dx, 2))
        return [None if part is None else sum_to(part, shape) for part, shape in zip(slopes, shapes, strict=True)]


class Add(Binary):
    keeps = False

    def compute(self, a, b):
        return a + b

    def slopes(self, dy, a, b, need):
        return dy, dy


class Subtract(Binary):
    keeps = False

    def compute(self, a, b):
        return a - b

    def slopes(self, dy, a, b, need):
        return dy, -dy if need[1] else None


class Multiply(Binary):
    def compute(self, a, b):
        return a * b

    def slopes(self, dy, a, b, need):
        return dy * b if need[0] else None, dy * a if need[1] else None


class Divide(Binary):
    kind = "f"

    def compute(self, a, b):
        return a / b

    def slopes(self, dy, a, b, need):
        part = dy / b
        return part, -part * (a / b) if need[1] else None


class Power(Binary):
    """aᵇ; the slope of b counts where a is positive, since the logarithm is defined there."""

    def compute(self, a, b):
        return np.power(a, b)

    def slopes(self, dy, a, b, need):
        da = dy * np.where(b == 0, 0, b * np.power(a, b - 1)) if need[0] else None
        db = dy * np.power(a, b) * np.log(np.where(a > 0, a, 1)) if need[1] else None
        return da, db


class Mod(Binary):
    def compute(self, a, b):
        return np.mod(a, b)

    def slopes(self, dy, a, b, need):
        return dy, -dy * np.floor(a / b) if need[1] else None


class FloorDivide(Binary):
    """A function of steps: no slope."""

    keeps = False

    def compute(self, a, b):
        return np.floor_divide(a, b)


class Maximum(Binary):
    """Where both are equal, the gradient goes to the first."""

    def compute(self, a, b):
        return np.maximum(a, b)

    def slopes(self, dy, a, b, need):
        first = a >= b
        return dy * first, dy * ~first


class Minimum(Binary):
    """Where both are equal, the gradient goes to the first."""

    def compute(self, a, b):
        return np.minimum(a, b)

    def slopes(self, dy, a, b, need):
        first = a <= b
        return dy * first, dy * ~first


def add(x1: Any, x2: Any) -> Any:
    """``x1 + x2``.

    Parameters
    ----------
    x1, x2 : array, number, Parameter or Symbol
        Of shapes that broadcast.

    Examples
    --------
    >>> add([[1, 2], [3, 4]], [10, 20])
    array([[11, 22],
           [13, 24]])
    """
    return Add()(x1, x2)


def subtract(x1: Any, x2: Any) -> Any:
    """``x1 − x2``.

    Examples
    --------
    >>> subtract([1.0, 2.0], 0.5).tolist()
    [0.5, 1.5]
    """
    return Subtract()(x1, x2)


def multiply(x1: Any, x2: Any) -> Any:
    """``x1·x2``, element by element.

    Examples
    --------
    >>> multiply([1, 2, 3], [1, 2, 3])
    array([1, 4, 9])
    """
    return Multiply()(x1, x2)


def divide(x1: Any, x2: Any) -> Any:
    """``x1 / x2``; the quotient of integers is real.

    Examples
    --------
    >>> divide([1, 2], 2).tolist()
    [0.5, 1.0]
    """
    return Divide()(x1, x2)


def true_divide(x1: Any, x2: Any) -> Any:
    """Another word for ``divide``.

    Examples
    --------
    >>> true_divide(1, 4).tolist()
    0.25
    """
    return Divide()(x1, x2)


def floor_divide(x1: Any, x2: Any) -> Any:
    """``x1 / x2``, rounded down; no gradient.

    Examples
    --------
    >>> floor_divide([7, -7], 2)
    array([ 3, -4])
    """
    return FloorDivide()(x1, x2)


def mod(x1: Any, x2: Any) -> Any:
    """The rest of the division: ``x1 − x2·floor(x1 / x2)``.

    Examples
    --------
    >>> mod([7, -7], 3)
    array([1, 2])
    """
    return Mod()(x1, x2)


def power(x1: Any, x2: Any) -> Any:
    """``x1`` to the power of ``x2``.

    The gradient of ``x2`` counts where ``x1`` is positive.

    Examples
    --------
    >>> power([1.0, 2.0, 3.0], 2).tolist()
    [1.0, 4.0, 9.0]
    """
    if isinstance(x2, (int, float)) and x2 == 2:
        return square(x1)
    if isinstance(x2, (int, float)) and x2 == 0.5:
        return sqrt(x1)
    return Power()(x1, x2)


def maximum(x1: Any, x2: Any) -> Any:
    """The larger one, element by element; NaN where one is NaN.

    Examples
    --------
    >>> maximum([1, 5], 3)
    array([3, 5])
    """
    return Maximum()(x1, x2)


def minimum(x1: Any, x2: Any) -> Any:
    """The smaller one, element by element; NaN where one is NaN.

    Examples
    --------
    >>> minimum([1, 5], 3)
    array([1, 3])
    """
    return Minimum()(x1, x2)


class Negative(Elementwise):
    kind = "i"

    def forward(self, x, training=False):
        return -x, None

    def backward(self, dy, ctx, need_dx=True):
        return -dy


class Absolute(Elementwise):
    kind = "i"

    def forward(self, x, training=False):
        return np.abs(x), x

    def backward(self, dy, x, need_dx=True):
        return dy * np.sign(x)


class Sign(Elementwise):
    """A function of steps: no slope."""

    kind = "i"

    def forward(self, x, training=False):
        return np.sign(x), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class Square(Elementwise):
    kind = "i"

    def forward(self, x, training=False):
        return x * x, x

    def backward(self, dy, x, need_dx=True):
        return 2 * dy * x


class Sqrt(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = np.sqrt(x)
        return y, y

    def backward(self, dy, y, need_dx=True):
        return dy / (2 * y)


class Rsqrt(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = 1 / np.sqrt(x)
        return y, y

    def backward(self, dy, y, need_dx=True):
        return dy * y * y * y / -2


class Reciprocal(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = 1 / x
        return y, y

    def backward(self, dy, y, need_dx=True):
        return -dy * y * y


def negative(x: Any) -> Any:
    """``−x``.

    Examples
    --------
    >>> negative([1, -2])
    array([-1,  2])
    """
    return Negative()(x)


def absolute(x: Any) -> Any:
    """``|x|``; the slope at 0 is 0.

    Examples
    --------
    >>> absolute([-3, 2])
    array([3, 2])
    """
    return Absolute()(x)


def abs(x: Any) -> Any:
    """Another word for ``absolute``.

    Examples
    --------
    >>> abs([-3, 2])
    array([3, 2])
    """
    return Absolute()(x)


def sign(x: Any) -> Any:
    """−1, 0 or 1; no gradient.

    Examples
    --------
    >>> sign([-3, 0, 2])
    array([-1,  0,  1])
    """
    return Sign()(x)


def square(x: Any) -> Any:
    """``x²``.

    Examples
    --------
    >>> square([-3, 2])
    array([9, 4])
    """
    return Square()(x)


def sqrt(x: Any) -> Any:
    """``√x``; NaN below 0, and a slope of infinity at 0.

    Examples
    --------
    >>> sqrt([4, 9]).tolist()
    [2.0, 3.0]
    """
    return Sqrt()(x)


def rsqrt(x: Any) -> Any:
    """``1 / √x``.

    Examples
    --------
    >>> rsqrt([4, 0.25]).tolist()
    [0.5, 2.0]
    """
    return Rsqrt()(x)


def reciprocal(x: Any) -> Any:
    """``1 / x``.

    Examples
    --------
    >>> reciprocal([4, 0.5]).tolist()
    [0.25, 2.0]
    """
    return Reciprocal()(x)
