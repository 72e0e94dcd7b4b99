"""The walk over the nodes of a model: each is written by its converter, with the masks that travel along.

Models inside models, layers that write ``call`` and activations that are functions are graphs themselves: the walk goes
through them in place.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ....activations import Custom
from ....graph import Constant, Graph, Source, Symbol, SymbolError, WeightSource, as_symbol, record, tracing
from ....layers.base import Layer
from ....layers.support.traced_call import BuiltInCall, trace_call
from .table import Call, converter_of, mask_rule_of
from .value import Shape, Value
from .writer import Writer

__all__ = ["Walk", "function_graph"]

Masks = Sequence[Value | None]


class Walk:
    """Writes the nodes of graphs.

    Parameters
    ----------
    writer : Writer
    """

    def __init__(self, writer: Writer):
        self.writer = writer

    def graph(
        self, graph: Graph, inputs: Sequence[Value], masks: Masks | None = None
    ) -> tuple[list[Value], list[Value | None]]:
        """The outputs of a graph for these inputs, and the mask of each."""
        found: dict[int, Value] = {id(s): value for s, value in zip(graph.input_symbols, inputs, strict=True)}
        along: dict[int, Value | None] = {
            id(s): mask for s, mask in itertools.zip_longest(graph.input_symbols, masks or ()) if s is not None
        }
        for node in graph.nodes:
            given = [
                along.get(id(symbol)) if own is None else found[id(own)]
                for symbol, own in itertools.zip_longest(node.inputs, node.masks)
            ]
            options = {name: value for name, value in node.options.items() if name != "training"}
            outputs, after = self.operation(
                node.operation, [found[id(s)] for s in node.inputs], given, options, [s.shape for s in node.outputs]
            )
            for symbol, value, mask in itertools.zip_longest(node.outputs, outputs, after):
                found[id(symbol)], along[id(symbol)] = value, mask
        ends = graph.output_symbols
        return [found[id(symbol)] for symbol in ends], [along.get(id(symbol)) for symbol in ends]

    def operation(
        self,
        operation: Any,
        inputs: Sequence[Value],
        masks: Masks = (),
        options: dict[str, Any] | None = None,
        shapes: Sequence[Shape] = (),
    ) -> tuple[list[Value], list[Value | None]]:
        """The outputs of an operation or layer, and the mask of each."""
        if isinstance(operation, WeightSource):
            return [self.writer.weight(operation.parameter)], []
        if isinstance(operation, Constant):
            return [self.writer.constant(operation.value)], []
        if getattr(operation, "graph", None) is not None:
            return self.graph(operation.graph, inputs, masks)
        if getattr(operation, "_traced", False):
            return self._traced(operation, inputs, masks, (options or {}).get("template"))
        return self._converted(operation, list(inputs), list(masks), options or {}, list(shapes))

    def _converted(
        self, operation: Any, inputs: list[Value], masks: list[Value | None], options: dict[str, Any], shapes: Any
    ) -> tuple[list[Value], list[Value | None]]:
        inherited = isinstance(operation, BuiltInCall)
        layer = operation.layer if inherited else operation
        converter = converter_of(type(layer), inherited)
        if converter is None:
            raise _refusal(layer)
        call = Call(inputs, masks, options, shapes, self._apply)
        made = converter(self.writer, layer, call)
        call.outputs = made if isinstance(made, list) else [made]
        return call.outputs, self._mask_after(layer, call)

    def _apply(self, operation: Any, inputs: Sequence[Value], masks: Masks = ()) -> list[Value]:
        return self.operation(operation, inputs, masks)[0]

    def _mask_after(self, layer: Any, call: Call) -> list[Value | None]:
        """The mask of each output, where the plan of the model would have one."""
        incoming = any(mask is not None for mask in call.masks)
        if not (layer.makes_mask or (incoming and (layer.supports_masking or layer.uses_mask))):
            return []
        rule = mask_rule_of(type(layer))
        if rule is not None:
            return [rule(self.writer, layer, call)]
        raise NotImplementedError(
            f'Layer "{layer.name}" ({type(layer).__name__}) makes a mask by its own compute_mask, which runs on arrays '
            "and cannot be written into a file. Use mask=None for the layers after it, or give the model the mask as "
            "an input."
        )

    def _traced(
        self, layer: Any, inputs: Sequence[Value], masks: Masks, template: Any
    ) -> tuple[list[Value], list[Value | None]]:
        """A layer that writes ``call``: the graph that its trace records."""
        given = None if all(mask is None for mask in masks) else [None if m is None else m.shape for m in masks]
        try:
            found = trace_call(
                layer,
                [value.shape for value in inputs],
                [value.dtype for value in inputs],
                False,
                given,  # type: ignore[arg-type]
                template,
            )
        except (SymbolError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise _refused_trace(layer, [value.shape for value in inputs], error) from error
        extra = len(found.graph.input_symbols) - len(inputs)
        own = [mask for mask in masks if mask is not None][:extra]
        outputs, after = self.graph(found.graph, [*inputs, *own], [*masks, *[None] * extra] if given else None)
        after = after[: found.outputs]
        if given and all(mask is None for mask in after) and layer.supports_masking:
            call = Call(list(inputs), list(masks), {}, [], self._apply)
            after = self._mask_after(layer, call)
        return outputs[: found.outputs], after


def function_graph(activation: Custom, x: Value) -> Graph:
    """The graph that an activation records when it is a custom function.

    Raises
    ------
    ValueError
        If it cannot be traced.
    """
    symbol: Symbol = record(Source(), [], x.shape, x.dtype)
    try:
        with tracing():
            return Graph([symbol], [as_symbol(activation.function(symbol), x.dtype)])
    except (SymbolError, TypeError, ValueError) as error:
        raise ValueError(
            f"The activation {activation.name} cannot be written as ONNX, because it cannot be traced: {error} "
            "Use operators and fastnn.ops in it, in place of NumPy."
        ) from error


def _refusal(layer: Any) -> Exception:
    """The error of what has no converter: it says what to write."""
    name = type(layer).__name__
    if isinstance(layer, Layer):
        return NotImplementedError(
            f'Layer "{layer.name}" ({name}) computes on arrays in its own forward, so it cannot be written as ONNX. '
            f"Write def call(self, x): ... in {name}, with layers, operators and fastnn.ops: then it is traced."
        )
    return NotImplementedError(f"The operation {getattr(layer, 'name', '') or name} ({name}) has no form in ONNX.")


def _refused_trace(layer: Any, shapes: list[Shape], error: Exception) -> Exception:
    open_axes = any(None in shape for shape in shapes)
    hint = (
        " Sizes that are None stay open in the file. Use None or -1 for them in ops.reshape and similar functions, or "
        "call export_onnx(..., input_shape=...) with sizes that are all known."
        if open_axes
        else " Use operators and fastnn.ops in call, in place of NumPy."
    )
    return ValueError(
        f'Layer "{layer.name}" ({type(layer).__name__}) cannot be traced for inputs of shapes {shapes}: {error}.{hint}'
    )
