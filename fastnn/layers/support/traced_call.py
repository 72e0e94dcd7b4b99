"""A ``call`` written in layers, operators and ``fastnn.ops``, made into ``forward`` and ``backward``.

The ``call`` runs once on symbols for each shape of its inputs, in training and out of it, and what it records becomes a
plan.  So a condition on ``training``, or on a shape, is free; a condition on values is refused by the symbol.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data.texts import as_texts, is_text, symbol_dtype
from ...graph import (
    Graph,
    Operation,
    Plan,
    Source,
    Symbol,
    as_symbol,
    contains_symbols,
    flatten,
    given_out,
    is_tracing,
    losses_of_trace,
    pack,
    record,
    tracing,
)
from ..parameter import as_input
from .array_checks import checked_mask
from .symbolic_call import record_call

__all__ = [
    "CallGraph",
    "arguments_of",
    "call_built_in",
    "call_traced",
    "cut",
    "install_trace",
    "layers_among",
    "note_loss",
    "plain_template",
    "read_call",
    "trace_call",
]

_MOST = 64  # traces that a layer keeps: sequences come in many lengths
_PROBES = ((2, 3), (16, 17), (64, 65), (256, 257))


@dataclass(frozen=True)
class _Place:
    """Stands in the arguments of a call where an array was."""

    index: int


@dataclass
class CallGraph:
    """What one run of ``call`` on symbols recorded.

    Attributes
    ----------
    graph : Graph
        Its inputs are those of the call, then masks that ``call`` takes; its outputs those of the call, then losses.
    structure : nested symbols
        The outputs as ``call`` returned them.
    inputs, outputs : int
        How many of each belong to the call itself.
    """

    graph: Graph
    structure: Any
    inputs: int
    outputs: int

    @property
    def gives_several(self) -> bool:
        """Whether ``call`` returned a list, tuple or dict."""
        return isinstance(self.structure, (list, tuple, dict))


@dataclass
class Context:
    """What ``backward`` needs from a run, the masks of its outputs, and its additions to the loss."""

    found: CallGraph
    plan: Plan
    tape: list[Any]
    masks: list[Any]
    penalty: float
    loss_shapes: list[tuple[int, ...]]
    single: bool


def install_trace(cls: Any) -> None:
    """Give a class that writes ``call`` the methods of a layer, made from its traces."""
    inherited = next(base for base in cls.__mro__[1:] if "forward" in vars(base) and not vars(base).get("_traced"))
    cls._built_in = (inherited.forward, inherited.backward, inherited.uses_mask)
    cls._traced = True
    methods: dict[str, Any] = {
        "forward": _forward,
        "backward": _backward,
        "compute_output_shape": _compute_output_shape,
        "output_dtype": _output_dtype,
        "mask_of": _mask_of,
        "penalty_of": _penalty_of,
        "penalizes": True,
        "takes_several": True,
        "casts_inputs": False,
        "takes_ids": False,
        "takes_texts": True,
        "uses_mask": True,
        "makes_mask": property(_makes_mask),
    }
    if not cls._calls_itself:
        methods["__call__"] = call_traced
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)


# Calling.


def call_traced(self: Any, *arguments: Any, training: bool | None = None, mask: Any = None, **named: Any) -> Any:
    """The output for arrays, or symbols for symbols: runs the layer's own ``call``."""
    arguments = tuple(map(as_input, arguments))
    leaves, masks, training, options = read_call(self, arguments, training, mask, named)
    if is_tracing() or contains_symbols(leaves):
        leaves = [as_symbol(leaf, self.dtype) for leaf in leaves]
        self._first_call = ([leaf.dtype for leaf in leaves], options.get("template"))
        output = record_call(self, leaves, training, masks, options)
        return pack(_probe(self, [s.shape for s in leaves], options.get("template")).structure, flatten(output))
    arrays = [_read(self, leaf) for leaf in leaves]
    self._first_call = ([symbol_dtype(a.dtype) for a in arrays], options.get("template"))
    if masks is not None:
        masks = [None if m is None else checked_mask(m, a.shape, self) for m, a in zip(masks, arrays, strict=True)]
    shapes = [(None, *a.shape[1:]) if a.ndim else () for a in arrays]
    self.ensure_built(shapes[0] if len(shapes) == 1 else shapes, **options)
    y, context = self.forward(arrays, bool(training), masks, **options)
    y = [np.array(part) for part in y] if isinstance(y, list) else np.array(y)
    found = given_out(self, leaves, y, context, True, self.trainable_weights)
    return pack(context.found.structure, flatten(found))


