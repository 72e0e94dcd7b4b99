"""The order in which Keras has the layers of a functional model, by which it finds their weights.

Layers farthest from the outputs come first (``Graph.operations``).  Where layers make masks, Keras computes them by
operations of their own, which lie on the way from the inputs too and so count in the distance.
"""

from __future__ import annotations

from typing import Any

from ...graph import Symbol
from ...layers.attention.attention import Attention
from ...layers.attention.heads import HeadsAttention
from ...layers.base import Layer
from ...layers.core.embedding import Embedding
from ...layers.core.masking import Masking
from ...layers.support.symbolic_call import ActivityPenalty
from .names import TAKES_MASK

__all__ = ["layers_in_order"]


class _Step:
    """A call of an operation in Keras' graph: what it computes, and what it reads, arguments before masks."""

    __slots__ = ("operation", "reads")

    def __init__(self, operation: Any, reads: list[_Step]):
        self.operation, self.reads = operation, reads


def layers_in_order(model: Any) -> list[Layer]:
    """The layers of a model in the order of Keras.

    Raises
    ------
    ValueError
        If masks are joined in a way that leaves the order open.
    """
    graph = getattr(model, "graph", None)
    if graph is None or hasattr(model, "_layers") or not any(layer.makes_mask for layer in model.layers):
        return model.layers
    steps: dict[int, _Step] = {id(s): _Step(s.node.operation, []) for s in graph.input_symbols}
    masks: dict[int, _Step] = {}
    joins = False
    for node in graph.nodes:
        operation = node.operation
        if isinstance(operation, ActivityPenalty):
            steps[id(node.outputs[0])] = steps[id(node.inputs[0])]
            _copy(masks, node.inputs[0], node.outputs[0])
            continue
        given = [masks.get(id(symbol)) for symbol in node.inputs]
        given = [steps[id(own)] if own is not None else m for own, m in zip(node.masks, given, strict=False)]
        known = [mask for mask in given if mask is not None]
        reads = [steps[id(symbol)] for symbol in node.inputs]
        step = _Step(operation, reads + (known if _takes_mask(operation) else []))
        mask = known[0] if known and getattr(operation, "supports_masking", False) else None
        if isinstance(operation, Embedding) and operation.mask_zero:
            mask = _Step(object(), reads)
        elif isinstance(operation, Masking):
            mask = _Step(object(), [_Step(object(), reads)])
        elif mask is not None and len({id(one) for one in known}) > 1 and not _takes_mask(operation):
            mask, joins = _Step(object(), known), True
        joins |= bool(known) and getattr(operation, "graph", None) is not None
        for symbol in node.outputs:
            steps[id(symbol)] = step
        if mask is not None:
            masks[id(node.outputs[0])] = mask
    ordered = _ordered([steps[id(symbol)] for symbol in graph.output_symbols])
    unused = [layer for layer in model.layers if not any(layer is one for one in ordered)]
    found = unused + [one for one in ordered if isinstance(one, Layer)]
    if joins and _kinds(found) != _kinds(model.layers):
        raise ValueError(
            f'The order of layers of model "{model.name}" in Keras is uncertain, because it joins masks of several '
            "layers, and Keras finds weights by this order. Give layers of one class another order, or use "
            ".safetensors."
        )
    return found


def _takes_mask(operation: Any) -> bool:
    return isinstance(operation, (HeadsAttention, Attention)) or type(operation).__name__ in TAKES_MASK


def _copy(masks: dict[int, _Step], source: Symbol, target: Symbol) -> None:
    if id(source) in masks:
        masks[id(target)] = masks[id(source)]


def _kinds(layers: list[Layer]) -> dict[str, list[int]]:
    """The layers of each class, in their order."""
    found: dict[str, list[int]] = {}
    for layer in layers:
        found.setdefault(type(layer).__name__, []).append(id(layer))
    return found


def _ordered(outputs: list[_Step]) -> list[Any]:
    """Operations, the farthest from the outputs first; at one distance as a search from the outputs meets them."""
    found: set[int] = set()
    before: list[_Step] = []
    after: list[_Step] = []
    pending = [(step, False) for step in reversed(outputs)]
    while pending:
        step, done = pending.pop()
        if done:
            after.append(step)
        elif id(step) not in found:
            found.add(id(step))
            before.append(step)
            pending += [(step, True), *((one, False) for one in reversed(step.reads))]
    distance: dict[int, int] = {}
    farthest: dict[int, int] = {}
    for step in reversed(after):
        here = max(distance.get(id(step), 0), farthest.get(id(step.operation), 0))
        farthest[id(step.operation)] = here
        for one in step.reads:
            distance[id(one)] = max(here + 1, distance.get(id(one), 0))
    met = {id(step.operation): step.operation for step in before}
    return sorted(met.values(), key=lambda operation: -farthest[id(operation)])
