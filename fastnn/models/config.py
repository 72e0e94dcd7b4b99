"""A graph as plain data, and back: layers with their settings, and who reads what."""

from __future__ import annotations

import importlib
from typing import Any

from ..graph import Constant, Graph, Symbol, flatten, pack, record
from ..layers.base import Layer, unique
from ..layers.support.symbolic_call import ActivityPenalty
from ..layers.support.wrapper import described, made_from

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
            "options": dict(node.options),
            "outputs": [[list(symbol.shape), symbol.dtype] for symbol in node.outputs],
            "gives_several": node.gives_several,
        }
        for node in graph.nodes
    ]
    return {
        "layers": [described(layer) for layer in layers],
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
        raise ValueError(f"Only operations of fastnn can be written down. Received: {cls.__qualname__}.")
    settings = {k: v.tolist() if isinstance(operation, Constant) else v for k, v in vars(operation).items()}
    dtype = {"dtype": operation.value.dtype.name} if isinstance(operation, Constant) else {}
    return {"operation": f"{cls.__module__}:{cls.__qualname__}", "settings": settings, **dtype}


def graph_from_config(config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> tuple[Any, Any]:
    """Inputs and outputs of a graph of new layers, from ``graph_config``."""
    import numpy as np

    layers = {}
    for entry in config["layers"]:
        layer = made_from(entry, custom_objects)
        layers[layer.name] = layer
    inputs = [layers[name].output for name in flatten(config["inputs"])]
    symbols: list[Symbol] = list(inputs)
    for entry in config["nodes"]:
        given = [symbols[i] for i in entry["inputs"]]
        masks = [None if i is None else symbols[i] for i in entry["masks"]]
        options = dict(entry["options"])
        if "layer" in entry:
            layer = layers[entry["layer"]]
            training = options.pop("training", None)
            mask = masks if any(m is not None for m in masks) else None
            if layer._traced or hasattr(layer, "call_on_symbols"):
                found = layer(
                    given if layer.takes_several and len(given) > 1 else given[0], training=training, mask=mask
                )
            else:
                several = layer.takes_several or len(given) > 1
                x = given if several else given[0]
                found = layer.call_on(x, training, mask if several or mask is None else mask[0], **options)
        elif "penalty" in entry:
            symbols[entry["inputs"][0]] = given[0]
            symbols.append(given[0])  # the call of the layer has recorded it
            continue
        else:
            found = _remade(entry, given, np)
        symbols += flatten(found)
    return pack(config["inputs"], inputs), pack(config["outputs"], [symbols[i] for i in flatten(config["outputs"])])


def _remade(entry: dict[str, Any], given: list[Symbol], np: Any) -> Any:
    module, _, name = entry["operation"].partition(":")
    if not module.startswith(("fastnn.ops", "fastnn.graph")):
        raise ValueError(f"A config names operations of fastnn. Received: {entry['operation']!r}.")
    operation = object.__new__(getattr(importlib.import_module(module), name))
    settings = dict(entry["settings"])
    if "dtype" in entry:
        settings["value"] = np.asarray(settings["value"], entry["dtype"])
    vars(operation).update(settings)
    shapes = [tuple(shape) for shape, _ in entry["outputs"]]
    dtypes = [dtype for _, dtype in entry["outputs"]]
    return record(operation, given, shapes if entry["gives_several"] else shapes[0], dtypes, entry["options"])
