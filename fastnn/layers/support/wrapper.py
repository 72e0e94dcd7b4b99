"""Layers made of other layers: their weights are the weights of the layers inside."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from ..base import Layer, Parameter, Shape

__all__ = ["Wrapper", "classes_above", "described", "fresh_copy", "made_from"]


classes_above: dict[str, type] = {}
"""Classes that may stand inside a wrapper and live a floor higher: models enter themselves."""


class Wrapper(Layer):
    """Base of layers that hold layers; a subclass lists them in ``children``, in the order of their weights."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self._built_here: list[Layer] = []

    @property
    def children(self) -> list[Layer]:
        """The layers inside."""
        raise NotImplementedError(f"{type(self).__name__} has no children. Write a property that lists its layers.")

    def build_child(self, child: Layer, input_shape: Shape) -> Shape:
        """Build a layer inside, and give its output shape."""
        if not child.built:
            self._built_here.append(child)
        return child.ensure_built(input_shape)

    def unbuild(self) -> None:
        super().unbuild()
        for child in self._built_here:
            child.unbuild()
        self._built_here = []

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, layer by layer."""
        return [p for child in self.children for p in child.weights]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes."""
        return [p for child in self.children for p in child.trainable_weights] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training leaves alone."""
        trained = {id(p) for p in self.trainable_weights}
        return [p for p in self.weights if id(p) not in trained]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for child in self.children:
            child.trainable = value

    # How often the layers inside have drawn, and the states they carry: a gradient check puts both back.

    @property
    def calls(self) -> list[Any]:
        """The counters of random draws of the layers inside."""
        return [getattr(child, "calls", None) for child in self.children]

    @calls.setter
    def calls(self, values: Sequence[Any]) -> None:
        for child, value in zip(self.children, values, strict=True):
            if value is not None:
                child.calls = value


def described(layer: Layer) -> dict[str, Any]:
    """Class and settings of a layer inside, for ``get_config``."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def made_from(entry: Any, custom_objects: dict[str, type] | None = None) -> Layer:
    """The layer that ``described`` described; a layer is given back as it is.

    Raises
    ------
    ValueError
        For a class that is not known.
    """
    if isinstance(entry, Layer):
        return entry
    from ... import layers

    name = entry["class_name"]
    found = (custom_objects or {}).get(name) or getattr(layers, name, None) or classes_above.get(name)
    if found is None:
        raise ValueError(f"There is no layer class {name!r}. Pass custom_objects={{{name!r}: {name}}}.")
    if "custom_objects" in found.from_config.__code__.co_varnames:
        return found.from_config(entry["config"], custom_objects)
    return found.from_config(entry["config"])


def fresh_copy(layer: Layer, name: str) -> Layer:
    """An unbuilt layer with the same settings and another name."""
    twin = copy.deepcopy(layer)
    twin.unbuild()
    twin.name = name
    return twin
