"""Products with weights: Affine, MatMul and TimeAffine."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._deferred import Deferring
from ._layer import Layer, gradient, parameter

__all__ = ["Affine", "MatMul", "TimeAffine"]


class _Product(Layer, Deferring):
    """y = x · W + b on rows; b may be absent. W may be a transposed view, as tied weights are: it is read in place."""

    W, dW = parameter(0, "W"), gradient(0, "W")

    def _forward(self, x: np.ndarray) -> np.ndarray:
        self.x, *params = together(x, *self.params)
        self._read = params
        w, kernels = params[0], active()
        if w.flags.c_contiguous:
            return kernels.dense_forward(self.x, *params)
        y = kernels.gemm_nt(self.x, w.T)
        if len(params) > 1:
            y += params[1]
        return y

    def _backward(self, dout: np.ndarray, shape: tuple[int, ...]) -> Any:
        dout, x, w = together(dout, self.x, self._read[0])
        biased, looked, kernels = len(self.params) > 1, self._looked, active()
        if w.flags.c_contiguous:
            places = {"dw": self._place(0, dout.dtype), "db": self._place(1, dout.dtype) if biased else None}
            dx, dw, db = kernels.dense_backward(dout, x, w, need_dx=looked, need_db=biased, **places)
        else:
            dx = kernels.gemm_nn(dout, w.T) if looked else None
            dw, db = kernels.gemm_tn(dout, x).T, dout.sum(axis=0) if biased else None
        self._keep(dw, db) if biased else self._keep(dw)
        return self._later(dout.copy(), w.copy(), shape) if dx is None else dx.reshape(shape)

    def _later(self, dout: np.ndarray, w: np.ndarray, shape: tuple[int, ...]) -> Any:
        return self._promise(shape, dout.dtype, lambda: active().gemm_nt(dout, w).reshape(shape))


class Affine(_Product):
    """y = x · W + b.

    x (N, …) is read as rows (N, K), images too; W (K, M), b (M,) → y (N, M).

    Examples
    --------
    >>> layer = Affine(np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([0.5, 0.0]))
    >>> layer.forward(np.array([[1.0, 1.0]]))
    array([[3.5, 1. ]])
    >>> layer.backward(np.array([[1.0, 0.0]]))
    array([[1., 2.]])
    >>> layer.dW
    array([[1., 0.],
           [1., 0.]])
    """

    b, db = parameter(1, "b"), gradient(1, "b")

    def __init__(self, W: np.ndarray, b: np.ndarray):
        super().__init__(W, b)
        self.x: Any = None
        self.original_x_shape: Any = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep x for backward."""
        self.original_x_shape = x.shape
        return self._forward(x if x.ndim == 2 else x.reshape(x.shape[0], -1))

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x; those of W and b are ``grads``, and ``dW`` and ``db``."""
        return self._backward(dout, self.original_x_shape)


class MatMul(_Product):
    """y = x · W, over the last axis of x.

    Examples
    --------
    >>> layer = MatMul(np.array([[1.0], [2.0]]))
    >>> layer.forward(np.array([[3.0, 4.0]]))
    array([[11.]])
    >>> layer.backward(np.array([[1.0]])), layer.grads[0].ravel()
    (array([[1., 2.]]), array([3., 4.]))
    """

    def __init__(self, W: np.ndarray):
        super().__init__(W)
        self.x: Any = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep x for backward."""
        self._shape = x.shape
        y = self._forward(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]))
        return y if x.ndim == 2 else y.reshape(*x.shape[:-1], -1)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x; that of W is ``grads[0]``."""
        return self._backward(dout if dout.ndim == 2 else dout.reshape(-1, dout.shape[-1]), self._shape)


class TimeAffine(_Product):
    """y = x · W + b at every step: x (N, T, D), W (D, M), b (M,) → y (N, T, M).

    Examples
    --------
    >>> layer = TimeAffine(np.array([[1.0], [2.0]]), np.zeros(1))
    >>> layer.forward(np.array([[[3.0, 4.0], [0.0, 1.0]]])).ravel()
    array([11.,  2.])
    """

    b, db = parameter(1, "b"), gradient(1, "b")

    def __init__(self, W: np.ndarray, b: np.ndarray):
        super().__init__(W, b)
        self.x: Any = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep x for backward."""
        self._shape = x.shape
        return self._forward(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x; those of W and b are ``grads``."""
        return self._backward(dout.reshape(-1, dout.shape[-1]), self._shape)
