"""What layers that change images at random share: at work in training, random numbers, one image or several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import active
from ...graph import Symbol
from ...lookup import is_number
from ..base import Shape
from ..support.arguments import image_format
from ..support.drawing import DrawingLayer

__all__ = ["Augmentation", "Back", "factors_of", "value_range_of"]

Back = Callable[[np.ndarray], np.ndarray]
"""The gradient of the images from that of what was made of them."""


class Augmentation(DrawingLayer):
    """Base: a subclass writes ``augment``, on images (N, H, W, C) and numbers drawn for each of them.

    Called on arrays without ``training=`` the layer is at work, as in Keras; ``predict`` and ``evaluate`` leave images
    as they are.  The numbers of an image are a function of the layer's key, of how often it has drawn, and of the place
    of the image in its batch.
    """

    supports_masking = False
    training_by_default = True
    draws = 1
    """How many numbers are drawn for an image."""

    def __init__(self, seed: int | None = None, data_format: str | None = None, **settings: Any):
        super().__init__(seed, **settings)
        self.data_format = image_format(data_format, self)

    def call_on(self, x: Any, training: bool | None = None, mask: Any = None, **options: Any) -> Any:
        if isinstance(x, Symbol) and x.ndim != 4:
            self._refuse(x.shape)
        return super().call_on(x, training, mask, **options)

    def _refuse(self, shape: Shape) -> None:
        axes = "height, width, channels" if self.data_format == "channels_last" else "channels, height, width"
        self.refuse_shape(f"images (batch, {axes}), or one image ({axes})", shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) not in (3, 4):
            self._refuse(input_shape)
        return input_shape

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        """Changed images, and the way back.

        Parameters
        ----------
        x : array (N, H, W, C)
        u : float64 array (N, draws)
            Uniform in [0, 1).
        """
        raise NotImplementedError

    def rest(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        """What is done to images out of training."""
        return x, lambda dy: dy

    def uniform(self, rows: int) -> np.ndarray:
        """New numbers (rows, draws) in [0, 1)."""
        self.last_draw = self.next_call()
        bits = active().random_bits(rows * self.draws, self.key, self.last_draw)
        return bits.reshape(rows, self.draws) * 2.0**-32

    def forward(self, x: np.ndarray, training: bool | None = False) -> tuple[np.ndarray, Any]:
        working = training is None or bool(training)
        images, single, first = x, x.ndim == 3, self.data_format == "channels_first"
        images = images[None] if single else images
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1)) if first else images
        y, back = self.augment(images, self.uniform(len(images))) if working else self.rest(images)
        y = y.transpose(0, 3, 1, 2) if first else y
        return np.ascontiguousarray(y[0] if single else y), (back, single)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        if not need_dx:
            return None
        back, single = ctx
        first = self.data_format == "channels_first"
        dy = dy[None] if single else dy
        dx = back(np.ascontiguousarray(dy.transpose(0, 2, 3, 1)) if first else dy)
        dx = dx.transpose(0, 3, 1, 2) if first else dx
        return np.ascontiguousarray(dx[0] if single else dx)


def factors_of(name: str, value: Any, layer: Any, low: float = -1.0, high: float = 1.0) -> tuple[float, float]:
    """A range of factors: two numbers as given, one number f as from −f to f, within [low, high].

    Raises
    ------
    ValueError
        If it is neither, or beyond.
    """
    pair = list(value) if isinstance(value, (list, tuple)) else [max(-value, low), value] if is_number(value) else []
    if len(pair) != 2 or not all(is_number(n) and low <= n <= high for n in pair):
        raise ValueError(
            f"{name} of {type(layer).__name__} is a number from 0 to {high:g}, or the least and the greatest of a "
            f"range within [{low:g}, {high:g}]. Received: {name}={value!r}."
        )
    return float(min(pair)), float(max(pair))


def value_range_of(value: Any, layer: Any) -> tuple[float, float]:
    """The least and the greatest value of a pixel, or the error that says so."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(is_number, value)):
        raise ValueError(
            f"value_range of {type(layer).__name__} is the least and the greatest value of a pixel. Received: "
            f"value_range={value!r}. Use (0, 255), or (0, 1) behind Rescaling(1 / 255)."
        )
    return float(min(value)), float(max(value))
