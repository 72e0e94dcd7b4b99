"""Registry rows of the family activations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import activation_forward
from fastnn.reference.activations import _TABLE
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import SHAPES, nbytes, reals
from fastnn.registry._tolerance import ulps

NAMES = tuple(_TABLE)
WITH_ALPHA = (("leaky_relu", 0.01), ("leaky_relu", 0.0), ("elu", 2.5))
ULPS = {"linear": 0, "relu": 0, "step": 0, "leaky_relu": 1, "exponential": 2, "sigmoid": 4, "tanh": 4, "gelu": 4}


def _forward_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in SHAPES:
        for name in NAMES:
            yield Case((reals(rng, shape, dtype, 3), name))
    for name, alpha in WITH_ALPHA:
        yield Case((reals(rng, (4, 9), dtype), name, alpha))


def _backward(rng, forward: Case) -> Case:
    x = forward.args[0]
    return Case((reals(rng, x.shape, x.dtype), x, activation_forward(*forward.args), *forward.args[1:]))


def _backward_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for case in _forward_cases(rng, dtype):
        yield _backward(rng, case)


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for name in NAMES:
            yield f"{name}, 32 x 26 x 26 x 32", make(rng, Case((reals(rng, (32, 26, 26, 32), dtype), name)))

    return bench


def _forward_tolerance(case, expected, eps):
    """Units in the last place for one call of a bounded kernel; otherwise absolute, like the terms of the sum.

    elu, selu, softplus, hard_sigmoid: 4·ε·(1 + |x|), times alpha for elu. silu and gelu_tanh multiply x by a sigmoid
    with an error of 4 units, whose argument, at most 2·|x|·(1 + 0.045·x²), has 4 roundings. gelu in float64: the
    reference is itself an erfc of the rounded x / √2, and erfc(z·(1 + δ)) is off by 2·z²·δ = x²·δ.
    """
    x, name, *alpha = case.args
    if name == "gelu" and eps < 1e-10:
        return ((5 + x * x) * eps * np.abs(expected[0]),)
    if name in ULPS:
        return ulps(ULPS[name])(case, expected, eps)
    if name in ("silu", "gelu_tanh"):
        argument = 2 * np.abs(x) * (1 + 0.045 * x * x) if name == "gelu_tanh" else np.abs(x)
        return (eps * np.abs(expected[0]) * (6 + 4 * argument) + np.finfo(np.float32).tiny * eps,)
    return (4 * eps * (1 + np.abs(x)) * max(1, *alpha, 2),)


def _backward_tolerance(case, expected, eps):
    """Derivatives are sums of terms up to 1 + |x|·(1 + x²) (for gelu), each with a few roundings: 8·ε of that."""
    dy, x, y, name, *alpha = case.args
    steep = 1 + np.abs(x) * (1 + x * x) if name in ("gelu", "gelu_tanh", "silu") else 1 + np.abs(y)
    return (8 * eps * np.abs(dy) * steep * max(1, *alpha, 2),)


def _flops(x, *rest):
    return x.size


KERNELS = (
    Kernel(
        "activation_forward",
        "activations",
        cases=_forward_cases,
        bench=_bench(lambda rng, case: case),
        tolerance=_forward_tolerance,
        flops=_flops,
        bytes=lambda x, *rest: 2 * nbytes(x),
        elementwise=True,
    ),
    Kernel(
        "activation_backward",
        "activations",
        cases=_backward_cases,
        bench=_bench(_backward),
        tolerance=_backward_tolerance,
        flops=_flops,
        bytes=lambda dy, *rest: 3 * nbytes(dy),
        results=("dx",),
        elementwise=True,
    ),
)