def read_call(
    self: Any, arguments: Sequence[Any], training: bool | None, mask: Any, named: dict[str, Any]
) -> tuple[list[Any], list[Any] | None, bool | None, dict[str, Any]]:
    """The arrays and symbols of a call, their masks, ``training``, and the options that say where each stood.

    Raises
    ------
    TypeError
        If the arguments are not those of ``call``.
    """
    signature = inspect.signature(self.call)
    if "training" in signature.parameters and training is not None:
        named = {**named, "training": training}
    if "mask" in signature.parameters and mask is not None:
        named = {**named, "mask": mask}
    try:
        given = dict(signature.bind(*arguments, **named).arguments)
    except TypeError as error:
        raise TypeError(f"{type(self).__name__}.call: {error}.") from None
    training, mask = given.pop("training", training), given.pop("mask", mask)
    leaves: list[Any] = []
    template = {name: cut(value, leaves, i == 0) for i, (name, value) in enumerate(given.items())}
    if not leaves:
        raise TypeError(f"{type(self).__name__} needs at least one array or symbol. Received: {given!r}.")
    options = {} if template == {next(iter(signature.parameters)): _Place(0)} else {"template": template}
    masks = None
    if mask is not None:
        masks = list(mask) if isinstance(mask, (list, tuple)) and len(leaves) > 1 else [mask]
        masks += [None] * (len(leaves) - len(masks))
    return leaves, masks, training, options


