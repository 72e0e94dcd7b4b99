"""F-scores: precision and recall in one number, per class or over all classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.metrics.metric import Metric

__all__ = ["F1Score", "FBetaScore"]

_EPSILON = 1e-7


class FBetaScore(Metric):
    """``(1 + β²)·precision·recall / (β²·precision + recall)`` of (N, C) predictions.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        None gives one score per class; "micro" counts all classes together; "macro" is the mean over the classes,
        "weighted" the mean weighted by the number of true examples.
    beta : float
        The weight of recall relative to precision; positive.
    threshold : float, optional
        Predictions above it are positive; by default the largest of each row is.

    Examples
    --------
    >>> score = FBetaScore(beta=2.0, threshold=0.5)
    >>> score([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).round(4)
    array([0.3846, 0.9091, 0.8333])
    """

    direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f'average must be None, "micro", "macro" or "weighted". Received: average={average!r}.')
        if not isinstance(beta, float):
            raise ValueError(f"beta is a float, as in Keras. Received: beta={beta!r}. Use beta=1.0.")
        if not is_number(beta) or beta <= 0:
            raise ValueError(f"beta must be a positive number. Received: beta={beta!r}.")
        if threshold is not None and (not is_number(threshold) or not 0 < threshold <= 1):
            raise ValueError(f"threshold must be a number in (0, 1]. Received: threshold={threshold!r}.")
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self.reset_state()

    def reset_state(self) -> None:
        self.tp = self.fp = self.fn = self.weight = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name} needs one-hot or multi-hot rows, (N, C). "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}."
            )
        if self.threshold is None:
            positive = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        t = y_true.astype(np.float64)
        weight = 1.0 if sample_weight is None else np.asarray(sample_weight, dtype=np.float64).reshape(-1, 1)
        axis = None if self.average == "micro" else 0
        self.tp += np.sum(weight * positive * t, axis=axis)
        self.fp += np.sum(weight * positive * (1 - t), axis=axis)
        self.fn += np.sum(weight * ~positive * t, axis=axis)
        self.weight += np.sum(weight * t, axis=axis)

    def result(self) -> Any:
        precision = self.tp / (self.tp + self.fp + _EPSILON)
        recall = self.tp / (self.tp + self.fn + _EPSILON)
        score = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + _EPSILON)
        if self.average == "weighted":
            return float(np.sum(score * self.weight) / (np.sum(self.weight) + _EPSILON))
        return score if self.average is None and np.ndim(score) else float(np.mean(score))

    def get_config(self):
        return {"average": self.average, "beta": self.beta, "threshold": self.threshold, "name": self.name}


class F1Score(FBetaScore):
    """``2·precision·recall / (precision + recall)``: the F-score with beta 1."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config
