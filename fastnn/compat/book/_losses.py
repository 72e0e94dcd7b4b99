"""Losses with the activation before them: softmax or sigmoid, then the books' cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from .functions import cross_entropy_error

__all__ = ["SigmoidWithLoss", "SoftmaxWithLoss"]


class _WithLoss:
    """What both keep: no weights; the loss, the probabilities and the targets of the last forward."""

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.loss: Any = None
        self.y: Any = None
        self.t: Any = None


class SoftmaxWithLoss(_WithLoss):
    """The cross-entropy of the softmax, −1/N · Σ ln(y[n, t[n]] + 1e-7).

    x (N, C); t is labels (N,) or rows (N, C), of any dtype. A row's loss is that of its largest entry, as the books
    have it; its gradient is (y − t) / N.

    Examples
    --------
    >>> layer = SoftmaxWithLoss()
    >>> round(float(layer.forward(np.array([[0.0, np.log(3)]]), np.array([1]))), 6)
    0.287682
    >>> layer.backward()
    array([[ 0.25, -0.25]])
    """

    def forward(self, x: np.ndarray, t: np.ndarray) -> Any:
        """Return the loss, and keep probabilities and targets for backward."""
        self.t = t
        self.y = active().softmax_forward(*together(x))
        self.loss = cross_entropy_error(self.y, t)
        return self.loss

    def backward(self, dout: Any = 1) -> np.ndarray:
        """Return the gradient of x, for a gradient `dout` of the loss."""
        y, t = self.y, self.t
        rows = t.shape[0]
        if t.size == y.size:
            dx = y - t.reshape(y.shape).astype(y.dtype, copy=False)
        else:
            dx = y.copy()
            dx[np.arange(rows), t] -= 1
        dx *= dout / rows
        return dx


class SigmoidWithLoss(_WithLoss):
    """The binary cross-entropy of the sigmoid, −1/N · Σ ln(p + 1e-7), p = y where t is 1 and 1 − y where t is 0.

    x, t (N,); t is integers.

    Examples
    --------
    >>> layer = SigmoidWithLoss()
    >>> round(float(layer.forward(np.array([0.0, np.log(3)]), np.array([1, 1]))), 6)
    0.490414
    >>> layer.backward()
    array([-0.25 , -0.125])
    """

    def forward(self, x: np.ndarray, t: np.ndarray) -> Any:
        """Return the loss, and keep probabilities and targets for backward."""
        self.t = t
        self.y = y = active().sigmoid(*together(x))
        self.loss = cross_entropy_error(np.c_[1 - y, y], t)
        return self.loss

    def backward(self, dout: Any = 1) -> np.ndarray:
        """Return the gradient of x, for a gradient `dout` of the loss."""
        dx = self.y - np.asarray(self.t).astype(self.y.dtype, copy=False)
        dx *= dout / len(self.t)
        return dx
