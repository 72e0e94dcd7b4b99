"""Rescaling: numbers into another range, pixels into 0 … 1 above all."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """y = x · scale + offset, in training and in inference.

    x of any shape → y of the same shape, in the layer's dtype.

    Parameters
    ----------
    scale : float, or sequence of float
        ``1 / 255`` for pixels; several numbers are those of the last axis.
    offset : float, or sequence of float

    Raises
    ------
    TypeError, ValueError
        If these are not finite numbers, or do not fit the last axis.

    Examples
    --------
    >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]], np.uint8)).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True
    fields = ("scale", "offset")

    def __init__(self, scale: Any, offset: Any = 0.0, **settings: Any):
        super().__init__(**settings)
        self.scale, self.offset = self._read("scale", scale), self._read("offset", offset)

    def _read(self, name: str, value: Any) -> Any:
        """A float, or a list of floats."""
        numbers = np.asarray(value) if isinstance(value, (int, float, list, tuple, np.ndarray, np.generic)) else None
        if numbers is None or numbers.dtype.kind not in "iuf" or numbers.ndim > 1 or not np.isfinite(numbers).all():
            raise ValueError(
                f"{name} of Rescaling must be a finite number, or one for each place of the last axis. Received: "
                f"{name}={value!r}. Use Rescaling(1 / 255) for pixels."
            )
        return numbers.astype(np.float64).tolist()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for name in self.fields:
            numbers = getattr(self, name)
            if isinstance(numbers, list) and len(numbers) != 1 and input_shape[-1] not in (None, len(numbers)):
                self.refuse_shape(f"{len(numbers)} features on the last axis, as many as {name} has", input_shape)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        scale, offset = (np.asarray(numbers, x.dtype) for numbers in (self.scale, self.offset))
        return x * scale + offset, scale

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return dy * ctx if need_dx else None
