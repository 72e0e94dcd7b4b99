"""Layers made of other layers: their weights are the weights of the layers inside."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ... import custom
from ..base import Layer, Parameter, Shape

__all__ = ["Wrapper", "classes_above", "described", "fresh_copy", "made_from", "numbering", "remembering"]


_numbers: ContextVar[dict[int, int] | None] = ContextVar("numbers", default=None)
_made: ContextVar[dict[int, Layer] | None] = ContextVar("made", default=None)
classes_above: dict[str, type] = {}
"""Classes from higher levels that a wrapper may contain: models register themselves."""


class Wrapper(Layer):
    """Base of layers that hold layers; a subclass lists them in ``children``, in the order of their weights."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self._built_here: list[Layer] = []

    @property
    def children(self) -> list[Any]:
        """The layers inside."""
        raise NotImplementedError(f"{type(self).__name__} has no children. Define a property that lists its layers.")

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
    """Class and settings of a layer inside, for ``get_config``.

    Raises
    ------
    ValueError
        If the class is a custom one, and its settings lack arguments of ``__init__``.
    """
    with numbering([layer]) as numbers:
        config = layer.get_config()
    _check_complete(layer, config)
    entry = {"class_name": custom.name_of(type(layer)), "config": config}
    return entry | ({"shared": numbers[id(layer)]} if id(layer) in numbers else {})


@contextmanager
def numbering(layers: Sequence[Layer]) -> Iterator[dict[int, int]]:
    """While layers are described: the numbers of those that several others hold, by their ``id``.

    A layer may be part of a model and of its inner model.  It is described in both places, with one number, and
    ``made_from`` makes one layer of it.
    """
    if (numbers := _numbers.get()) is not None:
        yield numbers
        return
    holders: dict[int, set[int]] = {}
    todo = [(layer, 0) for layer in layers]
    for layer, holder in todo:
        if id(layer) not in holders:
            todo += [(child, id(layer)) for child in layer.children]
        holders.setdefault(id(layer), set()).add(holder)
    numbers = {key: number for number, key in enumerate(key for key, held_by in holders.items() if len(held_by) > 1)}
    token = _numbers.set(numbers)
    try:
        yield numbers
    finally:
        _numbers.reset(token)


@contextmanager
def remembering() -> Iterator[dict[int, Layer]]:
    """While layers are made of what describes them: those with a number, by it."""
    if (made := _made.get()) is not None:
        yield made
        return
    made = {}
    token = _made.set(made)
    try:
        yield made
    finally:
        _made.reset(token)


def _check_complete(layer: Layer, config: dict[str, Any]) -> None:
    cls = type(layer)
    if cls.__module__.startswith("fastnn.") or "layers" in config:  # a model that has a graph is made of its layers
        return
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = [p for p in inspect.signature(cls.__init__).parameters.values() if p.kind in kinds][1:]
    inherits = cls.get_config is Layer.get_config
    base = set(inspect.signature(Layer.__init__).parameters)
    lacking = [
        p.name
        for p in arguments
        if p.name not in config and (p.default is p.empty or (inherits and p.name not in base))
    ]
    if lacking:
        pairs = ", ".join(f'"{name}": self.{name}' for name in lacking)
        raise ValueError(
            f'Layer "{layer.name}" cannot be recreated from its settings. {cls.__name__}.__init__ takes '
            f"{', '.join(lacking)}. Received: a get_config without {'it' if len(lacking) == 1 else 'them'}. Use def "
            f"get_config(self): return super().get_config() | {{{pairs}}}"
        )


def made_from(entry: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that ``described`` described; a layer is given back as it is.

    Parameters
    ----------
    entry : dict or Layer
    custom_objects : dict, optional
        The user's own classes and functions by name, for this layer and all within it.

    Raises
    ------
    ValueError
        For a class that is not known.
    TypeError
        For an object that is not a layer.
    """
    if isinstance(entry, Layer):
        return entry
    from ... import layers

    name = entry["class_name"]
    with custom.scope(custom_objects):
        found = custom.find(name) or classes_above.get(name) or (name in layers.__all__ and getattr(layers, name))
        if not found:
            plain = name.rpartition(">")[2]
            raise ValueError(f"There is no layer class {name!r}. Pass custom_objects={{{plain!r}: {plain}}}.")
        if not (inspect.isclass(found) and issubclass(found, Layer)):
            raise TypeError(f"{name!r} is not a layer class. Received: {found!r}. Use a subclass of Layer.")
        try:
            with remembering() as made:
                number = entry.get("shared")
                if not isinstance(number, int):
                    return found.from_config(entry["config"])
                if number not in made:
                    made[number] = found.from_config(entry["config"])
                return made[number]
        except TypeError as error:
            raise TypeError(
                f"{name} could not be created from its settings: {error}. Received: {entry['config']!r}. They are the "
                f"arguments of {found.__name__}.__init__."
            ) from error


def fresh_copy(layer: Any, name: str) -> Any:
    """An unbuilt layer with the same settings and another name."""
    twin = copy.deepcopy(layer)
    twin.unbuild()
    twin.name = name
    return twin
