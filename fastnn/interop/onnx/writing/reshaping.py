"""Layers that move, repeat, pad and crop their input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....layers import (
    Cropping1D,
    Cropping2D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    TimeDistributed,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from .convolution import channels_back, channels_first
from .core import any_of
from .table import Call, converts, masks
from .value import Value
from .writer import Writer

__all__ = ["padded"]


@converts(Flatten)
def flatten(w: Writer, layer: Flatten, call: Call) -> Value:
    x = call.x
    if layer.data_format == "channels_first" and x.rank > 2:
        x = w.move_axis(x, 1, -1)
    cells = -1 if None in x.shape[1:] else math.prod(n for n in x.shape[1:] if n is not None)
    return w.reshape(x, [w.sizes(x)[0], cells])


@converts(Reshape)
def reshape(w: Writer, layer: Reshape, call: Call) -> Value:
    (_, *target) = layer.compute_output_shape(call.x.shape)
    return w.reshape(call.x, [w.sizes(call.x)[0], *(-1 if n is None else n for n in target)])


@converts(Permute)
def permute(w: Writer, layer: Permute, call: Call) -> Value:
    return w.transpose(call.x, (0, *layer.dims))


@converts(RepeatVector)
def repeat_vector(w: Writer, layer: RepeatVector, call: Call) -> Value:
    return w.expand(w.expand_dims(call.x, 1), [1, layer.n, 1])


def padded(w: Writer, x: Value, widths: list[tuple[int, int]], mode: str = "constant", value: Any = 0) -> Value:
    """The value with cells before and after each axis."""
    shape = tuple(None if n is None else n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
    pads = w.integers(*(a for a, _ in widths), *(b for _, b in widths))
    fill = w.constant(np.asarray(value, x.dtype)) if mode == "constant" else None
    return w.add("Pad", w.plain(x), pads, fill, shape=shape, mode=mode)


@converts(ZeroPadding1D)
def zero_padding_1d(w: Writer, layer: ZeroPadding1D, call: Call) -> Value:
    widths = [(0, 0), (0, 0), layer.padding] if layer.channels_first else [(0, 0), layer.padding, (0, 0)]
    return padded(w, call.x, widths)


@converts(ZeroPadding2D)
def zero_padding_2d(w: Writer, layer: ZeroPadding2D, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    return channels_back(w, layer, padded(w, x, [(0, 0), (0, 0), *layer.padding]))


def _cut(w: Writer, x: Value, axis: int, start: int, end: int) -> Value:
    return w.slice(x, axis, start, -end if end else None) if start or end else x


@converts(Cropping1D)
def cropping_1d(w: Writer, layer: Cropping1D, call: Call) -> Value:
    return _cut(w, call.x, layer.time_axis, *layer.cropping)


@converts(Cropping2D)
def cropping_2d(w: Writer, layer: Cropping2D, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    rows, columns = layer.cropping
    return channels_back(w, layer, _cut(w, _cut(w, x, 2, *rows), 3, *columns))


@converts(UpSampling1D)
def up_sampling_1d(w: Writer, layer: UpSampling1D, call: Call) -> Value:
    return _resized(w, layer, call.x, (layer.size,), "nearest")


@converts(UpSampling2D)
def up_sampling_2d(w: Writer, layer: UpSampling2D, call: Call) -> Value:
    return _resized(w, layer, call.x, layer.size, layer.interpolation)


def _resized(w: Writer, layer: Any, x: Value, factors: tuple[int, ...], interpolation: str) -> Value:
    x = channels_first(w, layer, x)
    shape = (*x.shape[:2], *(None if n is None else n * f for n, f in zip(x.shape[2:], factors, strict=True)))
    scales = w.constant(np.array([1, 1, *factors], np.float32))
    nearest = interpolation == "nearest"
    named = {"coordinate_transformation_mode": "asymmetric" if nearest else "half_pixel"}
    named |= {"mode": "nearest", "nearest_mode": "floor"} if nearest else {"mode": "linear"}
    return channels_back(w, layer, w.add("Resize", x, None, scales, shape=shape, **named))


@converts(TimeDistributed)
def time_distributed(w: Writer, layer: TimeDistributed, call: Call) -> Value:
    """The steps of all sequences become examples, and sequences again behind the layer."""
    sizes = w.sizes(call.x)
    mask = call.mask if call.mask is not None and call.mask.rank > 2 and layer.uses_mask else None
    (y,) = call.apply(layer.layer, [_steps(w, call.x)], [_steps(w, mask) if mask is not None else None])
    return w.reshape(y, [*sizes[:2], *w.sizes(y)[1:]])


def _steps(w: Writer, x: Value) -> Value:
    """(N, T, …) as (N · T, …)."""
    return w.reshape(x, [-1, *w.sizes(x)[2:]])


@masks(TimeDistributed)
def time_distributed_mask(w: Writer, layer: TimeDistributed, call: Call) -> Value | None:
    mask = call.mask
    if mask is None or mask.rank < 3:
        return mask
    if layer.layer.supports_masking:
        return mask
    return any_of(w, mask, list(range(2, mask.rank)))
