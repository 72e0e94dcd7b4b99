"""Settings as Keras writes them, read and written: numbers, functions by name, and objects with a config.

No code is run and nothing imported: a class or function is looked up by its name among custom ones and those of
fastnn.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import activations, custom
from .names import ABSENT, ALIASES, DEFAULTS, LEFT_OUT, MODULES

__all__ = ["fitting", "object_entry", "read_value", "without_absent", "write_value"]

_LAMBDA = (
    "{} holds a Python function as code, which is never run here. Give the function a name, register it with "
    "@keras.saving.register_keras_serializable() before the model is saved, and with "
    "@fastnn.saving.register_keras_serializable() here; or write a Layer."
)
_PACKAGES = {theirs: ours for ours, theirs in MODULES.items()}
_SUFFIXES = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}


# Reading.


def read_value(value: Any, where: str, package: str = "") -> Any:
    """A setting of Keras as a constructor here takes it.

    Parameters
    ----------
    value : object
        From JSON.
    where : str
        What it belongs to, for errors: 'Layer "dense" (Dense)'.
    package : str
        Where a class is looked up that does not say so: "losses".

    Raises
    ------
    ValueError
        For code, for a class or function that is not known, and for what has no meaning here.
    """
    if isinstance(value, list):
        return [read_value(part, where, package) for part in value]
    if not isinstance(value, dict):
        return value
    name = value.get("class_name")
    if not isinstance(name, str) or ("config" not in value and "items" not in value):
        return {
            key: read_value(part, where, _SUFFIXES.get(key.rpartition("_")[2], package)) for key, part in value.items()
        }
    if name in _MARKS:
        return _MARKS[name](value, where)
    if name.startswith("__"):
        raise ValueError(f"{where} has a setting {name!r}, which has no counterpart in fastnn.")
    return _object(name, value, where, package)


def _object(name: str, value: dict[str, Any], where: str, package: str) -> dict[str, Any]:
    """Class and config, with the arguments that the class has here."""
    config = value["config"]
    registered = value.get("registered_name")
    found = custom.find(registered) or custom.find(name)
    module = value.get("module")
    package = _PACKAGES.get(module, package) if isinstance(module, str) else package
    if found is None and package in MODULES:
        name = ALIASES.get(name, name)
        found = getattr(importlib.import_module(f"fastnn.{package}"), name, None)
        if not inspect.isclass(found):
            raise ValueError(f"{where} has a {name} of {module or package}, which fastnn does not know.")
    if found is None:
        raise ValueError(
            f"{where} needs the class {registered or name!r}, which fastnn does not know. Pass "
            f"custom_objects={{{name!r}: {name}}}, or register it with @fastnn.saving.register_keras_serializable()."
        )
    if not isinstance(config, Mapping):
        raise ValueError(f"{where} has a {name} without settings. Received: {config!r:.80}.")
    known = registered if custom.find(registered) is found else name
    return {"class_name": known, "config": fitting(found, read_value(dict(config), f"{name} of {where}"), where)}


def fitting(cls: type, config: dict[str, Any], where: str) -> dict[str, Any]:
    """The settings that a class has; others are left out where they change nothing.

    Raises
    ------
    ValueError
        For a setting that would change the result.
    """
    known: set[str] = set()
    for base in cls.__mro__:
        if "__init__" in vars(base):
            known |= set(inspect.signature(base.__init__).parameters)
    kept = {}
    for name, value in config.items():
        if name in known - {"self", "unknown", "settings", "options"}:
            kept[name] = value
        elif not (name in LEFT_OUT or value in (None, False) or value in DEFAULTS.get(name, ())):
            raise ValueError(
                f"{where} has a setting that {cls.__name__} does not have in fastnn. Received: {name}={value!r:.80}."
            )
    return kept


def _dtype(value: dict[str, Any], where: str) -> str:
    """The dtype of the weights; a policy of mixed precision keeps them in float32, and so does all here."""
    config = value["config"]
    name: Any = config.get("name") if isinstance(config, dict) else None
    name = "float32" if name in ("mixed_float16", "mixed_bfloat16") else name
    if name not in ("float32", "float64") and not (isinstance(name, str) and name.startswith(("int", "uint", "bool"))):
        raise ValueError(
            f"{where} computes in {name}, and layers here in float32 or float64. Load the model with Keras, make it "
            'again with dtype="float32", and set_weights(get_weights()).'
        )
    return name


def _function(value: dict[str, Any], where: str) -> Any:
    """A function by its name; a custom one is the function itself."""
    config = value["config"]
    for name in (value.get("registered_name"), config):
        found = custom.find(name)
        if found is not None:
            return found
    if not isinstance(config, str):
        raise ValueError(_LAMBDA.format(where))
    if str(value.get("module", "")).startswith("keras"):
        return config
    raise ValueError(
        f"{where} needs the function {config!r}, which fastnn does not know. Pass custom_objects={{{config!r}: "
        f"{config}}}."
    )


def _lambda(value: dict[str, Any], where: str) -> Any:
    raise ValueError(_LAMBDA.format(where))


def _array(value: dict[str, Any], where: str) -> np.ndarray:
    config = value["config"]
    try:
        array = np.asarray(config["value"], np.dtype(config["dtype"]))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ValueError(f"{where} has an array that cannot be read: {error}.") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{where} has an array of {array.dtype}, which does not hold numbers.")
    return array


def _slice(value: dict[str, Any], where: str) -> slice:
    return slice(*(read_value(value["config"].get(part), where) for part in ("start", "stop", "step")))


_MARKS: dict[str, Any] = {
    "DTypePolicy": _dtype,
    "FloatDTypePolicy": _dtype,
    "Policy": _dtype,
    "__ellipsis__": lambda value, where: Ellipsis,
    "__lambda__": _lambda,
    "__numpy__": _array,
    "__slice__": _slice,
    "__tensor__": _array,
    "__tuple__": lambda value, where: tuple(read_value(part, where) for part in value.get("items") or value["config"]),
    "function": _function,
}


# Writing.


def write_value(value: Any, where: str, package: str = "") -> Any:
    """A setting as Keras reads it.

    Raises
    ------
    ValueError
        For a function without a name, and for what Keras has no word for.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if not math.isfinite(value):
            raise ValueError(f"{where} has a number that JSON cannot express. Received: {value!r}.")
        return float(value)
    if isinstance(value, (list, tuple)):
        return [write_value(part, where, package) for part in value]
    if isinstance(value, Mapping):
        if "class_name" in value:
            return _entry(value["class_name"], value["config"], where, package)
        return {
            key: write_value(part, where, _SUFFIXES.get(str(key).rpartition("_")[2], package))
            for key, part in value.items()
        }
    return _written_object(value, where, package)


