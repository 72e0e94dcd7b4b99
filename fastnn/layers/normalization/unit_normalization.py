"""UnitNormalization: every row to length 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ..support.row_norm import RowNorm, axes_argument

__all__ = ["UnitNormalization"]

SHORTEST = 1e-12
"""Rows whose length is below it are multiplied by its reciprocal, as in Keras."""


class UnitNormalization(RowNorm):
    """y = x / |x|, the Euclidean length taken over ``axis``.

    x → y of the same shape.  A row shorter than 10⁻¹² is multiplied by 10¹² instead, so that a row of zeros stays one.

    Parameters
    ----------
    axis : int or list of int
        What one length is taken over; default the last axis.

    Raises
    ------
    TypeError, ValueError
        If axis is anything else, the input has no such axis, or its size is not known.

    Examples
    --------
    >>> UnitNormalization(dtype="float64")(np.array([[3.0, 4.0], [0.0, 0.0]])).round(4).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """

    fields = ("axis",)
    takes_residual = False

    def __init__(self, axis: int | Sequence[int] = -1, **settings: Any):
        super().__init__(**settings)
        self.axis = axes_argument(axis, self)

    def normalize(self, rows: np.ndarray, residual: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None, Any]:
        # 1 / √(mean x²) is √C / |x|: with a γ of 1/√C what comes out is x / |x|.
        width = rows.shape[1]
        gamma = np.full(width, 1 / math.sqrt(width), rows.dtype)
        y, _, rrms = active().rms_norm_forward(rows, gamma, None, 0.0)
        short = rrms > math.sqrt(width) / SHORTEST
        if short.any():
            y[short] = rows[short] / rows.dtype.type(SHORTEST)
        return y, None, (rrms, gamma, short)

    def gradient(
        self, dy: np.ndarray, rows: np.ndarray, statistics: Any, dtotal: np.ndarray | None, need_dx: bool
    ) -> np.ndarray | None:
        rrms, gamma, short = statistics
        if not need_dx:
            return None
        dx, _ = active().rms_norm_backward(dy, rows, rrms, gamma, dtotal, need_dgamma=False)
        if short.any():
            dx[short] = dy[short] / rows.dtype.type(SHORTEST)
        return dx
