"""The losses as plain functions of arrays: ``mean_squared_error(y_true, y_pred)`` returns one value per row.

>>> mean_squared_error([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
array([0.5, 0.5])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.graph import Operation, as_symbol, as_tensor, contains_symbols, given_out, is_followed, record
from fastnn.losses import circle as circles
from fastnn.losses import crossentropy, focal, generalized, overlap, pointwise, targets, vectors
from fastnn.losses import ctc as alignments
from fastnn.losses.loss import Loss

__all__ = [
    "CLASSES",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "dice",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
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
        return self.loss.values_shape(input_shape[1])

    def output_dtype(self, dtypes: Any) -> str:
        return dtypes[1]

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        t, y = x
        values, ctx = self.loss.forward(y, self.loss.check_targets(y.shape, t))
        return values.reshape(self.loss.values_shape(y.shape)), ctx

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> list[np.ndarray | None]:
        return [None, self.loss.backward(dy if not dy.ndim else np.ascontiguousarray(dy).reshape(-1), ctx)]


def _values(loss: Loss, y_true: Any, y_pred: Any) -> Any:
    if contains_symbols([y_true, y_pred]):
        t, y = as_symbol(y_true), as_symbol(y_pred)
        return record(LossValues(loss), [t, y], loss.values_shape(y.shape), y.dtype)
    y = targets.real(y_pred)
    if is_followed(y_pred):
        values, ctx = LossValues(loss).forward([np.asarray(y_true), y])
        return given_out(LossValues(loss), [y_true, y_pred], values, ctx, True)
    return as_tensor(loss.call(loss.check_targets(y.shape, np.asarray(y_true)), y))


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
    return _values(loss, y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """``mean((1 − q)^γ·(−t·log p − (1 − t)·log(1 − p)))``, q the chance given to what is true."""
    loss = focal.BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return _values(loss, y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """``Σ α·(1 − p)^γ·(−t·log p)`` over the classes."""
    loss = focal.CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis)
    return _values(loss, y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> np.ndarray:
    """``(1 − p[t]^q) / q`` for integer labels t."""
    return _values(generalized.CategoricalGeneralizedCrossEntropy(q), y_true, y_pred)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> np.ndarray:
    """``1 − 2·Σ t·y / (Σ t + Σ y)`` over these axes, or over all."""
    return _values(overlap.Dice(axis=axis), y_true, y_pred)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> np.ndarray:
    """``1 − Σ t·y / (Σ t·y + α·Σ t·(1 − y) + β·Σ (1 − t)·y)`` over these axes, or over all."""
    return _values(overlap.Tversky(alpha, beta, axis=axis), y_true, y_pred)


def circle(
    y_true: Any, y_pred: Any, remove_diagonal: bool = True, gamma: float = 80, margin: float = 0.4
) -> np.ndarray:
    """The circle loss of embeddings of length 1 and their integer labels."""
    return _values(circles.Circle(gamma, margin, remove_diagonal), y_true, y_pred)


def ctc(y_true: Any, y_pred: Any) -> np.ndarray:
    """``−log Σ p(alignment)`` of labels (N, L) with logits (N, T, C); 0 is the blank."""
    return _values(alignments.CTC(), y_true, y_pred)


# The short names of older scripts.
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence
kullback_leibler_divergence = kl_divergence
logcosh = log_cosh

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
    binary_focal_crossentropy: focal.BinaryFocalCrossentropy,
    categorical_focal_crossentropy: focal.CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: generalized.CategoricalGeneralizedCrossEntropy,
    dice: overlap.Dice,
    tversky: overlap.Tversky,
    circle: circles.Circle,
    ctc: alignments.CTC,
}
"""The class for each function, which ``losses.get(mean_squared_error)`` creates."""

for _function in CLASSES:
    _function.direction = "down"  # as a metric, lower is better
