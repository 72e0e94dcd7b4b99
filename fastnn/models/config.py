"""A graph as plain data, and back: layers with their settings, and who reads what."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..activations import Activation
from ..graph import Graph, Operation, Symbol, flatten, pack, record
from ..layers.base import Layer, unique
from ..layers.support.symbolic_call import ActivityPenalty
from ..layers.support.traced_call import arguments_of, plain_template
from ..layers.support.wrapper import described, made_from, numbering, remembering
from ..ops.random import STREAMS

__all__ = ["graph_config", "graph_from_config"]


def graph_config(graph: Graph) -> dict[str, Any]:
    """The layers and nodes of a graph as plain data.

    Every symbol has a number: first those of the inputs, then what each node gives.
    """
    numbers: dict[int, int] = {}
    for symbol in [*graph.input_symbols, *(s for node in graph.nodes for s in node.outputs)]:
        numbers.setdefault(id(symbol), len(numbers))
    layers = unique(
        [
            node.operation
            for node in [*(s.node for s in graph.input_symbols), *graph.nodes]
            if isinstance(node.operation, Layer)
        ]
    )
    nodes = [
        {
            **_operation_config(node.operation),
            "inputs": [numbers[id(symbol)] for symbol in node.inputs],
            "masks": [None if mask is None else numbers[id(mask)] for mask in node.masks],
            "options": {k: plain_template(v) if k == "template" else v for k, v in node.options.items()},
            "outputs": [[list(symbol.shape), symbol.dtype] for symbol in node.outputs],
            "gives_several": node.gives_several,
        }
        for node in graph.nodes
    ]
    with numbering(layers):
        entries = [described(layer) for layer in layers]
    return {
        "layers": entries,
        "inputs": pack(graph.inputs, [symbol.node.operation.name for symbol in graph.input_symbols]),
        "nodes": nodes,
        "outputs": pack(graph.outputs, [numbers[id(symbol)] for symbol in graph.output_symbols]),
    }


def _operation_config(operation: Any) -> dict[str, Any]:
    if isinstance(operation, Layer):
        return {"layer": operation.name}
    if isinstance(operation, ActivityPenalty):
        return {"penalty": True}
    cls = type(operation)
    if not cls.__module__.startswith(("fastnn.ops", "fastnn.graph")):
        raise ValueError(f"Only operations of fastnn can be written into a config. Received: {cls.__qualname__}.")
    settings = {name: _written(value) for name, value in vars(operation).items()}
    return {"operation": _path_of(cls), "settings": settings}


def _path_of(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _class_at(path: Any, bases: type | tuple[type, ...], kind: str) -> type:
    """The class of fastnn at this path, of one of these kinds: looked up among loaded modules, never imported."""
    module, _, name = path.partition(":") if isinstance(path, str) else ("", "", "")
    found = getattr(sys.modules.get(module), name, None) if module.startswith("fastnn.") else None
    if not isinstance(found, type) or found.__module__ != module or not issubclass(found, bases):
        raise ValueError(f"A config must name {kind} of fastnn. Received: {path!r}.")
    return found


def _written(value: Any) -> Any:
    """A setting of an operation as plain data, from which ``_read`` makes it again."""
    if isinstance(value, tuple):
        return {"tuple": [_written(part) for part in value]}
    if isinstance(value, list):
        return [_written(part) for part in value]
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "shape": list(value.shape), "dtype": value.dtype.name}
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "get_config"):
        return {"class": _path_of(type(value)), "config": value.get_config()}
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(_read(part) for part in value["tuple"])
    if "array" in value:
        return np.asarray(value["array"], value["dtype"]).reshape(value["shape"])
    return _class_at(value.get("class"), (Activation, *STREAMS), "settings")(**value["config"])


def graph_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Inputs and outputs of a graph of new layers, from ``graph_config``."""
    layers = {}
    with remembering():
        for entry in config["layers"]:
            layer = made_from(entry, custom_objects)
            if layers.setdefault(layer.name, layer) is not layer:
                raise ValueError(f'Layers of a model must have different names. Received: "{layer.name}" twice.')
    inputs = [layers[name].output for name in flatten(config["inputs"])]
    symbols: list[Symbol] = list(inputs)
    for entry in config["nodes"]:
        given = [symbols[i] for i in entry["inputs"]]
        masks = [None if i is None else symbols[i] for i in entry["masks"]]
        options = dict(entry["options"])
        if "layer" in entry:
            layer = layers[entry["layer"]]
            training = options.pop("training", None)
            several = len(given) > 1 or (layer.takes_several and not layer._traced)
            mask = None if all(m is None for m in masks) else masks if several else masks[0]
            if "template" in options:
                x, *named = arguments_of(options["template"], given).items()
                found = layer(x[1], **dict(named), training=training, mask=mask)
            elif layer._traced or hasattr(layer, "call_on_symbols"):
                found = layer(given if several else given[0], training=training, mask=mask)
            else:
                found = layer.call_on(given if several else given[0], training, mask, **options)
        elif "penalty" in entry:
            symbols[entry["inputs"][0]] = given[0]
            symbols.append(given[0])  # the call of the layer has recorded it
            continue
        else:
            found = _remade(entry, given)
        symbols += flatten(found)
    return pack(config["inputs"], inputs), pack(config["outputs"], [symbols[i] for i in flatten(config["outputs"])])


def _remade(entry: dict[str, Any], given: list[Symbol]) -> Any:
    operation = object.__new__(_class_at(entry["operation"], Operation, "operations"))
    vars(operation).update({name: _read(value) for name, value in entry["settings"].items()})
    shapes = [tuple(shape) for shape, _ in entry["outputs"]]
    dtypes = [dtype for _, dtype in entry["outputs"]]
    return record(operation, given, shapes if entry["gives_several"] else shapes[0], dtypes, entry["options"])
