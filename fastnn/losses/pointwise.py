"""Elementwise losses, on the kernels ``pointwise_loss_forward`` and ``pointwise_loss_backward``.

Each class here sets its ``kind``, the kernel's name for the equation; the value of a row is the mean over the last
axis (the sum for KL divergence).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.lookup import is_number
from fastnn.losses import targets
from fastnn.losses.loss import Loss

__all__ = [
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PointwiseLoss",
    "Poisson",
    "SquaredHinge",
]  # fmt: skip


class PointwiseLoss(Loss):
    """Base of the losses in this file: handles shapes and kernel calls; a subclass sets its ``kind``."""

    kind: str
    delta: float = 1.0

    def check_targets(self, y_shape, t):
        t = targets.same_shape(self.name, y_shape, np.asarray(t))
        targets.refuse_nan(self.name, t)
        return t

    def targets(self, t: np.ndarray) -> np.ndarray:
        """Return the targets as the kernel expects them; a subclass may convert or smooth labels here."""
        return t

    def forward(self, y, t):
        t = targets.rows(self.targets(targets.fit(y, t)))
        rows = targets.rows(y)
        return backend.active().pointwise_loss_forward(rows, t, self.kind, self.delta), (rows, t, y.shape)

    def backward(self, scale, ctx):
        rows, t, shape = ctx
        dy = backend.active().pointwise_loss_backward(rows, t, scale, self.kind, self.delta)
        return dy if dy.shape == shape else dy.reshape(shape)

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        return self.forward(y, np.asarray(y_true))[0].reshape(y.shape[:-1])


class MeanSquaredError(PointwiseLoss):
    """``mean((y − t)²)``."""

    kind = "mean_squared_error"


class MeanAbsoluteError(PointwiseLoss):
    """``mean(|y − t|)``."""

    kind = "mean_absolute_error"


class MeanAbsolutePercentageError(PointwiseLoss):
    """``100·mean(|y − t| / max(|t|, 1e-7))``."""

    kind = "mean_absolute_percentage_error"


class MeanSquaredLogarithmicError(PointwiseLoss):
    """``mean((log(1 + max(y, 1e-7)) − log(1 + max(t, 1e-7)))²)``."""

    kind = "mean_squared_logarithmic_error"


class Huber(PointwiseLoss):
    """``mean(½e² where |e| ≤ delta, else delta·|e| − ½delta²)``, e = y − t.

    Parameters
    ----------
    delta : float
        The error at which the parabola becomes a line; positive.
    """

    kind = "huber"

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        if not is_number(delta) or delta <= 0:
            raise ValueError(f"delta must be a positive number. Received: delta={delta!r}.")
        super().__init__(reduction, name, dtype)
        self.delta = float(delta)

    def get_config(self):
        return super().get_config() | {"delta": self.delta}


class LogCosh(PointwiseLoss):
    """``mean(log(cosh(y − t)))``: a parabola near 0, a line far away."""

    kind = "log_cosh"


class KLDivergence(PointwiseLoss):
    """``Σ t·log(t / y)``, both clipped to [1e-7, 1]."""

    kind = "kl_divergence"


class Poisson(PointwiseLoss):
    """``mean(y − t·log(y + 1e-7))``."""

    kind = "poisson"


class Hinge(PointwiseLoss):
    """``mean(max(1 − t·y, 0))`` for labels −1 and 1; if all labels are 0 or 1, they are converted first."""

    kind = "hinge"

    def targets(self, t):
        return 2 * t - 1 if np.all((t == 0) | (t == 1)) else t


class SquaredHinge(Hinge):
    """``mean(max(1 − t·y, 0)²)`` for labels −1 and 1; if all labels are 0 or 1, they are converted first."""

    kind = "squared_hinge"
