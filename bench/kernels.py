"""Kernels that are bound by arithmetic, at the sizes that decide models: ``python -m bench.kernels``.

The convolution is the CNN's second layer (32×13×13×32 → 11×11×64, 3×3), alone and behind ReLU and 2×2 max pooling; the
product is 1024³, beside NumPy's BLAS; attention has (batch, steps, heads × depth) = (32, 100, 4×16), (8, 512, 8×64) and
(1, 4096, 8×64), every product in full: two forward, five backward, where the scores are computed again. Each result
is compared with its twin's in float64 before it is timed. The rows take turns, and the peak is measured between them:
the share is a row's best rate over the best peak.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench import cores

LAYER_MACS = 32 * 11 * 11 * 3 * 3 * 32 * 64
SIZE = 1024
PAUSE = 0.05  # seconds between rows, in which another library's spinning threads fall asleep


@dataclass
class Row:
    """One line of the table: a call and the operations that it stands for, every product computed in full."""

    title: str
    call: Callable[[], Any]
    operations: int
    times: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        clock = time.perf_counter
        end = clock() + seconds
        while (start := clock()) < end:
            self.call()
            self.times.append(clock() - start)


def checked(name: str, *args: Any, **kwargs: Any) -> tuple[Callable[[], Any], tuple]:
    """A call of the compiled kernel into ready arrays, and its results, which agree with the twin's."""
    from bench import harness
    from fastnn import registry

    row = registry.kernel(name)
    found = harness.check(row, registry.Case(args, kwargs), "float32")
    ready = {key: result for key, result in zip(row.results, found, strict=False) if result is not None}
    kernel = row.compiled()
    return (lambda: kernel(*args, **kwargs, **ready)), found


def convolution_rows() -> list[Row]:
    import numpy as np

    rng = np.random.default_rng(1)
    x = rng.random((32, 13, 13, 32), dtype=np.float32)
    w = rng.uniform(-0.08, 0.08, (3, 3, 32, 64)).astype(np.float32)
    b = np.zeros(64, np.float32)
    forward, (y,) = checked("conv2d_forward", x, w, b)
    dy = rng.standard_normal(y.shape, dtype=np.float32)
    weight_gradient, _ = checked("conv2d_backward", dy, x, w, None, need_dx=False)
    both_gradients, _ = checked("conv2d_backward", dy, x, w, None)
    pooled_forward, (pooled, argmax) = checked("conv2d_pool_forward", x, w, b)
    dp = rng.standard_normal(pooled.shape, dtype=np.float32)
    pooled_gradients, _ = checked("conv2d_pool_backward", dp, x, w, pooled, argmax)
    return [
        Row("conv2d forward", forward, 2 * LAYER_MACS),
        Row("conv2d weight gradient", weight_gradient, 2 * LAYER_MACS),
        Row("conv2d input + weight gradient", both_gradients, 4 * LAYER_MACS),
        Row("conv2d + relu + pool forward", pooled_forward, 2 * LAYER_MACS),
        Row("conv2d + relu + pool input + weight gradient", pooled_gradients, 4 * LAYER_MACS),
    ]


def product_rows() -> list[Row]:
    import numpy as np

    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    ours, (c,) = checked("gemm_nn", a, b)
    theirs = np.empty_like(c)
    return [
        Row(f"gemm_nn {SIZE}³", ours, 2 * SIZE**3),
        Row(f"NumPy's BLAS {SIZE}³", lambda: np.matmul(a, b, out=theirs), 2 * SIZE**3),
    ]


def attention_rows() -> list[Row]:
    import numpy as np

    rng = np.random.default_rng(1)
    rows = []
    for batch, steps, heads, depth in ((32, 100, 4, 16), (8, 512, 8, 64), (1, 4096, 8, 64)):
        dy, q, k, v = (rng.standard_normal((batch, steps, heads, depth), dtype=np.float32) for _ in range(4))
        forward, (y, lse, _) = checked("attention_forward", q, k, v)
        backward, _ = checked("attention_backward", dy, q, k, v, y, lse)
        product = 2 * batch * heads * steps**2 * depth
        title = f"({batch}, {steps}, {heads}×{depth})"
        rows.append(Row(f"attention {title} forward", forward, 2 * product))
        rows.append(Row(f"attention {title} backward", backward, 5 * product))
    return rows


PARTS = {"convolution": convolution_rows, "product": product_rows, "attention": attention_rows}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kernels", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=10, help="turns of all rows (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of each row in a round (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads (%(default)s)")
    options = parser.parse_args(argv)
    options.parts = options.parts or list(PARTS)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"expected some of {', '.join(PARTS)}. Received: {', '.join(unknown)}")
    cores.keep_to(options.threads)  # before NumPy's BLAS and fastnn count their cores
    os.environ.update(cores.environment(options.threads))
    from fastnn import kernels

    parts = {name: PARTS[name]() for name in options.parts}
    rows = [row for part in parts.values() for row in part]
    peak = 0.0
    for _ in range(options.rounds):
        peak = max(peak, kernels.peak_gflops("float32", options.threads))
        for row in rows:
            time.sleep(PAUSE)
            row.run(options.seconds)
    print(f"{kernels.isa()}, {options.threads} threads, peak {peak:.0f} GFLOP/s\n")
    print("| float32 | median ms | best ms | GFLOP/s | share of peak, best (median) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        best, middle = (row.operations / seconds / 1e9 for seconds in (min(row.times), median(row.times)))
        print(
            f"| {row.title} | {median(row.times) * 1e3:.3f} | {min(row.times) * 1e3:.3f} | {best:.0f} "
            f"| {best / peak:.0%} ({middle / peak:.0%}) |"
        )
    if "product" in parts:
        ours, theirs = parts["product"]
        print(
            f"\n{ours.title} against {theirs.title}: {min(theirs.times) / min(ours.times):.2f}× by best calls, "
            f"{median(theirs.times) / median(ours.times):.2f}× by medians"
        )


if __name__ == "__main__":
    main()
