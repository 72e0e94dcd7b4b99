"""The one switch: which set of kernels a model runs on, and in which precision layers are made.

``with use("reference"):`` switches the kernels for a block, in this thread of execution alone;
``set_backend("reference")`` switches the process.  ``FASTNN_BACKEND`` sets the start value.

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

from .user_warnings import warn

__all__ = ["active", "floatx", "name", "set_backend", "set_floatx", "use"]

_MODULES = {"compiled": "fastnn.kernels", "reference": "fastnn.reference"}
_DTYPES = ("float32", "float64")


def _load(backend: str) -> ModuleType:
    if backend not in _MODULES:
        raise ValueError(
            f'The backend must be "compiled" or "reference". Received: {backend!r}. Use one of these two names.'
        )
    return importlib.import_module(_MODULES[backend])


class use:
    """Switch the kernels for a block: ``with use("reference"):``.

    The switch holds for this thread of execution (a context variable) until the block ends; other threads never see it.
    Blocks may be nested, and one object may be entered several times, by several threads.  Making the object switches
    nothing: one that is thrown away without a block warns, and says what to call to switch the process.

    Parameters
    ----------
    backend : {"compiled", "reference"}

    Raises
    ------
    ValueError
        For any other name.

    Examples
    --------
    >>> with use("reference"):
    ...     with use("compiled"):
    ...         inner = name()
    ...     inner, name()
    ('compiled', 'reference')
    """

    def __init__(self, backend: str):
        self._entered = True  # an object whose name was refused has nothing to warn of
        self._module = _load(backend)
        self._backend, self._entered = backend, False

    def __enter__(self) -> use:
        self._entered = True
        _blocks.set((*_blocks.get(), self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Blocks of generators may end out of order, or in another context, where there is nothing to undo.
        blocks = _blocks.get()
        for i in reversed(range(len(blocks))):
            if blocks[i] is self:
                _blocks.set(blocks[:i] + blocks[i + 1 :])
                return

    def __del__(self) -> None:
        if not self._entered:
            warn(
                f'fastnn.backend.use("{self._backend}") works in a with statement only, and changed nothing. Call '
                f'fastnn.backend.set_backend("{self._backend}") to switch the process.',
                RuntimeWarning,
            )


def set_backend(backend: str) -> None:
    """Switch the kernels of the process, for all threads that are not inside a ``with use(...)`` block.

    Parameters
    ----------
    backend : {"compiled", "reference"}

    Raises
    ------
    ValueError
        For any other name; nothing is switched.

    Examples
    --------
    >>> before = name()
    >>> set_backend("reference")
    >>> name()
    'reference'
    >>> set_backend(before)
    """
    global _process
    _process = _load(backend)


_blocks: contextvars.ContextVar[tuple[use, ...]] = contextvars.ContextVar("fastnn_backend", default=())
"""The blocks this thread of execution is in, the innermost last."""
_process: ModuleType = _load(os.environ.get("FASTNN_BACKEND", "compiled"))
_floatx = "float32"


def active() -> ModuleType:
    """The kernels in force: ``fastnn.kernels`` or ``fastnn.reference``."""
    blocks = _blocks.get()
    return blocks[-1]._module if blocks else _process


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
        raise ValueError(f'floatx must be "float32" or "float64". Received: {dtype!r}.')
    _floatx = str(dtype)
