"""True and false positives and negatives at one or more thresholds, and the metrics derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.losses.targets import match
from fastnn.metrics.metric import Metric

__all__ = [
    "COUNTS",
    "Confusion",
    "Counted",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
    "count_confusion",
    "one_class",
    "prepare",
    "ratio",
]  # fmt: skip


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``a / b``, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=np.asarray(b) != 0)


def count_confusion(
    y_true: np.ndarray, y_pred: np.ndarray, thresholds: np.ndarray, weight: np.ndarray | None = None, labels: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return weighted counts of true and false positives, true and false negatives, at each threshold.

    A prediction is positive if it is strictly above the threshold.  Each prediction is counted in the bucket between
    two thresholds; a cumulative sum over the buckets, from the top, gives all thresholds in one pass.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
        With ``labels`` > 1 of shape (N, labels).
    thresholds : (T,)
        Ascending.
    weight : array, optional
        Of the same shape.
    labels : int
        The number of columns, each counted separately.

    Returns
    -------
    tp, fp, tn, fn : (T,), or (T, labels)
    """
    y = np.where(np.isnan(y_pred), -np.inf, y_pred) if y_pred.dtype.kind == "f" else y_pred
    bucket = np.searchsorted(thresholds.astype(np.result_type(y, np.float32)), y.ravel(), side="left")
    if labels > 1:
        bucket = bucket * labels + np.tile(np.arange(labels), len(bucket) // labels)
    weight = np.ones(bucket.size) if weight is None else np.asarray(weight, dtype=np.float64).ravel()
    positive = np.asarray(y_true).ravel().astype(bool)
    size = (len(thresholds) + 1) * labels
    above = []
    for chosen in (positive, ~positive):
        count = np.bincount(bucket, weights=weight * chosen, minlength=size).reshape(-1, labels)
        above.append(np.cumsum(count[::-1], axis=0)[::-1])
    (tp, fp), shape = above, (-1, labels) if labels > 1 else (-1,)
    return tuple(a.reshape(shape) for a in (tp[1:], fp[1:], fp[:1] - fp[1:], tp[:1] - tp[1:]))


COUNTS = (("true_positives", "tp"), ("false_positives", "fp"), ("true_negatives", "tn"), ("false_negatives", "fn"))
"""Keras' names of the counts, and ours."""


class Counted(Metric):
    """A metric made of the four counts, one number for each threshold, which it has by their full names too."""

    tp: Any
    fp: Any
    tn: Any
    fn: Any

    @property
    def true_positives(self) -> Any:
        """Ones predicted above each threshold."""
        return self.tp

    @property
    def false_positives(self) -> Any:
        """Zeros predicted above each threshold."""
        return self.fp

    @property
    def true_negatives(self) -> Any:
        """Zeros predicted at or below each threshold."""
        return self.tn

    @property
    def false_negatives(self) -> Any:
        """Ones predicted at or below each threshold."""
        return self.fn


class Confusion(Counted):
    """Base of the metrics in this file: keeps tp, fp, tn, fn, one number per threshold.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; 0.5 by default.
    top_k : int, optional
        The ``top_k`` largest predictions of each row are positive (if a threshold is given, only those above it).
    class_id : int, optional
        Count only this column.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name, dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else -1e10
        given = [default] if thresholds is None else thresholds if isinstance(thresholds, Sequence) else [thresholds]
        if thresholds is not None and not all(is_number(t) and 0 <= t <= 1 for t in given):
            raise ValueError(f"Thresholds must be numbers in [0, 1]. Received: thresholds={thresholds!r}.")
        self.thresholds = list(given)
        self._order = np.argsort(given, kind="stable")
        self.reset_state()

    def reset_state(self) -> None:
        self.tp, self.fp, self.tn, self.fn = np.zeros((4, len(self.thresholds)))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred, weight = prepare(self.name, y_true, y_pred, sample_weight)
        if self.top_k is not None:
            best = np.argsort(-y_pred, axis=-1, kind="stable")[..., : self.top_k]
            kept = np.full(y_pred.shape, -1e10)
            np.put_along_axis(kept, best, np.take_along_axis(y_pred, best, axis=-1), axis=-1)
            y_pred = kept
        y_true, y_pred, weight = one_class(self, y_true, y_pred, weight)
        counts = count_confusion(y_true, y_pred, np.asarray(self.thresholds, np.float64)[self._order], weight)
        for total, count in zip((self.tp, self.fp, self.tn, self.fn), counts, strict=True):
            total[self._order] += count

    def one_or_all(self, values: np.ndarray) -> Any:
        """Return a number for one threshold, an array for several."""
        return float(values[0]) if len(values) == 1 else values

    def get_config(self):
        return super().get_config() | {
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


def one_class(
    metric: Any, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Targets, predictions and weights of the metric's ``class_id`` alone; all of them where it has none."""
    if metric.class_id is None:
        return y_true, y_pred, weight
    if y_pred.ndim < 2:
        raise ValueError(f"{metric.name} with class_id needs rows of classes. Received: y_pred.shape={y_pred.shape}.")
    if not -y_pred.shape[-1] <= metric.class_id < y_pred.shape[-1]:
        raise ValueError(
            f"{metric.name}: class_id is below the number of classes, {y_pred.shape[-1]}. Received: "
            f"class_id={metric.class_id}."
        )
    chosen = metric.class_id
    return y_true[..., chosen], y_pred[..., chosen], None if weight is None else weight[..., chosen]


def prepare(
    name: str, y_true: Any, y_pred: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return targets, predictions and weights, all of one shape."""
    y_pred = np.asarray(y_pred)
    y_true = match(y_pred.shape, np.asarray(y_true))
    if y_pred.ndim == y_true.ndim - 1 and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{name} needs arrays of one shape. Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}."
        )
    if sample_weight is None:
        return y_true, y_pred, None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim < y_pred.ndim:
        weight = weight.reshape(weight.shape + (1,) * (y_pred.ndim - weight.ndim))
    elif weight.ndim == y_pred.ndim + 1:
        weight = weight[..., 0]
    return y_true, y_pred, np.broadcast_to(weight, y_pred.shape)


class _Count(Confusion):
    """One of the four counts."""

    counts: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(thresholds, name=name, dtype=dtype)

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.kept = (("accumulator", cls.counts),)

    @property
    def accumulator(self) -> Any:
        """The counts, by Keras' name."""
        return getattr(self, self.counts)

    def result(self) -> Any:
        return self.one_or_all(self.accumulator)

    def get_config(self):
        return Metric.get_config(self) | {"thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The number of ones predicted above the threshold."""

    counts = "tp"


class FalsePositives(_Count):
    """The number of zeros predicted above the threshold."""

    counts = "fp"


class TrueNegatives(_Count):
    """The number of zeros predicted at or below the threshold."""

    counts = "tn"


class FalseNegatives(_Count):
    """The number of ones predicted at or below the threshold."""

    counts = "fn"


class Precision(Confusion):
    """``tp / (tp + fp)``: the fraction of predicted positives that are positive.

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [1, 0, 1, 1])
    0.6666666666666666
    """

    direction = "up"
    kept = (("true_positives", "tp"), ("false_positives", "fp"))

    def result(self) -> Any:
        return self.one_or_all(ratio(self.tp, self.tp + self.fp))


class Recall(Confusion):
    """``tp / (tp + fn)``: the fraction of positives that were predicted.

    Examples
    --------
    >>> Recall()([0, 1, 1, 1], [1, 0, 1, 1])
    0.6666666666666666
    """

    direction = "up"
    kept = (("true_positives", "tp"), ("false_negatives", "fn"))

    def result(self) -> Any:
        return self.one_or_all(ratio(self.tp, self.tp + self.fn))
