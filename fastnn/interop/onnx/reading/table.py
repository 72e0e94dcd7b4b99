"""The table of readers: for each operator of ONNX, the function that makes layers and operations of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["reader_of", "reads", "supported"]

_ROOMS = ("arithmetic", "convolution", "dense", "making", "normalization", "recurrent", "shaping")
_READERS: dict[str, Callable[..., Any]] = {}


def reads(*ops: str) -> Callable[[Any], Any]:
    """Enter a function ``(reader, node) -> value or list of values`` for some operators."""

    def enter(function: Any) -> Any:
        _READERS.update((op, function) for op in ops)
        return function

    return enter


def reader_of(op: str) -> Callable[..., Any] | None:
    """The function for an operator; None where there is none."""
    _fill()
    return _READERS.get(op)


def supported() -> list[str]:
    """The operators that can be read."""
    _fill()
    return sorted(_READERS)


def _fill() -> None:
    if not _READERS:
        for room in _ROOMS:
            importlib.import_module(f"{__package__}.{room}")
