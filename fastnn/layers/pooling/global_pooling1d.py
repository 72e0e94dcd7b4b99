"""Pooling over whole sequences: one number a channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.images import flat
from ..support.series import SeriesLayer, as_images

__all__ = ["GlobalAveragePooling1D", "GlobalMaxPooling1D"]


class _GlobalPooling1D(SeriesLayer):
    """(N, T, C) → (N, C), or (N, 1, C) with ``keepdims``."""

    fields = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **settings: Any):
        super().__init__(data_format=data_format, **settings)
        self.keepdims = bool(keepdims)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        n, _, c = self.series_shape(input_shape)
        if not self.keepdims:
            return n, c
        return (n, c, 1) if self.channels_first else (n, 1, c)

    def shaped(self, y: np.ndarray) -> np.ndarray:
        return y[:, None] if self.keepdims else y


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest of each channel over all time steps; a mask is not looked at, as in Keras.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}
    keepdims : bool
        Keep the axis of time, of length 1.
    """

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        x = as_images(x)
        y, argmax = active().global_max_pool2d_forward(x)
        return self.shaped(y), (argmax, x.shape)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().global_max_pool2d_backward(flat(dy), *ctx)[:, 0]


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean of each channel over the time steps that count: y = Σ mask·x / Σ mask; it ends the mask.

    A sequence whose steps are all masked gives 0.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}
    keepdims : bool
        Keep the axis of time, of length 1.

    Examples
    --------
    >>> x = np.array([[[1.0], [3.0], [8.0]]])
    >>> GlobalAveragePooling1D()(x).item(), GlobalAveragePooling1D()(x, mask=[[True, True, False]]).item()
    (4.0, 2.0)
    """

    uses_mask = True

    def __call__(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        """The output for an array.

        Parameters
        ----------
        x : array (N, T, C)
        mask : array (N, T), optional
            True, or not 0, where a time step counts.
        training : bool, optional
            Makes no difference.
        """
        return super().__call__(x, training, mask)

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        if mask is None:
            return super().forward(x, training)
        share = mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        share = share.astype(x.dtype)
        axes = "nct,nt->nc" if self.channels_first else "ntc,nt->nc"
        counted = np.where(mask[:, None] if self.channels_first else mask[..., None], x, 0)  # NaN · 0 would be NaN
        y = np.einsum(axes, counted, share)
        if self.keepdims:
            y = y[..., None] if self.channels_first else y[:, None]
        return y, share

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        if isinstance(ctx, tuple):
            return super().backward(dy, ctx)
        dy = flat(dy)
        if self.channels_first:
            return dy[:, :, None] * ctx[:, None]
        return dy[:, None] * ctx[..., None]

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        x = as_images(x)
        return self.shaped(active().global_average_pool2d_forward(x)), x.shape

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().global_average_pool2d_backward(flat(dy), ctx)[:, 0]