def _written_object(value: Any, where: str, package: str) -> Any:
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if isinstance(value, slice):
        parts = {name: write_value(getattr(value, name), where) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, activations.Activation):
        return write_value(activations.serialize(value), where, package)
    if hasattr(value, "get_config") and not inspect.isclass(value):
        return _entry(custom.name_of(type(value)), value.get_config(), where, package)
    name = custom.name_of(value) if callable(value) else ""
    if not name or name == "<lambda>" or not hasattr(value, "__name__"):
        raise ValueError(
            f"{where} has a setting that Keras cannot read. Received: {value!r:.80}. Use numbers, strings, a function "
            "with a name, or an object with get_config."
        )
    if getattr(value, "__module__", "").startswith("fastnn."):
        return name
    return {"module": None, "class_name": "function", "config": value.__name__, "registered_name": name}


def _entry(name: str, config: Mapping[str, Any], where: str, package: str) -> dict[str, Any]:
    """A described object; a custom class is found by its registered name."""
    if custom.find(name) is not None:
        return object_entry(None, name.rpartition(">")[2], write_value(dict(config), where), name)
    if "Decay" in name and package == "optimizers":
        package = "optimizers.schedules"
    if package not in MODULES:
        raise ValueError(f"{where} has a setting of class {name}, which Keras cannot read.")
    return object_entry(MODULES[package], name, write_value(dict(config), f"{name} of {where}", package), None)


def object_entry(module: str | None, name: str, config: dict[str, Any], registered: str | None) -> dict[str, Any]:
    """How Keras describes an object."""
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def without_absent(name: str, config: dict[str, Any], where: str) -> dict[str, Any]:
    """The settings of a layer that Keras has too.

    Raises
    ------
    ValueError
        If one that it lacks changes the result.
    """
    if config.get("recurrence", "hidden") != "hidden":
        raise ValueError(f'{where} feeds its output back, recurrence="output", which Keras does not have.')
    left = {"algorithm", "recurrence", *ABSENT.get(name, ())}
    return {key: value for key, value in config.items() if key not in left}
