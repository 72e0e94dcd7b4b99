"""Adafactor: squared gradients of a matrix remembered by the means of its rows and columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.optimizers.each_parameter import EachParameter, decayed

__all__ = ["Adafactor"]


class Adafactor(EachParameter):
    """``v = r·c / mean(r)``, r, c the means of g² over the last axes; ``w −= α·u / max(1, rms(u)/d)``, u = g/√v.

    ``α = max(ε₂, rms(w))·min(η, 1/√t)``; the means forget by ``1 − t^beta_2_decay``. Vectors keep v itself.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_2_decay : float
    epsilon_1, epsilon_2 : float
        Added to g²; the least size that a parameter counts with.
    clip_threshold : float
        d, the largest root mean square of a step.
    relative_step : bool
        Accepted as in Keras, where the bound 1/√t holds either way.
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    Shazeer, Stern: Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, ICML 2018.
    """

    slots = ("row", "column", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self._check(epsilon_1=epsilon_1, epsilon_2=epsilon_2)
        if not is_number(beta_2_decay) or beta_2_decay > 0:
            raise ValueError(f"beta_2_decay is a number, 0 or less. Received: beta_2_decay={beta_2_decay!r}.")
        if not is_number(clip_threshold) or clip_threshold <= 0:
            raise ValueError(f"clip_threshold is a number above 0. Received: clip_threshold={clip_threshold!r}.")
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, bool(relative_step)

    def update_one(self, kernels, parameter, w, g, slots, learning_rate, weight_decay):
        decayed(w, learning_rate, weight_decay)
        t = self.current_step
        keep = 1 - float(t) ** self.beta_2_decay
        size = max(self.epsilon_2, _rms(kernels, w)) * min(learning_rate, 1 / math.sqrt(t))
        squares = g * g + g.dtype.type(self.epsilon_1)
        row, column, v = slots
        if g.ndim < 2:
            _toward(v, squares, keep)
        else:
            row, column = _factors(row, column)
            _toward(row, squares.mean(axis=-1), keep)
            _toward(column, squares.mean(axis=-2), keep)
            np.multiply((row / row.mean(axis=-1, keepdims=True))[..., None], column[..., None, :], out=v)
        u = g / np.sqrt(v)
        w -= u * u.dtype.type(size / max(1.0, _rms(kernels, u) / self.clip_threshold))

    def listed(self, parameter, slots):
        row, column, v = slots
        return [*_factors(row, column), v] if v.ndim > 1 else [np.zeros(()), np.zeros(()), v]

    def get_config(self):
        return super().get_config() | {
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(kernels: Any, x: np.ndarray) -> float:
    return math.sqrt(kernels.sum_of_squares(x.reshape(-1)) / x.size) if x.size else 0.0


def _toward(mean: np.ndarray, value: np.ndarray, keep: float) -> None:
    mean *= mean.dtype.type(keep)
    mean += mean.dtype.type(1 - keep) * value


def _factors(row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The means over the last axis and over the one before, at the beginning of arrays of the parameter's shape."""
    shape = row.shape
    r, c = shape[:-1], (*shape[:-2], shape[-1])
    return row.reshape(-1)[: math.prod(r)].reshape(r), column.reshape(-1)[: math.prod(c)].reshape(c)
