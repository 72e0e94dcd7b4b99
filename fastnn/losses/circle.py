"""Circle loss: embeddings of one class come together, those of different classes apart.

Source: Sun and others, "Circle Loss: A Unified Perspective of Pair Similarity Optimization" (2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import ops
from fastnn.graph import TracedFunction
from fastnn.lookup import is_number
from fastnn.losses.loss import Loss

__all__ = ["Circle"]

_NOTHING = -1e30  # what a sum of exponentials does not see


class Circle(Loss):
    """``softplus(log Σ₊ exp(γ·(m + d)₊·(d − m)) + log Σ₋ exp(γ·(1 + m − d)₊·(1 − m − d)))``, d = 1 − u·v.

    Σ₊ is over the embeddings of the same label, Σ₋ over the others, all in the batch. An embedding without either has
    loss 0, and the mean is over the rest.

    Parameters
    ----------
    gamma : float
        The scale of similarities.
    margin : float
    remove_diagonal : bool
        Whether an embedding is none of its own class's.

    Notes
    -----
    Predictions are embeddings of length 1: let the model end in ``UnitNormalization()``. Targets are integer labels.

    Examples
    --------
    >>> round(float(Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])), 4)
    0.6484
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
        if not is_number(gamma) or not is_number(margin):
            raise ValueError(f"gamma and margin are numbers. Received: gamma={gamma!r}, margin={margin!r}.")
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, bool(remove_diagonal)
        self._pulls = TracedFunction(self._values, wanted=2)

    def check_targets(self, y_shape, t):
        if len(y_shape) != 2:
            raise ValueError(
                f"{self.name} needs one embedding for each example, shape (N, C). Received: predictions of shape "
                f"{tuple(y_shape)}. Use Flatten() or GlobalAveragePooling1D() before the last layers."
            )
        t = np.asarray(t)
        t = t[:, 0] if t.ndim == 2 and t.shape[1] == 1 else t
        if t.ndim != 1 or t.dtype.kind not in "biuf" or np.any(t != np.rint(t)):
            raise ValueError(
                f"{self.name} needs one integer label for each example. Received: targets of shape {t.shape}, "
                f"dtype {t.dtype}. Use y.argmax(axis=-1) for one-hot rows."
            )
        return t.astype(np.int64)

    def _pairs(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs are of one class, and which of two."""
        same = t[:, None] == t
        return (same & ~np.eye(len(t), dtype=bool) if self.remove_diagonal else same), ~same

    def _values(self, near: Any, far: Any, y: Any) -> Any:
        d = ops.maximum(1 - ops.matmul(y, ops.transpose(y)), 0.0)
        pull = self.gamma * ops.maximum(self.margin + d, 0.0) * (d - self.margin)
        push = self.gamma * ops.maximum(1 + self.margin - d, 0.0) * (1 - self.margin - d)
        pulled = ops.logsumexp(ops.where(near, pull, _NOTHING), axis=1)
        return ops.softplus(pulled + ops.logsumexp(ops.where(far, push, _NOTHING), axis=1))

    def call(self, y_true, y_pred):
        return self._values(*self._pairs(np.asarray(y_true)), y_pred)

    def forward(self, y, t):
        return self._pulls.forward(*self._pairs(t), y)

    def backward(self, scale, ctx):
        return self._pulls.backward(np.ascontiguousarray(scale), ctx)

    def counts(self, values, t):
        return values.reshape(-1) > 0

    def get_config(self):
        return super().get_config() | {
            "gamma": self.gamma, "margin": self.margin, "remove_diagonal": self.remove_diagonal
        }  # fmt: skip
