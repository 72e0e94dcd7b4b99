"""``fastnn info``: the tier, the threads, the caches, what the machine reaches, and the versions."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import numpy as np

from fastnn._version import __version__
from fastnn.cli.machine import caches, processor

__all__ = ["report"]


def report() -> str:
    """The lines of ``fastnn info``; measures the machine for about a second.

    Examples
    --------
    >>> from fastnn.cli.info import report
    >>> print(report())  # doctest: +SKIP
    fastnn        0.1.0
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
    yield "caches", ", ".join(f"{name} {_bytes(size)}" for name, size in caches().items()) or "not told by the system"
    try:
        from fastnn import kernels
    except ImportError as error:
        yield "kernels", f"not built: {error}"
        return
    build = kernels.build_info()
    yield "compiler", build["compiler"]
    yield "tiers built", ", ".join(build["tiers"])
    yield "tiers here", ", ".join(kernels.available_isas())
    yield "tier in use", kernels.isa()
    threads = kernels.get_num_threads()
    yield "threads", str(threads)
    for dtype in ("float32", "float64"):
        one = kernels.peak_gflops(dtype, threads=1)
        rate = f"{one:.0f} GFLOP/s on one thread"
        if threads > 1:
            rate += f", {kernels.peak_gflops(dtype):.0f} on {threads}"
        yield f"peak {dtype}", f"{rate} (multiply-adds in registers)"
    yield "bandwidth", f"{kernels.stream_bandwidth():.1f} GB/s (copy of a large array, read and written bytes)"


def _bytes(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
