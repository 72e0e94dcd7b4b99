"""Elements of a dataset: an array, or a tuple or dict of arrays, nested to any depth.

The arrays are called *leaves*.  Only tuples and dicts are structure; a list is read as an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .foreign import is_arraylike, to_array

__all__ = ["as_element", "as_leaf", "call", "flatten", "map_leaves", "rebuild", "same_structure"]


def flatten(value: Any) -> list[Any]:
    """Return the leaves, from left to right.

    Examples
    --------
    >>> flatten((1, {"a": 2, "b": (3, 4)}))
    [1, 2, 3, 4]
    """
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in flatten(part)]
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in flatten(part)]
    return [value]


def rebuild(like: Any, leaves: Iterable[Any]) -> Any:
    """Return the structure of ``like`` with other leaves.

    Examples
    --------
    >>> rebuild((1, {"a": 2}), [7, 8])
    (7, {'a': 8})
    """
    return _fill(like, iter(leaves))


def _fill(like: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(like, tuple):
        parts = [_fill(part, leaves) for part in like]
        return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)
    if isinstance(like, dict):
        return {key: _fill(part, leaves) for key, part in like.items()}
    return next(leaves)


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply ``function`` to every leaf and keep the structure."""
    if isinstance(value, (tuple, dict)):
        return rebuild(value, map(function, flatten(value)))
    return function(value)


def same_structure(like: Any, value: Any) -> bool:
    """Return whether two values are nested alike, whatever their leaves.

    Examples
    --------
    >>> same_structure((1, {"a": 2}), (3, {"a": 4})), same_structure((1, 2), (1, (2, 3)))
    (True, False)
    """
    if isinstance(like, tuple):
        return isinstance(value, tuple) and len(like) == len(value) and all(map(same_structure, like, value))
    if isinstance(like, dict):
        return (
            isinstance(value, dict)
            and list(like) == list(value)
            and all(same_structure(like[key], value[key]) for key in like)
        )
    return not isinstance(value, (tuple, dict))


def as_element(value: Any) -> Any:
    """Convert the leaves of ``value`` to NumPy arrays, NumPy numbers or strings."""
    if type(value) is tuple:
        return tuple([as_element(part) for part in value])
    return map_leaves(as_leaf, value) if isinstance(value, (tuple, dict)) else as_leaf(value)


def as_leaf(value: Any) -> Any:
    """Convert one leaf; strings in lists stay Python strings, in an array of dtype object.

    Raises
    ------
    TypeError
        If it has no shape and dtype.
    ValueError
        If it is a ragged list.
    """
    if isinstance(value, (np.ndarray, np.generic, str, bytes)):
        return value
    if isinstance(value, list):
        return as_array(value)
    if isinstance(value, (bool, int, float, complex)):
        return np.asarray(value)[()]
    if is_arraylike(value):
        return to_array("An element", value, texts=True)[()]
    hint = " Leave it out: use (x, y) instead of (x, y, None)." if value is None else ""
    raise TypeError(
        "An element of a Dataset must consist of arrays, numbers and strings, in tuples and dicts. "
        f"Received: {value if value is None else type(value).__name__}.{hint}"
    )


def as_array(value: list[Any]) -> np.ndarray:
    """Convert a list to one array.

    Raises
    ------
    ValueError
        If its rows differ in length.
    """
    first: Any = value
    while isinstance(first, list) and first:
        first = first[0]
    strings = isinstance(first, (str, bytes))
    array = np.asarray(value, object if strings else None)
    if strings and any(isinstance(part, list) for part in array.flat):
        raise ValueError("The rows of a list must have equal length.")
    if array.dtype == object and not strings:
        odd = next(part for part in array.flat if not isinstance(part, (bool, int, float)))
        raise TypeError(f"A list must hold numbers or strings. Received: a list that contains a {type(odd).__name__}.")
    return array


def call(function: Callable[..., Any], element: Any) -> Any:
    """Call ``function(x, y)`` for an element ``(x, y)``, and ``function(x)`` for one that is not a tuple."""
    return function(*element) if type(element) is tuple else function(element)
