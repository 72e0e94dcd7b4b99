"""The area under the ROC or precision-recall curve, from counts at fixed thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import checks
from fastnn.metrics.confusion import COUNTS, Counted, count_confusion, prepare, ratio

__all__ = ["AUC"]

_MOST_THRESHOLDS = 1_000_000
"""Beyond, a curve has no finer points that float32 predictions could tell apart; a file may not ask for any memory."""


class AUC(Counted):
    """The area under a curve: 1 if the predictions are perfectly ordered; for ROC, ½ if the order is random.

    Parameters
    ----------
    num_thresholds : int
        The number of points on the curve; more are finer.
    curve : {"ROC", "PR"}
        Recall over the false positive rate, or precision over recall.
    summation_method : {"interpolation", "minoring", "majoring"}
        Trapezoids (for PR the interpolation of Davis and Goadrich), or the lower or upper rectangles.
    thresholds : sequence of float, optional
        The points between 0 and 1, instead of ``num_thresholds``.
    multi_label : bool
        Whether to average the areas of the columns of (N, L) predictions.
    num_labels : int, optional
        L, with ``multi_label``.
    label_weights : sequence of float, optional
        One weight per column.
    from_logits : bool
        True if the predictions have not passed through a sigmoid.

    References
    ----------
    Davis, Goadrich: The relationship between precision-recall and ROC curves, ICML 2006.

    Examples
    --------
    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.75
    """

    direction = "up"
    kept = COUNTS

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        if str(curve).upper() not in ("ROC", "PR"):
            raise ValueError(f'curve must be "ROC" or "PR". Received: curve={curve!r}.')
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f'summation_method must be "interpolation", "minoring" or "majoring". Received: {summation_method!r}.'
            )
        if thresholds is None and checks.count("num_thresholds", num_thresholds, 2) > _MOST_THRESHOLDS:
            raise ValueError(
                f"num_thresholds must be at most {_MOST_THRESHOLDS:,}. Received: num_thresholds={num_thresholds!r}. "
                "Use 1000 for a fine curve."
            )
        if num_labels and not multi_label:
            raise ValueError("num_labels needs multi_label=True. Received: multi_label=False.")
        super().__init__(name, dtype)
        self._given = None if thresholds is None else [float(t) for t in thresholds]
        inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1) if thresholds is None else sorted(thresholds)
        self.thresholds = np.concatenate([[-1e-7], inner, [1 + 1e-7]])
        self.num_thresholds = len(self.thresholds)
        self.curve, self.summation_method = str(curve).upper(), summation_method
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else np.asarray(label_weights, dtype=np.float64)
        self.reset_state()

    def reset_state(self) -> None:
        self.tp = self.fp = self.tn = self.fn = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred, weight = prepare(self.name, y_true, y_pred, sample_weight)
        if self.from_logits:
            y_pred = 0.5 + 0.5 * np.tanh(0.5 * y_pred)
        labels = 1
        if self.multi_label:
            labels = self.num_labels or y_pred.shape[-1]
            if y_pred.ndim != 2 or y_pred.shape[-1] != labels:
                raise ValueError(
                    f"{self.name} with multi_label needs (N, {labels}) predictions. Received: {y_pred.shape}. "
                    f"Use num_labels={y_pred.shape[-1]}."
                )
        elif self.label_weights is not None:
            weight = np.broadcast_to(self.label_weights, y_pred.shape) * (1.0 if weight is None else weight)
        counts = count_confusion(y_true, np.clip(y_pred, 0, 1), self.thresholds, weight, labels)
        self.tp, self.fp, self.tn, self.fn = (
            total + count for total, count in zip((self.tp, self.fp, self.tn, self.fn), counts, strict=True)
        )

    def result(self) -> float:
        if np.ndim(self.tp) == 0:
            return 0.0
        areas = (
            self._pr_interpolated()
            if (self.curve, self.summation_method) == ("PR", "interpolation")
            else self._riemann()
        )
        if not self.multi_label:
            return float(areas.sum())
        by_label = areas.reshape(self.num_thresholds - 1, -1).sum(axis=0)
        return float(np.average(by_label, weights=self.label_weights))

    def _riemann(self) -> np.ndarray:
        """Return the area of each strip between two thresholds."""
        recall = ratio(self.tp, self.tp + self.fn)
        if self.curve == "ROC":
            x, y = ratio(self.fp, self.fp + self.tn), recall
        else:
            x, y = recall, ratio(self.tp, self.tp + self.fp)
        pick = {"interpolation": lambda a, b: (a + b) / 2, "minoring": np.minimum, "majoring": np.maximum}
        return (x[:-1] - x[1:]) * pick[self.summation_method](y[:-1], y[1:])

    def _pr_interpolated(self) -> np.ndarray:
        """Return ``∫ precision`` of each strip; true and false positives grow linearly between thresholds.

        With p = tp + fp, slope = Δtp / Δp and intercept = tp − slope·p:
        ``slope · (Δtp + intercept · log(p_a / p_b)) / (tp + fn)``.
        """
        p = self.tp + self.fp
        dtp, dp = self.tp[:-1] - self.tp[1:], p[:-1] - p[1:]
        slope = ratio(dtp, np.maximum(dp, 0))
        intercept = self.tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        relative = np.divide(p[:-1], p[1:], out=np.ones_like(p[1:]), where=both)
        return ratio(slope * (dtp + intercept * np.log(relative)), self.tp[1:] + self.fn[1:])

    def get_config(self):
        config = super().get_config() | {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }
        return config if self._given is None else config | {"thresholds": self._given}
