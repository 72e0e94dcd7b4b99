"""Models in Keras' words: the config of a ``.keras`` file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import custom, layers
from ...graph import Constant, Graph, Symbol, pack
from ...layers.base import Layer
from ...layers.support.symbolic_call import ActivityPenalty
from .calls import call_of
from .names import OWN
from .operations import operation_entry
from .settings import object_entry, without_absent, write_value

__all__ = ["layer_entry", "model_entry"]


def model_entry(model: Any) -> dict[str, Any]:
    """The description of a model, without what ``compile`` was given.

    Raises
    ------
    NotImplementedError
        For a model that writes ``call``.
    ValueError
        For layers, operations or settings that Keras does not have.
    """
    if hasattr(model, "_layers"):
        return _sequential(model)
    if model.graph is None:
        raise NotImplementedError(
            f'Model "{model.name}" ({type(model).__name__}) defines call, so only its code can recreate it. Use '
            'model.save_weights("name.weights.h5"); then create the model from its code in Keras, and call '
            "load_weights."
        )
    return _functional(model)


def layer_entry(layer: Any) -> dict[str, Any]:
    """The description of a layer or model."""
    if hasattr(layer, "_layers") or hasattr(layer, "graph"):
        return model_entry(layer)
    cls = type(layer)
    where = f'Layer "{layer.name}" ({cls.__name__})'
    if isinstance(layer, layers.InputLayer):
        return _input(layer)
    if cls.__module__.startswith("fastnn."):
        return _own(layer, where)
    name = custom.name_of(cls)
    registered = name if ">" in name else f"Custom>{name}"
    return object_entry(None, cls.__name__, write_value(layer.get_config(), where), registered)


def _input(layer: Any) -> dict[str, Any]:
    config = {
        "batch_shape": [layer.batch_size, *layer.shape],
        "dtype": layer.data_dtype or layer.dtype,
        "sparse": False,
        "name": layer.name,
    }
    return object_entry("keras.layers", "InputLayer", config, None)


def _own(layer: Any, where: str) -> dict[str, Any]:
    name = type(layer).__name__
    if name in OWN or not hasattr(layers, name):
        raise ValueError(f"{where} is not a layer of Keras. Save the model as .safetensors.")
    config = without_absent(name, layer.get_config(), where)
    if name == "TextVectorization":
        _refuse_own_tokens(layer, where)
    if name in ("Hashing", "HashedCrossing") and layer.output_mode == "int":
        config["dtype"] = "int64"
    if isinstance(layer, layers.Bidirectional):
        config["layer"] = layer_entry(layer.forward_layer)
        config["backward_layer"] = layer_entry(layer.backward_layer)
    elif "cells" in config:
        config["cells"] = [layer_entry(cell) for cell in layer.cells]
    for key in ("cell", "layer"):
        if isinstance(config.get(key), dict) and "module" not in config[key]:
            config[key] = layer_entry(getattr(layer, key))
    if isinstance(layer, layers.Lambda) and custom.name_of(layer.function) in ("<lambda>", None):
        raise ValueError(
            f"{where} has a function without a name, which only its code can recreate. Write a Layer, or register the "
            "function under a name with @fastnn.saving.register_keras_serializable()."
        )
    entries = {key: config.pop(key) for key in ("cell", "cells", "layer", "backward_layer") if key in config}
    return object_entry("keras.layers", name, write_value(config, where) | entries, None)


def _refuse_own_tokens(layer: Any, where: str) -> None:
    """Raise ValueError for texts that are split in a way that Keras does not have."""
    for name, keras in (("standardize", ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)),
                        ("split", ("whitespace", "character", None))):  # fmt: skip
        value = getattr(layer, name)
        if callable(value) or value not in keras:
            raise ValueError(
                f"{where} has {name}={value!r}, which Keras does not have. Apply it to the data, and save the rest of "
                "the model."
            )


def _sequential(model: Any) -> dict[str, Any]:
    first = [_input(model._input_layer)] if model._input_layer is not None else []
    config = {
        "name": model.name,
        "trainable": model._trainable,
        "dtype": model.dtype,
        "layers": first + [layer_entry(layer) for layer in model.layers],
    }
    if model.built:
        config["build_input_shape"] = write_value(model.input_shape, model.name)
    return object_entry("keras", "Sequential", config, None)


def _functional(model: Any) -> dict[str, Any]:
    graph = model.graph
    names = _Names(graph)
    entries = []
    for found in names.operations:
        name = names.of[id(found)]
        where = f'Operation "{name}"'
        calls = []
        if isinstance(found, Layer):
            entry = layer_entry(found)
            for node in names.calls[id(found)]:
                calls.append(call_of(node, names.reference))
        else:
            module, kind, settings, more = operation_entry(found, where)
            entry = object_entry(module, kind, settings | {"name": name}, kind)
            for node in names.calls[id(found)]:
                inputs = [names.reference(symbol) for symbol in node.inputs]
                calls.append(([inputs] if kind == "Concatenate" else inputs, {}))
                calls[-1][0].extend(more)
        entry["name"] = name
        entry["inbound_nodes"] = [
            {"args": _written(arguments, where), "kwargs": _written(options, where)} for arguments, options in calls
        ]
        entries.append(entry)
    config = {
        "name": model.name,
        "trainable": model._trainable,
        "layers": entries,
        "input_layers": pack(graph.inputs, [names.history(symbol) for symbol in graph.input_symbols]),
        "output_layers": pack(graph.outputs, [names.history(symbol) for symbol in graph.output_symbols]),
    }
    return object_entry("keras.src.models.functional", "Functional", config, "Functional")


class _Names:
    """Names of layers and operations in a graph, and references to what their calls give."""

    def __init__(self, graph: Graph):
        self.operations = [found for found in graph.operations if not isinstance(found, (ActivityPenalty, Constant))]
        self.of: dict[int, str] = {}
        taken = {found.name for found in self.operations if isinstance(found, Layer)}
        for found in self.operations:
            name, number = found.name, 0
            while not isinstance(found, Layer) and name in taken:
                number += 1
                name = f"{found.name}_op{number}"
            taken.add(name)
            self.of[id(found)] = name
        self.calls: dict[int, list[Any]] = {id(found): [] for found in self.operations}
        self.places: dict[int, list[Any]] = {}
        for symbol in graph.input_symbols:
            self._place(symbol, symbol.node.operation, 0, 0)
        for node in graph.nodes:
            found = node.operation
            if isinstance(found, ActivityPenalty):  # belongs to the layer, which records it again
                self.places[id(node.outputs[0])] = self.places[id(node.inputs[0])]
                continue
            if isinstance(found, Constant):
                continue
            if id(found) not in self.calls:
                raise ValueError(f'"{getattr(found, "name", type(found).__name__)}" is not an operation of Keras.')
            for part, symbol in enumerate(node.outputs):
                self._place(symbol, found, len(self.calls[id(found)]), part)
            self.calls[id(found)].append(node)

    def _place(self, symbol: Symbol, operation: Any, call: int, part: int) -> None:
        self.places[id(symbol)] = [self.of[id(operation)], call, part]

    def history(self, symbol: Symbol) -> list[Any]:
        """Which layer gives a symbol, in which call, and at which place."""
        return self.places[id(symbol)]

    def reference(self, symbol: Symbol) -> Any:
        """A symbol as an argument: a reference, or the numbers of a constant."""
        operation = symbol.node.operation
        if isinstance(operation, Constant):
            value = operation.value
            return value.item() if value.ndim == 0 else np.asarray(value)
        config = {"shape": list(symbol.shape), "dtype": symbol.dtype, "keras_history": self.history(symbol)}
        return {"class_name": "__keras_tensor__", "config": config}


def _written(value: Any, where: str) -> Any:
    """Arguments as JSON; references stay as they are."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return value
        return {key: _written(part, where) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(part, where) for part in value]
    return write_value(value, where)
