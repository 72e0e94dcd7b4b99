"""Pooling over whole images: one number a channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.images import ImageLayer, flat

__all__ = ["GlobalAveragePooling2D", "GlobalMaxPooling2D"]


class _GlobalPooling2D(ImageLayer):
    """(N, H, W, C) → (N, C), or (N, 1, 1, C) with ``keepdims``."""

    fields = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **settings: Any):
        super().__init__(data_format=data_format, **settings)
        self.keepdims = bool(keepdims)

    def output_shape_last(self, input_shape: Shape) -> Shape:
        n, _, _, c = input_shape
        return (n, 1, 1, c) if self.keepdims else (n, c)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = self.output_shape_last(self.image_shape(input_shape))
        return (shape[0], shape[3], 1, 1) if self.channels_first and self.keepdims else shape

    def shaped(self, y: np.ndarray) -> np.ndarray:
        return y[:, None, None] if self.keepdims else y


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The largest cell of each channel.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}
    keepdims : bool
        Keep the two image axes, of length 1.
    """

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        y, argmax = active().global_max_pool2d_forward(x)
        return self.shaped(y), (argmax, x.shape)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().global_max_pool2d_backward(flat(dy), *ctx)


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean of each channel.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}
    keepdims : bool
        Keep the two image axes, of length 1.
    """

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        return self.shaped(active().global_average_pool2d_forward(x)), x.shape

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().global_average_pool2d_backward(flat(dy), ctx)
