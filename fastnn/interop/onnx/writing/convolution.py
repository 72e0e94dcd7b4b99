"""Convolutions.  ONNX has channels behind the batch: transposes wait at both ends, and cancel between neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .... import shapes
from ....layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from ..layout import first_to_last, last_to_first
from .activations import activated
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__ = ["channels_back", "channels_first", "padding_of"]


def channels_first(w: Writer, layer: Any, x: Value) -> Value:
    """The input of a layer as (N, C, …)."""
    return x if layer.channels_first else w.transpose(x, last_to_first(x.rank))


def channels_back(w: Writer, layer: Any, y: Value) -> Value:
    """The output (N, C, …) as the layer gives it."""
    return y if layer.channels_first else w.transpose(y, first_to_last(y.rank))


def padding_of(
    lengths: Sequence[int | None], sizes: Sequence[int], strides: Sequence[int], dilation: Sequence[int], padding: Any
) -> dict[str, Any]:
    """The padding of a window, in numbers where the lengths are known."""
    if padding == "valid":
        return {}
    if padding == "causal":
        return {"pads": [dilation[0] * (sizes[0] - 1), 0]}
    if any(n is None for n in lengths):
        return {"auto_pad": "SAME_UPPER"}
    ends = [
        shapes.padding_amounts(n or 0, k, s, padding, d)
        for n, k, s, d in zip(lengths, sizes, strides, dilation, strict=True)
    ]
    return {"pads": [start for start, _ in ends] + [end for _, end in ends]}


def _convolution(
    w: Writer, layer: Any, x: Value, kernel: np.ndarray, bias: Value | None, groups: int, pointwise: bool = False
) -> Value:
    """A convolution of (N, C, …) with a kernel (…, C / groups, F)."""
    rank = x.rank - 2
    ones = (1,) * rank
    strides, dilation, padding = (
        (ones, ones, "valid") if pointwise else (layer.strides, layer.dilation_rate, layer.padding)
    )
    sizes = kernel.shape[:rank]
    named = padding_of(x.shape[2:], sizes, strides, dilation, padding)
    weights = w.constant(kernel.transpose(rank + 1, rank, *range(rank)))
    lengths = [
        None if n is None else shapes.output_length(n, k, s, (d * (k - 1), 0) if padding == "causal" else padding, d)
        for n, k, s, d in zip(x.shape[2:], sizes, strides, dilation, strict=True)
    ]
    shape = (x.shape[0], kernel.shape[-1], *lengths)
    return w.add("Conv", x, weights, bias, shape=shape, strides=strides, dilations=dilation, group=groups, **named)


def _bias(w: Writer, layer: Any) -> Value | None:
    return None if layer.bias is None else w.weight(layer.bias)


@converts(Conv1D, Conv2D)
def convolution(w: Writer, layer: Any, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    y = _convolution(w, layer, x, layer.kernel.value, _bias(w, layer), layer.groups)
    return activated(w, channels_back(w, layer, y), layer.rule.activation)


def _depthwise_kernel(kernel: np.ndarray) -> np.ndarray:
    """(…, C, multiplier) as (…, 1, C · multiplier), a group a channel."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


@converts(DepthwiseConv1D, DepthwiseConv2D)
def depthwise(w: Writer, layer: Any, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    y = _convolution(w, layer, x, _depthwise_kernel(layer.kernel.value), _bias(w, layer), x.shape[1] or 1)
    return activated(w, channels_back(w, layer, y), layer.rule.activation)


@converts(SeparableConv1D, SeparableConv2D)
def separable(w: Writer, layer: Any, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    between = _convolution(w, layer, x, _depthwise_kernel(layer.depthwise_kernel.value), None, x.shape[1] or 1)
    y = _convolution(w, layer, between, layer.pointwise_kernel.value, _bias(w, layer), 1, pointwise=True)
    return activated(w, channels_back(w, layer, y), layer.rule.activation)


@converts(Conv1DTranspose, Conv2DTranspose)
def transposed(w: Writer, layer: Any, call: Call) -> Value:
    x = channels_first(w, layer, call.x)
    rank = x.rank - 2
    extras = layer.output_padding or (None,) * rank
    kernel = layer.kernel.value
    axes = list(zip(kernel.shape[:rank], layer.strides, extras, layer.dilation_rate, strict=True))
    cut = [_cropping(layer.padding, *axis) for axis in axes]
    ends = [(start, max(end, 0)) for start, end in cut]
    lengths = [
        None if n is None else (n - 1) * s + d * (k - 1) + 1 - start - end
        for n, (k, s, _, d), (start, end) in zip(x.shape[2:], axes, cut, strict=True)
    ]
    y = w.add(
        "ConvTranspose",
        x,
        w.constant(kernel.transpose(rank + 1, rank, *range(rank))),
        _bias(w, layer),
        shape=(x.shape[0], layer.filters, *lengths),
        strides=layer.strides,
        dilations=layer.dilation_rate,
        pads=[start for start, _ in ends] + [end for _, end in ends],
        output_padding=[max(-end, 0) for _, end in cut],
    )
    return activated(w, channels_back(w, layer, y), layer.rule.activation)


def _cropping(padding: str, size: int, stride: int, extra: int | None, dilation: int) -> tuple[int, int]:
    """How much a transposed convolution cuts off at both ends, whatever the length; below 0: it adds zeros."""
    many = 1 << 10
    start, _ = shapes.transposed_cropping(many, size, stride, padding, extra, dilation)
    left = shapes.transposed_length(many, size, stride, padding, extra, dilation)
    return start, (many - 1) * stride + shapes.window_span(size, dilation) - start - left
