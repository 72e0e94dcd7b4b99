"""Layers that follow each other, joined where one kernel computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph import Node, Symbol
from ...layers.base import Layer
from ...layers.convolution.conv1d import Conv1D
from ...layers.convolution.conv2d import Conv2D
from ...layers.convolution.depthwise_conv2d import DepthwiseConv2D
from ...layers.core.dense import Dense
from ...layers.normalization.batch_normalization import BatchNormalization
from ...layers.pooling.pooling2d import MaxPooling2D
from ...layers.support.fused_activation import FusedActivation
from .blocks import ConvPool, FoldedNorm, NormWithRelu, WithActivation
from .kinds import at_every_step, is_activation, is_relu, takes_rule
from .readers import Readers
from .sums import norms_of_sums, residual_sums, sums_with_positions

__all__ = ["fused"]


def fused(nodes: Sequence[Node], outputs: Sequence[Symbol]) -> list[Node]:
    """The nodes with neighbours joined where one kernel computes them."""
    readers, found = Readers(nodes, outputs), []
    sums, gone = residual_sums(nodes, readers)
    sums_with_positions(nodes, readers, sums, gone)
    norms_of_sums(nodes, outputs, readers, sums, gone)
    for node in nodes:
        if id(node) in sums:
            found.append(sums[id(node)])
        if id(node) in gone:
            continue
        operation = at_every_step(node.operation)
        rest = [operation]
        last = node
        while (following := readers.next_after(last)) is not None and id(following) not in gone and len(rest) < 3:
            rest.append(at_every_step(following.operation))
            last = following
        joined = None if node.options else _joined(rest, node)
        if joined is None:
            found.append(node if operation is node.operation else _with_operation(node, operation, node.outputs))
            continue
        block, taken = joined
        last: Any = node
        for _ in range(taken - 1):
            last = readers.next_after(last)
            gone.add(id(last))
        found.append(_with_operation(node, block, last.outputs))
    return found


def _with_operation(node: Node, operation: Any, outputs: Sequence[Symbol]) -> Node:
    twin = Node(operation, node.inputs, node.options, node.masks)
    twin.gives_several, twin.outputs = node.gives_several, list(outputs)
    return twin


def _joined(rest: list[Any], node: Node) -> tuple[Any, int] | None:
    """One operation for the first of ``rest``, that of ``node``, and how many it takes, or None."""
    first = rest[0]
    if type(rest[0]) is BatchNormalization and len(rest) > 1 and is_relu(rest[1]):
        return NormWithRelu(first, rest[1]), 2
    if not takes_rule(first):
        return None
    if len(rest) > 1 and _folds(first, rest[1], len(node.outputs[0].shape)):
        relu = rest[2:] if len(rest) > 2 and is_relu(rest[2]) else []
        return FoldedNorm(first, rest[1], *relu), 2 + len(relu)
    rule, taken = first.rule, 1
    if rule.name == "linear" and not rule.separate and len(rest) > 1 and is_activation(rest[1]):
        after = rest[1].rule
        if not after.separate:
            rule, taken = after, 2
    if len(rest) > taken and _pools(first, rule, rest[taken]):
        return ConvPool(first, rule.name, rest[taken], rest[1:taken]), taken + 1
    return (WithActivation(first, rule, rest[1:taken]), taken) if taken > 1 else None


def _folds(layer: Any, norm: Any, rank: int) -> bool:
    """Whether a layer can take over the scale and shift of the normalization behind it."""
    linear = layer.rule.name == "linear" and not layer.rule.separate
    plain = type(layer) in (Dense, Conv1D, Conv2D, DepthwiseConv2D)
    return plain and linear and type(norm) is BatchNormalization and norm.axis in (-1, rank - 1)


def _pools(conv: Layer, rule: FusedActivation, pool: Any) -> bool:
    """Whether the kernel ``conv2d_pool`` computes this pair."""
    return (
        type(conv) is Conv2D
        and type(pool) is MaxPooling2D
        and conv.groups == 1
        and conv.algorithm == "auto"
        and not conv.channels_first
        and not pool.channels_first
        and not rule.separate
        and rule.name in ("relu", "linear")
        and pool.strides == pool.pool_size
        and pool.padding == "valid"
        and pool.pool_size[0] * pool.pool_size[1] <= 256
    )
