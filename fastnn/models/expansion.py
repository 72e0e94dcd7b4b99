"""Models inside models: their nodes replace the node of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Graph, Node, Symbol

__all__ = ["expanded"]


def expanded(graph: Graph) -> tuple[list[Node], list[Symbol]]:
    """The nodes of a graph and its outputs, with the nodes of inner models in place.

    A model that writes ``call``, or that is called with a mask of its own, stays one node.
    """
    replaced: dict[int, Symbol] = {}
    nodes = _expand(graph.nodes, replaced, None)
    return nodes, [_follow(symbol, replaced) for symbol in graph.output_symbols]


def _expand(nodes: Sequence[Node], replaced: dict[int, Symbol], training: bool | None) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        inputs = [_follow(symbol, replaced) for symbol in node.inputs]
        masks = [None if mask is None else _follow(mask, replaced) for mask in node.masks]
        options = node.options if training is None else {"training": training, **node.options}
        inner: Graph | None = getattr(node.operation, "graph", None)
        if inner is None or any(mask is not None for mask in masks):
            twin = Node(node.operation, inputs, options, masks)
            twin.gives_several = node.gives_several
            twin.outputs = [Symbol(s.shape, s.dtype, twin, s.index, s.name) for s in node.outputs]
            replaced |= {id(old): new for old, new in zip(node.outputs, twin.outputs, strict=True)}
            found.append(twin)
            continue
        within = {id(symbol): given for symbol, given in zip(inner.input_symbols, inputs, strict=True)}
        found += _expand(inner.nodes, within, options.get("training"))
        for old, new in zip(node.outputs, inner.output_symbols, strict=True):
            replaced[id(old)] = _follow(new, within)
    return found


def _follow(symbol: Symbol, replaced: dict[int, Symbol]) -> Any:
    return replaced.get(id(symbol), symbol)
