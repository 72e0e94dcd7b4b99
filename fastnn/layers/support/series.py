"""What convolution and pooling of sequences share: three axes, ``data_format``, and views as images of one row.

Inside, sequences are (N, T, C).  As (N, 1, T, C) they are images, so the kernels of images serve them, without a copy.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...shapes import MOST
from ..base import Layer, Shape
from .arguments import image_format

__all__ = ["SeriesLayer", "as_images", "one_size"]

_ANY = 1 << 20
"""Stands for a length that is not known; large enough for every window to fit."""


class SeriesLayer(Layer):
    """Base of layers on sequences; subclasses write the ``…_last`` methods for (N, T, C)."""

    def __init__(self, *, data_format: str | None = None, **settings: Any):
        if data_format is not None and "data_format" not in self.fields:
            settings["data_format"] = data_format  # which Layer refuses by name
        super().__init__(**settings)
        self.data_format = image_format(data_format, self)
        self.channels_first = self.data_format == "channels_first"
        self.time_axis = 2 if self.channels_first else 1

    def output_length(self, length: int, channels: int) -> int:
        """Time steps of the output for an input of this many time steps."""
        raise NotImplementedError

    def output_channels(self, channels: int) -> int:
        """Channels of the output."""
        return channels

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        raise NotImplementedError

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        raise NotImplementedError

    def series_shape(self, input_shape: Shape) -> Shape:
        """The input shape as (N, T, C), or raise an error that says what is expected."""
        axes = "channels, time" if self.channels_first else "time, channels"
        if len(input_shape) != 3:
            hint = "For one number per time step use x[..., None]." if len(input_shape) == 2 else ""
            self.refuse_shape(f"sequences (batch, {axes})", input_shape, hint)
        n, t, c = input_shape
        if self.channels_first:
            t, c = c, t
        if c is None:
            self.refuse_shape(f"sequences (batch, {axes}) with a known number of channels", input_shape)
        return n, t, c

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        n, t, c = self.series_shape(input_shape)
        try:
            length, channels = self.output_length(t or _ANY, c), self.output_channels(c)
        except ValueError as error:
            raise ValueError(
                f'Layer "{self.name}" ({type(self).__name__}) cannot take this input. {error} '
                f"Received: input shape {input_shape}."
            ) from None
        length = length if t else None
        return (n, channels, length) if self.channels_first else (n, length, channels)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not self.channels_first:
            return self.forward_last(x, training)
        y, ctx = self.forward_last(_turned(x), training)
        return _turned(y), ctx

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        if not self.channels_first:
            return self.backward_last(dy, ctx, need_dx)
        dx = self.backward_last(_turned(dy), ctx, need_dx)
        return None if dx is None else _turned(dx)


def _turned(x: np.ndarray) -> np.ndarray:
    """(N, T, C) ↔ (N, C, T); other ranks stay."""
    return np.ascontiguousarray(x.transpose(0, 2, 1)) if x.ndim == 3 else x


def as_images(x: np.ndarray) -> np.ndarray:
    """(N, T, C) → (N, 1, T, C), a view."""
    n, t, c = x.shape
    return x.reshape(n, 1, t, c)


def one_size(name: str, value: Any, layer: Any, least: int = 1) -> int:
    """An integer, or a sequence of one, as an integer; or the error that names the layer."""
    entry: Any = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1 else value
    try:
        number = operator.index(entry)
    except TypeError:
        raise TypeError(f"{name} of {type(layer).__name__} must be an integer. Received: {name}={value!r}.") from None
    if isinstance(entry, bool) or number < least:
        raise ValueError(f"{name} of {type(layer).__name__} must be at least {least}. Received: {name}={value!r}.")
    if number >= MOST:
        raise ValueError(f"{name} of {type(layer).__name__} must be less than 2**31. Received: {name}={value!r}.")
    return number
