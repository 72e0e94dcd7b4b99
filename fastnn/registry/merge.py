"""Registry rows of the family merge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import merge_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import SHAPES, eighths, nbytes, reals
from fastnn.shapes import concatenated_shape

# How many arrays, mode
MERGES = (
    (2, "add"),
    (3, "add"),
    (7, "add"),
    (2, "subtract"),
    (2, "multiply"),
    (3, "multiply"),
    (4, "average"),
    (3, "average"),
    (2, "maximum"),
    (5, "maximum"),
    (3, "minimum"),
    (1, "average"),
    (1, "multiply"),
)
READ = ("multiply", "maximum", "minimum")  # the modes whose gradients need the arrays
LONG = (1000, 1031)  # around the chunk that threads share out, with a tail
BENCH = ("32 x 28 x 28 x 64", (32, 28, 28, 64)), ("32 x 7 x 7 x 64", (32, 7, 7, 64))


def _arrays(rng, draw, count, shape, dtype) -> list[np.ndarray]:
    return [draw(rng, shape, dtype) for _ in range(count)]


def _forward_case(rng, dtype, draw, count, mode, shape) -> Case:
    return Case((_arrays(rng, draw, count, shape, dtype), mode))


def _backward_case(rng, dtype, draw, count, mode, shape) -> Case:
    return Case((draw(rng, shape, dtype), _arrays(rng, draw, count, shape, dtype), mode))


def _cases(make, draw, merges=MERGES):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for count, mode in merges:
            for shape in SHAPES:
                yield make(rng, dtype, draw, count, mode, shape)
        for n, (count, mode) in zip(LONG, merges[:2], strict=True):
            yield make(rng, dtype, draw, count, mode, (5, n))

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for count, mode in ((2, "add"), (2, "multiply"), (3, "average"), (2, "maximum")):
            for label, shape in BENCH:
                yield f"{mode} {count}: {label}", make(rng, dtype, reals, count, mode, shape)

    return bench


def _forward_tolerance(case, expected, eps):
    """n − 1 roundings of partial sums, each at most Σ |x|, and one of the quotient; products round n − 1 times."""
    arrays, mode = case.args
    if mode in ("maximum", "minimum"):
        return (0,)
    size = merge_forward([np.abs(x) for x in arrays], "add" if mode == "subtract" else mode)
    return (len(arrays) / 2 * eps * size,)


def _backward_tolerance(case, expected, eps):
    """A product of n factors rounds n − 1 times, an average once; the others only move dy."""
    _, arrays, mode = case.args
    roundings = {"multiply": len(arrays), "average": 1}.get(mode, 0)
    return ([roundings / 2 * eps * np.abs(dx) for dx in expected[0]],)


# Shapes of the arrays to join, axis
JOINS = (
    (((2, 3, 4), (2, 9, 4), (2, 1, 4)), 1),
    (((7, 3), (7, 17), (7, 8)), -1),
    (((0,), (1,), (0,)), 0),
    (((0, 4), (0, 3)), 1),
    (((1, 31), (9, 31)), 0),
    (((5, 0), (5, 0)), -1),
    (((2, 3, 5, 8), (2, 3, 5, 16), (2, 3, 5, 7), (2, 3, 5, 0), (2, 3, 5, 1)), 3),
    (((17, 1), (17, 1)), 1),
    (((3, 1031), (3, 1500)), 1),
    (((4, 700), (5, 700)), -2),
    (((8, 9),), 0),
)
JOIN_BENCH = (
    ("channels: 32 x 28 x 28 x 64 + 64", ((32, 28, 28, 64), (32, 28, 28, 64)), -1),
    ("features: 32 x 128 + 128 + 64", ((32, 128), (32, 128), (32, 64)), -1),
    ("steps: 32 x 50 x 64 + 50", ((32, 50, 64), (32, 50, 64)), 1),
)


def _join_case(rng, dtype, shapes, axis) -> Case:
    return Case(([reals(rng, shape, dtype) for shape in shapes], axis))


def _cut_case(rng, dtype, shapes, axis) -> Case:
    return Case((reals(rng, concatenated_shape(shapes, axis), dtype), [shape[axis] for shape in shapes], axis))


def _no_difference(case, expected, eps):
    """Numbers only move."""
    (moved,) = expected
    return ([0] * len(moved) if isinstance(moved, list) else 0,)


def _join_row(name: str, make, **properties) -> Kernel:
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shapes, axis in JOINS:
            yield make(rng, dtype, shapes, axis)

    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, shapes, axis in JOIN_BENCH:
            yield label, make(rng, dtype, shapes, axis)

    return Kernel(
        name,
        "merge",
        cases=cases,
        exact=cases,
        bench=bench,
        tolerance=_no_difference,
        flops=lambda *args: 0,
        **properties,
    )


KERNELS = (
    Kernel(
        "merge_forward",
        "merge",
        cases=_cases(_forward_case, reals),
        exact=_cases(_forward_case, eighths),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=lambda arrays, mode: len(arrays) * arrays[0].size,
        bytes=lambda arrays, mode: nbytes(*arrays, arrays[0]),
        elementwise=True,
    ),
    Kernel(
        "merge_backward",
        "merge",
        cases=_cases(_backward_case, reals),
        exact=_cases(_backward_case, eighths),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=lambda dy, arrays, mode: len(arrays) * dy.size,
        bytes=lambda dy, arrays, mode: nbytes(dy, *arrays, *(arrays if mode in READ else ())),
        results=("dx",),
        nan=(0, 1),
    ),
    _join_row("concatenate_forward", _join_case, bytes=lambda arrays, axis: 2 * nbytes(*arrays)),
    _join_row("concatenate_backward", _cut_case, bytes=lambda dy, sizes, axis: 2 * nbytes(dy), results=("dx",)),
)
