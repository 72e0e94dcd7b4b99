"""One rate at the best of the thresholds at which another rate is high enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.checks import count
from fastnn.lookup import is_number
from fastnn.metrics.confusion import COUNTS, Counted, count_confusion, one_class, prepare, ratio

__all__ = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]


class _AtBestThreshold(Counted):
    """Base of the four: ``num_thresholds`` from 0 to 1, the rate that is demanded and the one that is measured."""

    direction = "up"
    kept = COUNTS
    demanded: str
    measured: str

    def __init__(self, least: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any):
        super().__init__(name, dtype)
        if not is_number(least) or not 0 <= least <= 1:
            raise ValueError(f"{self.demanded} is a number from 0 to 1. Received: {self.demanded}={least!r}.")
        self.value, self.class_id = least, class_id
        self.num_thresholds = count("num_thresholds", num_thresholds, 1)
        self.thresholds = [0.5] if num_thresholds == 1 else np.linspace(0.0, 1.0, num_thresholds).tolist()
        self.reset_state()

    def reset_state(self) -> None:
        self.tp, self.fp, self.tn, self.fn = np.zeros((4, len(self.thresholds)))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred, weight = one_class(self, *prepare(self.name, y_true, y_pred, sample_weight))
        counts = count_confusion(y_true, y_pred, np.asarray(self.thresholds), weight)
        for total, found in zip((self.tp, self.fp, self.tn, self.fn), counts, strict=True):
            total += found

    def _rate(self, name: str) -> np.ndarray:
        if name == "specificity":
            return ratio(self.tn, self.tn + self.fp)
        if name == "precision":
            return ratio(self.tp, self.tp + self.fp)
        return ratio(self.tp, self.tp + self.fn)  # recall, which medicine calls sensitivity

    def result(self) -> float:
        return float(np.max(self._rate(self.measured)[self._rate(self.demanded) >= self.value], initial=0.0))

    def get_config(self):
        return super().get_config() | {
            "class_id": self.class_id, "num_thresholds": self.num_thresholds, self.demanded: self.value
        }  # fmt: skip


class SensitivityAtSpecificity(_AtBestThreshold):
    """The best ``tp / (tp + fn)`` at thresholds where ``tn / (tn + fp)`` is at least ``specificity``.

    Parameters
    ----------
    specificity : float
        From 0 to 1.
    num_thresholds : int
    class_id : int, optional
        Count only this column.

    Examples
    --------
    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    demanded, measured = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_AtBestThreshold):
    """The best ``tn / (tn + fp)`` at thresholds where ``tp / (tp + fn)`` is at least ``sensitivity``.

    Parameters
    ----------
    sensitivity : float
        From 0 to 1.
    num_thresholds : int
    class_id : int, optional
        Count only this column.

    Examples
    --------
    >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]), 4)
    0.6667
    """

    demanded, measured = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_AtBestThreshold):
    """The best ``tp / (tp + fp)`` at thresholds where ``tp / (tp + fn)`` is at least ``recall``.

    Parameters
    ----------
    recall : float
        From 0 to 1.
    num_thresholds : int
    class_id : int, optional
        Count only this column.

    Examples
    --------
    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    demanded, measured = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_AtBestThreshold):
    """The best ``tp / (tp + fn)`` at thresholds where ``tp / (tp + fp)`` is at least ``precision``.

    Parameters
    ----------
    precision : float
        From 0 to 1.
    num_thresholds : int
    class_id : int, optional
        Count only this column.

    Examples
    --------
    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.5
    """

    demanded, measured = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
