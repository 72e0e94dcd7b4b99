"""Where Keras keeps each weight of a model in a file: ``layers/lstm_1/cell/vars/0``.

A path is made of classes and counters, not of names: within a list of layers each has its class in snake_case, and a
number from the second of its class on; a layer inside a layer has the attribute that holds it.  A layer that stands at
several places is kept at the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...layers.base import Layer, Parameter, unique
from .names import CHILDREN, keras_class, snake_case
from .order import layers_in_order

__all__ = ["own_weights", "places", "weights_in_order"]


def places(model: Any, orders: Mapping[int, Sequence[Layer]] | None = None) -> dict[str, Layer]:
    """All layers of a model by their paths in a file; the model itself has the empty path.

    Parameters
    ----------
    model : Model
    orders : dict, optional
        ``id`` of a model → its layers in the order of the file, where that is known.
    """
    found: dict[str, Layer] = {}
    _walk(model, "", found, set(), orders or {})
    return found


def _walk(layer: Layer, path: str, found: dict[str, Layer], seen: set[int], orders: Any) -> None:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    found[path] = layer
    for name, held in _held(layer, orders):
        below = f"{path}/{name}" if path else name
        if isinstance(held, Layer):
            _walk(held, below, found, seen, orders)
        else:
            for own, child in _counted(held):
                _walk(child, f"{below}/{own}", found, seen, orders)


def _held(layer: Any, orders: Any) -> Iterator[tuple[str, Any]]:
    """The attributes in Keras that hold layers or lists of them, in the order in which it walks them."""
    if getattr(layer, "graph", None) is not None or hasattr(layer, "_layers"):
        yield "layers", orders.get(id(layer)) or layers_in_order(layer)
        return
    table = CHILDREN.get(type(layer).__name__)
    if table is not None and type(layer).__module__.startswith("fastnn."):
        pairs = [(name, getattr(layer, ours, None)) for name, ours in table.items()]
    else:  # a custom class has the same attributes on both sides
        pairs = list(vars(layer).items())
    for name, value in sorted(pairs, key=lambda pair: f"~{pair[0]}" if pair[0].startswith("_") else pair[0]):
        value = list(value.values()) if isinstance(value, dict) else value
        if isinstance(value, Layer) or (
            isinstance(value, (list, tuple)) and value and all(isinstance(one, Layer) for one in value)
        ):
            yield name, value


def _counted(layers: Sequence[Layer]) -> Iterator[tuple[str, Layer]]:
    numbers: dict[str, int] = {}
    for layer in layers:
        stem = snake_case(keras_class(type(layer)))
        number = numbers[stem] = numbers.get(stem, -1) + 1
        yield (f"{stem}_{number}" if number else stem), layer


def weights_in_order(model: Any, orders: Mapping[int, Sequence[Layer]]) -> list[Parameter]:
    """All weights of a model, layer by layer in the order of the file."""
    if getattr(model, "graph", None) is None and not hasattr(model, "_layers"):
        return model.weights
    layers = orders.get(id(model)) or layers_in_order(model)
    return unique([weight for layer in layers for weight in weights_in_order(layer, orders)])


def own_weights(layer: Layer) -> list[Parameter]:
    """The weights of a layer itself, not of those inside, in the order of a file."""
    return sorted(layer._parameters, key=lambda p: not p.trainable)
