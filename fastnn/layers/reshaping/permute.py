"""Permute: the axes of each example in another order."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["Permute"]


class Permute(Layer):
    """y[n, …] is x[n, …] with its axes in the order ``dims``: axis i of y is axis dims[i − 1] of x.

    Parameters
    ----------
    dims : tuple of int
        Each of 1 … rank − 1 once; the batch, axis 0, stays where it is.

    Raises
    ------
    ValueError
        If dims is anything else, or the input has another rank.

    Examples
    --------
    >>> Permute((2, 1))(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])).tolist()
    [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]]
    """

    fields = ("dims",)

    def __init__(self, dims: Sequence[int], **settings: Any):
        super().__init__(**settings)
        try:
            self.dims = tuple(operator.index(axis) for axis in dims)
        except TypeError:
            self.dims = ()
        if not self.dims or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "dims of Permute must hold the axes 1, 2, … of an example, each once and without the batch. Received: "
                f"dims={dims!r}."
            )
        self._back = tuple(1 + self.dims.index(axis) for axis in range(1, len(self.dims) + 1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 + len(self.dims):
            self.refuse_shape(f"an input of rank {1 + len(self.dims)}, for dims={self.dims}", input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return np.ascontiguousarray(x.transpose(0, *self.dims)), None

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return np.ascontiguousarray(dy.transpose(0, *self._back))
