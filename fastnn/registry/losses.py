"""Registry rows of the family losses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fastnn.reference as reference
from fastnn.reference.losses import _POINTWISE
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import TABLES, nbytes, probabilities, reals, uniform

BENCH = ((32, 10), (4096, 10), (256, 1000))
IN_UNIT = ("binary_crossentropy", "kl_divergence")
POSITIVE = ("poisson", "mean_squared_logarithmic_error")


def _targets(rng, shape, dtype) -> Iterator[tuple[np.ndarray, float]]:
    """Yield labels, one-hot rows, rows that sum to 1 and rows that do not, with and without smoothing."""
    m, c = shape
    labels = rng.integers(0, c, m)
    yield labels, 0.0
    yield labels.astype(np.int32), 0.1
    yield np.eye(c, dtype=dtype)[labels], 0.0
    yield probabilities(rng, shape, dtype), 0.25
    yield uniform(rng, shape, dtype, 0, 1), 0.0


def _scale(rng, m: int, dtype) -> np.ndarray:
    return uniform(rng, (m,), dtype, 0.5, 2)


def _logit_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in TABLES:
        for t, smoothing in _targets(rng, shape, dtype):
            yield Case((reals(rng, shape, dtype, 3), t, smoothing))


def _probability_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in TABLES:
        for t, smoothing in _targets(rng, shape, dtype):
            p = probabilities(rng, shape, dtype) * (2 if smoothing else 1)  # rows need not sum to 1
            yield Case((p.astype(dtype), t, smoothing))


def _binary_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in TABLES:
        for smoothing in (0.0, 0.2):
            yield Case((reals(rng, shape, dtype, 3), uniform(rng, shape, dtype, 0, 1), smoothing))


def _outputs(rng, shape, dtype, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw predictions and targets in the domain of the loss, away from its kinks."""
    if kind in IN_UNIT:
        return uniform(rng, shape, dtype, 0.05, 0.95), uniform(rng, shape, dtype, 0.05, 0.95)
    if kind in POSITIVE:
        return uniform(rng, shape, dtype, 0.2, 4), uniform(rng, shape, dtype, 0.2, 4)
    if kind == "mean_absolute_percentage_error":
        return reals(rng, shape, dtype), uniform(rng, shape, dtype, 0.5, 2)
    if kind in ("hinge", "squared_hinge"):
        return reals(rng, shape, dtype), (2 * rng.integers(0, 2, shape) - 1).astype(dtype)
    return reals(rng, shape, dtype, 2), reals(rng, shape, dtype, 2)


def _pointwise_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape in TABLES:
        for kind in _POINTWISE:
            yield Case((*_outputs(rng, shape, dtype, kind), kind))
    yield Case((*_outputs(rng, (9, 7), dtype, "huber"), "huber", 0.3))


def _backward(name: str, rng, case: Case) -> Case:
    """Return the backward call that follows a forward call."""
    x, t, *rest = case.args
    scale = _scale(rng, len(x), x.dtype)
    if name in ("softmax_cross_entropy", "sigmoid_cross_entropy"):
        x = getattr(reference, f"{name}_forward")(*case.args)[1]
    return Case((x, t, scale, *rest))


def _backward_cases(name: str, cases):
    def backward_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for case in cases(rng, dtype):
            yield _backward(name, rng, case)

    return backward_cases


def _bench(draw, follow=lambda rng, case: case):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for shape in BENCH:
            for label, case in draw(rng, shape, dtype):
                yield f"{shape[0]} x {shape[1]}{label}", follow(rng, case)

    return bench


def _softmax_bench(rng, shape, dtype):
    yield ", labels", Case((reals(rng, shape, dtype), rng.integers(0, shape[1], shape[0])))
    yield ", rows", Case((reals(rng, shape, dtype), probabilities(rng, shape, dtype)))


def _categorical_bench(rng, shape, dtype):
    yield ", labels", Case((probabilities(rng, shape, dtype), rng.integers(0, shape[1], shape[0])))


def _binary_bench(rng, shape, dtype):
    yield "", Case((reals(rng, shape, dtype), uniform(rng, shape, dtype, 0, 1)))


def _pointwise_bench(rng, shape, dtype):
    for kind in _POINTWISE:
        yield f", {kind}", Case((*_outputs(rng, shape, dtype, kind), kind))


def _row_max(x: np.ndarray) -> np.ndarray:
    return np.abs(x).max(axis=1)


def _rows_of(case: Case) -> np.ndarray:
    """Return Σ_c |q|, the total target of each row; 1 for labels."""
    t = case.args[1]
    return np.ones(len(t)) if t.ndim == 1 else np.maximum(np.abs(t).sum(axis=1), 1)


