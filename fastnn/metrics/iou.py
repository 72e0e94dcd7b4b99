"""Intersection over union: how far predicted regions and true ones are the same, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.checks import count
from fastnn.lookup import is_number
from fastnn.metrics.metric import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """``tp / (tp + fp + fn)`` of each target class, averaged over those that occur.

    Parameters
    ----------
    num_classes : int
    target_class_ids : sequence of int
        The classes that are averaged.
    ignore_class : int, optional
        A label whose places count for nothing.
    sparse_y_true, sparse_y_pred : bool
        True for integer labels; False for one-hot rows, or scores.
    axis : int
        The axis of the classes, where they are not sparse.

    Notes
    -----
    Labels outside of [0, num_classes) count for nothing.

    Examples
    --------
    >>> round(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    direction = "up"
    kept = (("total_confusion_matrix", "total_cm"),)

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name, "int64" if dtype is None else dtype)
        self.num_classes = count("num_classes", num_classes, 1)
        self.target_class_ids = [int(k) for k in target_class_ids]
        if not self.target_class_ids or not all(0 <= k < num_classes for k in self.target_class_ids):
            raise ValueError(
                f"target_class_ids are from 0 to {num_classes - 1}. Received: target_class_ids={target_class_ids!r}."
            )
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)
        self.reset_state()

    def reset_state(self) -> None:
        self.total_cm = np.zeros((self.num_classes, self.num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, y = np.asarray(y_true), np.asarray(y_pred)
        t = t if self.sparse_y_true else t.argmax(axis=self.axis)
        y = y if self.sparse_y_pred else y.argmax(axis=self.axis)
        shape = t.shape
        t, y = t.reshape(-1).astype(np.int64), y.reshape(-1).astype(np.int64)
        if t.size != y.size:
            raise ValueError(
                f"{self.name} needs a label for each prediction. Received: y_true with {t.size} labels, y_pred with "
                f"{y.size}. Use sparse_y_pred=False for scores of classes, and sparse_y_true=False for one-hot targets."
            )
        counts = (t >= 0) & (t < self.num_classes) & (y >= 0) & (y < self.num_classes)
        if self.ignore_class is not None:
            counts &= t != self.ignore_class
        weight = None
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)
            if weight.size != t.size:
                weight = np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)
            weight = weight.reshape(-1)[counts]
        cells = np.bincount(t[counts] * self.num_classes + y[counts], weight, minlength=self.num_classes**2)
        self.total_cm += cells.reshape(self.num_classes, -1)

    def result(self) -> float:
        shared = np.diag(self.total_cm)
        union = (self.total_cm.sum(axis=0) + self.total_cm.sum(axis=1) - shared)[self.target_class_ids]
        occur = union > 0
        return float(np.mean(shared[self.target_class_ids][occur] / union[occur])) if occur.any() else 0.0

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {name: value for name, value in IoU.get_config(self).items() if name not in names}


class BinaryIoU(IoU):
    """``tp / (tp + fp + fn)`` of classes 0 and 1; predictions of at least ``threshold`` are class 1.

    Examples
    --------
    >>> round(BinaryIoU(target_class_ids=[1])([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]), 4)
    0.5
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        if not is_number(threshold):
            raise ValueError(f"threshold is a number. Received: threshold={threshold!r}.")
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true, np.asarray(y_pred) >= self.threshold, sample_weight)

    def get_config(self):
        found = self._config_without("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return found | {"threshold": self.threshold}


class MeanIoU(IoU):
    """``tp / (tp + fp + fn)``, averaged over all classes that occur.

    Examples
    --------
    >>> round(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        classes = range(count("num_classes", num_classes, 1))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """``IoU`` of one-hot targets and scores of classes.

    Examples
    --------
    >>> y = [[0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.5, 0.3, 0.1], [0.1, 0.4, 0.5]]
    >>> round(OneHotIoU(num_classes=3, target_class_ids=[0, 2])(np.eye(3)[[2, 0, 1, 0]], y), 4)
    0.1667
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """``MeanIoU`` of one-hot targets and scores of classes."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("target_class_ids", "sparse_y_true")
