"""Paths: the names that layers and weights have within a model, ``encoder/attention/query/kernel``.

A path says where a weight stands, not how often something of its kind was made before: names that layers got by
counting (``dense_7``) count within the model, in the order in which the layers were made.  So a model that the same
code makes again has the same paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..graph import flatten
from ..layers.base import Layer, Parameter
from ..utils.names import stem_of

__all__ = ["layer_paths", "weight_paths"]


def layer_paths(model: Layer) -> dict[str, Any]:
    """All layers within a model, by their paths; one that stands at several places has the first.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import LSTM, Dense
    >>> list(layer_paths(Sequential([LSTM(2, name="reader"), Dense(3), Dense(1)])))
    ['', 'reader', 'reader/cell', 'dense', 'dense_1']
    """
    found: dict[str, Layer] = {}
    _walk(model, "", found, set())
    return found


def _walk(layer: Layer, path: str, found: dict[str, Layer], seen: set[int]) -> None:
    seen.add(id(layer))
    found[path] = layer
    taken: set[str] = set()
    for name, child in _children(layer):
        own = _free(name, taken)
        if id(child) not in seen:
            _walk(child, f"{path}/{own}" if path else own, found, seen)


def _children(layer: Any) -> list[tuple[str, Layer]]:
    if (hasattr(layer, "layers") and getattr(layer, "graph", None) is not None) or hasattr(layer, "_layers"):
        return _of_model(layer.layers)
    names = {id(child): name for name, child in _attributes(layer)}
    ours = type(layer).__module__.startswith("fastnn.")
    pairs = []
    for child in layer.children:
        name = names.get(id(child)) or stem_of(type(child))
        pairs.append((re.sub(r"(?<=[a-z])_(dense|layer)$", "", name) if ours else name, child))
    return pairs


def _attributes(layer: Layer) -> Iterator[tuple[str, Layer]]:
    for name, value in reversed(vars(layer).items()):  # the attribute that was set first is the last to be entered
        name = name.lstrip("_")
        if isinstance(value, dict):
            parts = [(f"{name}/{key}", part) for key, part in value.items()]
        elif isinstance(value, (list, tuple)):
            parts = [(f"{name}/{i}", part) for i, part in enumerate(flatten(list(value)))]
        else:
            parts = [(name, value)]
        yield from ((place, part) for place, part in reversed(parts) if isinstance(part, Layer))


def _of_model(layers: list[Layer]) -> list[tuple[str, Layer]]:
    """Names of the layers of a model; those that were counted are counted again, in the order of their numbers."""
    counted: dict[str, list[tuple[int, Layer]]] = {}
    names: dict[int, str] = {}
    for layer in layers:
        stem = stem_of(type(layer))
        number = re.fullmatch(rf"{re.escape(stem)}(?:_(\d+))?", layer.name)
        if number is None:
            names[id(layer)] = layer.name.replace("/", "_")
        else:
            counted.setdefault(stem, []).append((int(number[1] or 0), layer))
    for stem, group in counted.items():
        for i, (_, layer) in enumerate(sorted(group, key=lambda pair: pair[0])):
            names[id(layer)] = f"{stem}_{i}" if i else stem
    return [(names[id(layer)], layer) for layer in layers]


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    number, own = 1, name
    while own in taken:
        own, number = f"{name}_{number}", number + 1
    taken.add(own)
    return own


def weight_paths(model: Any) -> dict[str, Parameter]:
    """All weights of a model by their paths; a weight that several layers use stands once.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> list(weight_paths(Sequential([Dense(3, input_shape=(2,)), Dense(1, name="head")])))
    ['dense/kernel', 'dense/bias', 'head/kernel', 'head/bias']
    """
    found: dict[str, Parameter] = {}
    seen: set[int] = set()
    for path, layer in layer_paths(model).items():
        taken: set[str] = set()
        for parameter in layer._parameters:
            name = _free(parameter.name.replace("/", "_"), taken)
            if id(parameter) not in seen:
                seen.add(id(parameter))
                found[f"{path}/{name}" if path else name] = parameter
    for i, parameter in enumerate(p for p in model.weights if id(p) not in seen):
        found[f"weights/{i}"] = parameter  # of a class that lists its weights itself
    return found
