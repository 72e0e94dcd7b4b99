"""A loss that is called within a ``GradientTape``: one operation, from predictions to the number."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.graph import Operation, given_out
from fastnn.losses import targets
from fastnn.losses.reduction import reduce_values

__all__ = ["call_on_tape"]


class _Weighted(Operation):
    """``Σ scale·values``, or the products themselves; targets have no gradient."""

    def __init__(self, loss: Any, scale: np.ndarray):
        self.loss, self.scale, self.name = loss, scale, loss.name

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> list[Any]:
        dy = np.asarray(dy, self.scale.dtype)
        factors = self.scale * (dy.reshape(self.scale.shape) if dy.ndim else dy)
        return [None, self.loss.backward(factors, ctx)]


def call_on_tape(loss: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """The loss as a tensor, which the open tapes know; with ``reduction=None`` the values."""
    y = targets.real(y_pred)
    t = loss.check_targets(y.shape, np.asarray(y_true))
    values, ctx = loss.forward(y, t)
    counts = loss.counts(values, t)
    if loss.reduction in ("none", None):
        shape = next((s for s in (loss.values_shape(y.shape), y.shape) if np.prod(s) == values.size), values.shape)
        scale = reduce_values(None, np.ones(shape, y.dtype), sample_weight, counts)
        found = values.reshape(shape) * scale
        scale = np.ascontiguousarray(scale).reshape(values.shape)
    else:
        weight = None if sample_weight is None else np.asarray(sample_weight)
        scale = loss.scale(values.size if values.ndim else None, weight, values.dtype, None, counts)
        found = np.asarray((values * scale).sum())
    return given_out(_Weighted(loss, scale), [y_true, y_pred], found, ctx, True)
