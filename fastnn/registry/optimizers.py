"""Registry rows of the family optimizers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals, uniform
from fastnn.registry._tolerance import roundings

LENGTHS = (0, 1, 7, 8, 9, 17, 31, 1037)
TABLES = ((0, 3), (1, 1), (9, 7), (31, 17), (300, 33))
BENCH = 203_530  # parameters of the MLP

# kernel: (required states, optional states, keyword sets: (which optional states, numbers))
_STEP = {"step": 3, "learning_rate": 0.01}
STEPS = {
    "sgd_step": (
        0,
        1,
        (
            ((False,), {"learning_rate": 0.1}),
            ((True,), {"learning_rate": 0.1, "momentum": 0.9}),
            ((True,), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ),
    ),
    "adam_step": (
        2,
        1,
        (
            ((False,), _STEP),
            ((True,), _STEP),
            ((False,), {**_STEP, "beta_1": 0.8, "beta_2": 0.99, "weight_decay": 0.004}),
        ),
    ),
    "rmsprop_step": (
        1,
        2,
        (
            ((False, False), {"learning_rate": 0.01}),
            ((True, False), {"learning_rate": 0.01, "momentum": 0.9}),
            ((True, True), {"learning_rate": 0.01, "momentum": 0.5, "rho": 0.8, "weight_decay": 0.01}),
        ),
    ),
    "adagrad_step": (1, 0, (((), {"learning_rate": 0.1}), ((), {"learning_rate": 0.1, "weight_decay": 0.01}))),
    "adadelta_step": (
        2,
        0,
        (((), {"learning_rate": 1.0}), ((), {"learning_rate": 0.5, "rho": 0.9, "weight_decay": 0.01})),
    ),
    "adamax_step": (2, 0, (((), _STEP), ((), {**_STEP, "weight_decay": 0.01}))),
    "lion_step": (
        1,
        0,
        (((), {"learning_rate": 0.01}), ((), {"learning_rate": 0.1, "beta_1": 0.8, "weight_decay": 0.01})),
    ),
    "nadam_step": (
        2,
        0,
        (((), {**_STEP, "momentum_product": 0.12}), ((), {**_STEP, "momentum_product": 0.12, "weight_decay": 0.01})),
    ),
}
FLOPS = {
    "sgd_step": 4,
    "adam_step": 12,
    "rmsprop_step": 9,
    "adagrad_step": 6,
    "adadelta_step": 14,
    "adamax_step": 9,
    "lion_step": 8,
    "nadam_step": 16,
}


def _case(rng, dtype, name: str, n: int, given: tuple[bool, ...], numbers: dict) -> Case:
    """Draw normal weights and gradients, states of squares in [1, 2), and averages of gradients below those."""
    needed = STEPS[name][0]
    states = [uniform(rng, (n,), dtype, 1, 2) for _ in range(needed)]
    states += [uniform(rng, (n,), dtype, 0.25, 0.75) if taken else None for taken in given]
    return Case((reals(rng, (n,), dtype), reals(rng, (n,), dtype), *states), dict(numbers))


def _some_rows(rng, dtype, name: str, table: tuple[int, int], given: tuple[bool, ...], numbers: dict) -> Case:
    """Draw the same as tables, of which some rows are updated."""
    flat = _case(rng, dtype, name, table[0] * table[1], given, numbers)
    rows = np.flatnonzero(rng.random(table[0]) < 0.5)
    return Case(tuple(None if a is None else a.reshape(table) for a in flat.args), {**numbers, "rows": rows})


def _cases(name: str):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for given, numbers in STEPS[name][2]:
            for n in LENGTHS:
                yield _case(rng, dtype, name, n, given, numbers)
            for table in TABLES:
                yield _some_rows(rng, dtype, name, table, given, numbers)

    return cases


def _bench(name: str):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        given, numbers = STEPS[name][2][0]
        yield f"{BENCH:,} parameters", _case(rng, dtype, name, BENCH, given, numbers)

    return bench


def _tolerance(case, expected, eps):
    """One step has at most sixteen roundings of terms no larger than 1 + |result|, all inputs being of order 1."""
    return tuple(None if e is None else 16 * eps * (1 + np.abs(e)) for e in expected)


def _in_place_row(name: str) -> Kernel:
    needed, optional, _ = STEPS[name]
    states = tuple(range(2, 2 + needed + optional))
    return Kernel(
        name,
        "optimizers",
        cases=_cases(name),
        bench=_bench(name),
        tolerance=_tolerance,
        flops=lambda w, g, *states, **numbers: FLOPS[name] * w.size,
        bytes=lambda w, g, *states, **numbers: 2 * nbytes(w, *states) + nbytes(g),
        results=(),
        in_place=(0, *states),
        nan=(1,),
    )


def _vector_cases(*numbers: float):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for n in LENGTHS:
            yield Case((reals(rng, (n,), dtype), *numbers))

    return cases


def _vector_bench(*numbers: float):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        yield f"{BENCH:,} numbers", Case((reals(rng, (BENCH,), dtype), *numbers))

    return bench


def _sum_tolerance(case, expected, eps):
    """Squares and sums are in double: n·2·ε of double."""
    return (2 * max(case.args[0].size, 1) * np.finfo(np.float64).eps * expected[0],)


def _no_difference(case, expected, eps):
    return (0,)


KERNELS = (
    *(_in_place_row(name) for name in STEPS),
    Kernel(
        "sum_of_squares",
        "optimizers",
        cases=_vector_cases(),
        bench=_vector_bench(),
        tolerance=_sum_tolerance,
        flops=lambda g: 2 * g.size,
        bytes=lambda g: nbytes(g),
        results=(),
    ),
    Kernel(
        "scale",
        "optimizers",
        cases=_vector_cases(0.3),
        bench=_vector_bench(0.3),
        tolerance=roundings(2),  # the factor, and the product
        flops=lambda g, factor: g.size,
        bytes=lambda g, factor: 2 * nbytes(g),
        results=(),
        in_place=(0,),
    ),
    Kernel(
        "clip_values",
        "optimizers",
        cases=_vector_cases(0.5),
        exact=_vector_cases(0.5),
        bench=_vector_bench(0.5),
        tolerance=_no_difference,
        flops=lambda g, limit: g.size,
        bytes=lambda g, limit: 2 * nbytes(g),
        results=(),
        in_place=(0,),
    ),
)
