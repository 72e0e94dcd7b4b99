"""Registry rows of the family warp."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from fastnn.reference import warp2d_backward, warp2d_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals

SHAPES = (
    (1, 1, 1, 1),
    (0, 4, 5, 3),
    (2, 7, 9, 3),
    (1, 8, 17, 8),
    (3, 5, 4, 4),
    (2, 3, 5, 33),
    (1, 17, 1, 2),
    (2, 1, 31, 1),
)
BENCH = (
    ("bilinear, 32 x 32 x 32 x 3", "bilinear", (32, 32, 32, 3)),
    ("nearest, 32 x 32 x 32 x 3", "nearest", (32, 32, 32, 3)),
    ("bilinear, 1 x 224 x 224 x 3", "bilinear", (1, 224, 224, 3)),
)
INTERPOLATIONS = ("nearest", "bilinear")
FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def _turns(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A turn, a stretch and a shift for each image, some of them far beyond it."""
    n, h, w, _ = shape
    angle, size = rng.uniform(-3, 3, n), rng.uniform(0.5, 2, n)
    a, b = np.cos(angle) * size, np.sin(angle) * size
    turns = np.stack([a, -b, rng.uniform(-2 * w, 2 * w, n), b, a, rng.uniform(-2 * h, 2 * h, n)], axis=1)
    return np.rint(turns * 2.0**32).astype(np.int64)


def _halves(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Places on pixels and half-way between them: weights are halves, and sums of products exact."""
    return rng.integers(-4, 5, (shape[0], 6)) * 2**31


def _cases(draw, turn, fill):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape in SHAPES:
            for interpolation, fill_mode in itertools.product(INTERPOLATIONS, FILL_MODES):
                filled = (0.25,) if fill and fill_mode == "constant" else ()
                yield Case((draw(rng, shape, dtype), turn(rng, shape), interpolation, fill_mode, *filled))

    return cases


def _bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    for label, interpolation, shape in BENCH:
        yield label, Case((reals(rng, shape, dtype), _turns(rng, shape), interpolation, "reflect"))


def _forward_tolerance(case, expected, eps):
    """Products and sums along each axis are rounded, 5·ε·Σ weight · |x|, and the weights themselves, to ε of 1."""
    x, steps, interpolation, fill_mode, *fill = case.args
    if interpolation == "nearest":
        return (0,)
    most = max(np.abs(x).max(initial=0), *fill, 0)
    return (eps * (5 * warp2d_forward(np.abs(x), steps, interpolation, fill_mode, *fill) + 4 * most),)


def _backward_tolerance(case, expected, eps):
    """A sum of K terms is rounded K times, ε/2 of Σ weight · |dy| each, its products twice, its weights to ε of 1.

    All of an image may look at one pixel from each of four sides.
    """
    dy, steps, interpolation, fill_mode = case.args
    looks = 4 * dy.shape[1] * dy.shape[2]
    total = warp2d_backward(np.abs(dy), steps, interpolation, fill_mode)
    return (eps * ((looks / 2 + 4) * total + looks * np.abs(dy).max(initial=0)),)


def _row(name: str, tolerance, result: str, fill: bool) -> Kernel:
    return Kernel(
        name,
        "warp",
        cases=_cases(reals, _turns, fill),
        exact=_cases(eighths, _halves, fill),
        bench=_bench,
        tolerance=tolerance,
        flops=lambda x, steps, interpolation, *rest: 0 if interpolation == "nearest" else 9 * x.size,
        bytes=lambda x, steps, *rest: 2 * nbytes(x),
        results=(result,),
    )


KERNELS = (
    _row("warp2d_forward", _forward_tolerance, "y", True),
    _row("warp2d_backward", _backward_tolerance, "dx", False),
)
