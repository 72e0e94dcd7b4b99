"""Relu, Sigmoid and Softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import contiguous, together

__all__ = ["Relu", "Sigmoid", "Softmax"]


class _Elementwise:
    """y = act(x) and dx = dout · act′(y); images whose channels come last in memory stay that way."""

    _activation: str

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self._y: Any = None
        self._last = False

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep it for backward."""
        (x,) = together(x)
        x, self._last = contiguous(x)
        self._y = y = active().activation_forward(x, self._activation)
        return y.transpose(0, 3, 1, 2) if self._last else y

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x."""
        dout, y = together(dout, self._y)
        if not self._last:
            return active().activation_backward(dout, y, y, self._activation)
        dx = active().activation_backward(dout.transpose(0, 2, 3, 1), y, y, self._activation)
        return dx.transpose(0, 3, 1, 2)


class Relu(_Elementwise):
    """y = max(x, 0).

    Examples
    --------
    >>> layer = Relu()
    >>> layer.forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    >>> layer.backward(np.array([[5.0, 5.0]]))
    array([[0., 5.]])
    """

    _activation = "relu"

    @property
    def mask(self) -> np.ndarray | None:
        """True where x was not positive; None before the first forward."""
        if self._y is None:
            return None
        mask = self._y <= 0
        return mask.transpose(0, 3, 1, 2) if self._last else mask


class Sigmoid(_Elementwise):
    """y = 1 / (1 + e^(−x)).

    Examples
    --------
    >>> layer = Sigmoid()
    >>> layer.forward(np.array([0.0]))
    array([0.5])
    >>> layer.backward(np.array([1.0]))
    array([0.25])
    """

    _activation = "sigmoid"

    @property
    def out(self) -> np.ndarray | None:
        """The output of the last forward."""
        return self._y.transpose(0, 3, 1, 2) if self._y is not None and self._last else self._y


class Softmax:
    """The softmax of rows.

    Examples
    --------
    >>> layer = Softmax()
    >>> layer.forward(np.array([[0.0, np.log(3)]]))
    array([[0.25, 0.75]])
    >>> layer.backward(np.array([[1.0, 0.0]]))
    array([[ 0.1875, -0.1875]])
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.out: Any = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities, and keep them for backward."""
        self.out = active().softmax_forward(*together(x))
        return self.out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x."""
        return active().softmax_backward(*together(dout, self.out))
