"""The readers of each symbol in a graph: two nodes are joined only if nothing else reads the array between them."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import Node, Symbol

__all__ = ["Readers"]


class Readers:
    """The readers of each symbol of a graph."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[Symbol]):
        self._nodes: dict[int, list[Node]] = {}
        for node in nodes:
            for symbol in node.reads:
                self._nodes.setdefault(id(symbol), []).append(node)
        self._outputs = [id(symbol) for symbol in outputs]

    def next_after(self, node: Node) -> Node | None:
        """The one node that reads what ``node`` gives, if it reads nothing else and nobody else looks at it."""
        reader = self.only_reader(node)
        return reader if reader is not None and len(reader.reads) == 1 else None

    def only_reader(self, node: Node) -> Node | None:
        """The one node that reads what ``node`` gives, if nobody else looks at it; it may read more."""
        symbol = node.outputs[0]
        readers = self._nodes.get(id(symbol), [])
        if len(node.outputs) != 1 or len(readers) != 1 or id(symbol) in self._outputs:
            return None
        reader = readers[0]
        return reader if len(reader.outputs) == 1 and not reader.options else None

    def all_of(self, symbol: Symbol) -> list[Node]:
        """The nodes that read a symbol, each as often as it does."""
        return self._nodes.get(id(symbol), [])

    def only_output(self, symbol: Symbol) -> bool:
        """Whether a symbol is an output once, and nothing else reads it."""
        return self._outputs.count(id(symbol)) == 1 and not self._nodes.get(id(symbol))
