"""Fusion: neighbours in a graph that one kernel computes together.

    Conv2D(relu or linear) [+ relu] + MaxPooling2D   →  one pass, and only the outputs that pooling keeps
    Dense or convolution (linear) + an activation    →  the activation applied as the kernel stores
    BatchNormalization + ReLU                        →  one pass
    final softmax or sigmoid + its crossentropy      →  the loss starts from the logits (the head)
    TimeDistributed(Dense), (an activation)          →  the layer inside, which takes sequences itself

Two nodes join only where the edge between them has a single reader and is not an output of the model.  The user still
holds single layers; ``compile(fuse=False)`` runs them one by one (except the head, which also keeps saturated
predictions learning, as TensorFlow does).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active
from ..graph import Node, Operation, Symbol
from ..layers.base import Layer, Parameter
from ..layers.convolution.conv1d import BaseConv1D
from ..layers.convolution.conv2d import BaseConv2D, Conv2D
from ..layers.core.activation import ActivationLayer
from ..layers.core.dense import Dense
from ..layers.normalization.batch_normalization import BatchNormalization
from ..layers.pooling.pooling2d import MaxPooling2D
from ..layers.recurrent.time_distributed import TimeDistributed
from ..layers.support.fused_activation import Rule, rule_of

__all__ = ["ConvPool", "WithActivation", "fused", "split_head"]


class FusedLayers(Operation):
    """Base of operations that compute what several layers compute one after another."""

    layer: Layer
    layers: tuple[Layer, ...]

    @property
    def weights(self) -> Sequence[Parameter]:
        return self.layer.weights

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of the layers, joined."""
        return "+".join(layer.name for layer in self.layers)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether each of the layers passes the mask on."""
        return all(layer.supports_masking for layer in self.layers)

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return mask if self.supports_masking else None


class WithActivation(FusedLayers):
    """A Dense or convolution layer, with the activation of ``rule`` in place of its own."""

    def __init__(self, layer: Dense | BaseConv2D | BaseConv1D, rule: Rule, others: Sequence[Layer] = ()):
        self.layer, self.rule, self.layers = layer, rule, (layer, *others)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, self.rule)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, self.rule, need_dx)


class ConvPool(FusedLayers):
    """Convolution, bias, activation and max pooling in one pass."""

    def __init__(self, conv: Conv2D, activation: str, pool: MaxPooling2D, others: Sequence[Layer] = ()):
        self.layer, self.layers = conv, (conv, *others, pool)
        self.settings = (pool.pool_size, conv.strides, conv.padding, conv.dilation_rate, activation)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        conv = self.layer
        bias = conv.bias.value if conv.bias is not None else None
        y, argmax = active().conv2d_pool_forward(x, conv.kernel.value, bias, *self.settings)
        return y, (x, y, argmax)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        conv, bias = self.layer, self.layer.bias
        x, y, argmax = ctx
        dx, _, _ = active().conv2d_pool_backward(
            dy,
            x,
            conv.kernel.value,
            y,
            argmax,
            *self.settings,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=conv.kernel.grad,
            db=bias.grad if bias is not None else None,
        )
        return dx


class NormWithRelu(FusedLayers):
    """Batch normalization and the ReLU behind it in one pass."""

    uses_mask = True

    def __init__(self, norm: BatchNormalization, relu: Layer):
        self.layer, self.layers = norm, (norm, relu)

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, training, mask, "relu")

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, need_dx)[0]


class _Readers:
    """Who reads each symbol of a graph."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[Symbol]):
        self._nodes: dict[int, list[Node]] = {}
        for node in nodes:
            for symbol in node.reads:
                self._nodes.setdefault(id(symbol), []).append(node)
        self._outputs = [id(symbol) for symbol in outputs]

    def next_after(self, node: Node) -> Node | None:
        """The one node that reads what ``node`` gives, if it reads nothing else and nobody else looks at it."""
        symbol = node.outputs[0]
        readers = self._nodes.get(id(symbol), [])
        if len(node.outputs) != 1 or len(readers) != 1 or id(symbol) in self._outputs:
            return None
        reader = readers[0]
        plain = len(reader.reads) == 1 and len(reader.outputs) == 1 and not reader.options
        return reader if plain else None

    def only_output(self, symbol: Symbol) -> bool:
        """Whether a symbol is an output once, and nothing else reads it."""
        return self._outputs.count(id(symbol)) == 1 and not self._nodes.get(id(symbol))


