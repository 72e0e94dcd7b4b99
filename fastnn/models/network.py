"""What makes a model a layer: its weights are those of its layers, and it runs as one node of another model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from ..graph import Graph, Plan, Symbol, flatten, pack, record
from ..layers.base import Layer, Parameter, as_shape, unique
from ..layers.support.symbolic_call import shapes_on_the_way
from .expansion import expanded

__all__ = ["Network"]


class Network(Layer):
    """Base of models that have a graph: ``Sequential`` and ``Model(inputs, outputs)``.

    A model that writes ``call`` has no graph of its own (``graph`` is None): it is traced like any layer.

    Attributes
    ----------
    graph : Graph or None
        From the symbols of the inputs to those of the outputs.
    """

    _builds_itself = True
    _calls_itself = True
    graph: Any = None

    # Layers and weights.

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras' order: those farthest from the outputs first."""
        if self.graph is not None:
            return [operation for operation in self.graph.operations if isinstance(operation, Layer)]
        return super().children

    @property
    def children(self) -> list[Layer]:
        return self.layers

    def leaves(self) -> list[tuple[Any, bool]]:
        """All layers that are not models, each with whether the models around it let it be trained."""
        found: dict[int, tuple[Layer, bool]] = {}
        for layer in self.layers:
            inner = layer.leaves() if isinstance(layer, Network) else [(layer, True)]
            for leaf, free in inner:
                found.setdefault(id(leaf), (leaf, free and self._trainable))
        return list(found.values())

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets all layers. Compile the model again afterwards."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.layers:
            layer.trainable = value

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, layer by layer; one that several layers use is listed once."""
        return unique([*self.own_parameters, *(p for layer in self.layers for p in layer.weights)])

    # As a node of another model.

    @property
    def takes_several(self) -> bool:  # type: ignore[override]
        """Whether there are several inputs."""
        return self.graph is not None and len(self.graph.input_symbols) > 1

    @property
    def gives_several(self) -> bool:  # type: ignore[override]
        """Whether there are several outputs."""
        return self.graph is not None and not isinstance(self.graph.outputs, Symbol)

    uses_mask = True
    casts_inputs = False

    @property
    def makes_mask(self) -> bool:  # type: ignore[override]
        """Whether a layer makes a mask."""
        return any(layer.makes_mask for layer in self.layers)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether a mask of the input comes out with the output."""
        if self.graph is None:
            return self._supports_masking
        return self._layer_plan((True,) * len(self.graph.input_symbols)).has_masks

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self._supports_masking = bool(value)

    _supports_masking = False

    @property
    def takes_ids(self) -> bool:  # type: ignore[override]
        """Whether the first input is ids."""
        return self.graph is not None and reads_ids(self.graph, self.graph.input_symbols[0])

    @property
    def takes_texts(self) -> bool:  # type: ignore[override]
        """Whether an input is texts."""
        return self.graph is not None and any(s.dtype == "string" for s in self.graph.input_symbols)

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error of an id that a layer on the first input does not know."""
        if self.graph is not None:
            check_ids(self.graph, self.graph.input_symbols[0], ids)

    @property
    def penalizes(self) -> bool:
        """Whether a layer may add a penalty to the loss."""
        return self.graph is None or self._layer_plan(()).penalized

    def penalty_of(self, ctx: Any) -> float:
        """What the layers add to the loss."""
        plan, tape = ctx[:2]
        return plan.penalty(tape)

    def mask_of(self, ctx: Any) -> Any:
        """The mask of the output, or of each output."""
        masks = ctx[2]
        return masks if self.gives_several else masks[0]

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the output: runs the model."""
        if self.graph is None:
            return mask if self.supports_masking else None
        return self.mask_of(self.forward(x, False, mask)[1])

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        inputs = list(x) if isinstance(x, list) else [x]
        masks = None if mask is None else list(mask) if isinstance(mask, list) else [mask]
        plan = self._layer_plan(() if masks is None else tuple(m is not None for m in masks))
        outputs, tape, after = plan.forward(inputs, training, masks)
        return (outputs if self.gives_several else outputs[0]), (plan, tape, after)

    def backward(self, dy: Any, ctx: Any, need_dx: bool = True) -> Any:
        plan, tape, _ = ctx
        found = plan.backward(dy if self.gives_several else [dy], tape)
        return found if self.takes_several else found[0]

    def _layer_plan(self, masked: tuple[bool, ...]) -> Plan:
        """The plan that runs the model as a node, layer by layer, down to the gradients of its inputs."""
        plans: OrderedDict[Any, Plan] = vars(self).setdefault("_layer_plans", OrderedDict())
        if masked not in plans:
            nodes, outputs = expanded(self.graph)
            inputs = self.graph.input_symbols
            plans[masked] = Plan(inputs, outputs, nodes, input_gradients=True, masked_inputs=masked or None)
        return plans[masked]

    # Shapes.

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output for an input shape, batch first; lists of them where there are several."""
        given = [as_shape(one) for one in (input_shape if isinstance(input_shape, list) else [input_shape])]
        expected = [symbol.shape for symbol in self.graph.input_symbols]
        if len(given) != len(expected) or any(len(a) != len(b) for a, b in zip(given, expected, strict=True)):
            raise ValueError(
                f'Model "{self.name}" takes inputs of the shapes {expected}, batch first. Received: {input_shape}.'
            )
        shapes = output_shapes(self.graph, given)
        return shapes if self.gives_several else shapes[0]

    def call_on_symbols(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The symbols of the outputs for those of the inputs: the model becomes a node."""
        given = [x[key] for key in self.graph.inputs] if isinstance(x, dict) else flatten(x)
        expected = self.graph.input_symbols
        if len(given) != len(expected):
            raise ValueError(
                f'Model "{self.name}" has {len(expected)} inputs, {[s.name for s in expected]}. Received: {len(given)} '
                f"symbols, {given}."
            )
        for symbol, own in zip(given, expected, strict=True):
            if not isinstance(symbol, Symbol) or not fits(own.shape, symbol.shape):
                shape = getattr(symbol, "shape", symbol)
                raise ValueError(
                    f'Model "{self.name}" takes "{own.name}" of shape {own.shape}. Received: shape {shape}. '
                    + (shapes_on_the_way([symbol]) if isinstance(symbol, Symbol) else "")
                )
        shapes = output_shapes(self.graph, [symbol.shape for symbol in given])
        dtypes = [symbol.dtype for symbol in self.graph.output_symbols]
        options = {} if training is None else {"training": bool(training)}
        masks = None
        if mask is not None:
            masks = list(mask) if isinstance(mask, (list, tuple)) else [mask] + [None] * (len(given) - 1)
        output = record(self, given, shapes if self.gives_several else shapes[0], dtypes, options, masks)
        self._nodes.append((output[0] if isinstance(output, list) else output).node)
        return pack(self.graph.outputs, output) if self.gives_several else output


