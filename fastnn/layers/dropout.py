"""Dropout: in training each cell is 0 with probability ``rate``; the others grow by 1 / (1 − rate)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import utils
from ..backend import active
from .base import Layer, Shape
from .counts import fraction

__all__ = ["Dropout"]


class Dropout(Layer):
    """y = mask·x / (1 − rate) in training, y = x otherwise.

    The mask is a function of the layer's key and of how often it has run, so a run repeats from its seed.

    Parameters
    ----------
    rate : float
        Share of cells set to zero, from 0 to 1.
    seed : int, optional
        A fixed start of the masks; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If rate is not in [0, 1].

    References
    ----------
    Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.

    Examples
    --------
    >>> x = np.ones((2, 3), "float32")
    >>> bool((Dropout(0.5)(x) == x).all())
    True
    """

    supports_masking = True
    fields = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **settings: Any):
        super().__init__(**settings)
        self.rate, self.seed, self.calls = fraction("rate", rate, self), seed, 0

    def build(self, input_shape: Shape) -> None:
        self.key = utils.draw_key() if self.seed is None else int(self.seed) % (1 << 64)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not training or self.rate == 0:
            return x, None
        call = self.calls
        self.calls = call + 1
        return active().dropout_forward(x, self.rate, self.key, call), call

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy if ctx is None else active().dropout_backward(dy, self.rate, self.key, ctx)
