"""Numbers cut to whole ones, or to a range."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import maximum, minimum
from .function import Elementwise

__all__ = ["ceil", "clip", "floor", "round"]


class Rounded(Elementwise):
    """A function of steps, ``floor``, ``ceil`` or ``round``: no slope."""

    kind = "f"

    def __init__(self, name: str, decimals: int = 0):
        self.name, self.decimals = name, decimals

    def forward(self, x, training=False):
        y = np.round(x, self.decimals) if self.name == "round" else getattr(np, self.name)(x)
        return y, None

    def backward(self, dy, ctx, need_dx=True):
        return None


class Clip(Elementwise):
    """The slope is 1 from the lower bound to the upper one, the bounds included."""

    def __init__(self, low: Any, high: Any):
        self.low, self.high = low, high
        self.kind = "f" if isinstance(low, float) or isinstance(high, float) else "i"

    def forward(self, x, training=False):
        return np.clip(x, self.low, self.high).astype(x.dtype, copy=False), x

    def backward(self, dy, x, need_dx=True):
        inside = np.ones(x.shape, bool)
        if self.low is not None:
            inside &= x >= self.low
        if self.high is not None:
            inside &= x <= self.high
        return dy * inside


def floor(x: Any) -> Any:
    """The largest whole number that is not above x; no gradient.

    Examples
    --------
    >>> floor([1.5, -1.5]).tolist()
    [1.0, -2.0]
    """
    return Rounded("floor")(x)


def ceil(x: Any) -> Any:
    """The smallest whole number that is not below x; no gradient.

    Examples
    --------
    >>> ceil([1.5, -1.5]).tolist()
    [2.0, -1.0]
    """
    return Rounded("ceil")(x)


def round(x: Any, decimals: int = 0) -> Any:
    """Round to a number of decimals, to even on ties; no gradient.

    Examples
    --------
    >>> round([0.5, 1.5, 2.5]).tolist()
    [0.0, 2.0, 2.0]
    """
    return Rounded("round", decimals)(x)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """x cut to the range from ``x_min`` to ``x_max``.

    Parameters
    ----------
    x : array or Symbol
    x_min, x_max : number or None
        Or arrays and symbols that broadcast with x.

    Examples
    --------
    >>> clip([-2, 0, 2], -1, 1)
    array([-1,  0,  1])
    """
    x_min, x_max = (bound.item() if isinstance(bound, np.generic) else bound for bound in (x_min, x_max))
    if all(bound is None or isinstance(bound, (int, float)) for bound in (x_min, x_max)):
        return Clip(x_min, x_max)(x)
    if x_max is not None:
        x = minimum(x, x_max)
    return x if x_min is None else maximum(x, x_min)
