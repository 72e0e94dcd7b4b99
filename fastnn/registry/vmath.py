"""Registry rows of the family vmath."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry._draw import SHAPES, nbytes, reals
from fastnn.registry._tolerance import ulps

# Units in the last place, and a multiply-add count of the polynomial for the rate.
BOUNDS = {"exp": 2, "log": 2, "tanh": 4, "sigmoid": 4}
FLOPS = {"exp": 20, "log": 24, "tanh": 30, "sigmoid": 26}


def _draw(name: str, rng: np.random.Generator, shape, dtype) -> np.ndarray:
    x = reals(rng, shape, dtype, 4)
    return np.exp(x) if name == "log" else x


def _cases(name: str):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape in SHAPES:
            yield Case((np.asarray(_draw(name, rng, shape, dtype)),))

    return cases


def _bench(name: str):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        yield "32 x 26 x 26 x 32", Case((_draw(name, rng, (32, 26, 26, 32), dtype),))

    return bench


KERNELS = tuple(
    Kernel(
        name,
        "vmath",
        cases=_cases(name),
        bench=_bench(name),
        tolerance=ulps(bound),
        flops=lambda x, each=FLOPS[name]: each * x.size,
        bytes=lambda x: 2 * nbytes(x),
        elementwise=True,
    )
    for name, bound in BOUNDS.items()
)
