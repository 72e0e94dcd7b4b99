"""RMSNormalization: every row over its root mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.row_norm import RowNorm, axes_argument, axes_within, checked_epsilon, flat, known_sizes

__all__ = ["RMSNormalization"]


class RMSNormalization(RowNorm):
    """y = x / √(mean of x² + epsilon) · scale, the mean over ``axis``.

    x → y of the same shape.  Weight: scale, of the sizes of ``axis``.

    Parameters
    ----------
    axis : int or list of int
        What one mean is taken over; default the last axis.  With several the order does not matter.
    epsilon : float

    Raises
    ------
    TypeError, ValueError
        If axis or epsilon is anything else, the input has no such axis, or its size is not known.

    References
    ----------
    Zhang and Sennrich: Root Mean Square Layer Normalization, 2019, arXiv 1910.07467.

    Examples
    --------
    >>> RMSNormalization(epsilon=0.0)(np.array([[2.0, -2.0], [3.0, 3.0]])).tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """

    fields = ("axis", "epsilon")

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **settings: Any):
        super().__init__(**settings)
        self.axis, self.epsilon = axes_argument(axis, self), checked_epsilon(epsilon, self)
        self.scale: Any = None

    def build(self, input_shape: Shape) -> None:
        sizes = known_sizes(axes_within(self.axis, input_shape, self), input_shape, self)
        self.scale = self.add_weight(sizes, "ones", name="scale")

    def normalize(self, rows: np.ndarray, residual: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None, Any]:
        return active().rms_norm_forward(rows, flat(self.scale.value), residual, self.epsilon)

    def gradient(
        self, dy: np.ndarray, rows: np.ndarray, statistics: Any, dtotal: np.ndarray | None, need_dx: bool
    ) -> np.ndarray | None:
        scale, slope = flat(self.scale.value), flat(self.scale.grad)
        return active().rms_norm_backward(dy, rows, statistics, scale, dtotal, need_dx=need_dx, dgamma=slope)[0]
