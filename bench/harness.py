"""Check, then time: what every ``bench/bench_<family>.py`` calls.

Run one family with ``pytest bench/bench_softmax.py``, all with ``pytest bench/bench_*.py``. The cases are those of the
registry; no figure is taken before the kernel's results have been compared with its twin's in float64. Each figure is
recorded beside the time: GFLOP/s where the registry counts operations, GB/s in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastnn import registry

__all__ = ["cases", "check", "check_then_time"]

SEED = 1
DTYPES = ("float32", "float64")


def cases(family: str) -> pytest.MarkDecorator:
    """Parametrise a benchmark over ``(kernel, label, dtype)``: every bench case of a family, in both precisions."""
    rows = [
        pytest.param(row.name, label, dtype, id=f"{row.name}-{label}-{dtype}")
        for row in registry.kernels(family)
        for label, _ in row.bench(np.random.default_rng(SEED), np.dtype("float32"))
        for dtype in DTYPES
    ]
    return pytest.mark.parametrize(("kernel", "label", "dtype"), rows)


def _draw(row: registry.Kernel, label: str, dtype: str) -> registry.Case:
    """The case of that label, the same at each call."""
    return dict(row.bench(np.random.default_rng(SEED), np.dtype(dtype)))[label]


def _widened(array: np.ndarray) -> np.ndarray:
    """A float32 array as float64; every other as it is."""
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _results(row: registry.Kernel, function: Callable, case: registry.Case) -> tuple:
    """What a call returns or changes, as a tuple; the case's own arrays are left alone."""
    changed = {position for position in row.in_place if case.args[position] is not None}
    args = tuple(value.copy() if position in changed else value for position, value in enumerate(case.args))
    returned = function(*args, **case.kwargs)
    if row.in_place and returned is None:
        return tuple(args[position] for position in row.in_place)
    return returned if isinstance(returned, tuple) else (returned,)


def check(row: registry.Kernel, case: registry.Case, dtype: str) -> tuple:
    """Return the kernel's results after comparing them with the twin's in float64.

    Raises
    ------
    AssertionError
        If one is farther away than the registry allows.
    """
    wide = case.mapped(_widened)
    found, expected = _results(row, row.compiled(), case), _results(row, row.twin(), wide)
    allowed = row.tolerance(wide, expected, float(np.finfo(dtype).eps))
    for got, want, tolerance in zip(*map(registry.flat, (found, expected, allowed)), strict=True):
        if tolerance is not None and want is not None:
            distance = np.abs(np.asarray(got, np.float64) - want)
            assert np.all(distance <= tolerance), f"{row.name} is {np.max(distance)} away from its twin: no figure."
    return found


def check_then_time(benchmark: Any, kernel: str, label: str, dtype: str) -> None:
    """Check one bench case, time it with its results written into ready arrays, and record its rates."""
    row = registry.kernel(kernel)
    case = _draw(row, label, dtype)
    found = check(row, case, dtype)
    ready = {name: result for name, result in zip(row.results, found, strict=False) if result is not None}
    benchmark.group = f"{label} {dtype}"
    benchmark(row.compiled(), *case.args, **case.kwargs, **ready)
    if benchmark.stats is None:  # --benchmark-disable
        return
    seconds = benchmark.stats.stats.median
    flops = row.flops(*case.args, **case.kwargs)
    if flops:
        benchmark.extra_info["GFLOP/s"] = round(flops / seconds / 1e9, 2)
    benchmark.extra_info["GB/s"] = round(row.bytes(*case.args, **case.kwargs) / seconds / 1e9, 2)
