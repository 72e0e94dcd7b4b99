"""The head of a model: a loss that starts from the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph import Node, Symbol
from ...layers.support.fused_activation import fused_activation
from .blocks import WithActivation
from .kinds import at_every_step, is_activation, takes_rule
from .readers import Readers

__all__ = ["split_head"]


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
    if node is None or node.options or len(node.outputs) != 1 or not Readers(nodes, outputs).only_output(symbol):
        return unchanged
    operation = at_every_step(node.operation)
    rule: Any = getattr(operation, "rule", None)
    name = getattr(rule, "name", None)
    if name not in ("softmax", "sigmoid") or getattr(rule.activation, "axis", -1) != -1:
        return unchanged
    over_time = getattr(operation, "uses_mask", False) and len(symbol.shape) == 2
    if over_time and any(getattr(n.operation, "makes_mask", False) for n in nodes):
        return unchanged  # a softmax over time steps leaves out those that a mask does
    if is_activation(operation) and len(node.reads) == 1:
        rest, logits = [n for n in nodes if n is not node], node.inputs[0]
    elif takes_rule(operation):
        twin = Node(WithActivation(operation, fused_activation(None)), node.inputs, None, node.masks)
        logits = Symbol(symbol.shape, symbol.dtype, twin, 0, f"{symbol.name}_logits")
        twin.outputs = [logits]
        rest = [twin if n is node else n for n in nodes]
    else:
        return unchanged
    return rest, [logits if i == place else s for i, s in enumerate(outputs)], name
