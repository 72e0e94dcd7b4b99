"""Convolution and max pooling of images (N, C, H, W).

The kernels read images with channels last. What they return is handed on as a view (N, C, H, W) of that memory, so
that a row of such layers copies nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import channels_last, together
from ._deferred import Deferring
from ._layer import Layer, gradient, parameter

__all__ = ["Convolution", "Pooling"]

# Equal windows give equal numbers, to the last bit, which Winograd's algorithm does not promise. Behind it stands the
# maximum of a window: of equal numbers the first gets the gradient, as in the books.
_ALGORITHM = "direct"


class Convolution(Layer, Deferring):
    """Convolution (cross-correlation) with filters W (FN, C, FH, FW) and a bias b (FN,).

    x (N, C, H, W) → y (N, FN, OH, OW), OH = 1 + (H + 2·pad − FH) // stride.

    Examples
    --------
    >>> x = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], float).reshape(1, 1, 4, 4)
    >>> W = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]], float).reshape(1, 1, 3, 3)
    >>> Convolution(W, np.array([3.0])).forward(x)[0, 0]
    array([[18., 19.],
           [ 9., 18.]])
    """

    W, dW = parameter(0, "W"), gradient(0, "W")
    b, db = parameter(1, "b"), gradient(1, "b")

    def __init__(self, W: np.ndarray, b: np.ndarray, stride: int = 1, pad: int = 0):
        super().__init__(W, b)
        self.stride, self.pad = stride, pad

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep x for backward."""
        x, W, b = together(x, *self.params)
        images, kernel = channels_last(x), np.ascontiguousarray(W.transpose(2, 3, 1, 0))
        self._cache = (images, kernel)
        y = active().conv2d_forward(images, kernel, b, **self._geometry())
        return y.transpose(0, 3, 1, 2)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x; those of W and b are ``grads``, and ``dW`` and ``db``."""
        dy, images, kernel = together(channels_last(dout), *self._cache)
        rule, looked = self._geometry(), self._looked
        place = self._place(1, dy.dtype)
        dx, dw, db = active().conv2d_backward(dy, images, kernel, need_dx=looked, db=place, **rule)
        self._keep(np.ascontiguousarray(dw.transpose(3, 2, 0, 1)), db)
        return dx.transpose(0, 3, 1, 2) if looked else self._later(dy, dout, images, kernel, rule)

    def _later(self, dy: np.ndarray, dout: Any, images: np.ndarray, kernel: np.ndarray, rule: dict[str, Any]) -> Any:
        if np.may_share_memory(dy, dout):
            dy = dy.copy()

        def compute() -> np.ndarray:
            dx, _, _ = active().conv2d_backward(dy, images, kernel, need_db=False, **rule)
            return dx.transpose(0, 3, 1, 2)

        n, h, w, c = images.shape
        return self._promise((n, c, h, w), dy.dtype, compute)

    def _geometry(self) -> dict[str, Any]:
        pad = ((self.pad, self.pad), (self.pad, self.pad))
        return {"strides": self.stride, "padding": pad, "algorithm": _ALGORITHM}


class Pooling:
    """The largest number of each window; with `pad`, the zeros around the image are among them.

    x (N, C, H, W) → y (N, C, OH, OW), OH = 1 + (H + 2·pad − pool_h) // stride.

    Examples
    --------
    >>> layer = Pooling(2, 2, stride=2)
    >>> layer.forward(np.array([[1.0, 2.0], [4.0, 3.0]]).reshape(1, 1, 2, 2)).ravel()
    array([4.])
    >>> layer.backward(np.ones((1, 1, 1, 1))).reshape(2, 2)
    array([[0., 0.],
           [1., 0.]])
    """

    def __init__(self, pool_h: int, pool_w: int, stride: int = 1, pad: int = 0):
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.pool_h, self.pool_w = pool_h, pool_w
        self.stride, self.pad = stride, pad
        self.arg_max: np.ndarray | None = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y, and keep where the largest numbers are for backward."""
        (x,) = together(x)
        images = channels_last(x)
        if self.pad:
            images = np.pad(images, [(0, 0), (self.pad, self.pad), (self.pad, self.pad), (0, 0)])
        self._shape = images.shape
        y, self.arg_max = active().max_pool2d_forward(images, (self.pool_h, self.pool_w), self.stride)
        return y.transpose(0, 3, 1, 2)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of x."""
        (dout,) = together(dout)
        window = (self.pool_h, self.pool_w)
        dx = active().max_pool2d_backward(channels_last(dout), self.arg_max, self._shape, window, self.stride)
        if self.pad:
            dx = dx[:, self.pad : -self.pad, self.pad : -self.pad]
        return dx.transpose(0, 3, 1, 2)
