"""Settings as JSON, and back: what JSON has no word for stands in a dict with one key that begins with ``$``.

Functions stand by their names.  Nothing in a file is ever run or imported: a name is looked up among the user's own
and among the functions of fastnn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import activations, custom, initializers, losses, metrics, ops
from ..ops.random import SeedGenerator

__all__ = ["from_plain", "to_plain"]

_FUNCTIONS = {
    "ops": ops,
    "losses": losses,
    "metrics": metrics,
    "activations": activations,
    "initializers": initializers,
}

_UNNAMED = (
    "{} has a function without a name, which only its code can recreate. Received: {!r}. Use a named function, "
    "registered with @fastnn.saving.register_keras_serializable(); or write a Layer."
)


def to_plain(value: Any, where: str, exact: bool = False) -> Any:
    """A setting as JSON has it.

    Parameters
    ----------
    value : object
    where : str
        What it belongs to, for errors: 'layer "dense"'.
    exact : bool
        Whether tuples stay apart from lists; the settings of layers take either.

    Raises
    ------
    ValueError
        For what cannot be written down, such as a lambda.

    Examples
    --------
    >>> to_plain({"units": np.int64(3), "shape": (2, None), "limit": float("inf")}, "a layer")
    {'units': 3, 'shape': [2, None], 'limit': {'$float': 'inf'}}
    """
    if isinstance(value, str) and value == "<lambda>":  # what a setting says of a function without a name
        raise ValueError(_UNNAMED.format(where, value))
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {"$float": str(float(value))}
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            return {"$dict": [[to_plain(k, where, True), to_plain(v, where, exact)] for k, v in value.items()]}
        return {
            key: to_plain(part, key_of(where, key, part), exact or key in ("settings", "options"))
            for key, part in value.items()
        }
    if isinstance(value, tuple) and exact:
        return {"$tuple": [to_plain(part, where, exact) for part in value]}
    if isinstance(value, (list, tuple)):
        return [to_plain(part, where, exact) for part in value]
    return _marked(value, where)


def key_of(where: str, key: str, part: Any) -> str:
    """What errors within this entry name: the layer that it describes, else what is around it."""
    name = part.get("name") if key == "config" and isinstance(part, Mapping) else None
    return f'"{name}"' if isinstance(name, str) else where


def _marked(value: Any, where: str) -> Any:
    """What JSON has no word for."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise ValueError(f"{where} has an array of dtype {value.dtype}, which cannot be saved. Use numbers.")
        return {"$array": value.tolist(), "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, slice):
        return {"$slice": [to_plain(part, where, True) for part in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"$ellipsis": True}
    if isinstance(value, np.dtype):
        return {"$dtype": value.name}
    if isinstance(value, SeedGenerator):
        return {"$stream": [value.key, value.calls], "seed": value.seed}
    if isinstance(value, activations.Activation):
        return {"$activation": to_plain(activations.serialize(value), where)}
    if hasattr(value, "get_config") and not isinstance(value, type):
        config = to_plain(value.get_config(), where)
        return {"class_name": custom.name_of(type(value)), "config": config}
    if callable(value):
        return {"$function": _function_name(value, where)}
    raise ValueError(
        f"{where} has a setting that cannot be saved. Received: {value!r} of type {type(value).__name__}. Use numbers, "
        "strings, lists and dicts, or an object with get_config."
    )


def _function_name(function: Any, where: str) -> str:
    for module, found in _FUNCTIONS.items():
        name = getattr(function, "__name__", "")
        if name in found.__all__ and getattr(found, name, None) is function:
            return f"fastnn.{module}.{name}"
    name = custom.name_of(function)
    if name == "<lambda>" or not hasattr(function, "__name__"):
        raise ValueError(_UNNAMED.format(where, function))
    return name


def from_plain(value: Any, streams: dict[int, SeedGenerator] | None = None) -> Any:
    """The setting that ``to_plain`` wrote.

    Raises
    ------
    ValueError
        For a function that is not known, and for what ``to_plain`` does not write.
    """
    streams = {} if streams is None else streams
    if isinstance(value, list):
        return [from_plain(part, streams) for part in value]
    if not isinstance(value, dict):
        return value
    mark = next(iter(value), "")
    if not mark.startswith("$"):
        return {key: from_plain(part, streams) for key, part in value.items()}
    if mark == "$function":
        return _function(value[mark])
    if mark == "$stream":
        return _stream(value, streams)
    if mark not in _READERS:
        raise ValueError(f"The mark {mark!r} is unknown to this version.")
    return _READERS[mark](value, lambda part: from_plain(part, streams))


def _array(value: dict[str, Any], read: Callable[[Any], Any]) -> np.ndarray:
    dtype = np.dtype(value["dtype"])
    if dtype.kind not in "biuf":
        raise ValueError(f"An array in the settings must hold numbers. Received: dtype {dtype}.")
    return np.asarray(value["$array"], dtype).reshape(value["shape"])


_READERS: dict[str, Callable[[dict[str, Any], Callable[[Any], Any]], Any]] = {
    "$float": lambda value, read: float(value["$float"]),
    "$tuple": lambda value, read: tuple(read(value["$tuple"])),
    "$dict": lambda value, read: {read(k): read(v) for k, v in value["$dict"]},
    "$slice": lambda value, read: slice(*read(value["$slice"])),
    "$ellipsis": lambda value, read: Ellipsis,
    "$dtype": lambda value, read: np.dtype(str(value["$dtype"])),
    "$array": _array,
    "$activation": lambda value, read: activations.activation_of(read(value["$activation"])),
}


def _stream(value: dict[str, Any], streams: dict[int, SeedGenerator]) -> SeedGenerator:
    """One that several settings share is made once."""
    key, calls = (int(number) for number in value["$stream"])
    if key not in streams:
        found = streams[key] = SeedGenerator(0)
        found.seed, found.key, found.calls = value["seed"], key, calls
    return streams[key]


def _function(name: Any) -> Any:
    found = custom.find(name)
    if found is not None:
        return found
    package, _, rest = str(name).partition(".")
    module, _, own = rest.partition(".")
    if package == "fastnn" and module in _FUNCTIONS and own in _FUNCTIONS[module].__all__:
        return getattr(_FUNCTIONS[module], own)
    plain = str(name).rpartition(">")[2]
    raise ValueError(
        f"The function {name!r} is unknown. Pass custom_objects={{{plain!r}: {plain}}}, or register it with "
        "@fastnn.saving.register_keras_serializable() first."
    )
