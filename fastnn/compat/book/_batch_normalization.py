"""Batch normalization as the first book writes it: of images, too, each pixel of each channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._layer import Layer, gradient, parameter

__all__ = ["BatchNormalization"]

_EPSILON = 10e-7


class BatchNormalization(Layer):
    """y = gamma · (x − mean) / √(variance + 10e-7) + beta, over the rows of the batch.

    x (N, …) is read as rows (N, D); gamma, beta (D,), or numbers. In training the running statistics become
    momentum · running + (1 − momentum) · batch; out of training they are what normalizes.

    Examples
    --------
    >>> layer = BatchNormalization(np.ones(1), np.zeros(1))
    >>> layer.forward(np.array([[1.0], [3.0]])).round(3).ravel()
    array([-1.,  1.])
    >>> layer.running_mean
    array([0.2])
    >>> dx = layer.backward(np.array([[1.0], [0.0]]))
    >>> layer.dgamma.round(3), layer.dbeta
    (array([-1.]), array([1.]))
    """

    gamma, dgamma = parameter(0, "gamma"), gradient(0, "gamma")
    beta, dbeta = parameter(1, "beta"), gradient(1, "beta")

    def __init__(
        self,
        gamma: Any,
        beta: Any,
        momentum: float = 0.9,
        running_mean: Any = None,
        running_var: Any = None,
    ):
        super().__init__(gamma, beta)
        self.momentum = momentum
        self.input_shape: tuple[int, ...] | None = None
        self.running_mean, self.running_var = running_mean, running_var
        self.batch_size: int | None = None

    def forward(self, x: np.ndarray, train_flg: bool = True) -> np.ndarray:
        """Return y; in training move the running statistics, and keep what backward needs."""
        self.input_shape = x.shape
        x = x.reshape(x.shape[0], -1)
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        x, gamma, beta = together(x, self.gamma, self.beta)
        gamma, beta = (np.broadcast_to(a, x.shape[1:]) for a in (gamma, beta))
        if train_flg:
            y, mean, var = active().batch_norm_forward(x, gamma, beta, epsilon=_EPSILON)
            keep, new = self.momentum, 1 - self.momentum
            self.running_mean = keep * self.running_mean + new * mean
            self.running_var = keep * self.running_var + new * var
            self.batch_size, self._cache = x.shape[0], (x, mean, var, gamma)
        else:
            x, mean, var, gamma, beta = together(x, self.running_mean, self.running_var, gamma, beta)
            y = active().batch_norm_inference(x, mean, var, gamma, beta, epsilon=_EPSILON)
        return y.reshape(self.input_shape)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x; those of gamma and beta are ``dgamma`` and ``dbeta``."""
        dout, *cache = together(dout.reshape(dout.shape[0], -1), *self._cache)
        dx, dgamma, dbeta, _ = active().batch_norm_backward(dout, *cache, epsilon=_EPSILON)
        self._keep(dgamma, dbeta)
        return dx.reshape(self.input_shape)
