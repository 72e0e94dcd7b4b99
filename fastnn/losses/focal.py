"""Focal cross-entropies: each factor (1 − p)^γ takes weight from what is predicted well already.

Source: Lin and others, "Focal Loss for Dense Object Detection" (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import backend, ops
from fastnn.graph import TracedFunction
from fastnn.lookup import is_number
from fastnn.losses import targets
from fastnn.losses.crossentropy import OnLogits
from fastnn.losses.loss import Loss

__all__ = ["BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"]

_EPSILON = 1e-7


class _Focal(Loss):
    """Base of both: their options, and values along an axis."""

    def __init__(self, alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype):
        super().__init__(reduction, name, dtype)
        if not is_number(label_smoothing) or not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"label_smoothing must be a number from 0 to 1. Received: label_smoothing={label_smoothing!r}."
            )
        if not is_number(gamma) or gamma < 0:
            raise ValueError(f"gamma is a number, 0 or more. Received: gamma={gamma!r}.")
        self.alpha, self.gamma, self.axis = alpha, gamma, targets.check_axis(axis)
        self.from_logits, self.label_smoothing = bool(from_logits), float(label_smoothing)

    def values_shape(self, y_shape):
        return tuple(targets.axis_last(y_shape, self.axis)[:-1])

    def get_config(self):
        return super().get_config() | {
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
            "alpha": self.alpha,
            "gamma": self.gamma,
        }


class BinaryFocalCrossentropy(_Focal):
    """``mean((1 − q)^γ · (−t·log p − (1 − t)·log(1 − p)))``, q = t·p + (1 − t)·(1 − p).

    Parameters
    ----------
    apply_class_balancing : bool
        Whether classes 1 and 0 are weighted by α and 1 − α.
    alpha, gamma : float
    from_logits : bool
        True if the predictions have not passed through a sigmoid.
    label_smoothing : float
        ε in [0, 1]: targets become ``t·(1 − ε) + ε/2``.
    axis : int
        The axis of the mean.

    Examples
    --------
    >>> round(float(BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)
        if not is_number(alpha):
            raise ValueError(f"alpha is a number. Received: alpha={alpha!r}.")
        self.apply_class_balancing = bool(apply_class_balancing)
        self._on_logits = TracedFunction(self._of_logits, wanted=1)

    def check_targets(self, y_shape, t):
        self.values_shape(y_shape)
        return targets.chances(self.name, y_shape, t)

    def _of_logits(self, t: Any, z: Any) -> Any:
        t = self._smooth(t)
        return self._focus(t, ops.sigmoid(z), ops.binary_crossentropy(t, z, from_logits=True))

    def _smooth(self, t: Any) -> Any:
        return t * (1 - self.label_smoothing) + 0.5 * self.label_smoothing if self.label_smoothing else t

    def _focus(self, t: Any, p: Any, entropy: Any) -> Any:
        values = (1 - (t * p + (1 - t) * (1 - p))) ** self.gamma * entropy
        if self.apply_class_balancing:
            values = (t * self.alpha + (1 - t) * (1 - self.alpha)) * values
        return ops.mean(values, axis=self.axis)

    def call(self, y_true, y_pred):
        t = targets.like(y_true, y_pred)
        if self.from_logits:
            return self._of_logits(t, y_pred)
        t = self._smooth(t)
        return self._focus(t, y_pred, ops.binary_crossentropy(t, y_pred))

    def on_logits(self, activation):
        return OnLogits(self, activation) if activation == "sigmoid" and not self.from_logits else None

    def forward_logits(self, z: np.ndarray, t: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses, p, ctx)`` from logits."""
        values, ctx = self._on_logits.forward(targets.fit(z, t), z)
        return values.reshape(-1), backend.active().activation_forward(z, "sigmoid"), (ctx, values.shape)

    def backward_logits(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient with respect to the logits."""
        trace, shape = ctx
        dz = self._on_logits.backward(scale.reshape(shape), trace)
        assert dz is not None  # the values depend on z
        return dz

    def get_config(self):
        return super().get_config() | {"apply_class_balancing": self.apply_class_balancing}


class CategoricalFocalCrossentropy(_Focal):
    """``Σ α·(1 − p)^γ · (−t·log p)`` for one-hot targets; p is normalized and clipped to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    alpha : float or sequence of float
        One weight for all classes, or one for each.
    gamma : float
    from_logits : bool
        True if the predictions have not passed through a softmax.
    label_smoothing : float
        ε in [0, 1]: targets become ``t·(1 − ε) + ε/C``.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):
        weights = np.asarray(alpha).tolist()
        if not all(is_number(one) for one in (weights if isinstance(weights, list) else [weights])):
            raise ValueError(f"alpha is a number, or a list with one for each class. Received: alpha={alpha!r}.")
        super().__init__(weights, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)

    def check_targets(self, y_shape, t):
        classes = targets.axis_last(y_shape, self.axis)[-1]
        if isinstance(self.alpha, list) and len(self.alpha) != classes:
            raise ValueError(
                f"alpha has one weight for each of {classes} classes. Received: {len(self.alpha)}, {self.alpha}."
            )
        return targets.one_hot(self.name, y_shape, t, self.axis)

    def call(self, y_true, y_pred):
        p = ops.softmax(y_pred, axis=self.axis) if self.from_logits else y_pred
        classes = ops.shape(y_pred)[self.axis]
        t = targets.like(y_true, y_pred)
        t = t * (1 - self.label_smoothing) + self.label_smoothing / classes if self.label_smoothing else t
        p = ops.clip(p / ops.sum(p, axis=self.axis, keepdims=True), _EPSILON, 1 - _EPSILON)
        return ops.sum(self._weights(len(ops.shape(p))) * (1 - p) ** self.gamma * -t * ops.log(p), axis=self.axis)

    def _weights(self, axes: int) -> Any:
        """The weights of the classes, shaped to stand along their axis."""
        if not isinstance(self.alpha, list):
            return self.alpha
        shape = [1] * axes
        shape[self.axis] = len(self.alpha)
        return ops.reshape(self.alpha, shape)
