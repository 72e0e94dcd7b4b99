"""Normalization as layers."""

from __future__ import annotations

import math

import numpy as np

from .... import layers, ops
from ..layout import first_to_last, last_to_first
from .file import MOST_NUMBERS
from .node import OnnxNode
from .reader import Reader
from .table import reads
from .values import Tensor

__all__: list[str] = []


@reads("BatchNormalization")
def batch_normalization(r: Reader, node: OnnxNode) -> Tensor:
    """Over the channels behind the batch, brought to the end, where convolutions have left them."""
    x = node.x()
    weights = [node.array(place) for place in range(1, 5)]
    moved = r.transpose(x, first_to_last(x.rank)) if x.rank > 2 else x
    momentum, epsilon = node.attribute("momentum", 0.9), node.attribute("epsilon", 1e-5)
    y = r.layer(
        node, None, lambda **k: layers.BatchNormalization(momentum=momentum, epsilon=epsilon, **k), weights, moved
    )
    return r.transpose(y, last_to_first(x.rank)) if x.rank > 2 else y


def _of_sizes(node: OnnxNode, place: int, sizes: tuple[int, ...]) -> np.ndarray:
    """A weight with a number for each place of the axes that are normalized."""
    weight = node.array(place)
    if weight.size != math.prod(sizes):
        raise node.refusal(f"weights of shape {sizes}", f"{weight.shape} as input {place}")
    return weight.reshape(sizes)


@reads("LayerNormalization")
def layer_normalization(r: Reader, node: OnnxNode) -> Tensor:
    x, beta = node.x(), node.get(2)
    if any(node.used[1:]):
        raise node.refusal("its first output read", "its mean or deviation read")
    axes = list(range(node.attribute("axis", -1) % x.rank, x.rank))
    sizes = tuple(x.sizes[axis] for axis in axes)
    weights = [_of_sizes(node, place, sizes) for place in ((1,) if beta is None else (1, 2))]
    epsilon = node.attribute("epsilon", 1e-5)
    axis = axes if len(axes) > 1 else -1
    names = tuple(getattr(one, "name", "") or id(one) for one in node.inputs[1:])
    return r.layer(
        node, names, lambda **k: layers.LayerNormalization(axis, epsilon, center=beta is not None, **k), weights, x
    )


@reads("InstanceNormalization", "GroupNormalization")
def group_normalization(r: Reader, node: OnnxNode) -> Tensor:
    """Groups of channels; a group a channel for InstanceNormalization."""
    x = node.x()
    channels = x.sizes[1]
    groups = channels if node.op == "InstanceNormalization" else int(node.attribute("num_groups"))
    weights = [node.array(place) for place in (1, 2)]
    if weights[0].shape != (channels,):  # before version 21: one for each group
        if groups < 1 or channels > MOST_NUMBERS:
            raise node.refusal(f"groups of at most {MOST_NUMBERS} channels", f"{groups} groups of {channels}")
        weights = [np.repeat(one, channels // groups) for one in weights]
    epsilon = node.attribute("epsilon", 1e-5)
    return r.layer(node, None, lambda **k: layers.GroupNormalization(groups, 1, epsilon, **k), weights, x)


@reads("RMSNormalization", "SimplifiedLayerNormalization")
def rms_normalization(r: Reader, node: OnnxNode) -> Tensor:
    x = node.x()
    axes = list(range(node.attribute("axis", -1) % x.rank, x.rank))
    epsilon = node.attribute("epsilon", 1e-5)
    weight = _of_sizes(node, 1, tuple(x.sizes[axis] for axis in axes))
    axis = axes if len(axes) > 1 else -1
    return r.layer(node, None, lambda **k: layers.RMSNormalization(axis, epsilon, **k), [weight], x)


@reads("LpNormalization")
def unit_normalization(r: Reader, node: OnnxNode) -> Tensor:
    axis = node.attribute("axis", -1)
    if node.attribute("p", 2) == 1:
        return r.apply(lambda x: x / ops.sum(ops.absolute(x), axis=axis, keepdims=True), node.x())
    return r.apply(lambda x: x / ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True)), node.x())
