"""Custom classes and functions, by name: the one table for all look-ups of objects by name.

A name is looked up in the open scopes, the innermost first, then among registered objects, then by each
package among its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = [
    "CustomObjectScope",
    "find",
    "get_custom_objects",
    "name_of",
    "of_own_arguments",
    "register",
    "registered_object",
    "scope",
]

Result = TypeVar("Result")

_objects: dict[str, Any] = {}
_names: dict[int, tuple[Any, str]] = {}
_scopes: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("scopes", default=())


def register(package: Any = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Enter a class or function under ``package>name``, so that files that name it can be read.

    Parameters
    ----------
    package : str
    name : str, optional
        Default: its own name.

    Returns
    -------
    callable
        A decorator that returns its argument unchanged.

    Raises
    ------
    TypeError
        For what has no name, such as a lambda, unless ``name`` is given.
    ValueError
        For a class without ``get_config``.

    Examples
    --------
    >>> @register(package="Doc")
    ... def double(x):
    ...     return 2 * x
    >>> name_of(double), find("Doc>double") is double
    ('Doc>double', True)
    """
    if not isinstance(package, str):
        raise TypeError(f"register must be called before it decorates. Received: {package!r}. Use @register().")

    def enter(thing: Any) -> Any:
        own = name or getattr(thing, "__name__", None)
        if not callable(thing) or own is None or own == "<lambda>":
            raise TypeError(
                f'register needs a class or a function with a name. Received: {thing!r}. Use register(name="...") for '
                "one without."
            )
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                "A registered class must define get_config(self), which returns the arguments of __init__. Received: "
                f"{thing.__name__}, which does not."
            )
        full = f"{package}>{own}"
        _objects[full] = thing
        _names[id(thing)] = (thing, full)
        return thing

    return enter


def get_custom_objects() -> dict[str, Any]:
    """The table itself: names to classes and functions; entries made here are known everywhere."""
    return _objects


@contextmanager
def scope(objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Within the block, these names are known too; None adds nothing.

    Examples
    --------
    >>> with scope({"double": len}):
    ...     find("double") is len
    True
    >>> find("double") is None
    True
    """
    if objects is not None and not isinstance(objects, Mapping):
        raise TypeError(f'custom_objects must be a dict, {{"Name": Name}}. Received: {objects!r}.')
    token = _scopes.set((*_scopes.get(), objects or {}))
    try:
        yield
    finally:
        _scopes.reset(token)


class CustomObjectScope:
    """``with CustomObjectScope({"Name": Name}):`` makes names known within the block.

    Examples
    --------
    >>> with CustomObjectScope({"double": len}):
    ...     find("double") is len
    True
    """

    def __init__(self, custom_objects: Mapping[str, Any]):
        self.custom_objects = custom_objects

    def __enter__(self) -> CustomObjectScope:
        self._scope = scope(self.custom_objects)
        self._scope.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._scope.__exit__(*error)


def find(name: Any) -> Any:
    """The custom class or function of this name; None if there is none."""
    if not isinstance(name, str):
        return None
    plain = name.rpartition(">")[2]
    for objects in reversed(_scopes.get()):
        for known in (name, plain):
            if known in objects:
                return objects[known]
    return _objects.get(name)


def name_of(thing: Any) -> str:
    """The name that files have for a class or function: as registered, else its own."""
    found = _names.get(id(thing))
    return found[1] if found is not None else getattr(thing, "__name__", type(thing).__name__)


def of_own_arguments(method: Callable[..., Result]) -> Callable[..., Result]:
    """A method that the user's classes write with the arguments that they need: to type checkers it takes any."""
    return method


def registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object with this name, here or in the given tables; None if there is none."""
    with scope(custom_objects):
        found = find(name)
    return found if found is not None else (module_objects or {}).get(name)
