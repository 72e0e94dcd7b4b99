"""ActivityRegularization: a penalty on the numbers that pass through."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import regularizers
from ..base import Layer, Shape

__all__ = ["ActivityRegularization"]


class ActivityRegularization(Layer):
    """y = x; adds (l1·Σ|x| + l2·Σx²) / N to the loss, N the size of the batch.

    Parameters
    ----------
    l1, l2 : float

    Raises
    ------
    ValueError
        If one of them is not a number ≥ 0.

    Examples
    --------
    >>> ActivityRegularization(l2=0.1)(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True
    fields = ("l1", "l2")

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **settings: Any):
        if "activity_regularizer" in settings:
            raise TypeError(
                "ActivityRegularization takes l1 and l2. Received: "
                f"activity_regularizer={settings['activity_regularizer']!r}. Use ActivityRegularization(l2=0.01)."
            )
        penalty = regularizers.L1L2(l1, l2)
        super().__init__(activity_regularizer=penalty, **settings)
        self.l1, self.l2 = penalty.l1, penalty.l2

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return x, None

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy
