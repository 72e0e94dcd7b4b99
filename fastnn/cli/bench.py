"""``fastnn bench``: check every kernel in the registry against its twin, then time both.

No figure without a check first: a kernel that differs from its twin in any case of the registry is not timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastnn import registry
from fastnn.cli.limits import Limits, measure

__all__ = ["bench", "largest_excess", "run"]

_SEED = 1
_DTYPE = np.dtype(np.float32)
_BUDGET = 0.15  # seconds to spend timing one kernel on one case
_ROW = "{:<34} {:<48} {:>9} {:>10} {:>8} {:>13} {:>6}"


def run(options: argparse.Namespace) -> int:
    """Check and time; the status is 1 if a kernel is wrong."""
    return 0 if bench(options.family) else 1


def bench(families: Sequence[str] | None = None) -> bool:
    """Check and time the kernels, printing one line per case as it finishes.

    Parameters
    ----------
    families : names of the kernel families to run; ``None`` for all

    Returns
    -------
    whether every kernel agrees with its twin

    Raises
    ------
    ValueError
        If a family does not exist.
    """
    from fastnn import kernels

    rows = [row for family in families or [None] for row in registry.kernels(family)]
    limits = measure()
    print(f"{_DTYPE}, tier {kernels.isa()}, {limits.threads} threads", end=": ")
    print(f"peak {limits.peak:.0f} GFLOP/s ({limits.one:.0f} on one), copy {limits.bandwidth:.0f} GB/s")
    print("share: of the peak or of the copy, whichever bounds the kernel; it can pass 100% when the data is in cache")
    print("or zeros are skipped")
    print(limits.note())
    print(_ROW.format("kernel", "case", "compiled", "reference", "ratio", "rate", "share"))
    wrong = []
    for row in rows:
        excess = _excess(row, row.cases(np.random.default_rng(_SEED), _DTYPE))
        for label, case in row.bench(np.random.default_rng(_SEED), _DTYPE):
            excess = max(excess, _excess(row, [case]))
            if excess > 1:
                wrong.append(row.name)
                print(
                    f"{row.name:<34} WRONG: {excess:.3g} times as far from its twin as the registry allows; not timed"
                )
                break
            print(_line(row, label, case, limits), flush=True)
    print(f"\n{len(rows) - len(wrong)} of {len(rows)} kernels agree with their twins" + _listed(wrong))
    return not wrong


def largest_excess(found: Iterable[Any], expected: Iterable[Any], allowed: Iterable[Any]) -> float:
    """Return the largest distance between found and expected, in units of what is allowed: correct up to 1.

    Parameters
    ----------
    found, expected : results of a kernel and of its twin
    allowed : the distance allowed for each: a number, an array with the result's shape, or ``None`` to skip it

    Examples
    --------
    >>> from fastnn.cli.bench import largest_excess
    >>> largest_excess([np.array([1.0, 2.0])], [np.array([1.0, 2.5])], [0.25])
    2.0
    >>> largest_excess([3], [3], [0])
    0.0
    """
    worst = 0.0
    for got, want, limit in zip(found, expected, allowed, strict=True):
        if limit is None:
            continue
        got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
        if got.shape != want.shape:
            return np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where((got == want) | (np.isnan(got) & np.isnan(want)), 0.0, np.abs(got - want) / limit)
        worst = max(worst, float(np.max(np.where(np.isnan(distance), np.inf, distance), initial=0.0)))
    return worst


def _excess(row: registry.Kernel, cases: Iterable[registry.Case]) -> float:
    """``largest_excess`` of a kernel over cases.

    The twin computes in float64, or in the kernel's own precision where the kernel promises the twin's exact bits.
    """
    same_bits = row.exact is row.cases
    worst = 0.0
    for case in cases:
        twin_case = case if same_bits else _widened(case)
        found, expected = _results(row, row.compiled(), case), _results(row, row.twin(), twin_case)
        allowed = row.tolerance(twin_case, expected, float(np.finfo(_DTYPE).eps))
        worst = max(worst, largest_excess(*map(registry.flat, (found, expected, allowed))))
    return worst


def _widened(case: registry.Case) -> registry.Case:
    """Return the same case in float64."""
    return case.mapped(lambda array: array.astype(np.float64) if array.dtype == _DTYPE else array)


def _arguments(row: registry.Kernel, case: registry.Case) -> tuple:
    """Return the case's arguments, with copies of those that the call modifies."""
    changed = [
        np.copy(value) if i in row.in_place and value is not None else value for i, value in enumerate(case.args)
    ]
    return tuple(changed)


def _results(row: registry.Kernel, function: Callable, case: registry.Case) -> tuple:
    """Return what a call returns or modifies in place."""
    args = _arguments(row, case)
    returned = function(*args, **case.kwargs)
    if returned is None:
        return tuple(args[position] for position in row.in_place)
    return returned if isinstance(returned, tuple) else (returned,)


def _line(row: registry.Kernel, label: str, case: registry.Case, limits: Limits) -> str:
    """Time one case on both backends and format the figures."""
    found = _results(row, row.compiled(), case)
    ready = {name: result for name, result in zip(row.results, found, strict=False) if result is not None}
    compiled, reference = (_seconds(row, function, case, ready) for function in (row.compiled(), row.twin()))
    flops, moved = row.flops(*case.args, **case.kwargs), row.bytes(*case.args, **case.kwargs)
    if flops / limits.peak > moved / limits.bandwidth:
        rate, unit, bound = flops / compiled / 1e9, "GFLOP/s", limits.peak
    else:
        rate, unit, bound = moved / compiled / 1e9, "GB/s", limits.bandwidth
    share = f"{rate / bound:.0%}" if limits.trusted else "–"
    ratio = f"{reference / compiled:.1f}×"
    return _ROW.format(row.name, label[:48], _time(compiled), _time(reference), ratio, f"{rate:.1f} {unit}", share)


def _seconds(row: registry.Kernel, function: Callable, case: registry.Case, ready: dict[str, np.ndarray]) -> float:
    """Return the best time over as many calls as the budget allows, at least five."""
    best, spent, calls = np.inf, 0.0, 0
    while spent < _BUDGET or calls < 5:
        args = _arguments(row, case)
        start = time.perf_counter()
        function(*args, **case.kwargs, **ready)
        taken = time.perf_counter() - start
        best, spent, calls = min(best, taken), spent + taken, calls + 1
    return best


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def _listed(names: Sequence[str]) -> str:
    return f"; these do not: {', '.join(names)}." if names else "."
