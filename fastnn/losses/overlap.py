"""Losses of regions: how far two maps of memberships, such as masks of images, overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import ops
from fastnn.lookup import is_number
from fastnn.losses import targets
from fastnn.losses.loss import Loss

__all__ = ["Dice", "Tversky"]

_EPSILON = 1e-7
Axis = int | Sequence[int] | None


class _Overlap(Loss):
    """Base of both: sums over some axes, or over all."""

    def __init__(self, axis: Axis, reduction, name, dtype):
        super().__init__(reduction, name, dtype)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = tuple(targets.check_axis(one) for one in axis)
        else:
            self.axis = axis if axis is None else targets.check_axis(axis)

    def values_shape(self, y_shape):
        if self.axis is None:
            return ()
        summed = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        for one in summed:
            targets.axis_last(y_shape, one)
        gone = {one % len(y_shape) for one in summed}
        return tuple(size for i, size in enumerate(y_shape) if i not in gone)

    def check_targets(self, y_shape, t):
        self.values_shape(y_shape)
        t = targets.same_shape(self.name, y_shape, np.asarray(t))
        targets.refuse_nan(self.name, t)
        return t

    def get_config(self):
        return super().get_config() | {"axis": self.axis}


class Dice(_Overlap):
    """``1 − 2·Σ t·y / (Σ t + Σ y + 1e-7)``: 0 where memberships agree, 1 where none is shared.

    Parameters
    ----------
    axis : int or tuple of int, optional
        The axes of the sums. None: all, so that the loss of a batch is one number; ``(1, 2, 3)`` is one for each image.

    Examples
    --------
    >>> round(float(Dice()([[1.0, 0.0]], [[1.0, 1.0]])), 3)
    0.333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ):
        super().__init__(axis, reduction, name, dtype)

    def call(self, y_true, y_pred):
        t = targets.like(y_true, y_pred)
        shared = ops.sum(t * y_pred, axis=self.axis)
        total = ops.sum(t, axis=self.axis) + ops.sum(y_pred, axis=self.axis)
        return 1 - 2 * shared / (total + _EPSILON)


class Tversky(_Overlap):
    """``1 − Σ t·y / (Σ t·y + α·Σ t·(1 − y) + β·Σ (1 − t)·y + 1e-7)``; α = β = ½ is Dice's.

    Parameters
    ----------
    alpha : float
        Weight of what is missed.
    beta : float
        Weight of what is predicted wrongly.
    axis : int or tuple of int, optional
        The axes of the sums; None: all.

    Notes
    -----
    Keras calls α that of false positives, but computes with the formula above.
    Source: Salehi and others, "Tversky loss function for image segmentation" (2017).

    Examples
    --------
    >>> round(float(Tversky(alpha=0.3, beta=0.7)([[1.0, 0.0]], [[1.0, 1.0]])), 3)
    0.412
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ):
        super().__init__(axis, reduction, name, dtype)
        if not is_number(alpha) or not is_number(beta):
            raise ValueError(f"alpha and beta are numbers. Received: alpha={alpha!r}, beta={beta!r}.")
        self.alpha, self.beta = alpha, beta

    def call(self, y_true, y_pred):
        t = targets.like(y_true, y_pred)
        shared = ops.sum(t * y_pred, axis=self.axis)
        missed = ops.sum(t * (1 - y_pred), axis=self.axis)
        wrong = ops.sum((1 - t) * y_pred, axis=self.axis)
        return 1 - shared / (shared + missed * self.alpha + wrong * self.beta + _EPSILON)

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha, "beta": self.beta}
