"""The cross-entropy that fits the shapes of predictions and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.losses import targets
from fastnn.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    OnLogits,
    SparseCategoricalCrossentropy,
)
from fastnn.losses.loss import Loss

__all__ = ["Crossentropy"]


class Crossentropy(Loss):
    """The loss for ``"ce"`` or ``"crossentropy"``: binary, sparse or categorical, depending on the shapes.

    Predictions with one value: binary.  Targets with fewer axes than predictions, or with one value: sparse.
    Otherwise categorical.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "crossentropy", dtype: Any = None
    ):
        super().__init__(reduction, name, dtype)
        words = {"reduction": reduction, "name": self.name}
        self._binary = BinaryCrossentropy(**words)
        self._sparse = SparseCategoricalCrossentropy(**words)
        self._categorical = CategoricalCrossentropy(**words)

    def choose(self, y_shape: Any, t_shape: Any) -> BinaryCrossentropy | CategoricalCrossentropy:
        """Return the cross-entropy for predictions and targets of these shapes."""
        if y_shape[-1] == 1:
            return self._binary
        return self._sparse if len(t_shape) < len(y_shape) or t_shape[-1] == 1 else self._categorical

    def check_targets(self, y_shape, t):
        t = np.asarray(t)
        return self.choose(y_shape, t.shape).check_targets(y_shape, t)

    def forward(self, y, t):
        loss = self.choose(y.shape, np.shape(t))
        losses, ctx = loss.forward(y, np.asarray(t))
        return losses, (loss, ctx)

    def backward(self, scale, ctx):
        return ctx[0].backward(scale, ctx[1])

    def on_logits(self, activation):
        return OnLogits(self, activation) if activation in ("softmax", "sigmoid") else None

    def forward_logits(self, z: np.ndarray, t: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses, p, ctx)`` from logits."""
        loss = self.choose(z.shape, np.shape(t))
        if loss.activation == activation:
            losses, p, ctx = loss.forward_logits(z, t, activation)
            return losses, p, (loss, ctx, None, None)
        kernels = backend.active()
        p = kernels.softmax_forward(z) if activation == "softmax" else kernels.activation_forward(z, "sigmoid")
        losses, ctx = loss.forward(p, t)
        return losses, p, (loss, ctx, z, p)

    def backward_logits(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient with respect to the logits."""
        loss, ctx, z, p = ctx
        if z is None:
            return loss.backward_logits(scale, ctx)
        dp = loss.backward(scale, ctx)
        if loss.activation == "sigmoid":
            return backend.active().softmax_backward(dp, p)
        return backend.active().activation_backward(dp, z, p, "sigmoid")

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        return self.forward(y, np.asarray(y_true))[0].reshape(y.shape[:-1])
