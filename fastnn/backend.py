"""The one switch: which set of kernels a model runs on, and in which precision layers are made.

``use("reference")`` called alone switches the process; used with ``with`` it switches this thread of
execution only, until the block ends.  ``FASTNN_BACKEND`` sets the start value.

    >>> import fastnn
    >>> with fastnn.backend.use("reference"):
    ...     fastnn.backend.name()
    'reference'
"""

from __future__ import annotations

import contextvars
import importlib
import os
from types import ModuleType

__all__ = ["use", "active", "name", "floatx", "set_floatx"]

_MODULES = {"compiled": "fastnn.kernels", "reference": "fastnn.reference"}
_DTYPES = ("float32", "float64")


def _load(backend: str) -> ModuleType:
    if backend not in _MODULES:
        raise ValueError(
            f'The backend is "compiled" or "reference". Received: {backend!r}. '
            'Type fastnn.backend.use("compiled") or fastnn.backend.use("reference").'
        )
    return importlib.import_module(_MODULES[backend])


class use:
    """Switch the kernels: ``use("reference")`` for the process, ``with use("reference"):`` for a block.

    Parameters
    ----------
    backend : {"compiled", "reference"}

    Raises
    ------
    ValueError
        For any other name; nothing is switched.
    """

    def __init__(self, backend: str):
        global _process
        self._module = _load(backend)
        self._before = _process
        _process = self._module

    def __enter__(self) -> use:
        global _process
        _process = self._before
        self._token = _local.set(self._module)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _local.reset(self._token)


_local: contextvars.ContextVar[ModuleType | None] = contextvars.ContextVar("fastnn_backend", default=None)
_process: ModuleType = _load(os.environ.get("FASTNN_BACKEND", "compiled"))
_floatx = "float32"


def active() -> ModuleType:
    """The kernels in force: ``fastnn.kernels`` or ``fastnn.reference``."""
    return _local.get() or _process


def name() -> str:
    """The name of the backend in force, ``"compiled"`` or ``"reference"``."""
    return "reference" if active().__name__ == _MODULES["reference"] else "compiled"


def floatx() -> str:
    """The dtype of layers that are not given one, ``"float32"`` unless set otherwise."""
    return _floatx


def set_floatx(dtype: str) -> None:
    """Set the dtype of layers made from now on: ``"float32"`` or ``"float64"``.

    Raises
    ------
    ValueError
        For any other dtype.
    """
    global _floatx
    if str(dtype) not in _DTYPES:
        raise ValueError(f'floatx is "float32" or "float64". Received: {dtype!r}.')
    _floatx = str(dtype)
