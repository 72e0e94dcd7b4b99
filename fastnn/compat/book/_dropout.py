"""Dropout as the books write it, drawn from NumPy's generator: ``np.random.seed`` repeats a run."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Dropout", "TimeDropout"]


class Dropout:
    """In training x where a draw is above `dropout_ratio`, else 0; out of training x · (1 − dropout_ratio).

    Examples
    --------
    >>> Dropout(0.25).forward(np.array([8.0, 4.0]), train_flg=False)
    array([6., 3.])
    >>> np.random.seed(0)
    >>> Dropout(0.6).forward(np.ones(4))  # draws 0.55, 0.72, 0.60, 0.54
    array([0., 1., 1., 0.])
    """

    def __init__(self, dropout_ratio: float = 0.5):
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.dropout_ratio = dropout_ratio
        self.mask: np.ndarray | None = None

    def forward(self, x: np.ndarray, train_flg: bool = True) -> np.ndarray:
        """Return y, and keep the mask for backward."""
        if not train_flg:
            return x * (1.0 - self.dropout_ratio)
        self.mask = np.random.rand(*x.shape) > self.dropout_ratio
        return x * self.mask

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x."""
        return dout * self.mask


class TimeDropout:
    """In training x / (1 − dropout_ratio) where a draw is above `dropout_ratio`, else 0; out of training x.

    ``layer.train_flg`` says which.

    Examples
    --------
    >>> np.random.seed(0)
    >>> TimeDropout(0.6).forward(np.ones((1, 4, 1), np.float32)).ravel()
    array([0. , 2.5, 2.5, 0. ], dtype=float32)
    """

    def __init__(self, dropout_ratio: float = 0.5):
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.dropout_ratio = dropout_ratio
        self.mask: np.ndarray | None = None
        self.train_flg = True

    def forward(self, xs: np.ndarray) -> np.ndarray:
        """Return y, and keep the mask for backward."""
        if not self.train_flg:
            return xs
        kept = np.random.rand(*xs.shape) > self.dropout_ratio
        self.mask = np.multiply(kept, np.float32(1 / (1.0 - self.dropout_ratio)), dtype=np.float32)
        return xs * self.mask

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x."""
        return dout * self.mask
