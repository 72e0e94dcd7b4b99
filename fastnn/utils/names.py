"""Layer names."""

from __future__ import annotations

import os
import re
import threading

__all__ = ["clear_session", "stem_of", "unique_name"]

_lock = threading.Lock()
_names: dict[str, int] = {}


def _free_lock() -> None:
    """Give a forked child a lock of its own: the thread that held this one is not there."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_lock)


def stem_of(cls: type) -> str:
    """The class in snake_case, as names of layers begin.

    Examples
    --------
    >>> class MaxPooling2D: pass
    >>> stem_of(MaxPooling2D)
    'max_pooling2d'
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", cls.__name__.strip("_"))
    return words.lower()


def unique_name(cls: type) -> str:
    """Return the name of a new layer: its class in snake_case, with a number from the second one on.

    Examples
    --------
    >>> clear_session()
    >>> class MaxPooling2D: pass
    >>> unique_name(MaxPooling2D), unique_name(MaxPooling2D)
    ('max_pooling2d', 'max_pooling2d_1')
    """
    stem = stem_of(cls)
    with _lock:
        number = _names.get(stem, 0)
        _names[stem] = number + 1
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Restart the numbers of layer names: the next Dense is called ``dense``."""
    with _lock:
        _names.clear()