def fused(nodes: Sequence[Node], outputs: Sequence[Symbol]) -> list[Node]:
    """The nodes with neighbours joined where one kernel computes them."""
    readers, gone, found = _Readers(nodes, outputs), set(), []
    for node in nodes:
        if id(node) in gone:
            continue
        operation = _at_every_step(node.operation)
        rest = [operation]
        last = node
        while (following := readers.next_after(last)) is not None and len(rest) < 3:
            rest.append(_at_every_step(following.operation))
            last = following
        joined = None if node.options else _joined(rest)
        if joined is None:
            found.append(node if operation is node.operation else _with_operation(node, operation, node.outputs))
            continue
        block, taken = joined
        last = node
        for _ in range(taken - 1):
            last = readers.next_after(last)
            gone.add(id(last))
        found.append(_with_operation(node, block, last.outputs))
    return found


def _with_operation(node: Node, operation: Any, outputs: Sequence[Symbol]) -> Node:
    twin = Node(operation, node.inputs, node.options, node.masks)
    twin.gives_several, twin.outputs = node.gives_several, list(outputs)
    return twin


def _at_every_step(layer: Any) -> Any:
    """The layer inside a TimeDistributed, where it runs on sequences as it does on single steps."""
    if type(layer) is not TimeDistributed:
        return layer
    inner = _at_every_step(layer.layer)
    if type(inner) is Dense:
        return inner
    elementwise = _is_activation(inner) and getattr(inner.rule.activation, "axis", -1) == -1
    return inner if elementwise else layer


def _joined(rest: list[Any]) -> tuple[Any, int] | None:
    """One operation for the first of ``rest`` and how many it takes, or None."""
    first = rest[0]
    if type(first) is BatchNormalization and len(rest) > 1 and _is_activation(rest[1]) and rest[1].rule.fused == "relu":
        return NormWithRelu(first, rest[1]), 2
    if not _takes_rule(first):
        return None
    rule, taken = first.rule, 1
    if rule.name == "linear" and not rule.separate and len(rest) > 1 and _is_activation(rest[1]):
        after = rest[1].rule
        if not after.separate:
            rule, taken = after, 2
    if len(rest) > taken and _pools(first, rule, rest[taken]):
        return ConvPool(first, rule.name, rest[taken], rest[1:taken]), taken + 1
    return (WithActivation(first, rule, rest[1:taken]), taken) if taken > 1 else None


def _is_activation(layer: Any) -> bool:
    return isinstance(layer, ActivationLayer) and not layer._traced


def _takes_rule(layer: Any) -> bool:
    """Whether ``layer.forward_as`` runs the layer with another activation."""
    return (
        isinstance(layer, (Dense, BaseConv2D, BaseConv1D))
        and not layer._traced
        and not getattr(layer, "channels_first", False)
    )


def _pools(conv: Layer, rule: Rule, pool: Any) -> bool:
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


def split_head(
    nodes: Sequence[Node], outputs: Sequence[Symbol], place: int
) -> tuple[list[Node], list[Symbol], str | None]:
    """The graph without a final softmax or sigmoid of one output, and the name of that activation.

    Parameters
    ----------
    nodes, outputs
        Of a graph that has not been fused.
    place : int
        Which output.

    Returns
    -------
    nodes, outputs
        Changed where there is such a head; the output is then what enters it.
    name : "softmax", "sigmoid" or None
    """
    unchanged = list(nodes), list(outputs), None
    symbol = outputs[place]
    node = next((n for n in nodes if n.outputs and n.outputs[0] is symbol), None)
    if node is None or node.options or len(node.outputs) != 1 or not _Readers(nodes, outputs).only_output(symbol):
        return unchanged
    operation = _at_every_step(node.operation)
    rule = getattr(operation, "rule", None)
    name = getattr(rule, "name", None)
    if name not in ("softmax", "sigmoid") or getattr(rule.activation, "axis", -1) != -1:
        return unchanged
    over_time = getattr(operation, "uses_mask", False) and len(symbol.shape) == 2
    if over_time and any(getattr(n.operation, "makes_mask", False) for n in nodes):
        return unchanged  # a softmax over time steps leaves out those that a mask does
    if _is_activation(operation) and len(node.reads) == 1:
        rest, logits = [n for n in nodes if n is not node], node.inputs[0]
    elif _takes_rule(operation):
        twin = Node(WithActivation(operation, rule_of(None)), node.inputs, None, node.masks)
        logits = Symbol(symbol.shape, symbol.dtype, twin, 0, f"{symbol.name}_logits")
        twin.outputs = [logits]
        rest = [twin if n is node else n for n in nodes]
    else:
        return unchanged
    return rest, [logits if i == place else s for i, s in enumerate(outputs)], name