def cut(value: Any, leaves: list[Any], first: bool) -> Any:
    """The argument with a ``_Place`` for each array or symbol, which go into ``leaves``."""
    if isinstance(value, dict):
        return {key: cut(part, leaves, first) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and (
        contains_symbols(value) or any(isinstance(leaf, np.ndarray) for leaf in flatten(value))
    ):
        return type(value)(cut(part, leaves, first) for part in value)
    if isinstance(value, (Symbol, np.ndarray)) or (first and isinstance(value, (list, tuple, int, float, np.generic))):
        leaves.append(value)
        return _Place(len(leaves) - 1)
    return value


def _fill(template: Any, symbols: Sequence[Any]) -> Any:
    if isinstance(template, _Place):
        return symbols[template.index]
    if isinstance(template, dict):
        return {key: _fill(part, symbols) for key, part in template.items()}
    if isinstance(template, (list, tuple)):
        return type(template)(_fill(part, symbols) for part in template)
    return template


def plain_template(template: Any) -> Any:
    """Where arrays stood in a call, as plain data."""
    if isinstance(template, _Place):
        return {"array": template.index}
    if isinstance(template, dict):
        return {"dict": {key: plain_template(part) for key, part in template.items()}}
    if isinstance(template, (list, tuple)):
        return {type(template).__name__: [plain_template(part) for part in template]}
    return {"value": template}


def arguments_of(plain: Any, symbols: Sequence[Any]) -> Any:
    """The arguments that ``plain_template`` describes, with these symbols at their places."""
    ((kind, part),) = plain.items()
    if kind == "array":
        return symbols[part]
    if kind == "dict":
        return {key: arguments_of(one, symbols) for key, one in part.items()}
    if kind in ("list", "tuple"):
        parts = [arguments_of(one, symbols) for one in part]
        return parts if kind == "list" else tuple(parts)
    return part


def _read(self: Any, value: Any) -> np.ndarray:
    """An array as traces take it: integers stay, all else is of the layer's dtype."""
    array = np.asarray(value)
    if is_text(array.dtype):
        return as_texts(f'Layer "{self.name}"', array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f'Layer "{self.name}" takes numbers. Received: dtype {array.dtype}.')
    dtype = np.int64 if array.dtype.kind in "iu" else bool if array.dtype == bool else self.dtype
    return np.asarray(array, dtype, order="C")


# Tracing.


def trace_call(
    self: Any,
    shapes: Sequence[tuple[int | None, ...]],
    dtypes: Sequence[str],
    training: bool,
    mask_shapes: Sequence[tuple[int, ...] | None] | None = None,
    template: Any = None,
) -> CallGraph:
    """Run ``call`` once on symbols of these shapes."""
    inputs = [record(Source(), [], shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    for i, symbol in enumerate(inputs):
        symbol.name = f"{self.name}_input" + (f"_{i}" if i else "")
    signature = inspect.signature(self.call)
    parameters = signature.parameters
    named: dict[str, Any] = {next(iter(parameters)): inputs[0]} if template is None else _fill(template, inputs)
    if template is None and len(inputs) > 1:
        named = {next(iter(parameters)): list(inputs)}
    if "training" in parameters:
        named["training"] = training
    masks: list[Symbol] = []
    if "mask" in parameters and mask_shapes is not None:
        found = [None if shape is None else record(Source(), [], shape, "bool") for shape in mask_shapes]
        masks = [symbol for symbol in found if symbol is not None]
        named["mask"] = (found[0] if len(found) == 1 else found) if masks else None
    with tracing() as losses:
        given = inspect.BoundArguments(signature, named)  # type: ignore[arg-type]
        outputs = self.call(*given.args, **given.kwargs)
        if outputs is None:
            raise TypeError(f"{type(self).__name__}.call must return its output. Received: None. Use: return y")
        leaves = [as_symbol(leaf, self.dtype) for leaf in flatten(outputs)]
        penalties = [as_symbol(loss, self.dtype) for loss in losses]
    graph = Graph([*inputs, *masks], [*leaves, *penalties])
    return CallGraph(graph, outputs, len(inputs), len(leaves))


def _plan_of(
    self: Any, inputs: Sequence[np.ndarray], training: bool, masks: Sequence[Any] | None, template: Any
) -> tuple[CallGraph, Plan]:
    """The plan of ``call`` for these inputs; it is kept for the next inputs of the same shapes."""
    shapes, dtypes = [a.shape for a in inputs], [symbol_dtype(a.dtype) for a in inputs]
    mask_shapes = None if masks is None else tuple(None if m is None else m.shape for m in masks)
    key = (tuple(shapes), tuple(dtypes), training, mask_shapes, repr(template))
    traces: OrderedDict[Any, tuple[CallGraph, Plan]] = vars(self).setdefault("_traces", OrderedDict())
    if key in traces:
        traces.move_to_end(key)
        return traces[key]
    found = trace_call(self, shapes, dtypes, training, mask_shapes, template)
    masked = [m is not None for m in masks] if masks is not None else [False] * len(inputs)
    masked += [False] * (len(found.graph.input_symbols) - len(inputs))
    graph = found.graph
    plan = Plan(graph.input_symbols, graph.output_symbols, graph.nodes, input_gradients=True, masked_inputs=masked)
    traces[key] = found, plan
    if len(traces) > _MOST:
        traces.popitem(last=False)
    return found, plan


@dataclass
class _Probe:
    """What symbols of open shapes give: the structure of the outputs and their shapes."""

    structure: Any
    shapes: list[tuple[int | None, ...]]


def _probe(self: Any, shapes: Sequence[tuple[int | None, ...]], template: Any = None) -> _Probe:
    """Trace ``call`` with two sizes for each axis that is open, to see which axes of the outputs they change."""
    dtypes, first_template = vars(self).get("_first_call", ((), None))
    if len(dtypes) != len(shapes):
        dtypes = [self.dtype] * len(shapes)
    elif template is None:
        template = first_template
    error: Exception = ValueError(f'Layer "{self.name}" cannot take inputs of shapes {list(shapes)}.')
    for sizes in _PROBES:
        try:
            small, large = (
                trace_call(
                    self, [tuple(size if n is None else n for n in s) for s in shapes], dtypes, False, None, template
                )
                for size in sizes
            )
        except ValueError as found:  # too small for a window, perhaps
            error = found
            continue
        pairs = zip(small.graph.output_symbols[: small.outputs], large.graph.output_symbols, strict=False)
        return _Probe(
            small.structure,
            [tuple(a if a == b else None for a, b in zip(one.shape, two.shape, strict=True)) for one, two in pairs],
        )
    raise error


def _compute_output_shape(self: Any, input_shape: Any, template: Any = None) -> Any:
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    probe = _probe(self, shapes, template)
    return probe.shapes if isinstance(probe.structure, (list, tuple, dict)) else probe.shapes[0]


def _output_dtype(self: Any, dtypes: Sequence[str]) -> str:
    return self.dtype


def _makes_mask(self: Any) -> bool:
    return any(child.makes_mask for child in self.children)


# Forward and backward.


def _forward(self: Any, x: Any, training: bool = False, mask: Any = None, template: Any = None) -> tuple[Any, Context]:
    single = not isinstance(x, list)
    inputs = [x] if single else x
    masks = None if mask is None else [mask] if single else list(mask)
    found, plan = _plan_of(self, inputs, bool(training), masks, template)
    given, plan_masks = list(inputs), None
    if masks is not None:
        extra = len(found.graph.input_symbols) - len(inputs)
        given += [m for m in masks if m is not None][:extra]
        plan_masks = [*masks, *([None] * extra)]
    outputs, tape, after = plan.forward(given, bool(training), plan_masks)
    losses = outputs[found.outputs :]
    penalty = sum(float(part.sum()) for part in losses) + plan.penalty(tape)
    after = after[: found.outputs]
    if masks is not None and all(m is None for m in after):
        own = self.compute_mask(
            x if single or len(inputs) > 1 else x[0], mask if single or len(masks) > 1 else masks[0]
        )
        after = [own] if not isinstance(own, list) else own
    context = Context(found, plan, tape, after, penalty, [part.shape for part in losses], single)
    return (outputs[: found.outputs] if found.gives_several else outputs[0]), context


def _backward(self: Any, dy: Any, ctx: Context, need_dx: bool = True) -> Any:
    gradients = list(dy) if isinstance(dy, list) else [dy]
    gradients += [np.ones(shape, self.dtype) for shape in ctx.loss_shapes]
    found = ctx.plan.backward(gradients, ctx.tape)[: ctx.found.inputs]
    return found[0] if ctx.single else found


def _mask_of(self: Any, ctx: Context) -> Any:
    return ctx.masks if len(ctx.masks) > 1 else ctx.masks[0]


def _penalty_of(self: Any, ctx: Context) -> float:
    return ctx.penalty


# The layer inside: ``super().call`` and ``add_loss``.


class BuiltInCall(Operation):
    """The forward and backward that a class inherited before it wrote a ``call`` of its own."""

    def __init__(self, layer: Any):
        self.layer, self.name = layer, f"{layer.name}_built_in"
        self.run, self.run_back, self.uses_mask = layer._built_in
        self.supports_masking = layer.supports_masking

    @property
    def weights(self) -> Sequence[Any]:
        return self.layer.weights

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return mask if self.supports_masking else None

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        return self.run(self.layer, x, training, mask) if self.uses_mask else self.run(self.layer, x, training)

    def backward(self, dy: Any, ctx: Any, need_dx: bool = True) -> Any:
        return self.run_back(self.layer, dy, ctx)


def call_built_in(layer: Any, x: Any, training: bool | None, mask: Any) -> Any:
    """What ``Layer.call`` does: the inherited computation as a node for symbols, at once for arrays."""
    if not layer._traced:
        return layer(x, training=training, mask=mask)
    if not isinstance(x, Symbol):
        return BuiltInCall(layer).forward(x, bool(training), mask)[0]
    base = next(b for b in type(layer).__mro__ if "compute_output_shape" in vars(b) and not vars(b).get("_traced"))
    shape = base.compute_output_shape(layer, x.shape)
    options = {} if training is None else {"training": bool(training)}
    masks = None if mask is None else [mask]
    return record(BuiltInCall(layer), [x], shape, layer.dtype, options, masks)


def note_loss(layer: Any, loss: Any) -> None:
    """What ``Layer.add_loss`` does: the trace under way gets one more term of the loss."""
    losses = losses_of_trace()
    if losses is None:
        raise ValueError(
            f'add_loss of layer "{layer.name}" must be called within call(...), on a value computed there. Received: a '
            "call from elsewhere."
        )
    losses.extend(flatten(loss))


def layers_among(layer: Any, kind: type) -> list[Any]:
    """The layers among the attributes of another, in the order in which they were set."""
    found = [leaf for name, value in vars(layer).items() if not name.startswith("__") for leaf in flatten(value)]
    return list({id(leaf): leaf for leaf in found if isinstance(leaf, kind)}.values())
