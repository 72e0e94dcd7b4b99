"""Exponentials, logarithms, and the trigonometric functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import active
from .arithmetic import multiply
from .function import Elementwise

__all__ = ["cos", "erf", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "tan"]


class Exp(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = active().exp(x)
        return y, y

    def backward(self, dy, y, need_dx=True):
        return dy * y


class Expm1(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = np.expm1(x)
        return y, y

    def backward(self, dy, y, need_dx=True):
        return dy * (y + 1)


class Log(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        return active().log(x), x

    def backward(self, dy, x, need_dx=True):
        return dy / x


class Log1p(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        return np.log1p(x), x

    def backward(self, dy, x, need_dx=True):
        return dy / (1 + x)


class Sin(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        return np.sin(x), x

    def backward(self, dy, x, need_dx=True):
        return dy * np.cos(x)


class Cos(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        return np.cos(x), x

    def backward(self, dy, x, need_dx=True):
        return -dy * np.sin(x)


class Tan(Elementwise):
    kind = "f"

    def forward(self, x, training=False):
        y = np.tan(x)
        return y, y

    def backward(self, dy, y, need_dx=True):
        return dy * (1 + y * y)


class Erf(Elementwise):
    """Near 0 by its series, elsewhere as 2·Φ(√2·x) − 1, since the gelu kernel computes z·Φ(z)."""

    kind = "f"

    def forward(self, x, training=False):
        near = np.clip(x, -0.5, 0.5)
        series = near * np.polynomial.polynomial.polyval(near * near, _ERF_SERIES).astype(x.dtype, copy=False)
        z = math.sqrt(2) * np.clip(x, -6, 6)  # erf(6) is 1 in float64
        far = 2 * active().activation_forward(z, "gelu") / z - 1
        return np.where(np.abs(x) <= 0.5, series, far), x

    def backward(self, dy, x, need_dx=True):
        return dy * (2 / math.sqrt(math.pi)) * active().exp(-x * x)


_ERF_SERIES = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(13)]


def exp(x: Any) -> Any:
    """``eˣ``.

    Examples
    --------
    >>> exp([0, 1]).tolist()
    [1.0, 2.7182817459106445]
    """
    return Exp()(x)


def expm1(x: Any) -> Any:
    """``eˣ − 1``, exact to the last places near 0.

    Examples
    --------
    >>> bool(expm1(1e-6) > 1e-6)
    True
    """
    return Expm1()(x)


def log(x: Any) -> Any:
    """The natural logarithm; −∞ at 0 and NaN below.

    Examples
    --------
    >>> log([1, 0]).tolist()
    [0.0, -inf]
    """
    return Log()(x)


def log1p(x: Any) -> Any:
    """``log(1 + x)``, exact to the last places near 0.

    Examples
    --------
    >>> log1p([0, -1]).tolist()
    [0.0, -inf]
    """
    return Log1p()(x)


def log2(x: Any) -> Any:
    """The logarithm to base 2.

    Examples
    --------
    >>> log2([1, 8]).tolist()
    [0.0, 3.0]
    """
    return multiply(log(x), 1 / math.log(2))


def log10(x: Any) -> Any:
    """The logarithm to base 10.

    Examples
    --------
    >>> log10([1, 1000]).tolist()
    [0.0, 3.0]
    """
    return multiply(log(x), 1 / math.log(10))


def sin(x: Any) -> Any:
    """The sine of an angle in radians.

    Examples
    --------
    >>> sin([0, 1]).round(4).tolist()
    [0.0, 0.8414999842643738]
    """
    return Sin()(x)


def cos(x: Any) -> Any:
    """The cosine of an angle in radians.

    Examples
    --------
    >>> cos([0, 1]).round(4).tolist()
    [1.0, 0.5403000116348267]
    """
    return Cos()(x)


def tan(x: Any) -> Any:
    """The tangent of an angle in radians.

    Examples
    --------
    >>> tan([0, 1]).round(4).tolist()
    [0.0, 1.5573999881744385]
    """
    return Tan()(x)


def erf(x: Any) -> Any:
    """The error function, ``2/√π · ∫₀ˣ exp(−t²) dt``.

    Examples
    --------
    >>> erf([0, 1]).round(4).tolist()
    [0.0, 0.8427000045776367]
    """
    return Erf()(x)