def _softmax_forward_tolerance(case, expected, eps):
    """10·ε of the terms Σ|q|·(|z| + ln C), and 10·ε for p, whose rows sum to 1."""
    z = case.args[0]
    return 10 * eps * _rows_of(case) * (1 + 2 * _row_max(z) + np.log(z.shape[1])), 10 * eps


def _softmax_backward_tolerance(case, expected, eps):
    """40·ε of the terms p·Σq and q."""
    return (40 * eps * (case.args[2] * _rows_of(case))[:, None],)


def _sigmoid_forward_tolerance(case, expected, eps):
    """10·ε of the terms |z|·(1 + |q|) and ln 2; 10·ε for p."""
    z, t = case.args[:2]
    return 10 * eps * (1 + _row_max(z) * (1 + _row_max(t))), 10 * eps


def _sigmoid_backward_tolerance(case, expected, eps):
    """40·ε of the terms p and q."""
    p, t, scale = case.args[:3]
    return (40 * eps * scale[:, None] / p.shape[1] * (1 + np.abs(t)),)


def _categorical_forward_tolerance(case, expected, eps):
    """10·ε of Σ|q|·(1 + |ln r|): near r = 1 the logarithm's error is that of r."""
    p = case.args[0]
    r = np.clip(p / p.sum(axis=1, keepdims=True), 1e-7, 1 - 1e-7)
    return (10 * eps * _rows_of(case) * (1 + np.abs(np.log(r)).max(axis=1)),)


def _categorical_backward_tolerance(case, expected, eps):
    """40·ε of the terms q / r and their sum, divided by Σp."""
    p, _, scale = case.args[:3]
    total = p.sum(axis=1)
    r = p / total[:, None]
    return ((40 * eps * scale / total * _rows_of(case) * (1 + (1 / r).max(axis=1)))[:, None],)


def _pointwise_forward_tolerance(case, expected, eps):
    """10·ε of the largest terms of a row: y, t, ℓ and their intermediate products (mean or sum of C of them)."""
    y, t, kind, *_ = case.args
    terms = 1 + _row_max(y) + _row_max(t) + _row_max(y) * _row_max(t) + expected[0]
    terms = terms * (y.shape[1] if kind == "kl_divergence" else 1)
    return (10 * eps * (terms + (200 if kind == "mean_absolute_percentage_error" else 0) * _row_max(y - t)),)


def _pointwise_backward_tolerance(case, expected, eps):
    """40·ε of scale / C·(1 + |slope|)."""
    y, _, scale, kind, *_ = case.args
    outputs = 1 if kind == "kl_divergence" else y.shape[1]
    return (40 * eps * (np.abs(expected[0]) + scale[:, None] / outputs),)


def _forward_row(name, cases, bench, tolerance, results, flops) -> Kernel:
    return Kernel(
        f"{name}_forward",
        "losses",
        cases=cases,
        bench=_bench(bench),
        tolerance=tolerance,
        flops=lambda x, *rest: flops * x.size,
        bytes=lambda x, t, *rest: nbytes(x, t) + (nbytes(x) if "p" in results else 0) + x.itemsize * len(x),
        results=results,
    )


def _backward_row(name, cases, bench, tolerance, result, flops) -> Kernel:
    return Kernel(
        f"{name}_backward",
        "losses",
        cases=_backward_cases(name, cases),
        bench=_bench(bench, lambda rng, case: _backward(name, rng, case)),
        tolerance=tolerance,
        flops=lambda x, *rest: flops * x.size,
        bytes=lambda x, t, scale, *rest: 2 * nbytes(x) + nbytes(t, scale),
        results=(result,),
        elementwise=True,
    )


_SOFTMAX, _SIGMOID = "softmax_cross_entropy", "sigmoid_cross_entropy"
_CATEGORICAL, _POINT = "categorical_cross_entropy", "pointwise_loss"
KERNELS = (
    _forward_row(_SOFTMAX, _logit_cases, _softmax_bench, _softmax_forward_tolerance, ("loss", "p"), 26),
    _backward_row(_SOFTMAX, _logit_cases, _softmax_bench, _softmax_backward_tolerance, "dz", 3),
    _forward_row(_SIGMOID, _binary_cases, _binary_bench, _sigmoid_forward_tolerance, ("loss", "p"), 50),
    _backward_row(_SIGMOID, _binary_cases, _binary_bench, _sigmoid_backward_tolerance, "dz", 3),
    _forward_row(_CATEGORICAL, _probability_cases, _categorical_bench, _categorical_forward_tolerance, ("loss",), 28),
    _backward_row(_CATEGORICAL, _probability_cases, _categorical_bench, _categorical_backward_tolerance, "dp", 8),
    _forward_row(_POINT, _pointwise_cases, _pointwise_bench, _pointwise_forward_tolerance, ("loss",), 4),
    _backward_row(_POINT, _pointwise_cases, _pointwise_bench, _pointwise_backward_tolerance, "dy", 4),
)
