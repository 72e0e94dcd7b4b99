"""Dropout: in training each cell is 0 with probability ``rate``; the others grow by 1 / (1 − rate)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.arguments import check_noise, fraction, image_format, noise_shape_of
from ..support.drawing import DrawingLayer

__all__ = ["Dropout", "SpatialDropout1D", "SpatialDropout2D"]


class Dropout(DrawingLayer):
    """y = mask·x / (1 − rate) in training, y = x otherwise.

    The mask is a function of the layer's key and of how often it has run, so a run repeats from its seed.

    Parameters
    ----------
    rate : float
        Share of cells set to zero, from 0 to 1.
    noise_shape : tuple of int or None, optional
        Shape of the mask, which is stretched over axes of length 1: ``(None, 1, None)`` drops whole channels of
        sequences. None means the length of the input's axis.
    seed : int, optional
        A fixed start of the masks; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If rate is not in [0, 1], or noise_shape does not stretch over the input.

    References
    ----------
    Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.

    Examples
    --------
    >>> x = np.ones((2, 3), "float32")
    >>> bool((Dropout(0.5)(x) == x).all())
    True
    """

    fields: tuple[str, ...] = ("rate", "noise_shape", "seed")

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **settings: Any,
    ):
        super().__init__(seed, **settings)
        self.rate = fraction("rate", rate, self)
        self.noise_shape = noise_shape_of(noise_shape, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_noise(self.noise_shape, input_shape, self)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not training or self.rate == 0:
            return x, None
        call = self.next_call()
        if self.noise_shape is None:
            return active().dropout_forward(x, self.rate, self.key, call), call
        shape = [n if k is None else k for k, n in zip(self.noise_shape, x.shape, strict=True)]
        factors = active().dropout_forward(np.ones(shape, x.dtype), self.rate, self.key, call)
        return x * factors, factors

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        if ctx is None:
            return dy
        if self.noise_shape is not None:
            return dy * ctx
        return active().dropout_backward(dy, self.rate, self.key, ctx)


class SpatialDropout1D(Dropout):
    """Dropout of whole channels of sequences (N, T, C): a channel is dropped at all time steps, or at none.

    Parameters
    ----------
    rate : float
        Share of channels set to zero, from 0 to 1.
    seed : int, optional

    References
    ----------
    Tompson et al.: Efficient Object Localization Using Convolutional Networks, 2015.

    Examples
    --------
    >>> y = SpatialDropout1D(0.5, seed=1)(np.ones((1, 4, 8), "float32"), training=True)
    >>> bool((y == y[:, :1]).all())
    True
    """

    fields = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **settings: Any):
        super().__init__(rate, (None, 1, None), seed, **settings)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            self.refuse_shape("sequences (batch, time, channels)", input_shape)
        return input_shape


class SpatialDropout2D(Dropout):
    """Dropout of whole channels of images (N, H, W, C): a channel is dropped at all pixels, or at none.

    Parameters
    ----------
    rate : float
        Share of channels set to zero, from 0 to 1.
    data_format : {"channels_last", "channels_first"}
    seed : int, optional

    References
    ----------
    Tompson et al.: Efficient Object Localization Using Convolutional Networks, 2015.

    Examples
    --------
    >>> y = SpatialDropout2D(0.5, seed=1)(np.ones((1, 4, 4, 8), "float32"), training=True)
    >>> bool((y == y[:, :1, :1]).all())
    True
    """

    fields = ("rate", "data_format", "seed")

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **settings: Any):
        self.data_format = image_format(data_format, self)
        noise_shape = (None, 1, 1, None) if self.data_format == "channels_last" else (None, None, 1, 1)
        super().__init__(rate, noise_shape, seed, **settings)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 4:
            axes = "height, width, channels" if self.data_format == "channels_last" else "channels, height, width"
            self.refuse_shape(f"images (batch, {axes})", input_shape)
        return input_shape
