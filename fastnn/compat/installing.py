"""``install()``: ``import tensorflow`` and ``import keras`` find fastnn where they would find nothing.

A finder at the head of ``sys.meta_path`` answers for these names and what is below them; the module that is imported is
fastnn's own, under one more name.  A package that is really installed is never shadowed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from ..user_warnings import warn

__all__ = ["STANDS_FOR", "install", "uninstall"]

STANDS_FOR = {"tensorflow": "fastnn.compat.tensorflow", "keras": "fastnn.keras"}
"""The packages that scripts import, and the modules that they get."""


def install(*names: str) -> None:
    """Let ``import tensorflow`` and ``import keras`` find fastnn, in this process, until ``uninstall()``.

    Parameters
    ----------
    *names : {"tensorflow", "keras"}
        Default: both.

    Raises
    ------
    ValueError
        For another name.

    Warns
    -----
    UserWarning
        If one of them is really installed, or was imported before: it is left as it is.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.compat.install()                     # doctest: +SKIP
    >>> from tensorflow.keras.layers import Dense   # doctest: +SKIP
    >>> Dense is fastnn.layers.Dense                # doctest: +SKIP
    True
    """
    unknown = [name for name in names if name not in STANDS_FOR]
    if unknown:
        received = ", ".join(map(repr, unknown))
        raise ValueError(f"install can stand in for {' and '.join(STANDS_FOR)}. Received: {received}.")
    for name in names or STANDS_FOR:
        if name in _finder.names:
            continue
        if name in sys.modules or importlib.util.find_spec(name) is not None:
            warn(
                f"{name} is installed, so import {name} still imports the real one. Use import {STANDS_FOR[name]} as "
                f"{'tf' if name == 'tensorflow' else name} for fastnn."
            )
            continue
        _finder.names.add(name)
    if _finder.names and _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Undo ``install()``: later imports find the installed package, or nothing; names imported before are unchanged."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    for name in [name for name in sys.modules if _top(name) in _finder.names]:
        del sys.modules[name]
    _finder.names.clear()


class _Finder(MetaPathFinder):
    """Finds the names below those that were installed."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = _top(name)
        if top not in self.names:
            return None
        module = _module(STANDS_FOR[top] + name[len(top) :])
        if module is None:
            return None
        return ModuleSpec(name, _SameModule(module), is_package=hasattr(module, "__path__"))


class _SameModule(Loader):
    """Gives a module that is there already, and leaves it as it is."""

    def __init__(self, module: ModuleType):
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # importlib has put that of the alias in its place


_finder = _Finder()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _module(name: str) -> ModuleType | None:
    """A module of fastnn by its path, also one that is an attribute of its parent; None where there is none."""
    if name in sys.modules:
        return sys.modules[name]
    parent, _, last = name.rpartition(".")
    above = _module(parent) if parent else None
    found = vars(above).get(last) if above is not None else None
    if isinstance(found, ModuleType) and _top(found.__name__) == "fastnn":
        return found
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):  # a library that the module needs
            raise
        return None
