"""Registry rows of the family gemm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals

# M, K, N: rows of X, columns of X, columns of W.
SIZES = (
    (0, 3, 2),
    (3, 0, 2),
    (3, 2, 0),
    (1, 1, 1),
    (1, 7, 8),
    (7, 1, 9),
    (8, 9, 1),
    (9, 8, 7),
    (17, 31, 9),
    (31, 17, 33),
    (5, 300, 65),
    (130, 5, 3),
    (2, 3, 270),
    (65, 129, 50),
    (101, 600, 131),
    (501, 270, 67),
    (53, 40, 700),
)
BENCH = (
    ("MLP, first layer: 32 x 784 x 256", (32, 784, 256)),
    ("CNN, dense layer: 32 x 64 x 64", (32, 64, 64)),
    ("square: 512 x 512 x 512", (512, 512, 512)),
    ("square: 1024 x 1024 x 1024", (1024, 1024, 1024)),
)
SHAPES = {
    "nn": lambda m, k, n: ((m, k), (k, n)),
    "nt": lambda m, k, n: ((m, n), (k, n)),
    "tn": lambda m, k, n: ((m, k), (m, n)),
}


def _cases(form: str, draw):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for sizes in SIZES:
            a, b = SHAPES[form](*sizes)
            yield Case((draw(rng, a, dtype), draw(rng, b, dtype)))

    return cases


def _bench(form: str):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, sizes in BENCH:
            a, b = SHAPES[form](*sizes)
            yield label, Case((reals(rng, a, dtype), reals(rng, b, dtype)))

    return bench


def _tolerance(form: str):
    """2·K·ε·Σ|a|·|b|, where K is the length of the sums."""

    def tolerance(case, expected, eps):
        a, b = (np.abs(x) for x in case.args)
        left, right = {"nn": (a, b), "nt": (a, b.T), "tn": (a.T, b)}[form]
        return (2 * max(left.shape[1], 1) * eps * (left @ right),)

    return tolerance


def _size(form: str, a: np.ndarray, b: np.ndarray) -> tuple[int, int, int]:
    """Return the number of rows, the length of the sums, and the number of columns."""
    return {"nn": (*a.shape, b.shape[1]), "nt": (*a.shape, b.shape[0]), "tn": (a.shape[1], a.shape[0], b.shape[1])}[
        form
    ]


def _flops(form: str):
    return lambda a, b: 2 * int(np.prod(_size(form, a, b)))


def _bytes(form: str):
    def count(a, b):
        rows, _, columns = _size(form, a, b)
        return nbytes(a, b) + rows * columns * a.itemsize

    return count


KERNELS = tuple(
    Kernel(
        f"gemm_{form}",
        "gemm",
        cases=_cases(form, reals),
        exact=_cases(form, eighths),
        bench=_bench(form),
        tolerance=_tolerance(form),
        flops=_flops(form),
        bytes=_bytes(form),
        results=("c",),
        nan=(0, 1),
    )
    for form in SHAPES
)
