"""The registry: one row per kernel, read by the tests, the benchmarks and the profiler.

A family is a module of this package with a tuple ``KERNELS`` of rows; adding the file is enough.

    >>> import numpy as np
    >>> from fastnn import registry
    >>> registry.kernel("gemm_nn").flops(np.ones((2, 3)), np.ones((3, 4)))
    48
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Case", "Kernel", "families", "flat", "kernel", "kernels"]

Place = tuple[int, ...]


class Case(NamedTuple):
    """The arguments of one call; an argument may be a list of arrays."""

    args: tuple
    kwargs: Mapping[str, Any] = MappingProxyType({})

    def arrays(self) -> list[tuple[Place, np.ndarray]]:
        """Return all arrays among the positional arguments, each with its place: (position,) or (position, index)."""
        found: list[tuple[Place, np.ndarray]] = []
        for i, value in enumerate(self.args):
            entries = [((i, j), a) for j, a in enumerate(value)] if isinstance(value, list) else [((i,), value)]
            found += [(place, a) for place, a in entries if isinstance(a, np.ndarray)]
        return found

    def replaced(self, place: Place, value: Any) -> Case:
        """Return the case with another value at one place."""
        args = [list(a) if isinstance(a, list) else a for a in self.args]
        if len(place) == 1:
            args[place[0]] = value
        else:
            args[place[0]][place[1]] = value
        return Case(tuple(args), self.kwargs)

    def mapped(self, change: Callable[[np.ndarray], Any]) -> Case:
        """Return the case with `change` applied to every array."""

        def changed(value: Any) -> Any:
            if isinstance(value, list):
                return [changed(entry) for entry in value]
            return change(value) if isinstance(value, np.ndarray) else value

        return Case(tuple(map(changed, self.args)), {name: changed(value) for name, value in self.kwargs.items()})


def flat(results: Sequence[Any]) -> list[Any]:
    """Flatten results that are lists of arrays.

    Examples
    --------
    >>> flat((1.5, [None, 2.5]))
    [1.5, None, 2.5]
    """
    return [entry for result in results for entry in (result if isinstance(result, list) else [result])]


Draw = Callable[[np.random.Generator, np.dtype], Iterator[Case]]


@dataclass(frozen=True)
class Kernel:
    """One row: a kernel, how to call it, and the distance allowed from its twin.

    Attributes
    ----------
    name, family : str
        The function, and the module of ``fastnn.kernels``, ``fastnn.reference`` and this package that contains it.
    cases : callable (rng, dtype) -> iterator of Case
        Calls with random reals and awkward sizes.
    bench : callable (rng, dtype) -> iterator of (label, Case)
        Calls with realistic sizes, large enough that all threads work.
    tolerance : callable (case, expected, eps) -> sequence
        The largest allowed |compiled − twin| per result: a number, an array of the result's shape, or None for a
        result that is not compared here. `case` and `expected` are in float64, `eps` is that of the compiled dtype.
    flops, bytes : callable (*args, **kwargs) -> int
        Floating-point operations, and bytes that must be read and written; 0 operations means that data is only moved.
    exact : callable like `cases`, or None
        Calls on small scaled integers, where both precisions are exact: compiled and twin are equal bit for bit.
    results : tuple of str
        The keyword arguments to write results into, in order of return; () if there are none. A result that is a list
        is written into a list. The rows that embedding_backward returns beside dw have none: their number is known
        only after the call.
    in_place : tuple of int
        Positions of arguments that the call modifies.
    elementwise : bool
        Whether the result may be written over an input.
    nan : tuple of int
        Positions of arguments in which one NaN, wherever it is, reaches the results exactly as in the twin.
    """

    name: str
    family: str
    cases: Draw
    bench: Callable[[np.random.Generator, np.dtype], Iterator[tuple[str, Case]]]
    tolerance: Callable[[Case, Sequence[Any], float], Sequence[Any]]
    flops: Callable[..., int]
    bytes: Callable[..., int]
    exact: Draw | None = None
    results: tuple[str, ...] = ("y",)
    in_place: tuple[int, ...] = ()
    elementwise: bool = False
    nan: tuple[int, ...] = (0,)

    def compiled(self) -> Callable:
        """Return the kernel of ``fastnn.kernels``."""
        return getattr(importlib.import_module("fastnn.kernels"), self.name)

    def twin(self) -> Callable:
        """Return the kernel of ``fastnn.reference``."""
        return getattr(importlib.import_module("fastnn.reference"), self.name)


def _modules() -> dict[str, ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def families() -> tuple[str, ...]:
    """Return the names of all kernel families, sorted."""
    return tuple(_modules())


def kernels(family: str | None = None) -> tuple[Kernel, ...]:
    """Return the rows of one family, or of all.

    Raises
    ------
    ValueError
        If the family does not exist.
    """
    modules = _modules()
    if family is None:
        return tuple(row for module in modules.values() for row in module.KERNELS)
    if family not in modules:
        raise ValueError(f"A kernel family must be one of {', '.join(modules)}. Received: {family!r}.")
    return tuple(modules[family].KERNELS)


def kernel(name: str) -> Kernel:
    """Return the row of the kernel `name`.

    Raises
    ------
    ValueError
        If the kernel does not exist.
    """
    rows = {row.name: row for row in kernels()}
    if name not in rows:
        raise ValueError(f"A kernel must be one of {', '.join(rows)}. Received: {name!r}.")
    return rows[name]
