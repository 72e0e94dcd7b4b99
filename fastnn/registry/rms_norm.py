"""Registry rows of the family rms_norm."""

from __future__ import annotations

import numpy as np

from fastnn.reference import rms_norm_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals
from fastnn.registry._row_norm import backward_tolerance, bench, cases, draw_forward, forward_tolerance


def _forward_case(rng, shape, dtype, options) -> Case:
    x, gamma, _, residual = draw_forward(rng, shape, dtype, options)
    return Case((x, gamma, residual))


def _backward_case(rng, shape, dtype, options) -> Case:
    x, gamma, _, residual = draw_forward(rng, shape, dtype, options)
    return Case((reals(rng, shape, dtype), x, rms_norm_forward(x, gamma)[2], gamma, residual))


def _forward_tolerance(case, expected, eps):
    x, gamma, residual = case.args
    y, total, rrms = expected
    s = x if residual is None else total
    return (
        eps * forward_tolerance(s, gamma, None, y, rrms, False),
        None if total is None else eps * np.abs(total),  # rounded once
        10 * eps * rrms,
    )


def _backward_tolerance(case, expected, eps):
    dy, x, rrms, gamma, dtotal = case.args
    return tuple(eps * bound for bound in backward_tolerance(dy, x * rrms[..., None], rrms, gamma, dtotal)[:2])


def _forward_bytes(x, gamma=None, residual=None, epsilon=1e-6):
    return nbytes(x, x, gamma, residual, residual) + x[..., 0].size * x.itemsize


def _backward_bytes(dy, x, rrms, gamma=None, dtotal=None):
    return nbytes(dy, dy, x, rrms, gamma, dtotal) + x.shape[-1] * x.itemsize


KERNELS = (
    Kernel(
        "rms_norm_forward",
        "rms_norm",
        cases=cases(_forward_case),
        bench=bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=lambda x, *others: 4 * x.size,
        bytes=_forward_bytes,
        results=("y", "total", "rrms"),
        nan=(0, 1, 2),
    ),
    Kernel(
        "rms_norm_backward",
        "rms_norm",
        cases=cases(_backward_case),
        bench=bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=lambda dy, *others: 10 * dy.size,
        bytes=_backward_bytes,
        results=("dx", "dgamma"),
        nan=(0, 1, 2, 3, 4),
    ),
)
