"""Flatten and Reshape: the same numbers, row by row, in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.arguments import image_format

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """(N, …) → (N, product of the rest), row by row; a batch of numbers (N,) becomes (N, 1).

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}
        "channels_first" images are turned to channels last first, as Keras does.

    Examples
    --------
    >>> Flatten()(np.zeros((2, 28, 28), "float32")).shape
    (2, 784)
    """

    fields = ("data_format",)

    def __init__(self, data_format: str | None = None, **settings: Any):
        super().__init__(**settings)
        self.data_format = image_format(data_format, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if self.data_format == "channels_first" and x.ndim > 2:
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        dx = dy.reshape(ctx)
        if self.data_format == "channels_first" and dx.ndim > 2:
            return np.ascontiguousarray(np.moveaxis(dx, -1, 1))
        return dx


class Reshape(Layer):
    """(N, …) → (N, *target_shape), row by row.

    Parameters
    ----------
    target_shape : tuple of int
        Shape of one example; one entry may be −1.

    Raises
    ------
    ValueError
        If the numbers of cells differ.

    Examples
    --------
    >>> Reshape((28, 28, 1))(np.zeros((2, 784), "float32")).shape
    (2, 28, 28, 1)
    """

    fields = ("target_shape",)

    def __init__(self, target_shape: Sequence[int], **settings: Any):
        super().__init__(**settings)
        self.target_shape = tuple(target_shape) if isinstance(target_shape, Sequence) else (target_shape,)
        ok = all(isinstance(n, (int, np.integer)) and (n > 0 or n == -1) for n in self.target_shape)
        if not ok or self.target_shape.count(-1) > 1:
            raise ValueError(
                "target_shape of Reshape must hold positive integers and at most one -1. Received: "
                f"target_shape={target_shape!r}."
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        rest, target = input_shape[1:], self.target_shape
        if None in rest:
            return (input_shape[0], *(None if n == -1 else n for n in target))
        cells, given = math.prod(rest), math.prod(n for n in target if n != -1)
        if cells % given or (-1 not in target and cells != given):
            self.refuse_shape(f"examples with as many cells as target_shape={target}", input_shape)
        return (input_shape[0], *(cells // given if n == -1 else n for n in target))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return x.reshape(self.compute_output_shape(x.shape)), x.shape

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy.reshape(ctx)
