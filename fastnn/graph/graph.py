"""Graph: the nodes between given inputs and outputs, in an order in which they can run."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from .node import Node, Source, record
from .structure import flatten, pack
from .symbol import Symbol

__all__ = ["Graph", "path_to"]


class Graph:
    """The nodes that lead from inputs to outputs.

    Parameters
    ----------
    inputs, outputs : Symbol, or nested lists, tuples and dicts of them

    Attributes
    ----------
    input_symbols, output_symbols : list of Symbol
        The leaves of both, from left to right.
    nodes : list of Node
        In the order in which they were recorded, which is a valid order to run them; sources are included.

    Raises
    ------
    TypeError
        If a leaf is not a symbol.
    ValueError
        If an input is given twice, or an output needs an input that is not among ``inputs``.
    """

    def __init__(self, inputs: Any, outputs: Any):
        self.inputs, self.outputs = inputs, outputs
        self.input_symbols = _symbols("inputs", inputs)
        self.output_symbols = _symbols("outputs", outputs)
        given = {id(symbol) for symbol in self.input_symbols}
        if len(given) < len(self.input_symbols):
            raise ValueError(f"Each input can be listed only once. Received: inputs={self.input_symbols}.")
        found: dict[int, Node] = {}
        pending = [symbol for symbol in self.output_symbols if id(symbol) not in given]
        while pending:
            node = pending.pop().node
            if node.serial in found:
                continue
            if node.reads or (isinstance(node.operation, Source) and type(node.operation) is not Source):
                found[node.serial] = node
                pending += [symbol for symbol in node.reads if id(symbol) not in given]
            else:
                self._refuse_disconnected(node)
        self.nodes = [found[serial] for serial in sorted(found)]

    def readers(self, symbol: Symbol) -> list[Any]:
        """The operations of the nodes that read a symbol."""
        return self._readers.get(id(symbol), [])

    @cached_property
    def _readers(self) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        for node in self.nodes:
            for key in {id(symbol) for symbol in node.inputs}:
                found.setdefault(key, []).append(node.operation)
        return found

    @cached_property
    def operations(self) -> list[Any]:
        """Each operation once, in Keras' order, which is that of the weights of a model.

        Those farthest from the outputs come first.  At the same distance the order is that in which a search from the
        outputs meets them, which follows one input to its end before it turns to the next.
        """
        before, after = self._from_outputs()
        distance: dict[int, int] = {}
        farthest: dict[int, int] = {}
        for node in reversed(after):
            operation = id(node.operation)
            here = max(distance.get(id(node), 0), farthest.get(operation, 0))
            farthest[operation] = here
            beyond = here if getattr(node.operation, "follows", False) else here + 1
            for symbol in node.reads:
                distance[id(symbol.node)] = max(beyond, distance.get(id(symbol.node), 0))
        unused = [s.node for s in self.input_symbols if not s.node.inputs and id(s.node.operation) not in farthest]
        met = {id(node.operation): node.operation for node in [*unused, *before]}
        return sorted(met.values(), key=lambda operation: -farthest.get(id(operation), 0))

    def _from_outputs(self) -> tuple[list[Node], list[Node]]:
        """The nodes that a search from the outputs meets, each before what it reads; and each after that."""
        given = {id(symbol) for symbol in self.input_symbols}
        found: set[int] = set()
        before, after = [], []
        pending = [(symbol, False) for symbol in reversed(self.output_symbols)]
        while pending:
            symbol, done = pending.pop()
            node = symbol.node
            if done:
                after.append(node)
            elif id(node) not in found and not (id(symbol) in given and node.inputs):
                found.add(id(node))
                before.append(node)
                pending += [(symbol, True), *((s, False) for s in reversed(node.reads))]
        return before, after

    def __getstate__(self) -> dict[str, Any]:
        """The nodes in a row and symbols by number, so that a copy of a deep graph needs no deep recursion."""
        numbers: dict[int, int] = {}
        for symbol in [*self.input_symbols, *(s for node in self.nodes for s in node.outputs)]:
            numbers.setdefault(id(symbol), len(numbers))
        return {
            "inputs": [(s.node.operation, s.shape, s.dtype, s.name) for s in self.input_symbols],
            "structure": pack(self.inputs, range(len(self.input_symbols))),
            "nodes": [
                (
                    node.operation,
                    [numbers[id(s)] for s in node.inputs],
                    [None if s is None else numbers[id(s)] for s in node.masks],
                    node.options,
                    [(s.shape, s.dtype, s.name) for s in node.outputs],
                    node.gives_several,
                )
                for node in self.nodes
            ],
            "outputs": pack(self.outputs, [numbers[id(s)] for s in self.output_symbols]),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        symbols: list[Symbol] = []
        for operation, shape, dtype, name in state["inputs"]:
            made = getattr(operation, "_nodes", None)
            symbol = made[0].outputs[0] if made else record(operation, [], shape, dtype)
            symbol.name = name
            symbols.append(symbol)
        inputs = list(symbols)
        nodes = []
        for operation, reads, masks, options, outputs, several in state["nodes"]:
            node = Node(
                operation, [symbols[i] for i in reads], options, [None if i is None else symbols[i] for i in masks]
            )
            node.gives_several = several
            node.outputs = [Symbol(shape, dtype, node, i, name) for i, (shape, dtype, name) in enumerate(outputs)]
            symbols += node.outputs
            nodes.append(node)
            if hasattr(operation, "_nodes"):
                operation._nodes.append(node)
        self.inputs, self.outputs = (
            pack(state["structure"], inputs),
            pack(state["outputs"], [symbols[i] for i in flatten(state["outputs"])]),
        )
        self.input_symbols, self.output_symbols, self.nodes = inputs, flatten(self.outputs), nodes

    def _refuse_disconnected(self, lost: Node) -> None:
        symbol = lost.outputs[0]
        steps = path_to(symbol, self.output_symbols)
        raise ValueError(
            f'The outputs need the input "{symbol.name}" {symbol.shape}, which is not among the inputs of the model, '
            f"{[s.name for s in self.input_symbols]}: {steps}. Add it to inputs=, or build the outputs from the given "
            "inputs."
        )


def _symbols(what: str, structure: Any) -> list[Symbol]:
    leaves = flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, Symbol):
            hint = f"{leaf.__name__}(...)" if isinstance(leaf, type) else type(leaf).__name__
            raise TypeError(
                f"The {what} of a model must be symbols: Input(shape=...), or what layers return for it. Received: "
                f"{hint}."
            )
    if not leaves:
        raise ValueError(f"A model must have at least one symbol in {what}. Received: {what}={structure!r}.")
    return leaves


def path_to(source: Symbol, targets: list[Symbol]) -> str:
    """The chain of shapes from one symbol to the first target that it leads to, as ``a (None, 4) → b (None, 8)``."""
    ends = {id(target) for target in targets}
    for target in targets:
        stack = [(target, [target])]
        seen: set[int] = set()
        while stack:
            symbol, path = stack.pop()
            if symbol is source:
                return " → ".join(f"{step.name} {step.shape}" for step in reversed(path))
            for before in symbol.node.reads:
                if id(before) not in seen and id(before) not in ends:
                    seen.add(id(before))
                    stack.append((before, [*path, before]))
    return ""
