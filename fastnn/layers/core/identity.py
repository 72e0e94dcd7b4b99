"""Identity: a place in a model where nothing happens."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["Identity"]


class Identity(Layer):
    """y = x.

    Examples
    --------
    >>> Identity()(np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """

    supports_masking = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return x, None

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy
