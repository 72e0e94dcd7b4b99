"""Pooling, in windows and over all places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .... import shapes
from ....layers import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    StochasticPooling2D,
)
from .convolution import channels_back, channels_first, padding_of
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__: list[str] = []

Pool = Callable[[Value], Value]


def _pool(w: Writer, layer: Any, op: str, x: Value) -> Value:
    """A pooling of (N, C, …) in windows."""
    sizes, strides, padding = layer.pool_size, layer.strides, layer.padding
    ones = (1,) * len(sizes)
    named = padding_of(x.shape[2:], sizes, strides, ones, padding)
    if op == "AveragePool":
        named["count_include_pad"] = 0
    lengths = [
        None if n is None else shapes.pool2d_output_shape((1, 1, n, 1), (1, k), (1, s), padding)[2]
        for n, k, s in zip(x.shape[2:], sizes, strides, strict=True)
    ]
    return w.add(op, x, shape=(*x.shape[:2], *lengths), kernel_shape=sizes, strides=strides, **named)


@converts(MaxPooling1D, MaxPooling2D)
def max_pooling(w: Writer, layer: Any, call: Call) -> Value:
    return channels_back(w, layer, _pool(w, layer, "MaxPool", channels_first(w, layer, call.x)))


@converts(AveragePooling1D, AveragePooling2D)
def average_pooling(w: Writer, layer: Any, call: Call) -> Value:
    return channels_back(w, layer, _pool(w, layer, "AveragePool", channels_first(w, layer, call.x)))


@converts(StochasticPooling2D)
def stochastic_pooling(w: Writer, layer: Any, call: Call) -> Value:
    """The mean of the draws in training: each cell weighted by its share of the positive ones."""
    x = channels_first(w, layer, call.x)
    positive = w.add("Relu", x)
    mass = _pool(w, layer, "AveragePool", positive)
    squares = _pool(w, layer, "AveragePool", w.add("Mul", positive, positive))
    mean = _pool(w, layer, "AveragePool", x)
    none = w.add("Equal", mass, 0.0)
    share = w.add("Div", squares, w.where(none, 1.0, mass, x.dtype))
    return channels_back(w, layer, w.where(none, mean, share, x.dtype))


def _axes(layer: Any, x: Value) -> list[int]:
    return list(range(2, x.rank)) if layer.channels_first else list(range(1, x.rank - 1))


@converts(GlobalMaxPooling1D, GlobalMaxPooling2D)
def global_max_pooling(w: Writer, layer: Any, call: Call) -> Value:
    return w.reduce("ReduceMax", call.x, _axes(layer, call.x), layer.keepdims)


@converts(GlobalAveragePooling2D)
def global_average_pooling(w: Writer, layer: Any, call: Call) -> Value:
    return w.reduce("ReduceMean", call.x, _axes(layer, call.x), layer.keepdims)


@converts(GlobalAveragePooling1D)
def global_average_pooling_1d(w: Writer, layer: Any, call: Call) -> Value:
    """The mean over time; with a mask over the steps that count."""
    if call.mask is None:
        return global_average_pooling(w, layer, call)
    axis = 2 if layer.channels_first else 1
    mask = w.expand_dims(call.mask, 1 if layer.channels_first else 2)
    counts = w.reduce("ReduceSum", w.cast(mask, call.x.dtype), [axis], layer.keepdims)
    total = w.reduce("ReduceSum", w.where(mask, call.x, 0.0, call.x.dtype), [axis], layer.keepdims)
    return w.add("Div", total, w.add("Max", counts, 1.0))
