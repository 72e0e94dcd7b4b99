"""Masking: time steps whose features all have one value do not count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["Masking"]


class Masking(Layer):
    """x (B, T, …, D) → the same with zeros in steps whose features all equal ``mask_value``; they are masked.

    Parameters
    ----------
    mask_value : float

    Examples
    --------
    >>> x = np.array([[[1.0, 2.0], [9.0, 9.0], [9.0, 3.0]]], "float32")
    >>> layer = Masking(9)
    >>> layer(x).tolist(), layer.compute_mask(x).tolist()
    ([[[1.0, 2.0], [0.0, 0.0], [9.0, 3.0]]], [[True, False, True]])
    """

    makes_mask = True
    supports_masking = True
    fields = ("mask_value",)

    def __init__(self, mask_value: float = 0.0, **settings: Any):
        super().__init__(**settings)
        if isinstance(mask_value, bool) or not isinstance(mask_value, (int, float, np.number)):
            raise ValueError(f"mask_value of Masking must be a number. Received: mask_value={mask_value!r}.")
        self.mask_value = float(mask_value)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 3:
            self.refuse_shape(
                "sequences (batch, time, features)", input_shape, "For one number per time step use x[..., None]."
            )
        return input_shape

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        return (x != x.dtype.type(self.mask_value)).any(axis=-1)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        gone = ~self.compute_mask(x)
        y = x.copy()
        y[gone] = 0
        return y, gone

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        dx = dy.copy()
        dx[ctx] = 0
        return dx
