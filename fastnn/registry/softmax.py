"""Registry rows of the family softmax."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fastnn.reference as reference
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import TABLES, nbytes, reals

SHAPES = (*TABLES, (7,), (2, 3, 9), (6, 40), (1, 1000), (3, 1030))


def _forward_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in SHAPES:
        yield Case((reals(rng, shape, dtype, 3),))


def _backward(name: str, rng, case: Case) -> Case:
    (x,) = case.args
    return Case((reals(rng, x.shape, x.dtype), getattr(reference, f"{name}_forward")(x)))


def _backward_cases(name: str):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for case in _forward_cases(rng, dtype):
            yield _backward(name, rng, case)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for shape in ((32, 10), (4096, 10), (4096, 64), (4096, 128), (256, 1000), (4096, 1000)):
            yield f"{shape[0]} x {shape[1]}", make(rng, Case((reals(rng, shape, dtype),)))

    return bench


def _forward_tolerance(case, expected, eps):
    """10·ε: a row sums to 1, and e^x with its error of (1 + |x|)·ε is off by ε at most where x ≤ 0."""
    return (10 * eps,)


def _log_forward_tolerance(case, expected, eps):
    """10·ε of the terms x, max x and the logarithm, which are as large as the numbers of the row."""
    (x,) = case.args
    return (10 * eps * (1 + np.abs(x).max(axis=-1, keepdims=True) + np.abs(expected[0])),)


def _backward_tolerance(case, expected, eps):
    """40·ε of Σ|dy| of the row, which enters every result."""
    dy, _ = case.args
    return (40 * eps * np.broadcast_to(np.abs(dy).sum(axis=-1, keepdims=True), dy.shape),)


def _row(name: str, direction: str) -> Kernel:
    forward = direction == "forward"
    return Kernel(
        f"{name}_{direction}",
        "softmax",
        cases=_forward_cases if forward else _backward_cases(name),
        bench=_bench((lambda rng, case: case) if forward else (lambda rng, case: _backward(name, rng, case))),
        tolerance=(_log_forward_tolerance if name == "log_softmax" else _forward_tolerance)
        if forward
        else _backward_tolerance,
        flops=(lambda x: 24 * x.size) if forward else (lambda dy, y: 4 * y.size),
        bytes=(lambda x: 2 * nbytes(x)) if forward else (lambda dy, y: 3 * nbytes(y)),
        results=("y",) if forward else ("dx",),
        elementwise=True,
    )


KERNELS = tuple(_row(name, direction) for name in ("softmax", "log_softmax") for direction in ("forward", "backward"))
