"""Kernels that are bound by memory, as a share of a copy: ``python -m bench.bandwidth``.

Softmax and the normalizations, forward and backward, on arrays that both cores' second-level caches hold and
on arrays that no cache holds. The yardstick moves as many bytes as the kernel, read and written, and is measured
between the rows of the table, round after round. Results are compared with the twins' in float64 before.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench import cores

PLACES = {"L2": 1 << 15, "memory": 1 << 23}  # float32 numbers of one array
WIDTHS = (64, 512)
PAUSE = 0.02  # seconds between rows


@dataclass
class Row:
    """One line of the table: a call, the bytes that it must move, and the best times of it and of such a copy."""

    title: str
    place: str
    call: Callable[[], Any]
    bytes: int
    times: list[float] = field(default_factory=list)
    copies: list[float] = field(default_factory=list)  # GB/s

    def run(self, seconds: float) -> None:
        from fastnn import kernels

        time.sleep(PAUSE)
        self.copies.append(kernels.stream_bandwidth(count=self.bytes // 8))
        clock = time.perf_counter
        end = clock() + seconds
        while (start := clock()) < end:
            self.call()
            self.times.append(clock() - start)

    def line(self) -> str:
        best = min(self.times)
        rate, copy = self.bytes / best / 1e9, max(self.copies)
        return f"| {self.title} | {self.place} | {best * 1e6:.1f} | {rate:.1f} | {copy:.1f} | {rate / copy:.0%} |"


def normal(shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def softmax_calls(family: str, shape: tuple[int, int]) -> Iterator[tuple[str, tuple]]:
    x = normal(shape)
    (y,) = yield "forward", (x,)
    yield "backward", (x, y)


def layer_norm_calls(family: str, shape: tuple[int, int]) -> Iterator[tuple[str, tuple]]:
    x, gamma, beta = normal(shape), normal(shape[-1:]), normal(shape[-1:])
    _, _, mean, rstd = yield "forward", (x, gamma, beta, None)
    yield "backward", (x[::-1].copy(), x, mean, rstd, gamma, None)


def rms_norm_calls(family: str, shape: tuple[int, int]) -> Iterator[tuple[str, tuple]]:
    x, gamma = normal(shape), normal(shape[-1:])
    _, _, rrms = yield "forward", (x, gamma, None)
    yield "backward", (x[::-1].copy(), x, rrms, gamma, None)


def group_norm_calls(family: str, shape: tuple[int, int]) -> Iterator[tuple[str, tuple]]:
    x, gamma, beta = normal((shape[0] // 64, 64, shape[1])), normal(shape[-1:]), normal(shape[-1:])
    _, mean, rstd = yield "forward", (x, 8, gamma, beta)
    yield "backward", (x[::-1].copy(), x, mean, rstd, gamma)


def batch_norm_calls(family: str, shape: tuple[int, int]) -> Iterator[tuple[str, tuple]]:
    x, gamma, beta = normal(shape), normal(shape[-1:]), normal(shape[-1:])
    y, mean, variance = yield "forward", (x, gamma, beta, None, None, 0.001, "relu")
    yield "backward", (x[::-1].copy(), x, mean, variance, gamma, y, None, 0.001, "relu", True)


CALLS = {
    "softmax": softmax_calls,
    "log_softmax": softmax_calls,
    "layer_norm": layer_norm_calls,
    "rms_norm": rms_norm_calls,
    "group_norm": group_norm_calls,
    "batch_norm": batch_norm_calls,
}


def rows(family: str, place: str, width: int) -> Iterator[Row]:
    """Forward and backward: each kernel checked, then ready to run into the arrays that it has filled."""
    from bench import harness
    from fastnn import registry

    calls, found = CALLS[family](family, (PLACES[place] // width, width)), None
    for direction in ("forward", "backward"):
        direction, args = calls.send(found)
        row = registry.kernel(f"{family}_{direction}")
        found = harness.check(row, registry.Case(args, {}), "float32")
        ready = {key: result for key, result in zip(row.results, found, strict=False) if result is not None}
        call = partial(row.compiled(), *args, **ready)
        yield Row(f"{row.name} {PLACES[place] // width} × {width}", place, call, row.bytes(*args))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bandwidth", description=__doc__.splitlines()[0])
    parser.add_argument("families", nargs="*", metavar="family", help=f"of {', '.join(CALLS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="turns of all rows (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.1, help="of each row in a round (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads (%(default)s)")
    options = parser.parse_args(argv)
    families = options.families or list(CALLS)
    if unknown := [name for name in families if name not in CALLS]:
        parser.error(f"expected some of {', '.join(CALLS)}. Received: {', '.join(unknown)}")
    cores.keep_to(options.threads)
    os.environ.update(cores.environment(options.threads))
    from fastnn import kernels

    table = [row for place in PLACES for family in families for width in WIDTHS for row in rows(family, place, width)]
    for _ in range(options.rounds):
        for row in table:
            row.run(options.seconds)
    print(f"{kernels.isa()}, {options.threads} threads\n")
    print("| float32 | arrays in | best µs | GB/s | copy GB/s | share |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for row in table:
        print(row.line())


if __name__ == "__main__":
    main()
