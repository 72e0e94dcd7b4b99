"""Losses of whole rows that have no kernel: a few lines of NumPy each."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.losses import targets
from fastnn.losses.loss import Loss

__all__ = ["CategoricalHinge", "CosineSimilarity"]


class RowLoss(Loss):
    """Base of the losses in this file; targets have the shape of the predictions."""

    def check_targets(self, y_shape, t):
        t = targets.same_shape(self.name, y_shape, np.asarray(t))
        targets.refuse_nan(self.name, t)
        return t


def _unit(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors along ``axis``, and 1 / length (at most 1e7, so that zero vectors stay zero)."""
    with np.errstate(divide="ignore"):
        inverse = np.minimum(1.0 / np.sqrt(np.sum(x * x, axis=axis, keepdims=True)), x.dtype.type(1e7))
    return x * inverse, inverse


class CosineSimilarity(RowLoss):
    """``−Σ u·v``, where u and v are the targets and predictions scaled to length 1; −1 if they point the same way.

    Parameters
    ----------
    axis : int
        The axis of the vectors; training needs the last.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
        self.axis = axis

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        u, v = _unit(targets.fit(y, np.asarray(y_true)), self.axis)[0], _unit(y, self.axis)[0]
        return -np.sum(u * v, axis=self.axis)

    def gradient(self, y_true, y_pred):
        if self.axis % y_pred.ndim != y_pred.ndim - 1:
            raise ValueError(f"Training on cosine similarity needs axis=-1. Received: axis={self.axis}.")
        u, (v, inverse) = _unit(y_true, -1)[0], _unit(y_pred, -1)
        free = inverse < 1e7
        return (np.sum(u * v, axis=-1, keepdims=True) * v * free - u) * inverse

    def get_config(self):
        return super().get_config() | {"axis": self.axis}


class CategoricalHinge(RowLoss):
    """``max(1 + max((1 − t)·y) − Σ t·y, 0)`` for one-hot t: the correct class should lead by 1."""

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        t = targets.fit(y, np.asarray(y_true))
        return np.maximum(1 + np.max((1 - t) * y, axis=-1) - np.sum(t * y, axis=-1), 0)

    def gradient(self, y_true, y_pred):
        others = (1 - y_true) * y_pred
        best = np.max(others, axis=-1, keepdims=True)
        ties = others == best
        slope = ties * (1 - y_true) / ties.sum(axis=-1, keepdims=True) - y_true
        return slope * (1 + best - np.sum(y_true * y_pred, axis=-1, keepdims=True) > 0)
