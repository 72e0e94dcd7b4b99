"""Regression metrics that are not the mean of a loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnn.losses.targets import fit, real
from fastnn.losses.vectors import CosineSimilarity as _Cosine
from fastnn.metrics.metric import Mean, Metric

from ..user_warnings import warn

__all__ = ["CosineSimilarity", "R2Score", "RootMeanSquaredError"]


class RootMeanSquaredError(Mean):
    """``√mean((y − t)²)`` over all examples.

    Examples
    --------
    >>> RootMeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.5
    """

    direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y = real(y_pred)
        super().update_state(np.square(y - fit(y, np.asarray(y_true))), sample_weight)

    def result(self) -> float:
        return math.sqrt(super().result())


class CosineSimilarity(Mean):
    """The mean cosine of the angle between targets and predictions: 1 if they point the same way."""

    direction = "up"

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1):
        super().__init__(name, dtype)
        self.axis, self._loss = axis, _Cosine(axis)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(-self._loss.call(np.asarray(y_true), real(y_pred)), sample_weight)

    def get_config(self):
        return super().get_config() | {"axis": self.axis}


class R2Score(Metric):
    """The coefficient of determination, ``1 − Σ(t − y)² / Σ(t − mean t)²``: 1 is perfect, 0 no better than the mean.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average", None}
        How to combine the scores of several outputs; None returns all.
    num_regressors : int
        If not 0, the score is adjusted for this number of inputs.

    Examples
    --------
    >>> round(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]), 6)
    0.571429
    """

    direction = "up"
    kept = (
        ("squared_sum", "squares"),
        ("sum", "sum"),
        ("residual", "residual"),
        ("count", "count"),
        ("num_samples", "samples"),
    )

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                'class_aggregation must be "uniform_average", "variance_weighted_average" or None. '
                f"Received: {class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(f"num_regressors must be at least 0. Received: num_regressors={num_regressors!r}.")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.reset_state()

    def reset_state(self) -> None:
        self.squares = self.sum = self.residual = self.count = 0.0
        self.samples = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y = real(y_pred)
        if y.ndim != 2:
            raise ValueError(f"{self.name} needs (N, outputs). Received: y_pred.shape={y.shape}.")
        t = fit(y, np.asarray(y_true)).astype(np.float64)
        weight = np.ones(1) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, t.shape)
        self.sum = self.sum + (weight * t).sum(axis=0)
        self.squares = self.squares + (weight * t * t).sum(axis=0)
        self.residual = self.residual + (weight * np.square(t - y)).sum(axis=0)
        self.count = self.count + weight.sum(axis=0)
        self.samples += t.size

    def result(self) -> Any:
        if not self.samples:
            return 0.0
        total = self.squares - self.sum * (self.sum / self.count)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = 1 - self.residual / total
        score = np.where(np.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = float(np.mean(score))
        elif self.class_aggregation == "variance_weighted_average":
            score = float(np.sum(total * score) / np.sum(total))
        free = self.samples - self.num_regressors - 1
        if not self.num_regressors:
            return score
        if free <= 0:
            warn(
                f"The adjusted R² of {self.num_regressors} regressors needs more than {self.num_regressors + 1} "
                "values. Returning the plain R².",
            )
            return score
        return 1 - (1 - score) * (self.samples - 1) / free

    def get_config(self):
        return super().get_config() | {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
