"""Models and layers from Keras' description of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastnn

from ... import custom, layers
from ...layers.base import Layer
from .calls import call_layer
from .names import ALIASES
from .nodes import connected
from .operations import operation
from .settings import fitting, read_value

__all__ = ["Reader"]

_MODELS = ("Sequential", "Functional", "Model")


class Reader:
    """Makes layers and models from Keras' config.

    Attributes
    ----------
    orders : dict
        ``id`` of a model → its layers in the order of the config, by which weights are found.
    """

    def __init__(self) -> None:
        self.orders: dict[int, list[Layer]] = {}

    def model(self, entry: Any) -> Any:
        """The model that a config describes.

        Raises
        ------
        ValueError
            If it is not a model, or one that only its code can create.
        """
        found = self.layer(entry)
        if not isinstance(found, fastnn.Model):
            raise ValueError(f"it must describe a model. Received: a {type(found).__name__}.")
        return found

    def layer(self, entry: Any) -> Any:
        """A layer, model or operation from its description."""
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
            raise ValueError(f"a layer must be described by class_name and config. Received: {entry!r:.80}.")
        name, config = entry["class_name"], entry.get("config")
        if isinstance(config, list) and name == "Sequential":  # as Keras 1 and 2 wrote it
            config = {"layers": config}
        if not isinstance(config, dict):
            raise ValueError(f"{name} is described without its settings. Received: {config!r:.80}.")
        where = f'Layer "{config.get("name", entry.get("name", ""))}" ({name})'
        registered = entry.get("registered_name")
        own = custom.find(registered) or custom.find(name)
        if own is None and name in _MODELS:
            return self._sequential(config) if name == "Sequential" else self._functional(config, where)
        if own is None and str(entry.get("module", "")).startswith("keras.src.ops"):
            return operation(name, config, where)
        cls = own or self._class(name, registered, where, config)
        if isinstance(cls, type) and issubclass(cls, fastnn.Model) and "layers" in config:
            return self._functional(config, where, cls)
        if not (isinstance(cls, type) and issubclass(cls, Layer)):
            raise ValueError(f"{where} is not a layer here but {cls!r}.")
        return self._made(cls, dict(config), where)

    def _class(self, name: str, registered: Any, where: str, config: dict[str, Any]) -> type:
        name = ALIASES.get(name, name)
        if name in layers.__all__ and name[0].isupper():
            return getattr(layers, name)
        if name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
            raise ValueError(f"{where} is an operation of TensorFlow between layers, which Keras 3 cannot read either.")
        plain = str(registered or name).rpartition(">")[2]
        raise ValueError(
            f"{where} has an unknown class. If it is your own, pass custom_objects={{{plain!r}: {plain}}}; if the "
            "model defines call, create it from its code and use model.load_weights."
        )

    def _made(self, cls: type, config: dict[str, Any], where: str) -> Layer:
        inner = {name: part for name, part in config.items() if _is_layer(name, part)}
        settings = read_value({name: part for name, part in config.items() if name not in inner}, where)
        held = {name: self._inner(part) for name, part in inner.items()}
        prepare = _PREPARED.get(cls.__name__)
        if prepare is not None and cls.__module__.startswith("fastnn."):
            prepare(settings, held, where)
        settings = _modern(cls.__name__, settings) | held
        try:
            return cls.from_config(fitting(cls, settings, where))  # type: ignore[attr-defined]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where} cannot be created from its settings. {error}") from error

    def _inner(self, part: Any) -> Any:
        return [self.layer(one) for one in part] if isinstance(part, list) else self.layer(part)

    # Models.

    def _sequential(self, config: dict[str, Any]) -> Any:
        entries = config.get("layers")
        if not isinstance(entries, list):
            raise ValueError(f"a Sequential must be described by a list of layers. Received: {entries!r:.80}.")
        made = [self.layer(entry) for entry in entries]
        model = fastnn.Sequential(made, name=config.get("name"), trainable=bool(config.get("trainable", True)))
        shape = config.get("build_input_shape")
        if shape is not None and not model.built and made:
            model.build(tuple(shape))
            model.shape_declared = False
        self.orders[id(model)] = model.layers
        return model

    def _functional(self, config: dict[str, Any], where: str, cls: Any = None) -> Any:
        entries = config.get("layers")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            if cls is None and "layers" not in config:
                raise ValueError(f"{where} defines call, so only its code can create it. Use model.load_weights.")
            raise ValueError(f"{where} must be described by a list of layers. Received: {entries!r:.80}.")
        made: dict[str, Any] = {}
        for entry in entries:
            name = entry.get("name")
            if not isinstance(name, str) or name in made:
                raise ValueError(f"{where} must give each layer its own name. Received: {name!r}.")
            made[name] = self.layer(entry)
        inputs, outputs = connected(config, made, where, call_layer)
        model = (cls or fastnn.Model)(inputs, outputs, name=config.get("name"))
        model._trainable = bool(config.get("trainable", True) is not False)
        self.orders[id(model)] = [layer for layer in made.values() if isinstance(layer, Layer)]
        return model


def _is_layer(name: str, part: Any) -> bool:
    if name in ("layer", "backward_layer", "cell"):
        return isinstance(part, dict)
    return name == "cells" and isinstance(part, list)


# What some layers are described by, and how their constructors take it here.


def _bidirectional(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    """The way back is of the same settings unless it differs in more than its direction."""
    forward, backward = held.get("layer"), held.get("backward_layer")
    if not isinstance(forward, Layer):
        raise ValueError(f"{where} must be described by its layer. Received: {sorted(held)}.")
    forward.name = forward.name.removeprefix("forward_")
    if backward is not None:
        same = [
            {k: v for k, v in one.get_config().items() if k not in ("name", "go_backwards")}
            for one in (forward, backward)
        ]
        if same[0] == same[1]:
            del held["backward_layer"]


def _input(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    shape = settings.pop("batch_input_shape", None) or settings.pop("batch_shape", None)
    if not isinstance(shape, (list, tuple)):
        raise ValueError(f"{where} must be described by batch_shape. Received: {shape!r:.80}.")
    settings.pop("trainable", None)
    settings["batch_shape"] = tuple(shape)


def _lambda(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    """A custom function that has a name; ``read_value`` has refused code."""
    if not callable(settings.get("function")):
        raise ValueError(
            f"{where} holds a Python function as code, which is never run here. Write a Layer with this function, or "
            "give it a name and register it with @fastnn.saving.register_keras_serializable()."
        )
    for name in ("module", "function_type", "output_shape_type", "output_shape_module"):
        settings.pop(name, None)


def _lookup(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    """A vocabulary that was given is a setting; one that was learned is a file beside the settings."""
    settings.pop("dtype", None)
    size = settings.pop("vocabulary_size", None)
    if settings.get("vocabulary") is None and isinstance(size, int) and size > 2:
        raise ValueError(
            f"{where} learned its vocabulary by adapt, and Keras keeps that beside the settings. In Keras, create the "
            "layer with vocabulary=layer.get_vocabulary(), and save the model again."
        )


def _bins(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    """Boundaries found by ``adapt`` replace the number of bins."""
    if settings.get("bin_boundaries") is not None:
        settings["num_bins"] = None


def _hashed(settings: dict[str, Any], held: dict[str, Any], where: str) -> None:
    """What Keras calls the dtype of the layer is that of the ids."""
    settings.pop("dtype", None)


_PREPARED: dict[str, Callable[[dict[str, Any], dict[str, Any], str], None]] = {
    "Bidirectional": _bidirectional,
    "InputLayer": _input,
    "Lambda": _lambda,
    "StringLookup": _lookup,
    "IntegerLookup": _lookup,
    "TextVectorization": _lookup,
    "Discretization": _bins,
    "Hashing": _hashed,
    "HashedCrossing": _hashed,
}


def _modern(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of Keras 2 in the words of Keras 3."""
    axis = settings.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        settings = settings | {"axis": axis[0]}
    if name == "LeakyReLU" and "alpha" in settings:
        settings = {key: value for key, value in settings.items() if key != "alpha"} | {
            "negative_slope": float(settings["alpha"])
        }
    return settings
