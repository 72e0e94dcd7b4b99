"""Registry rows of the family resample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import resize2d_backward, resize2d_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.shapes import resize2d_output_shape

# x shape, size: larger, smaller, one of each, as it was along one axis or both, by a whole factor and not
SIZES = (
    ((1, 1, 1, 1), (1, 1)),
    ((0, 4, 5, 3), (8, 7)),
    ((2, 7, 9, 3), (14, 18)),
    ((1, 8, 17, 8), (16, 51)),
    ((2, 9, 7, 17), (4, 3)),
    ((1, 31, 8, 1), (17, 19)),
    ((3, 5, 4, 2), (5, 12)),
    ((3, 5, 4, 4), (15, 4)),
    ((2, 4, 3, 7), (4, 3)),
    ((1, 1, 9, 31), (8, 1)),
    ((2, 3, 5, 33), (7, 11)),
    ((1, 17, 1, 16), (1, 9)),
    ((1, 2, 3, 9), (31, 40)),
)
BINARY = (  # weights are halves, quarters, eighths: sums of products are exact
    ((2, 7, 9, 3), (14, 18)),
    ((1, 8, 17, 8), (32, 34)),
    ((2, 9, 8, 17), (9, 4)),
    ((1, 4, 31, 1), (2, 31)),
    ((0, 1, 7, 33), (8, 14)),
)
BENCH = (
    ("nearest, twice as large: 32 x 14 x 14 x 64", "nearest", (32, 14, 14, 64), (28, 28)),
    ("bilinear, twice as large: 32 x 14 x 14 x 64", "bilinear", (32, 14, 14, 64), (28, 28)),
    ("bilinear, twice as large: 8 x 56 x 56 x 64", "bilinear", (8, 56, 56, 64), (112, 112)),
    ("nearest, twice as large: 8 x 56 x 56 x 64", "nearest", (8, 56, 56, 64), (112, 112)),
    ("bilinear, photographs: 8 x 256 x 256 x 3 to 224 x 224", "bilinear", (8, 256, 256, 3), (224, 224)),
)
INTERPOLATIONS = ("nearest", "bilinear")


def _forward_case(rng, dtype, draw, shape, size, interpolation) -> Case:
    return Case((draw(rng, shape, dtype), size, interpolation))


def _backward_case(rng, dtype, draw, shape, size, interpolation) -> Case:
    return Case((draw(rng, resize2d_output_shape(shape, size), dtype), shape, interpolation))


def _cases(make, draw, sizes):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape, size in sizes:
            for interpolation in INTERPOLATIONS:
                yield make(rng, dtype, draw, shape, size, interpolation)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, interpolation, shape, size in BENCH:
            yield label, make(rng, dtype, reals, shape, size, interpolation)

    return bench


def _forward_tolerance(case, expected, eps):
    """Along each axis both weights, both products and their sum are rounded, ε/2 each: 5·ε·Σ weight · |x|."""
    x, size, interpolation = case.args
    return (0 if interpolation == "nearest" else 5 * eps * resize2d_forward(np.abs(x), size),)


def _backward_tolerance(case, expected, eps):
    """Sums of R rows, then of K columns, are rounded R + K times, and a weight and a product along each axis twice.

    Each is ε/2 of Σ weight · |dy|. At most 2·⌈out / n⌉ outputs look at a pixel.
    """
    dy, shape, interpolation = case.args
    looks = sum(2 * -(-out // n) for out, n in zip(dy.shape[1:3], shape[1:3], strict=True))
    return ((looks + 4) / 2 * eps * resize2d_backward(np.abs(dy), shape, interpolation),)


def _row(name: str, make, **properties) -> Kernel:
    return Kernel(
        name,
        "resample",
        cases=_cases(make, reals, SIZES),
        exact=_cases(make, eighths, BINARY),
        bench=_bench(make),
        **properties,
    )


def _operations(pixels: int, interpolation: str) -> int:
    """Two products and a sum along each axis."""
    return 6 * pixels if interpolation == "bilinear" else 0


KERNELS = (
    _row(
        "resize2d_forward",
        _forward_case,
        tolerance=_forward_tolerance,
        flops=lambda x, size, interpolation: _operations(
            int(np.prod(resize2d_output_shape(x.shape, size))), interpolation
        ),
        bytes=lambda x, size, interpolation: (
            nbytes(x) + int(np.prod(resize2d_output_shape(x.shape, size))) * x.itemsize
        ),
    ),
    _row(
        "resize2d_backward",
        _backward_case,
        tolerance=_backward_tolerance,
        flops=lambda dy, shape, interpolation: (
            dy.size if interpolation == "nearest" else _operations(dy.size, "bilinear")
        ),
        bytes=lambda dy, shape, interpolation: nbytes(dy) + int(np.prod(shape)) * dy.itemsize,
        results=("dx",),
    ),
)
