"""Fusion: neighbours in a chain that one kernel computes together.

    Conv2D(relu or linear) [+ relu] + MaxPooling2D   →  one pass, and only the outputs that pooling keeps
    Dense or convolution (linear) + an activation    →  the activation applied as the kernel stores
    final softmax or sigmoid + its crossentropy      →  the loss starts from the logits (the head)
    TimeDistributed(Dense), (an activation)          →  the layer inside, which takes sequences itself

The user still holds single layers; ``compile(fuse=False)`` runs them one by one (the head apart: it also keeps
saturated predictions learning, as TensorFlow does).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active
from ..layers.base import Layer, Parameter
from ..layers.convolution.conv1d import Conv1D
from ..layers.convolution.conv2d import BaseConv2D, Conv2D
from ..layers.core.activation import ActivationLayer
from ..layers.core.dense import Dense
from ..layers.pooling.pooling2d import MaxPooling2D
from ..layers.recurrent.time_distributed import TimeDistributed
from ..layers.support.fused_activation import Rule, rule_of

__all__ = ["ActivityPenalty", "ConvPool", "WithActivation", "blocks_of", "parameters_of", "split_head"]


class WithActivation:
    """A Dense or convolution layer, with the activation of ``rule`` in place of its own."""

    def __init__(self, layer: Dense | BaseConv2D | Conv1D, rule: Rule, others: Sequence[Layer] = ()):
        self.layer, self.rule, self.layers = layer, rule, (layer, *others)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, self.rule)

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, self.rule)


class ConvPool:
    """Convolution, bias, activation and max pooling in one pass."""

    def __init__(self, conv: Conv2D, activation: str, pool: MaxPooling2D, others: Sequence[Layer] = ()):
        self.layer, self.layers = conv, (conv, *others, pool)
        self.settings = (pool.pool_size, conv.strides, conv.padding, conv.dilation_rate, activation)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        conv = self.layer
        bias = conv.bias.value if conv.bias is not None else None
        y, argmax = active().conv2d_pool_forward(x, conv.kernel.value, bias, *self.settings)
        return y, (x, y, argmax)

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        conv, bias = self.layer, self.layer.bias
        x, y, argmax = ctx
        dx, _, _ = active().conv2d_pool_backward(
            dy,
            x,
            conv.kernel.value,
            y,
            argmax,
            *self.settings,
            need_dx=conv.needs_input_gradient,
            need_db=bias is not None,
            dw=conv.kernel.grad,
            db=bias.grad if bias is not None else None,
        )
        return dx


class ActivityPenalty:
    """``activity_regularizer`` of a layer: passes its output on, and adds the penalty, divided by the batch size."""

    layers: tuple[Layer, ...] = ()
    penalty: float = 0.0

    def __init__(self, layer: Layer):
        self.regularizer = layer.activity_regularizer

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        self.penalty = float(self.regularizer(x)) / max(len(x), 1)
        return x, x

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy + self.regularizer.gradient(ctx) * dy.dtype.type(1 / max(len(dy), 1))


def parameters_of(block: Any) -> list[Parameter]:
    """The parameters of a block's layers."""
    return [p for layer in getattr(block, "layers", (block,)) for p in layer.weights]


def blocks_of(layers: Sequence[Layer], fuse: bool = True) -> list[Any]:
    """The blocks that run these layers."""
    blocks: list[Any] = []
    rest = [_at_every_step(layer) for layer in layers]
    while rest:
        block, taken = (_fused(rest) if fuse else None) or (rest[0], 1)
        blocks.append(block)
        if rest[taken - 1].activity_regularizer is not None:
            blocks.append(ActivityPenalty(rest[taken - 1]))
        del rest[:taken]
    return blocks


def _at_every_step(layer: Layer) -> Layer:
    """The layer inside a TimeDistributed, where it runs on sequences as it does on single steps."""
    if not isinstance(layer, TimeDistributed) or layer.activity_regularizer is not None:
        return layer
    inner = _at_every_step(layer.layer)
    if isinstance(inner, Dense):
        return inner
    elementwise = isinstance(inner, ActivationLayer) and getattr(inner.rule.activation, "axis", -1) == -1
    return inner if elementwise else layer


def _fused(rest: list[Layer]) -> tuple[Any, int] | None:
    """A block for the first layers of ``rest`` and how many it takes, or None."""
    first = rest[0]
    if not _takes_rule(first):
        return None
    rule, taken = first.rule, 1
    if rule.name == "linear" and not rule.separate and _joins(rest, 1) and isinstance(rest[1], ActivationLayer):
        after = rest[1].rule
        if not after.separate:
            rule, taken = after, 2
    if _joins(rest, taken) and _pools(first, rule, rest[taken]):
        return ConvPool(first, rule.name, rest[taken], rest[1:taken]), taken + 1
    return (WithActivation(first, rule, rest[1:taken]), taken) if taken > 1 else None


def _takes_rule(layer: Any) -> bool:
    """Whether ``layer.forward_as`` runs the layer with another activation."""
    return isinstance(layer, (Dense, BaseConv2D, Conv1D)) and not getattr(layer, "channels_first", False)


def _joins(rest: list[Layer], i: int) -> bool:
    """Whether there is a layer ``i`` and nobody looks at the output before it."""
    return i < len(rest) and rest[i - 1].activity_regularizer is None


def _pools(conv: Layer, rule: Rule, pool: Layer) -> bool:
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


def split_head(blocks: list[Any]) -> tuple[list[Any], str | None]:
    """The blocks without a final softmax or sigmoid, and its name; (blocks, None) if there is none."""
    last = blocks[-1] if blocks else None
    rule = getattr(last, "rule", None)
    name = getattr(rule, "name", None)
    if name not in ("softmax", "sigmoid") or getattr(rule.activation, "axis", -1) != -1:
        return blocks, None
    if isinstance(last, ActivationLayer):
        return blocks[:-1], name
    if _takes_rule(last):
        return [*blocks[:-1], WithActivation(last, rule_of(None))], name
    if isinstance(last, WithActivation):
        return [*blocks[:-1], WithActivation(last.layer, rule_of(None), last.layers[1:])], name
    return blocks, None
