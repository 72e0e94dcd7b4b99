"""Nested inputs and outputs: lists, tuples and dicts of leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["flatten", "pack"]


def flatten(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, from left to right.

    Examples
    --------
    >>> flatten({"a": 1, "b": [2, (3, 4)]})
    [1, 2, 3, 4]
    """
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    if isinstance(structure, dict):
        return [leaf for part in structure.values() for leaf in flatten(part)]
    return [structure]


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """The same structure with other leaves.

    Examples
    --------
    >>> pack({"a": 1, "b": [2, (3, 4)]}, "wxyz")
    {'a': 'w', 'b': ['x', ('y', 'z')]}
    """
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, (list, tuple)):
        parts = [_pack(part, leaves) for part in structure]
        if isinstance(structure, list):
            return parts
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    if isinstance(structure, dict):
        return {key: _pack(part, leaves) for key, part in structure.items()}
    return next(leaves)
