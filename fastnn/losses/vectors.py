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
        The axis of the vectors.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
        self.axis = targets.check_axis(axis)

    def values_shape(self, y_shape):
        return tuple(targets.axis_last(y_shape, self.axis)[:-1])

    def check_targets(self, y_shape, t):
        self.values_shape(y_shape)
        return super().check_targets(y_shape, t)

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        u, v = _unit(targets.fit(y, np.asarray(y_true)), self.axis)[0], _unit(y, self.axis)[0]
        return -np.sum(u * v, axis=self.axis)

    def forward(self, y, t):
        u, (v, inverse) = _unit(targets.fit(y, t), self.axis)[0], _unit(y, self.axis)
        cosine = np.sum(u * v, axis=self.axis, keepdims=True)
        return -cosine.reshape(-1), (u, v, inverse, cosine)

    def backward(self, scale, ctx):
        u, v, inverse, cosine = ctx
        return (cosine * v * (inverse < 1e7) - u) * inverse * scale.reshape(cosine.shape)

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
