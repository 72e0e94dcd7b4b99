"""Cross-entropy that holds out against wrong labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.losses import targets
from fastnn.losses.loss import Loss

__all__ = ["CategoricalGeneralizedCrossEntropy"]


class CategoricalGeneralizedCrossEntropy(Loss):
    """``(1 − p[t]^q) / q`` for integer labels t: between cross-entropy (q → 0) and absolute error (q → 1).

    Parameters
    ----------
    q : float
        Between 0 and 1; the more of the labels are wrong, the nearer to 1.

    Notes
    -----
    Source: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels"
    (2018).

    Examples
    --------
    >>> float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        if not is_number(q) or not 0 < q < 1:
            raise ValueError(f"q is a number between 0 and 1. Received: q={q!r}.")
        super().__init__(reduction, name, dtype)
        self.q = q

    def check_targets(self, y_shape, t):
        return targets.labels(self.name, tuple(y_shape), np.asarray(t))

    def call(self, y_true, y_pred):
        return self.forward(targets.real(y_pred), np.asarray(y_true))[0].reshape(np.shape(y_pred)[:-1])

    def forward(self, y, t):
        rows, t = targets.rows(y), self.check_targets(y.shape, t).reshape(-1)
        p = rows[np.arange(len(t)), t]
        with np.errstate(invalid="ignore"):  # a negative chance has no power
            return (1 - p**self.q) / self.q, (p, t, rows.shape, y.shape)

    def backward(self, scale, ctx):
        p, t, rows, shape = ctx
        dy = np.zeros(rows, p.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            dy[np.arange(len(t)), t] = -(p ** (self.q - 1)) * scale
        return dy.reshape(shape)

    def get_config(self):
        return super().get_config() | {"q": self.q}
