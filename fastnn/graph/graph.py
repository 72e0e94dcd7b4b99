"""Graph: the nodes between given inputs and outputs, in an order in which they can run."""

from __future__ import annotations

from typing import Any

from .node import Node, Source
from .structure import flatten
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
        In the order in which they were recorded, which is one in which they can run; sources stand among them.

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
            raise ValueError(f"An input stands twice among inputs. Received: inputs={self.input_symbols}.")
        found: dict[int, Node] = {}
        pending = [symbol for symbol in self.output_symbols if id(symbol) not in given]
        while pending:
            node = pending.pop().node
            if node.serial in found:
                continue
            if node.reads or isinstance(node.operation, Source):
                found[node.serial] = node
                pending += [symbol for symbol in node.reads if id(symbol) not in given]
            else:
                self._refuse_disconnected(node)
        self.nodes = [found[serial] for serial in sorted(found)]

    def _refuse_disconnected(self, lost: Node) -> None:
        symbol = lost.outputs[0]
        steps = path_to(symbol, self.output_symbols)
        raise ValueError(
            f'The outputs need the input "{symbol.name}" {symbol.shape}, which is not among the inputs of the model, '
            f"{[s.name for s in self.input_symbols]}: {steps}. Add it to inputs=, or build the outputs from the inputs "
            "that are given."
        )


def _symbols(what: str, structure: Any) -> list[Symbol]:
    leaves = flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, Symbol):
            hint = f"{leaf.__name__}(...)" if isinstance(leaf, type) else type(leaf).__name__
            raise TypeError(
                f"The {what} of a model are symbols: Input(shape=...), and what layers give for it. Received: {hint}."
            )
    if not leaves:
        raise ValueError(f"A model has at least one symbol in {what}. Received: {what}={structure!r}.")
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
