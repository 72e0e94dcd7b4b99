"""Pooling of sequences: the largest or the mean of each window of time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import shapes
from ...backend import active
from ..support.series import SeriesLayer, as_images, one_size

__all__ = ["AveragePooling1D", "MaxPooling1D"]


class _Pooling1D(SeriesLayer):
    """Windows over (N, T, C) → (N, OT, C)."""

    fields = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(data_format=data_format, **settings)
        size = one_size("pool_size", pool_size, self)
        step = size if strides is None else one_size("strides", strides, self)
        self.pool_size, self.strides = (size,), (step,)
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f'padding of {type(self).__name__} must be "valid" or "same". Received: padding={padding!r}.'
            )
        self.window = ((1, size), (1, step), self.padding)

    def output_length(self, length: int, channels: int) -> int:
        return shapes.pool2d_output_shape((1, 1, length, channels), *self.window)[2]


class MaxPooling1D(_Pooling1D):
    """The largest of each window of time steps; with padding "same" the border counts as −∞.

    Parameters
    ----------
    pool_size : int
    strides : int, optional
        Default: the pool size.
    padding : {"valid", "same"}
    data_format : {"channels_last", "channels_first"}

    Examples
    --------
    >>> MaxPooling1D()(np.array([[[1.0], [5.0], [2.0], [4.0], [9.0]]])).ravel().tolist()
    [5.0, 4.0]
    """

    def __init__(self, pool_size: Any = 2, *args: Any, **settings: Any):
        super().__init__(pool_size, *args, **settings)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        x = as_images(x)
        y, argmax = active().max_pool2d_forward(x, *self.window)
        return y[:, 0], (argmax, x.shape)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().max_pool2d_backward(as_images(dy), *ctx, *self.window)[:, 0]


class AveragePooling1D(_Pooling1D):
    """The mean of each window of time steps; with padding "same" only real steps count.

    Parameters
    ----------
    pool_size, strides, padding, data_format
        As for ``MaxPooling1D``; pool_size has no default.

    Examples
    --------
    >>> AveragePooling1D(2)(np.array([[[1.0], [5.0], [2.0], [4.0]]])).ravel().tolist()
    [3.0, 3.0]
    """

    def __init__(self, pool_size: Any, *args: Any, **settings: Any):
        super().__init__(pool_size, *args, **settings)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        x = as_images(x)
        return active().average_pool2d_forward(x, *self.window)[:, 0], x.shape

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().average_pool2d_backward(as_images(dy), ctx, *self.window)[:, 0]
