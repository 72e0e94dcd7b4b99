"""Registry rows of the family gather."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry._draw import reals
from fastnn.registry._tolerance import roundings

INTEGERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SHAPES = ((1,), (7, 1), (9, 17), (31, 5, 3), (8, 2, 2, 2), (5, 0))


def _integers(rng: np.random.Generator, shape, dtype: str) -> np.ndarray:
    """Draw numbers over the full range of an integer dtype: rounding them to float32 is part of the kernel."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def _cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in SHAPES:
        index = rng.integers(0, shape[0], 13)
        for source in INTEGERS:
            yield Case((_integers(rng, shape, source), index, dtype.name))
        for source in (np.float32, np.float64):
            yield Case((reals(rng, shape, source), index.astype(np.int32), dtype.name))
    yield Case((reals(rng, (4, 3), dtype), np.zeros(0, np.int64), dtype.name))
    yield Case((reals(rng, (0, 3), dtype), np.zeros(0, np.int64), dtype.name))


def _bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    images = rng.integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    for source in (images, images.astype(np.float32), images.astype(np.float64)):
        yield f"32 rows of 784 {source.dtype}", Case((source, rng.integers(0, len(source), 32), dtype.name))


def _bytes(source, index, dtype="float32") -> int:
    row = int(np.prod(source.shape[1:]))
    return len(index) * (row * (source.itemsize + np.dtype(dtype).itemsize) + 8)


KERNELS = (
    Kernel(
        "gather_rows",
        "gather",
        cases=_cases,
        exact=_cases,
        bench=_bench,
        tolerance=roundings(1),
        flops=lambda source, index, dtype="float32": 0,
        bytes=_bytes,
        results=("out",),
    ),
)
