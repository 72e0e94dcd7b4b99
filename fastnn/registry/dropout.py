"""Registry rows of the family dropout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry._draw import SHAPES, nbytes, reals
from fastnn.registry._tolerance import equal, roundings

LARGE = 2**64 - 1


def _cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in SHAPES:
        for rate, key, call in ((0.0, 1, 2), (0.2, LARGE, 0), (0.5, 3, LARGE), (1.0, 4, 5)):
            yield Case((reals(rng, shape, dtype), rate, key, call))
    yield Case((reals(rng, (1031,), dtype), 0.3, 2**40 + 7, 2**35 + 1))


def _bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    for shape in ((32, 128), (32, 26, 26, 32)):
        yield " x ".join(map(str, shape)), Case((reals(rng, shape, dtype), 0.2, 1, 2))


def _bits_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 31, 1031):
        yield Case((n, LARGE - n, 2**32 + n))


def _bits_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    yield "1,000,000 words", Case((1_000_000, 1, 2))


def _normal_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 31, 1031, 4099):
        yield Case((n, LARGE - n, 2**32 + n, dtype.name))


def _normal_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    yield "1,000,000 numbers", Case((1_000_000, 1, 2, dtype.name))


def _beside_the_radius(case: Case, expected: Any, eps: float) -> tuple[np.ndarray]:
    """24 roundings of the radius, √(z[2k]² + z[2k+1]²).

    In units of ε/2, the kernel: u one, its logarithm four (2 ulp), halved by the root, which adds one; the angle three
    and its cos or sin two; the product one: 10.  The truth, in float64: the angle 2πv, up to 2π and rounded twice, 13.
    """
    z = expected[0]
    pairs = np.append(z, np.zeros(z.size % 2)).reshape(-1, 2)
    pairs[-1:, 1] += 7 * (z.size % 2)  # the partner of the last one is not there; no radius is above 6.7
    return (np.repeat(np.hypot(*pairs.T), 2)[: z.size] * 12 * eps,)


# Ten rounds of two 32-bit products and four xors give four words: 20 operations per word.
KERNELS = (
    Kernel(
        "dropout_forward",
        "dropout",
        cases=_cases,
        exact=_cases,
        bench=_bench,
        tolerance=roundings(2),  # the scale, and the product
        flops=lambda x, *rest: 21 * x.size,
        bytes=lambda x, *rest: 2 * nbytes(x),
        elementwise=True,
    ),
    Kernel(
        "dropout_backward",
        "dropout",
        cases=_cases,
        exact=_cases,
        bench=_bench,
        tolerance=roundings(2),  # the scale, and the product
        flops=lambda x, *rest: 21 * x.size,
        bytes=lambda x, *rest: 2 * nbytes(x),
        results=("dx",),
        elementwise=True,
    ),
    Kernel(
        "random_bits",
        "dropout",
        cases=_bits_cases,
        exact=_bits_cases,
        bench=_bits_bench,
        tolerance=equal,
        flops=lambda n, *rest: 20 * n,
        bytes=lambda n, *rest: 4 * n,
        results=("bits",),
        nan=(),
    ),
    Kernel(
        "random_normal",
        "dropout",
        cases=_normal_cases,
        bench=_normal_bench,
        tolerance=_beside_the_radius,
        flops=lambda n, *rest: 60 * n,
        bytes=lambda n, key, call, dtype="float32": n * np.dtype(dtype).itemsize,
        results=("z",),
        nan=(),
    ),
)
