"""Registry rows of the family layer_norm."""

from __future__ import annotations

import numpy as np

from fastnn.reference import layer_norm_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals
from fastnn.registry._row_norm import backward_tolerance, bench, cases, draw_forward, forward_tolerance


def _forward_case(rng, shape, dtype, options) -> Case:
    return Case(draw_forward(rng, shape, dtype, options))


def _backward_case(rng, shape, dtype, options) -> Case:
    x, gamma, beta, residual = draw_forward(rng, shape, dtype, options)
    _, _, mean, rstd = layer_norm_forward(x, gamma, beta)
    return Case((reals(rng, shape, dtype), x, mean, rstd, gamma, residual))


def _forward_tolerance(case, expected, eps):
    x, gamma, beta, residual = case.args
    y, total, _, rstd = expected
    s = x if residual is None else total
    largest = np.abs(s).max(axis=-1, initial=0)
    return (
        eps * forward_tolerance(s, gamma, beta, y, rstd, True),
        None if total is None else eps * np.abs(total),  # rounded once
        10 * eps * largest,
        10 * eps * rstd * (1 + largest * rstd),  # the second term: s itself is rounded
    )


def _backward_tolerance(case, expected, eps):
    dy, x, mean, rstd, gamma, dtotal = case.args
    unit = (x - mean[..., None]) * rstd[..., None]
    return tuple(eps * bound for bound in backward_tolerance(dy, unit, rstd, gamma, dtotal))


def _forward_bytes(x, gamma=None, beta=None, residual=None, epsilon=1e-3):
    return nbytes(x, x, gamma, beta, residual, residual) + 2 * x[..., 0].size * x.itemsize


def _backward_bytes(dy, x, mean, rstd, gamma=None, dtotal=None):
    return nbytes(dy, dy, x, mean, rstd, gamma, dtotal) + 2 * x.shape[-1] * x.itemsize


KERNELS = (
    Kernel(
        "layer_norm_forward",
        "layer_norm",
        cases=cases(_forward_case),
        bench=bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=lambda x, *others: 7 * x.size,
        bytes=_forward_bytes,
        results=("y", "total", "mean", "rstd"),
        nan=(0, 1, 2, 3),
    ),
    Kernel(
        "layer_norm_backward",
        "layer_norm",
        cases=cases(_backward_case),
        bench=bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=lambda dy, *others: 14 * dy.size,
        bytes=_backward_bytes,
        results=("dx", "dgamma", "dbeta"),
        nan=(0, 1, 2, 3, 4, 5),
    ),
)
