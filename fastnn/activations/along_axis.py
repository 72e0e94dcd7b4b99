"""Activations along an axis: the outputs for an example depend on each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn import backend
from fastnn.activations.activation import Activation, into

__all__ = ["LogSoftmax", "Softmax", "Sparsemax"]


class Softmax(Activation):
    """``exp(x) / Σ exp(x)`` along ``axis`` (an int, or several).

    Raises
    ------
    ValueError
        If there are no axes.
    """

    name = "softmax"

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1):
        if isinstance(axis, (list, tuple)) and not axis:
            raise ValueError(f"{self.name} needs an axis, or several. Received: axis={axis!r}. Use axis=-1.")
        self.alpha, self.fusible, self.axis = None, False, axis

    def forward(self, x, *, y=None):
        y = along(getattr(backend.active(), f"{self.name}_forward"), self.axis, y, x)
        return y, y

    def backward(self, dy, ctx, *, dx=None):
        return along(getattr(backend.active(), f"{self.name}_backward"), self.axis, dx, dy, ctx)

    def get_config(self):
        return {"axis": self.axis}


class LogSoftmax(Softmax):
    """``x − log Σ exp(x)`` along ``axis``."""

    name = "log_softmax"


class Sparsemax(Softmax):
    """The point nearest to x whose entries are ≥ 0 and sum to 1, along ``axis``: most entries become exactly 0.

    ``y = max(x − τ, 0)``, with τ such that Σ y = 1.

    References
    ----------
    Martins, Astudillo: From Softmax to Sparsemax, ICML 2016.
    """

    name = "sparsemax"

    def forward(self, x, *, y=None):
        y = along(sparsemax_rows, self.axis, y, x)
        return y, y

    def backward(self, dy, ctx, *, dx=None):
        return along(sparsemax_slopes, self.axis, dx, dy, ctx)


def sparsemax_rows(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Sparsemax along the last axis."""
    x = x - x.max(axis=-1, keepdims=True)  # which changes nothing but how far numbers can be told apart
    largest_first = -np.sort(-x, axis=-1)
    count = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    excess = np.cumsum(largest_first, axis=-1) - 1  # of the first k over 1
    support = np.maximum(1, (largest_first * count > excess).sum(axis=-1, keepdims=True))
    tau = np.take_along_axis(excess, support - 1, axis=-1) / support.astype(x.dtype)
    return into(y, np.maximum(x - tau, 0))


def sparsemax_slopes(dy: np.ndarray, y: np.ndarray, *, dx: np.ndarray | None = None) -> np.ndarray:
    """dx of sparsemax along the last axis: dy less its mean, where y is not 0."""
    support = (y != 0).astype(y.dtype)
    count = np.maximum(1, support.sum(axis=-1, keepdims=True))
    return into(dx, support * (dy - (dy * support).sum(axis=-1, keepdims=True) / count))


def along(kernel: Callable[..., np.ndarray], axis: Any, out: np.ndarray | None, *arrays: np.ndarray) -> np.ndarray:
    """Run a last-axis kernel along ``axis``: move the axis (or axes, merged) to the end and back again."""
    ndim = np.ndim(arrays[-1])
    axes = tuple(a % ndim for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    if axes == (ndim - 1,):
        named = {} if out is None else {"y" if len(arrays) == 1 else "dx": out}
        return kernel(*arrays, **named)
    last = tuple(range(ndim - len(axes), ndim))
    moved = [np.moveaxis(a, axes, last) for a in arrays]
    shape = moved[0].shape
    flat = kernel(*(m.reshape(*shape[: last[0]], math.prod(shape[last[0] :])) for m in moved))
    return into(out, np.ascontiguousarray(np.moveaxis(flat.reshape(shape), last, axes)))
