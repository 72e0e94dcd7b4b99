"""Normalization: by stored statistics, and by those of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from ....layers.normalization.unit_normalization import SHORTEST
from ....layers.support.row_norm import axes_within
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__: list[str] = []


def _along(w: Writer, array: np.ndarray, axes: Sequence[int], rank: int) -> Value:
    """A weight with its axes at these places of a value, and 1 elsewhere."""
    sizes = dict(zip(axes, array.shape, strict=True))
    return w.constant(array.reshape([sizes.get(axis, 1) for axis in range(rank)]))


@converts(BatchNormalization)
def batch_normalization(w: Writer, layer: BatchNormalization, call: Call) -> Value:
    """BatchNormalization where the channels lie behind the batch; else a product and a sum."""
    x = call.x
    axis = layer.axis % x.rank
    if x.rank > 2 and (axis if x.order is None else x.order[axis]) == 1:
        moved = w.move_axis(x, axis, 1)
        ones, zeros = np.ones_like(layer.moving_mean.value), np.zeros_like(layer.moving_mean.value)
        gamma = ones if layer.gamma is None else layer.gamma.value
        beta = zeros if layer.beta is None else layer.beta.value
        weights = [w.constant(a) for a in (gamma, beta, layer.moving_mean.value, layer.moving_variance.value)]
        y = w.add("BatchNormalization", moved, *weights, shape=moved.shape, epsilon=layer.epsilon)
        return w.move_axis(y, 1, axis)
    scale, shift = layer.scale_and_shift()
    return w.add("Add", w.add("Mul", x, _along(w, scale, [axis], x.rank)), _along(w, shift, [axis], x.rank))


def _scaled(w: Writer, x: Value, gamma: Any, beta: Any, axes: Sequence[int]) -> Value:
    if gamma is not None:
        x = w.add("Mul", x, _along(w, gamma.value, axes, x.rank))
    return x if beta is None else w.add("Add", x, _along(w, beta.value, axes, x.rank))


def _inverse_deviation(w: Writer, squares: Value, epsilon: float) -> Value:
    return w.add("Reciprocal", w.add("Sqrt", w.add("Add", squares, float(epsilon))))


def _centred(w: Writer, x: Value, axes: Sequence[int]) -> tuple[Value, Value]:
    """x less its mean, and the mean of the squares of that."""
    centred = w.add("Sub", x, w.reduce("ReduceMean", x, axes, keepdims=True))
    return centred, w.reduce("ReduceMean", w.add("Mul", centred, centred), axes, keepdims=True)


@converts(LayerNormalization)
def layer_normalization(w: Writer, layer: LayerNormalization, call: Call) -> Value:
    x = call.x
    axes = axes_within(layer.axis, x.shape, layer)
    if axes == tuple(range(axes[0], x.rank)) and not layer.rms_scaling:
        sizes = [n or 1 for n in x.shape[axes[0] :]]
        gamma = np.ones(sizes, x.dtype) if layer.gamma is None else layer.gamma.value.reshape(sizes)
        beta = None if layer.beta is None else w.constant(layer.beta.value.reshape(sizes))
        named: dict[str, Any] = {"axis": axes[0] - x.rank, "epsilon": layer.epsilon}
        return w.add("LayerNormalization", w.plain(x), w.constant(gamma), beta, shape=x.shape, **named)
    centred, squares = _centred(w, x, axes)
    kept = x if layer.rms_scaling else centred
    y = w.add("Mul", kept, _inverse_deviation(w, squares, layer.epsilon))
    return _scaled(w, y, layer.gamma, layer.beta, axes)


@converts(RMSNormalization)
def rms_normalization(w: Writer, layer: RMSNormalization, call: Call) -> Value:
    axes = axes_within(layer.axis, call.x.shape, layer)
    squares = w.reduce("ReduceMean", w.add("Mul", call.x, call.x), axes, keepdims=True)
    y = w.add("Mul", call.x, _inverse_deviation(w, squares, layer.epsilon))
    return _scaled(w, y, layer.scale, None, axes)


@converts(UnitNormalization)
def unit_normalization(w: Writer, layer: UnitNormalization, call: Call) -> Value:
    axes = axes_within(layer.axis, call.x.shape, layer)
    length = w.add("Sqrt", w.reduce("ReduceSum", w.add("Mul", call.x, call.x), axes, keepdims=True))
    return w.add("Div", call.x, w.add("Max", length, SHORTEST))


@converts(GroupNormalization)
def group_normalization(w: Writer, layer: GroupNormalization, call: Call) -> Value:
    """Channels behind the batch, in groups; the statistics are over a group and all places."""
    axis = layer.axis % call.x.rank
    x = w.move_axis(call.x, axis, 1)
    channels = x.shape[1] or 1
    groups = channels if layer.groups == -1 else layer.groups
    sizes = w.sizes(x)
    grouped = w.reshape(x, [sizes[0], groups, -1])
    centred, squares = _centred(w, grouped, [2])
    y = w.reshape(w.add("Mul", centred, _inverse_deviation(w, squares, layer.epsilon)), sizes)
    return w.move_axis(_scaled(w, y, layer.gamma, layer.beta, [1]), 1, axis)
