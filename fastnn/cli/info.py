"""``fastnn info``: versions, processor, caches, tiers, threads and the measured limits of this machine."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator

import numpy as np

from fastnn._version import __version__
from fastnn.cli.limits import measure
from fastnn.cli.machine import caches, processor

__all__ = ["report", "run"]


def run(options: argparse.Namespace) -> int:
    """Print the report."""
    print(report())
    return 0


def report() -> str:
    """Return the report of ``fastnn info``; measures the machine for about a second.

    Examples
    --------
    >>> from fastnn.cli.info import report
    >>> print(report())  # doctest: +SKIP
    fastnn        0.2.0
    numpy         2.4.6
    ...
    """
    return "\n".join(f"{name:<14}{value}" for name, value in _lines())


def _lines() -> Iterator[tuple[str, str]]:
    yield "fastnn", __version__
    yield "numpy", np.__version__
    yield "python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "processor", processor()
    yield "caches", ", ".join(f"{name} {_bytes(size)}" for name, size in caches().items()) or "not reported by system"
    try:
        from fastnn import kernels
    except ImportError as error:
        yield "kernels", f"not built: {error}"
        return
    build = kernels.build_info()
    yield "compiler", build["compiler"]
    yield "tiers built", ", ".join(build["tiers"])
    if left_out := [tier for tier in _tiers() if tier not in build["tiers"]]:
        yield "not built", f"{', '.join(left_out)} (a build from source with FASTNN_BUILD_TIERS=all has every tier)"
    yield "tiers here", ", ".join(kernels.available_isas())
    yield "tier in use", kernels.isa()
    limits = measure()
    yield "threads", str(limits.threads)
    yield "peak float32", _rates(limits.one, limits.peak, limits.threads)
    one, peak = kernels.peak_gflops("float64", threads=1), kernels.peak_gflops("float64")
    yield "peak float64", _rates(one, peak, limits.threads)
    yield "bandwidth", f"{limits.bandwidth:.1f} GB/s (copy of a large array, bytes read plus bytes written)"
    if limits.busy:
        yield "note", limits.note()


def _tiers() -> tuple[str, ...]:
    """Return every tier of this architecture."""
    return ("baseline", "avx2", "avx512") if platform.machine().lower() in ("x86_64", "amd64") else ("baseline",)


def _rates(one: float, peak: float, threads: int) -> str:
    several = f", {peak:.0f} on {threads}" if threads > 1 else ""
    return f"{one:.0f} GFLOP/s on one thread{several} (multiply-adds in registers)"


def _bytes(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