def fits(expected: tuple[int | None, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether arrays of one shape are accepted where another is expected; None in either is any size."""
    return len(expected) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(expected[1:], shape[1:], strict=True)
    )


def output_shapes(graph: Graph, shapes: list[Any]) -> list[Any]:
    """The shapes of the outputs of a graph for other shapes of its inputs."""
    known = {id(symbol): as_shape(shape) for symbol, shape in zip(graph.input_symbols, shapes, strict=True)}
    for node in graph.nodes:
        if not node.inputs:
            known |= {id(symbol): symbol.shape for symbol in node.outputs}
            continue
        operation = node.operation
        given = [known[id(symbol)] for symbol in node.inputs]
        options = {name: value for name, value in node.options.items() if name != "training"}
        found = operation.compute_output_shape(given if node.takes_several else given[0], **options)
        found = found if node.gives_several else [found]
        for symbol, shape in zip(node.outputs, found, strict=True):
            batch = given[0][0] if given[0] else None
            shape = tuple(shape)
            known[id(symbol)] = (batch, *shape[1:]) if shape and shape[0] is None else shape
    return [known[id(symbol)] for symbol in graph.output_symbols]


def reads_ids(graph: Graph, symbol: Symbol) -> bool:
    """Whether an input of a graph is read as integers: it was said so, or all that read it take ids."""
    if symbol.dtype in ("int64", "string"):
        return symbol.dtype == "int64"
    readers = graph.readers(symbol)
    return bool(readers) and all(getattr(operation, "takes_ids", False) for operation in readers)


def input_dtype(graph: Graph, symbol: Symbol, real: str) -> str:
    """What an input of a graph is read as: "int64", "string", or the dtype of the model."""
    return "int64" if reads_ids(graph, symbol) else "string" if symbol.dtype == "string" else real


def check_ids(graph: Graph, symbol: Symbol, ids: np.ndarray) -> None:
    """Raise the error of an id that one of the layers on an input does not know."""
    for operation in graph.readers(symbol):
        if hasattr(operation, "check_ids"):
            operation.check_ids(ids)
