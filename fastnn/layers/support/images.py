"""What layers on images share: four axes, and ``data_format="channels_first"`` served at the boundary.

Inside, images are (N, H, W, C).  A ``channels_first`` layer transposes its input on entry and its output on exit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base import Layer, Shape
from .arguments import image_format

__all__ = ["ImageLayer", "flat"]

_ANY = 1 << 20
"""Stands for a height or width that is not known; large enough for every window to fit."""


class ImageLayer(Layer):
    """Base of convolutions and poolings; subclasses write the ``…_last`` methods for (N, H, W, C)."""

    def __init__(self, *, data_format: str | None = None, **settings: Any):
        super().__init__(**settings)
        self.data_format = image_format(data_format, self)
        self.channels_first = self.data_format == "channels_first"

    def output_shape_last(self, input_shape: Shape) -> Shape:
        raise NotImplementedError

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        raise NotImplementedError

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        raise NotImplementedError

    def image_shape(self, input_shape: Shape) -> Shape:
        """The input shape as (N, H, W, C), or raise an error that says what is expected."""
        axes = "channels, height, width" if self.channels_first else "height, width, channels"
        if len(input_shape) != 4:
            hint = "For images without a channel axis use x[..., None], or Reshape((28, 28, 1)) before it."
            self.refuse_shape(f"images (batch, {axes})", input_shape, hint if len(input_shape) == 3 else "")
        n, *rest = input_shape
        shape = (n, *rest[1:], rest[0]) if self.channels_first else input_shape
        if shape[3] is None:
            self.refuse_shape(f"images (batch, {axes}) with a known number of channels", input_shape)
        return shape

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        n, h, w, c = self.image_shape(input_shape)
        try:
            known = self.output_shape_last((n, h or _ANY, w or _ANY, c))
        except ValueError as error:
            raise ValueError(
                f'Layer "{self.name}" ({type(self).__name__}) cannot take this input. {error} '
                f"Received: input shape {input_shape}."
            ) from None
        if len(known) == 2:
            return (n, known[1])
        _, oh, ow, f = known
        oh, ow = oh if h else None, ow if w else None
        return (n, f, oh, ow) if self.channels_first else (n, oh, ow, f)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not self.channels_first:
            return self.forward_last(x, training)
        y, ctx = self.forward_last(to_last(x), training)
        return to_first(y), ctx

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        if not self.channels_first:
            return self.backward_last(dy, ctx, need_dx)
        dx = self.backward_last(to_last(dy), ctx, need_dx)
        return None if dx is None else to_first(dx)


def to_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) → (N, H, W, C); other ranks stay."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if x.ndim == 4 else x


def to_first(x: np.ndarray) -> np.ndarray:
    """(N, H, W, C) → (N, C, H, W); other ranks stay."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x


def flat(x: np.ndarray) -> np.ndarray:
    """(N, …) → (N, cells of an example), for any N."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def per_image(formula: Callable[..., Shape], shape: Shape, *arguments: Any) -> Shape:
    """A formula of ``fastnn.shapes`` for a batch of unknown size."""
    return (None, *formula((1, *shape[1:]), *arguments)[1:])
