"""Attention's share of the peak: ``python -m bench.attention``.

Sizes from a small model to a long context. The first head of each is compared with the twin in float64 before anything
is timed. Rows take turns, and the peak is measured between them: the share is a row's best rate over the best peak.
Pairs that a mask hides are counted, so that a row says how much hiding them saves.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median
from typing import Any

from bench import cores
from bench.kernels import PAUSE, Row

SIZES = ((32, 100, 4, 16), (8, 512, 8, 64), (1, 4096, 8, 64))  # B, T, heads, depth
WAYS = ("", "causal", "half padding", "mask", "dropout")
CLOSE = 1e-4  # of the largest number: between a head alone and among others


def options(way: str, rng: Any, batch: int, steps: int) -> dict[str, Any]:
    import numpy as np

    if way == "half padding":
        counts = np.arange(steps) < np.linspace(1, steps, batch).astype(int)[:, None]
        return {"query_mask": counts, "key_mask": counts}
    return {
        "": {},
        "causal": {"causal": True},
        "mask": {"mask": rng.random((batch, steps, steps)) < 0.9},
        "dropout": {"rate": 0.1, "key": 1},
    }[way]


def checked_rows(size: tuple[int, ...], way: str) -> list[Row]:
    """Forward and backward at one size, after the first sequence's first head has been compared with the twin."""
    import numpy as np

    from bench import harness
    from fastnn import kernels, registry

    batch, steps, heads, depth = size
    rng = np.random.default_rng(1)
    q, k, v, dy = (rng.standard_normal(size, dtype=np.float32) for _ in range(4))
    given = options(way, rng, batch, steps)
    y, lse, _ = kernels.attention_forward(q, k, v, **given)
    gradients = kernels.attention_backward(dy, q, k, v, y, lse, **given)

    def head(a: np.ndarray) -> np.ndarray:
        return a[:1, :, :1].copy()

    one = {name: value[:1] if isinstance(value, np.ndarray) else value for name, value in given.items()}
    arrays = [head(a) for a in (q, k, v)]
    forward, backward = (registry.kernel(f"attention_{way}") for way in ("forward", "backward"))
    found = harness.check(forward, registry.Case(tuple(arrays), one), "float32")
    slopes = harness.check(backward, registry.Case((head(dy), *arrays, *found[:2]), one), "float32")
    for alone, among in ((found[0], y), *zip(slopes, gradients, strict=True)):
        assert np.abs(head(among) - alone).max() <= CLOSE * np.abs(alone).max(), f"{size} {way}: no figure."
    work = batch * heads * steps * steps * depth
    title = f"{batch} × {steps}, {heads} × {depth}" + (f", {way}" if way else "")
    return [
        Row(f"{title} | forward", lambda: kernels.attention_forward(q, k, v, **given, y=y, lse=lse), 4 * work),
        Row(
            f"{title} | backward",
            lambda: kernels.attention_backward(
                dy, q, k, v, y, lse, **given, dq=gradients[0], dk=gradients[1], dv=gradients[2]
            ),
            10 * work,
        ),
    ]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.attention", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of all rows (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of each row in a round (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads (%(default)s)")
    parser.add_argument("--way", choices=WAYS, action="append", help="what hides or drops pairs (all)")
    settings = parser.parse_args(argv)
    cores.keep_to(settings.threads)  # before NumPy's BLAS and fastnn count their cores
    os.environ.update(cores.environment(settings.threads))
    from fastnn import kernels

    rows = [row for way in settings.way or WAYS for size in SIZES for row in checked_rows(size, way)]
    peak = 0.0
    for _ in range(settings.rounds):
        for row in rows:
            peak = max(peak, kernels.peak_gflops("float32", settings.threads))
            time.sleep(PAUSE)
            row.run(settings.seconds)
    print(f"{kernels.isa()}, {settings.threads} threads, peak {peak:.0f} GFLOP/s\n")
    print("| float32: B × T, heads × depth | | best ms | median ms | GFLOP/s | share of peak, best (median) |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        best, middle = (row.operations / seconds / 1e9 for seconds in (min(row.times), median(row.times)))
        print(
            f"| {row.title} | {min(row.times) * 1e3:.2f} | {median(row.times) * 1e3:.2f} | {best:.0f} "
            f"| {best / peak:.0%} ({middle / peak:.0%}) |"
        )


if __name__ == "__main__":
    main()
