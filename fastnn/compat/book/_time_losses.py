"""Losses of all steps of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from .functions import cross_entropy_error

__all__ = ["TimeSigmoidWithLoss", "TimeSoftmaxWithLoss"]


class TimeSoftmaxWithLoss:
    """The cross-entropy of the softmax at each step, the mean over the steps whose label is not ``ignore_label`` (−1).

    xs (N, T, V); ts is labels (N, T), or one-hot (N, T, V).

    Examples
    --------
    >>> layer = TimeSoftmaxWithLoss()
    >>> loss = layer.forward(np.log([[[1.0, 3.0], [1.0, 1.0]]]), np.array([[1, -1]]))
    >>> round(float(loss), 6)
    0.287682
    >>> layer.backward()[0, 0]
    array([ 0.25, -0.25])
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.cache: Any = None
        self.ignore_label = -1

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> Any:
        """Return the loss, and keep the probabilities for backward."""
        (xs,) = together(xs)
        if ts.ndim == 3:
            ts = ts.argmax(axis=2)
        rows = xs.reshape(-1, xs.shape[-1])
        labels = ts.reshape(-1)
        counts = labels != self.ignore_label
        labels = np.where(counts, labels, 0)
        loss, p = active().softmax_cross_entropy_forward(rows, labels)
        self.cache = (xs.shape, p, labels, counts)
        return loss[counts].sum() / counts.sum()

    def backward(self, dout: Any = 1) -> np.ndarray:
        """Return the gradient of xs, for a gradient `dout` of the loss: it takes the place of the probabilities."""
        shape, p, labels, counts = self.cache
        scale = (counts * (dout / counts.sum())).astype(p.dtype)
        return active().softmax_cross_entropy_backward(p, labels, scale, dz=p).reshape(shape)


class TimeSigmoidWithLoss:
    """The binary cross-entropy of the sigmoid at each step, the mean over all: xs, ts (N, T).

    Examples
    --------
    >>> layer = TimeSigmoidWithLoss()
    >>> round(float(layer.forward(np.array([[0.0, np.log(3)]]), np.array([[1, 1]]))), 6)
    0.490414
    >>> layer.backward()
    array([[-0.25 , -0.125]])
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.xs_shape: tuple[int, ...] | None = None

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> Any:
        """Return the loss, and keep probabilities and targets for backward."""
        self.xs_shape = xs.shape
        self._y, self._t = active().sigmoid(*together(xs)), np.asarray(ts)
        y = self._y.reshape(-1)
        return cross_entropy_error(np.stack([1 - y, y], axis=1), self._t.reshape(-1))

    def backward(self, dout: Any = 1) -> np.ndarray:
        """Return the gradient of xs, for a gradient `dout` of the loss."""
        dxs = self._y - self._t.astype(self._y.dtype, copy=False)
        dxs *= dout / dxs.size
        return dxs
