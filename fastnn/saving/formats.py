"""Formats of files by the endings of their names: safetensors is at home here, others are entered from above.

A format is a module with four functions: ``save_model(model, path, include_optimizer)``, ``load_model(path, compile,
safe_mode)``, ``save_weights(model, path)`` and ``load_weights(model, path, skip_mismatch)``.  It is loaded when the
first path with its ending comes along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["enter", "format_of"]

_formats: dict[str, Callable[[], Any]] = {}


def enter(suffix: str, load: Callable[[], Any]) -> None:
    """Let ``load()`` give the module for paths that end in ``suffix``."""
    _formats[suffix] = load


def format_of(path: str) -> Any:
    """The module of the format that a path asks for by its ending; None for the format of this package.

    Examples
    --------
    >>> format_of("model.safetensors") is None, format_of("model.keras").__name__
    (True, 'fastnn.interop.keras')
    """
    import fastnn

    _ = fastnn.interop  # interop, on a higher level, registers its formats; this loads only the package
    for suffix, load in _formats.items():
        if path.lower().endswith(suffix):
            return load()
    return None
