"""Resolve what a user passes ("adam", a class, a config, an object) to an object, by one rule for all kinds.

Losses, metrics, optimizers, initializers, regularizers and constraints are all resolved here, so they accept the same
forms and raise the same errors.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from . import custom

__all__ = ["check_takes", "is_number", "lookup", "names_of", "serialize", "snake_case"]


def snake_case(name: str) -> str:
    """Return the snake_case form of a class name.

    Examples
    --------
    >>> snake_case("GlorotUniform"), snake_case("KLDivergence"), snake_case("RMSprop")
    ('glorot_uniform', 'kl_divergence', 'rmsprop')
    """
    if name in ("RMSprop", "SGD", "AdamW", "AUC"):
        return name.lower()
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def names_of(classes: list[type], **aliases: Any) -> dict[str, Any]:
    """Return a table of names: every class by its own name and in snake_case, then the aliases."""
    table: dict[str, Any] = {}
    for cls in classes:
        table[cls.__name__] = table[snake_case(cls.__name__)] = cls
    return table | aliases


def lookup(kind: str, identifier: Any, table: Mapping[str, Any]) -> Any:
    """Return the object that ``identifier`` names.

    Parameters
    ----------
    kind : str
        The term used in error messages: "loss", "optimizer", …
    identifier : str, dict, type, callable or None
        A name in ``table``, or a custom one; ``{"class_name": …, "config": …}``; a class (it is called); an object
        (returned as it is).
    table : mapping
        From names to classes, functions or objects.

    Raises
    ------
    ValueError
        For a name that is not in the table; the message lists the closest ones.
    TypeError
        For anything that is none of the forms above.

    Examples
    --------
    >>> lookup("part", "Dict", {"dict": dict})
    Traceback (most recent call last):
        ...
    ValueError: There is no part named 'Dict'. Did you mean 'dict'? Known: 'dict'.
    """
    if isinstance(identifier, Mapping):
        if "class_name" not in identifier:
            raise ValueError(f'The {kind} config must have "class_name" and "config". Received: {dict(identifier)!r}.')
        found = _by_name(kind, identifier["class_name"], table)
        config = dict(identifier.get("config") or {})
        if hasattr(found, "from_config"):
            return found.from_config(config)
        return found(**config) if inspect.isclass(found) else found
    if kind != "activation" and hasattr(identifier, "checked_forward"):
        raise TypeError(
            f"The {kind} must be a name, a class, an object or a function. Received: the layer {identifier!r}. "
            "Use the layer in the model."
        )
    if isinstance(identifier, str):
        identifier = _by_name(kind, identifier, table)
    if inspect.isclass(identifier):
        if identifier not in table.values() and not _takes(identifier, 0):
            raise TypeError(
                f"The {kind} must be an object where its class needs arguments. Received: {identifier!r}. "
                f"Use {identifier.__name__}(...)."
            )
        return identifier()
    if identifier is None or not callable(identifier):
        raise TypeError(
            f"The {kind} must be a name, a class, an object or a function. Received: {identifier!r} "
            f"of type {type(identifier).__name__}. Names: {_quoted(table)}."
        )
    return identifier


def check_takes(kind: str, function: Any, *arguments: str) -> None:
    """Refuse a function that cannot be called with these arguments, such as ``lambda: 0`` for a loss.

    Raises
    ------
    TypeError
        If its signature does not take them.
    """
    if not _takes(function, len(arguments)):
        raise TypeError(
            f"The {kind} must be a function of {' and '.join(arguments)}. Received: {function!r}. "
            f"Use a function such as f({', '.join(arguments)})."
        )


def _takes(function: Any, count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # without a signature, as some builtin functions are
        return True
    return True


def _by_name(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    found = custom.find(name)
    if found is not None:
        return found
    if isinstance(name, str) and name in table:
        return table[name]
    name = name if isinstance(name, str) else repr(name)
    close = difflib.get_close_matches(name, table, n=1) or [key for key in table if key.lower() == name.lower()]
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"There is no {kind} named {name!r}.{hint} Known: {_quoted(table)}."
        + ("" if hint else f" For one of your own, pass custom_objects={{{name!r}: ...}}.")
    )


def _quoted(table: Mapping[str, Any]) -> str:
    names = [key for key in table if key.islower()] or list(table)
    return ", ".join(repr(key) for key in sorted(names))


def serialize(thing: Any) -> Any:
    """Return a name or ``{"class_name", "config"}`` that ``get`` of the same package converts back to ``thing``."""
    if thing is None:
        return None
    if hasattr(thing, "get_config"):
        return {"class_name": custom.name_of(type(thing)), "config": thing.get_config()}
    return custom.name_of(thing)


def is_number(value: Any) -> bool:
    """Return True for a finite int or float (NumPy scalars included), False for bool and everything else."""
    if isinstance(value, bool):
        return False
    try:
        return abs(float(value)) < float("inf") and not isinstance(value, (str, bytes))
    except (TypeError, ValueError, OverflowError):
        return False
