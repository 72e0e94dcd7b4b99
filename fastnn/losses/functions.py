"""The losses as plain functions of arrays: ``mean_squared_error(y_true, y_pred)`` returns one value per row.

>>> mean_squared_error([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
array([0.5, 0.5])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.graph import Operation, as_symbol, contains_symbols, record
from fastnn.losses import crossentropy, pointwise, targets, vectors
from fastnn.losses.loss import Loss

__all__ = [
    "CLASSES",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]  # fmt: skip


class LossValues(Operation):
    """One value of a loss for each row of predictions, as a node of a graph; targets have no gradient.

    Parameters
    ----------
    loss : Loss
    """

    takes_several = True

    def __init__(self, loss: Loss):
        self.loss, self.name = loss, loss.name

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape[1][:-1])

    def output_dtype(self, dtypes: Any) -> str:
        return dtypes[1]

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        t, y = x
        values, ctx = self.loss.forward(y, self.loss.check_targets(y.shape, t))
        return values.reshape(y.shape[:-1]), ctx

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> list[np.ndarray | None]:
        return [None, self.loss.backward(np.ascontiguousarray(dy).reshape(-1), ctx)]


def _values(loss: Loss, y_true: Any, y_pred: Any) -> Any:
    if contains_symbols([y_true, y_pred]):
        t, y = as_symbol(y_true), as_symbol(y_pred)
        return record(LossValues(loss), [t, y], y.shape[:-1], y.dtype)
    y = targets.real(y_pred)
    return np.asarray(loss.call(loss.check_targets(y.shape, np.asarray(y_true)), y))


def mean_squared_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean((y − t)²)`` over the last axis."""
    return _values(pointwise.MeanSquaredError(), y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean(|y − t|)`` over the last axis."""
    return _values(pointwise.MeanAbsoluteError(), y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """``100·mean(|y − t| / max(|t|, 1e-7))`` over the last axis."""
    return _values(pointwise.MeanAbsolutePercentageError(), y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean((log(1 + y) − log(1 + t))²)`` over the last axis, both at least 1e-7."""
    return _values(pointwise.MeanSquaredLogarithmicError(), y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> np.ndarray:
    """``½e²`` up to ``delta``, then ``delta·|e| − ½delta²``; the mean over the last axis."""
    return _values(pointwise.Huber(delta), y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean(log(cosh(y − t)))`` over the last axis."""
    return _values(pointwise.LogCosh(), y_true, y_pred)


def kl_divergence(y_true: Any, y_pred: Any) -> np.ndarray:
    """``Σ t·log(t / y)`` over the last axis, both clipped to [1e-7, 1]."""
    return _values(pointwise.KLDivergence(), y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean(y − t·log(y + 1e-7))`` over the last axis."""
    return _values(pointwise.Poisson(), y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean(max(1 − t·y, 0))`` over the last axis; labels 0 and 1 become −1 and 1."""
    return _values(pointwise.Hinge(), y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """``mean(max(1 − t·y, 0)²)`` over the last axis; labels 0 and 1 become −1 and 1."""
    return _values(pointwise.SquaredHinge(), y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """``max(1 + max((1 − t)·y) − Σ t·y, 0)`` over the last axis."""
    return _values(vectors.CategoricalHinge(), y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> np.ndarray:
    """Minus the cosine of the angle between targets and predictions."""
    return _values(vectors.CosineSimilarity(axis), y_true, y_pred)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> np.ndarray:
    """``mean(−t·log p − (1 − t)·log(1 − p))`` over the last axis."""
    return _values(crossentropy.BinaryCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> np.ndarray:
    """``−Σ t·log p`` over the last axis."""
    return _values(crossentropy.CategoricalCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> np.ndarray:
    """``−log p[t]`` for integer labels t; rows of ``ignore_class`` are 0."""
    loss = crossentropy.SparseCategoricalCrossentropy(from_logits, axis=axis, ignore_class=ignore_class)
    values = _values(loss, y_true, y_pred)
    if ignore_class is None:
        return values
    counts = np.asarray(y_true).reshape(values.shape) != ignore_class
    return values * values.dtype.type(counts.sum() / max(1, counts.size))


CLASSES: dict[Callable[..., np.ndarray], type[Loss]] = {
    mean_squared_error: pointwise.MeanSquaredError,
    mean_absolute_error: pointwise.MeanAbsoluteError,
    mean_absolute_percentage_error: pointwise.MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: pointwise.MeanSquaredLogarithmicError,
    huber: pointwise.Huber,
    log_cosh: pointwise.LogCosh,
    kl_divergence: pointwise.KLDivergence,
    poisson: pointwise.Poisson,
    hinge: pointwise.Hinge,
    squared_hinge: pointwise.SquaredHinge,
    categorical_hinge: vectors.CategoricalHinge,
    cosine_similarity: vectors.CosineSimilarity,
    binary_crossentropy: crossentropy.BinaryCrossentropy,
    categorical_crossentropy: crossentropy.CategoricalCrossentropy,
    sparse_categorical_crossentropy: crossentropy.SparseCategoricalCrossentropy,
}
"""The class for each function, which ``losses.get(mean_squared_error)`` creates."""

for _function in CLASSES:
    _function.direction = "down"  # as a metric, lower is better
