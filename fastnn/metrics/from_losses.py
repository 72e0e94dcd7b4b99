"""Metrics that are the mean of a loss: each class names its loss and passes on its options."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import losses
from fastnn.losses.targets import real
from fastnn.metrics.metric import Mean

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "LossMetric",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]  # fmt: skip


class LossMetric(Mean):
    """The mean of ``loss`` over all examples."""

    direction = "down"
    loss_class: type[losses.Loss]

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any):
        self.loss, self.options = self.loss_class(**options), options
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(self.loss.call(np.asarray(y_true), real(y_pred)), sample_weight)

    def get_config(self):
        return super().get_config() | self.options


class MeanSquaredError(LossMetric):
    """``mean((y − t)²)``."""

    loss_class = losses.MeanSquaredError


class MeanAbsoluteError(LossMetric):
    """``mean(|y − t|)``."""

    loss_class = losses.MeanAbsoluteError


class MeanAbsolutePercentageError(LossMetric):
    """``100·mean(|y − t| / |t|)``."""

    loss_class = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(LossMetric):
    """``mean((log(1 + y) − log(1 + t))²)``."""

    loss_class = losses.MeanSquaredLogarithmicError


class LogCoshError(LossMetric):
    """``mean(log(cosh(y − t)))``."""

    loss_class = losses.LogCosh

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(name, dtype)


class Hinge(LossMetric):
    """``mean(max(1 − t·y, 0))``."""

    loss_class = losses.Hinge


class SquaredHinge(LossMetric):
    """``mean(max(1 − t·y, 0)²)``."""

    loss_class = losses.SquaredHinge


class CategoricalHinge(LossMetric):
    """``max(1 + max((1 − t)·y) − Σ t·y, 0)``."""

    loss_class = losses.CategoricalHinge


class KLDivergence(LossMetric):
    """``Σ t·log(t / y)``."""

    loss_class = losses.KLDivergence


class Poisson(LossMetric):
    """``mean(y − t·log y)``."""

    loss_class = losses.Poisson


class BinaryCrossentropy(LossMetric):
    """``mean(−t·log p − (1 − t)·log(1 − p))``."""

    loss_class = losses.BinaryCrossentropy

    def __init__(
        self, name: str | None = None, dtype: Any = None, from_logits: bool = False, label_smoothing: float = 0.0
    ):
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(LossMetric):
    """``−Σ t·log p`` for one-hot targets."""

    loss_class = losses.CategoricalCrossentropy

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ):
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(LossMetric):
    """``−log p[t]`` for integer labels."""

    loss_class = losses.SparseCategoricalCrossentropy

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)
