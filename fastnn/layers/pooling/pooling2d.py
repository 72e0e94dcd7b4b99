"""Pooling with windows: the largest, the mean, or a cell drawn in proportion to its value."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import shapes, utils
from ...backend import active
from ...graph import next_draw
from ..base import Shape
from ..support.arguments import seed_of, sizes
from ..support.images import ImageLayer, per_image

__all__ = ["AveragePooling2D", "MaxPooling2D", "StochasticPooling2D"]


class _Pooling2D(ImageLayer):
    """Windows over (N, H, W, C) → (N, OH, OW, C)."""

    fields: tuple[str, ...] = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(data_format=data_format, **settings)
        self.pool_size = sizes("pool_size", pool_size, self)
        self.strides = self.pool_size if strides is None else sizes("strides", strides, self)
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f'padding of {type(self).__name__} must be "valid" or "same". Received: padding={padding!r}.'
            )
        self.window = (self.pool_size, self.strides, self.padding)

    def output_shape_last(self, input_shape: Shape) -> Shape:
        return per_image(shapes.pool2d_output_shape, input_shape, *self.window)


class MaxPooling2D(_Pooling2D):
    """The largest cell of each window; with padding "same" the border counts as −∞.

    Parameters
    ----------
    pool_size : int or (rows, columns)
    strides : int or (rows, columns), optional
        Default: the pool size.
    padding : {"valid", "same"}
    data_format : {"channels_last", "channels_first"}

    Examples
    --------
    >>> MaxPooling2D()(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)).ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """

    def __init__(self, pool_size: Any = (2, 2), *args: Any, **settings: Any):
        super().__init__(pool_size, *args, **settings)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        y, argmax = active().max_pool2d_forward(x, *self.window)
        return y, (argmax, x.shape)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().max_pool2d_backward(dy, *ctx, *self.window)


class AveragePooling2D(_Pooling2D):
    """The mean of each window; with padding "same" only real cells count.

    Parameters
    ----------
    pool_size, strides, padding, data_format
        As for ``MaxPooling2D``; pool_size has no default.

    Examples
    --------
    >>> AveragePooling2D(2)(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)).ravel().tolist()
    [2.5, 4.5, 10.5, 12.5]
    """

    def __init__(self, pool_size: Any, *args: Any, **settings: Any):
        super().__init__(pool_size, *args, **settings)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        return active().average_pool2d_forward(x, *self.window), x.shape

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return active().average_pool2d_backward(dy, ctx, *self.window)


class StochasticPooling2D(_Pooling2D):
    """Training: one cell of each window, drawn in proportion to its activation; otherwise the mean weighted so, Σ p·x.

    Parameters
    ----------
    pool_size, strides, padding, data_format
        As for ``MaxPooling2D``.
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.

    References
    ----------
    Zeiler, Fergus: Stochastic Pooling for Regularization of Deep Convolutional Neural Networks, 2013.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 3.0]], "float32").reshape(1, 2, 2, 1)
    >>> StochasticPooling2D()(x).item()
    2.5
    """

    fields = (*_Pooling2D.fields, "seed")

    def __init__(self, pool_size: Any = (2, 2), *args: Any, seed: int | None = None, **settings: Any):
        super().__init__(pool_size, *args, **settings)
        self.seed, self.calls = seed_of(seed, self), 0

    def build(self, input_shape: Shape) -> None:
        self.key = utils.draw_key() if self.seed is None else self.seed % (1 << 64)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        if not training:
            y = active().stochastic_pool2d_mean_forward(x, *self.window)
            return y, (None, x, y)
        y, chosen = active().stochastic_pool2d_forward(x, self.key, next_draw(self), *self.window)
        return y, (chosen, x, y)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        chosen, x, y = ctx
        if chosen is None:
            return active().stochastic_pool2d_mean_backward(dy, x, y, *self.window)
        return active().stochastic_pool2d_backward(dy, chosen, x.shape, *self.window)
