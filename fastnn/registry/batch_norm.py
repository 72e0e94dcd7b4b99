"""Registry rows of the family batch_norm."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fastnn.reference as reference
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals

SHAPES = ((0, 3), (1, 1), (1, 17), (7, 8), (9, 7), (31, 10), (17, 31), (6, 129), (30, 33), (4200, 1), (600, 9))
OPTIONS = ("plain", "affine", "relu", "residual", "masked")
BENCH = ("50176 x 32", (64 * 28 * 28, 32)), ("3136 x 128", (64 * 7 * 7, 128)), ("4096 x 64", (4096, 64))


def _forward(rng, dtype, shape, option) -> Case:
    x = (reals(rng, shape, dtype, 2) + 3).astype(dtype)
    channels = shape[-1:]
    gamma = beta = residual = mask = None
    if option != "plain":
        gamma, beta = reals(rng, channels, dtype), reals(rng, channels, dtype)
    if option == "residual":
        residual = reals(rng, shape, dtype)
    if option == "masked":
        mask = rng.random(shape[:-1]) < 0.7
    return Case((x, gamma, beta, residual, mask, 0.001, "relu" if option in ("relu", "residual") else "linear"))


def _inference(rng, dtype, shape, option) -> Case:
    x, gamma, beta, residual, _, epsilon, activation = _forward(rng, dtype, shape, option).args
    mean, variance = reals(rng, shape[-1:], dtype), (rng.random(shape[-1:]) + 0.5).astype(dtype)
    return Case((x, mean, variance, gamma, beta, residual, epsilon, activation))


def _backward(rng, dtype, shape, option) -> Case:
    x, gamma, beta, residual, mask, epsilon, activation = _forward(rng, dtype, shape, option).args
    y, mean, variance = reference.batch_norm_forward(x, gamma, beta, residual, mask, epsilon, activation)
    args = (reals(rng, shape, dtype), x, mean, variance, gamma, y, mask, epsilon, activation, option != "affine")
    return Case(args, {"need_dresidual": True})


def _cases(make):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for option in OPTIONS:
            for shape in SHAPES:
                yield make(rng, dtype, shape, option)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for option in ("affine", "relu", "residual"):
            for label, shape in BENCH:
                yield f"{option}: {label}", make(rng, dtype, shape, option)

    return bench


def _sums(x, eps):
    """A sum of n terms rounds n times; chunks of at most 4,096 rows are summed apart, at most 256 of them."""
    return (min(math.prod(x.shape[:-1]), 4096) + 256) * eps


def _forward_tolerance(case, expected, eps):
    """The mean errs by the sum's roundings of the largest |x|, the variance by those of itself; y by both, scaled."""
    x, gamma = case.args[:2]
    _, mean, variance = expected
    rows = x.reshape(-1, x.shape[-1])
    most = np.abs(rows).max(axis=0, initial=0)
    d_mean, d_variance = _sums(x, eps) * most, _sums(x, eps) * (variance + eps * most**2)
    rstd = 1 / np.sqrt(variance + case.args[5])
    scale = rstd * (1 if gamma is None else np.abs(gamma))
    normal = np.abs(x - mean)
    y = scale * (d_mean + 8 * eps * (np.abs(x) + np.abs(mean)) + normal * d_variance * rstd**2) + 8 * eps
    if case.args[2] is not None:
        y = y + 8 * eps * np.abs(case.args[2])
    if case.args[3] is not None:
        y = y + 8 * eps * np.abs(case.args[3])
    return y, d_mean, d_variance


def _inference_tolerance(case, expected, eps):
    """A few roundings of each term."""
    x, mean, variance, gamma, beta, residual, epsilon, _ = case.args
    scale = (1 if gamma is None else np.abs(gamma)) / np.sqrt(variance + epsilon)
    terms = scale * (np.abs(x) + np.abs(mean)) + sum(np.abs(a) for a in (beta, residual) if a is not None)
    return (8 * eps * terms,)


def _backward_tolerance(case, expected, eps):
    """Sums round once a row; dx errs by both sums, shared out over the rows, and a few roundings of its terms."""
    dy, x, mean, variance, gamma, _, mask, epsilon, _, batch = case.args
    axes = tuple(range(x.ndim - 1))
    rstd = 1 / np.sqrt(variance + epsilon)
    normal = np.abs(x - mean) * rstd
    size, product = np.abs(dy).sum(axis=axes), (np.abs(dy) * (normal + np.abs(mean) * rstd)).sum(axis=axes)
    d_beta, d_gamma = _sums(x, eps) * size, _sums(x, eps) * product
    count = max(1, math.prod(x.shape[:-1]) if mask is None else int(np.count_nonzero(mask)))
    share = 1 / count if batch else 0
    scale = rstd * (1 if gamma is None else np.abs(gamma))
    dx = scale * (8 * eps * np.abs(dy) + share * (d_beta + normal * d_gamma + 8 * eps * (size + 2 * normal * product)))
    return dx, d_gamma, d_beta, 0


def _backward_bytes(dy, x, *rest, need_dresidual=False, **options):
    """What is read, twice: dy, x, and y with relu; dx and dresidual are written once."""
    relu = "relu" in (a for a in rest if isinstance(a, str))
    return (2 * (2 + relu) + 1 + need_dresidual) * nbytes(x)


KERNELS = (
    Kernel(
        "batch_norm_forward", "batch_norm", cases=_cases(_forward), bench=_bench(_forward),
        tolerance=_forward_tolerance,
        flops=lambda x, *rest: 8 * x.size, bytes=lambda x, g, b, residual, *rest: 3 * nbytes(x) + nbytes(residual),
        results=("y", "mean", "variance"),
    ),
    Kernel(
        "batch_norm_inference", "batch_norm", cases=_cases(_inference), bench=_bench(_inference),
        tolerance=_inference_tolerance, flops=lambda x, *rest: 4 * x.size,
        bytes=lambda x, m, v, g, b, residual, *rest: 2 * nbytes(x) + nbytes(residual), elementwise=True,
    ),
    Kernel(
        "batch_norm_backward", "batch_norm", cases=_cases(_backward), bench=_bench(_backward),
        tolerance=_backward_tolerance, flops=lambda dy, x, *rest, **options: 12 * x.size,
        bytes=_backward_bytes, results=("dx", "dgamma", "dbeta", "dresidual"), nan=(0, 1),
    ),
)  # fmt: skip
