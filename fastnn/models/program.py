"""Programs: the plans that a compiled model runs, one for predictions and one that ends where the losses begin."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..graph import Graph, Node, Plan, Symbol
from ..layers.base import Layer
from ..user_warnings import warn
from .expansion import expanded
from .fusion import fused, split_head

__all__ = ["Program", "warn_of_dropped_masks"]


class Program:
    """What runs a graph.

    Parameters
    ----------
    graph : Graph
    outputs : int
        How many of its outputs are the model's; those after them are losses that ``call`` added.
    trained : collection of Parameter
        What training changes: gradients go back as far as they lead to one of these.
    fuse : bool
        Join neighbours into one kernel where no number changes beyond rounding.
    losses : list of Loss or None
        One for each output.

    Attributes
    ----------
    predicting, training : Plan
        The second leaves out a final softmax or sigmoid where the loss starts from what enters it.
    losses : list
        The losses as the training plan needs them, on logits or not.
    from_logits : list of bool
    """

    def __init__(
        self, graph: Graph, outputs: int, trained: Collection[Any], fuse: bool, losses: Sequence[Any] | None = None
    ):
        self.graph, self.outputs, self._trained, self._fuse = graph, outputs, trained, fuse
        self._nodes, self._symbols = expanded(graph)
        self.predicting = self._plan(self._nodes, self._symbols)
        self.losses = list(losses or [None] * outputs)
        self.from_logits = [False] * outputs
        nodes, symbols = self._nodes, self._symbols
        for place, loss in enumerate(self.losses):
            shorter, ends, head = split_head(nodes, symbols, place)
            on_logits = None if head is None or loss is None else loss.on_logits(head)
            if on_logits is not None:
                nodes, symbols = shorter, ends
                self.losses[place], self.from_logits[place] = on_logits, True
        self.training = self.predicting if nodes is self._nodes else self._plan(nodes, symbols)
        self._masked: dict[tuple[bool, ...], Plan] = {}
        self._taped: dict[Any, Plan] = {}

    def taped(self, masked: tuple[bool, ...] | None, trained: Sequence[Any], input_gradients: bool) -> Plan:
        """The plan for a tape: from the inputs to all outputs, and back to these weights and, if wanted, the inputs."""
        key = (masked, tuple(map(id, trained)), input_gradients)
        if key not in self._taped:
            nodes = fused(self._nodes, self._symbols) if self._fuse else self._nodes
            inputs = self.graph.input_symbols
            self._taped[key] = Plan(inputs, self._symbols, nodes, trained, input_gradients, masked)
        return self._taped[key]

    def _plan(self, nodes: Sequence[Node], outputs: Sequence[Symbol], masked: Sequence[bool] | None = None) -> Plan:
        nodes = fused(nodes, outputs) if self._fuse else nodes
        return Plan(self.graph.input_symbols, outputs, nodes, self._trained, masked_inputs=masked)

    def masked(self, masked: tuple[bool, ...]) -> Plan:
        """The plan for predictions whose inputs come with masks."""
        if masked not in self._masked:
            self._masked[masked] = self._plan(self._nodes, self._symbols, masked)
        return self._masked[masked]


def warn_of_dropped_masks(graph: Graph) -> None:
    """Say where a mask gets lost: at a layer that neither uses it nor passes it on."""
    nodes, _ = expanded(graph)
    makers: dict[int, Layer] = {}
    for node in nodes:
        layer = node.operation
        if not isinstance(layer, Layer):
            continue
        incoming = next((makers[id(s)] for s in node.inputs if id(s) in makers), None)
        if incoming is not None and not (layer.supports_masking or layer.uses_mask or layer.makes_mask):
            warn(
                f'Layer "{layer.name}" ({type(layer).__name__}) does not pass on the mask of "{incoming.name}": from '
                "here on, padded time steps count like any other. A layer that ends the mask by using it, such as LSTM "
                "or GlobalAveragePooling1D, avoids this.",
            )
        if layer.makes_mask:
            makers |= {id(symbol): layer for symbol in node.outputs}
        elif incoming is not None and layer.supports_masking:
            makers |= {id(symbol): incoming for symbol in node.outputs}
