"""Accuracies: the fraction of predictions that match their targets, by six criteria."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.losses.targets import match
from fastnn.metrics.metric import Mean

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]  # fmt: skip


def _same(metric: str, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the targets in the shape of the predictions."""
    if t.shape != y.shape:
        t = match(y.shape, t)
        if t.shape != y.shape:
            raise ValueError(
                f"{metric} needs arrays of one shape. Received: y_true.shape={t.shape}, y_pred.shape={y.shape}."
            )
    return t


def _labels(metric: str, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return integer labels in the shape of the predictions without the class axis."""
    if t.ndim == y.ndim and t.shape[-1] == 1:
        t = t[..., 0]
    if t.shape != y.shape[:-1] and [n for n in t.shape if n != 1] == [n for n in y.shape[:-1] if n != 1]:
        t = t.reshape(y.shape[:-1])  # axes of length 1 in other places
    if t.shape != y.shape[:-1]:
        raise ValueError(
            f"{metric} needs integer labels of shape {y.shape[:-1]} for predictions of shape {y.shape}. "
            f"Received: y_true.shape={t.shape}. For one-hot targets, use {metric.removeprefix('sparse_')!r}."
        )
    return t


def _equal(t, y):
    return y == _same("accuracy", t, y)


def _binary(t, y, threshold):
    return (y > threshold) == _same("binary_accuracy", t, y)


def _categorical(t, y):
    return _sparse(np.argmax(_same("categorical_accuracy", t, y), axis=-1), y)


def _sparse(t, y):
    return y.argmax(axis=-1) == _labels("sparse_categorical_accuracy", t, y)


def _top_k(t, y, k):
    return _sparse_top_k(np.argmax(_same("top_k_categorical_accuracy", t, y), axis=-1), y, k)


def _sparse_top_k(t, y, k, from_sorted_ids=False):
    t = _labels("sparse_top_k_categorical_accuracy", t, y)[..., None]
    if from_sorted_ids:
        return (y[..., :k] == t).any(axis=-1)
    inside = (t >= 0) & (t < y.shape[-1])
    score = np.take_along_axis(y, np.where(inside, t, 0).astype(np.int64), axis=-1)
    return ((y > score).sum(axis=-1) < k) & (inside & np.isfinite(score))[..., 0]


class _Matches(Mean):
    """The fraction of True in the result of ``rule(y_true, y_pred, **options)``."""

    direction = "up"
    rule: Any

    def __init__(self, name: str | None, dtype: Any, **options: Any):
        super().__init__(name, dtype)
        self.options = options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(type(self).rule(np.asarray(y_true), np.asarray(y_pred), **self.options), sample_weight)

    def get_config(self):
        return super().get_config() | self.options


class Accuracy(_Matches):
    """The fraction of predictions that equal their targets.

    Examples
    --------
    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    rule = _equal

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)


class BinaryAccuracy(_Matches):
    """The fraction of values on the correct side of ``threshold`` (strictly above it counts as 1).

    Examples
    --------
    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    0.75
    """

    rule = _binary

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5):
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(_Matches):
    """The fraction of rows whose largest prediction is where the one-hot target has its 1."""

    rule = _categorical

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)


class SparseCategoricalAccuracy(_Matches):
    """The fraction of rows whose largest prediction is at the integer label, (N,) or (N, 1).

    Examples
    --------
    >>> SparseCategoricalAccuracy()([[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    rule = _sparse

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)


class TopKCategoricalAccuracy(_Matches):
    """The fraction of rows where the one-hot target's class is among the ``k`` largest predictions."""

    rule = _top_k

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_Matches):
    """The fraction of rows where the integer label is among the ``k`` largest predictions.

    Parameters
    ----------
    k : int
    from_sorted_ids : bool
        True if the predictions are class numbers, best first, instead of scores.
    """

    rule = _sparse_top_k

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None, from_sorted_ids: bool = False):
        super().__init__(name, dtype, k=k, from_sorted_ids=from_sorted_ids)


def _share(rule, y_true, y_pred, *options):
    return np.asarray(rule(np.asarray(y_true), np.asarray(y_pred), *options)).astype(backend.floatx())


def accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where a prediction equals its target, else 0."""
    return _share(_equal, y_true, y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Return 1 where a value is on the correct side of ``threshold``, else 0."""
    return _share(_binary, y_true, y_pred, threshold)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where the largest prediction is at the 1 of the one-hot target, else 0."""
    return _share(_categorical, y_true, y_pred)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where the largest prediction is at the integer label, else 0."""
    return _share(_sparse, y_true, y_pred)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """Return 1 where the one-hot target's class is among the ``k`` largest predictions, else 0."""
    return _share(_top_k, y_true, y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> np.ndarray:
    """Return 1 where the integer label is among the ``k`` largest predictions, else 0."""
    return _share(_sparse_top_k, y_true, y_pred, k, from_sorted_ids)
