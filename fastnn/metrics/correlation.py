"""How far predictions rise and fall with their targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.losses.targets import fit, real
from fastnn.metrics.metric import MeanMetricWrapper

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]


def _both(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    y = real(y_pred)
    return fit(y, np.asarray(y_true)), y


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> np.ndarray:
    """``mean((t − mean t)·(y − mean y)) / (σ_t·σ_y)`` along an axis; NaN where one does not vary.

    Examples
    --------
    >>> pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]]).round(6).tolist()
    [1.0]
    """
    t, y = _both(y_true, y_pred)
    t, y = t - t.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mean(t / t.std(axis=axis, keepdims=True) * (y / y.std(axis=axis, keepdims=True)), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> np.ndarray:
    """``2·cov(t, y) / (σ_t² + σ_y² + (mean t − mean y)² + 1e-7)`` along an axis: 1 only where y equals t.

    Examples
    --------
    >>> concordance_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]]).round(4).tolist()
    [0.5714]
    """
    t, y = _both(y_true, y_pred)
    middle_t, middle_y = t.mean(axis=axis, keepdims=True), y.mean(axis=axis, keepdims=True)
    spread = t.var(axis=axis, keepdims=True) + y.var(axis=axis, keepdims=True) + np.square(middle_t - middle_y)
    return np.mean(2 * (t - middle_y) * (y - middle_y) / (spread + y.dtype.type(1e-7)), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of ``pearson_correlation`` over all examples.

    Parameters
    ----------
    axis : int
        The axis along which values are compared.
    """

    direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "axis": self.axis}


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of ``concordance_correlation`` over all examples.

    Parameters
    ----------
    axis : int
        The axis along which values are compared.
    """

    direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "axis": self.axis}
