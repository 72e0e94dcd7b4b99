"""RepeatVector: one vector at every time step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.arguments import positive

__all__ = ["RepeatVector"]


class RepeatVector(Layer):
    """x (N, D) → (N, n, D), the same vector n times.

    Parameters
    ----------
    n : int

    Raises
    ------
    TypeError, ValueError
        If n is not a positive integer, or the input is not made of vectors.

    Examples
    --------
    >>> RepeatVector(2)(np.array([[1.0, 2.0]])).tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """

    fields = ("n",)

    def __init__(self, n: int, **settings: Any):
        super().__init__(**settings)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            raise TypeError(f"n of RepeatVector is a positive integer. Received: n={n!r}.")
        self.n = positive("n", n, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            self.refuse_shape("vectors, (batch, features)", input_shape)
        return (input_shape[0], self.n, input_shape[1])

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        return np.repeat(x[:, None], self.n, axis=1), None

    def backward(self, dy: np.ndarray, ctx: None) -> np.ndarray:
        return dy.sum(axis=1)
