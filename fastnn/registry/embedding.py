"""Registry rows of the family embedding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import embedding_backward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.registry._tolerance import equal

# shape and dtype of the ids, rows and columns of the table
SIZES = (
    ((5, 7), "int64", 9, 3),
    ((0,), "int64", 3, 2),
    ((3, 0), "int64", 1, 4),
    ((), "int64", 7, 8),
    ((1,), "uint8", 1, 1),
    ((7,), "int32", 31, 17),
    ((9, 31), "uint16", 8, 1),
    ((17, 8), "int8", 100, 31),
    ((3, 2, 5), "uint32", 65, 16),
    ((40, 30), "int64", 300, 33),
)
BENCH = (
    ("32 x 100 of 10,000 x 32", (32, 100), "int64", 10_000, 32),
    ("16 x 30 of 20,000 x 64", (16, 30), "int64", 20_000, 64),
    ("32 x 100 of 10,000 x 64", (32, 100), "int64", 10_000, 64),
)


def _ids(rng: np.random.Generator, shape, dtype: str, vocabulary: int) -> np.ndarray:
    """Draw ids with the frequencies of words: low ids are common, so that many positions share a row."""
    return np.asarray(vocabulary * rng.random(shape) ** 3).astype(dtype)


def _forward(rng, dtype, draw, shape, ids_dtype, vocabulary, columns) -> Case:
    return Case((_ids(rng, shape, ids_dtype, vocabulary), draw(rng, (vocabulary, columns), dtype)))


def _backward(rng, dtype, draw, shape, ids_dtype, vocabulary, columns) -> Case:
    return Case((draw(rng, (*shape, columns), dtype), _ids(rng, shape, ids_dtype, vocabulary), vocabulary))


def _cases(make, draw):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for sizes in SIZES:
            yield make(rng, dtype, draw, *sizes)

    return cases


def _forward_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    for label, *sizes in BENCH:
        yield label, _forward(rng, dtype, reals, *sizes)


def _backward_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    """Draw the first training step, which clears the table, and later steps, which clear the previous step's rows."""
    for label, *sizes in BENCH:
        first = _backward(rng, dtype, reals, *sizes)
        yield f"{label}, all cleared", first
        yield label, Case((*first.args, np.unique(first.args[1])))


def _backward_bytes(dy, ids, vocabulary, stale=None) -> int:
    """Each position reads and writes its row; the rows to clear are written."""
    rows = vocabulary if stale is None else len(stale)
    return nbytes(ids) + 3 * nbytes(dy) + rows * dy.shape[-1] * dy.itemsize


def _backward_tolerance(case, expected, eps):
    """n − 1 roundings for a row with n positions, each at most ε/2 of Σ |dy|; the ids themselves are exact."""
    dy, ids, vocabulary, *_ = case.args
    places = np.bincount(ids.reshape(-1).astype(np.int64), minlength=vocabulary)[:, None]
    return places * eps * embedding_backward(np.abs(dy), ids, vocabulary)[0], 0


KERNELS = (
    Kernel(
        "embedding_forward",
        "embedding",
        cases=_cases(_forward, reals),
        exact=_cases(_forward, reals),
        bench=_forward_bench,
        tolerance=equal,
        flops=lambda ids, w: 0,
        bytes=lambda ids, w: nbytes(ids) + 2 * ids.size * w.shape[1] * w.itemsize,
        nan=(1,),
    ),
    Kernel(
        "embedding_backward",
        "embedding",
        cases=_cases(_backward, reals),
        exact=_cases(_backward, eighths),
        bench=_backward_bench,
        tolerance=_backward_tolerance,
        flops=lambda dy, ids, vocabulary, stale=None: dy.size,
        bytes=_backward_bytes,
        results=("dw",),
    ),
)
