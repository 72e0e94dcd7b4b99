"""Registry rows of the family group_norm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import group_norm_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals

# Shapes and numbers of groups: no example, no position, one of each, tails of vectors and chunks, groups of one.
SHAPES = (
    ((0, 3, 4), 2),
    ((2, 0, 6), 3),
    ((1, 1), 1),
    ((3, 12), 4),
    ((7, 9, 8), 2),
    ((2, 5, 7, 9), 3),
    ((1, 17, 31), 31),
    ((9, 3, 5, 17), 1),
    ((2, 131, 33), 11),
    ((3, 300, 4), 4),
    ((2, 17, 260), 10),
    ((9, 2, 3, 2, 40), 8),
    ((8, 130, 260), 65),
)
OPTIONS = ((True, True), (False, False), (True, False), (False, True))  # with gamma, with beta
BENCH = (((32, 28, 28, 32), 8), ((32, 14, 14, 128), 32), ((8, 56, 56, 64), 32), ((8, 56, 56, 64), 64))


def _drawn(rng, shape, dtype, options) -> tuple:
    """x, gamma, beta; each example and channel has a mean of its own, as large as its deviation or larger."""
    x = reals(rng, shape, np.dtype(np.float64)) + 2 * rng.standard_normal(
        (shape[0], *[1] * (len(shape) - 2), shape[-1])
    )
    gamma, beta = (reals(rng, shape[-1:], dtype) if wanted else None for wanted in options)
    return x.astype(dtype), gamma, beta


def _forward_case(rng, shape, groups, dtype, options) -> Case:
    x, gamma, beta = _drawn(rng, shape, dtype, options)
    return Case((x, groups, gamma, beta))


def _backward_case(rng, shape, groups, dtype, options) -> Case:
    x, gamma, beta = _drawn(rng, shape, dtype, options)
    _, mean, rstd = group_norm_forward(x, groups, gamma, beta)
    return Case((reals(rng, shape, dtype), x, mean, rstd, gamma))


def _cases(make):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for at, (shape, groups) in enumerate(SHAPES):
            for options in OPTIONS[:1] + OPTIONS[1 + at % 3 :][:1]:
                yield make(rng, shape, groups, dtype, options)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for shape, groups in BENCH:
            yield f"{' x '.join(map(str, shape))}, {groups} groups", make(rng, shape, groups, dtype, (True, True))

    return bench


def _by_channel(by_group: np.ndarray, shape) -> np.ndarray:
    """A number for each example and group, for each element."""
    spread = np.repeat(by_group, shape[-1] // by_group.shape[1], axis=1)
    return spread.reshape(shape[0], *[1] * (len(shape) - 2), shape[-1])


def _largest(array: np.ndarray, groups: int) -> np.ndarray:
    """The largest of each example and group."""
    parts = (len(array), int(np.prod(array.shape[1:-1])), groups, array.shape[-1] // groups)
    return np.abs(array).reshape(parts).max(axis=(1, 3), initial=0)


def _forward_tolerance(case, expected, eps):
    """10·ε: of x·rstd·γ, of the mean's error, which is up to that of the largest |x| of the group, and of β."""
    x, groups, gamma, beta = case.args
    y, _, rstd = expected
    largest = _largest(x, groups)
    size = _by_channel(largest * rstd, x.shape) * (1 if gamma is None else np.abs(gamma))
    return (
        10 * eps * (size + (0 if beta is None else np.abs(beta)) + np.abs(y)),
        10 * eps * largest,
        10 * eps * rstd * (1 + largest * rstd),  # the second term: x − mean is rounded
    )


def _backward_tolerance(case, expected, eps):
    """40·ε of the sums of absolute values; a share of a sum is one of at most 128 positions, within 64·ε at worst."""
    dy, x, mean, rstd, gamma = case.args
    parts, rest = (len(x), -1, mean.shape[1], x.shape[-1] // mean.shape[1]), tuple(range(x.ndim - 1))
    r = _by_channel(rstd, x.shape)
    unit = np.abs(x - _by_channel(mean, x.shape)) * r
    t = np.abs(dy * (1 if gamma is None else gamma))

    def average(a):
        return _by_channel(a.reshape(parts).mean(axis=(1, 3)), x.shape) if a.size else 0

    return (
        40 * eps * r * (t + average(t) + unit * average(t * unit)),
        40 * eps * (np.abs(dy) * unit).sum(axis=rest),
        40 * eps * np.abs(dy).sum(axis=rest),
    )


KERNELS = (
    Kernel(
        "group_norm_forward",
        "group_norm",
        cases=_cases(_forward_case),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=lambda x, *others: 7 * x.size,
        bytes=lambda x, groups, gamma, beta: nbytes(x, x, gamma, beta) + 2 * len(x) * groups * x.itemsize,
        results=("y", "mean", "rstd"),
        nan=(0, 2, 3),
    ),
    Kernel(
        "group_norm_backward",
        "group_norm",
        cases=_cases(_backward_case),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=lambda dy, *others: 14 * dy.size,
        bytes=lambda dy, x, mean, rstd, gamma: nbytes(dy, dy, x, mean, rstd, gamma) + 2 * x.shape[-1] * x.itemsize,
        results=("dx", "dgamma", "dbeta"),
        nan=(0, 1, 2, 3, 4),
    ),
)
