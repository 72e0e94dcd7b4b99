"""Borders of images: zeros added around them, or rows and columns cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...shapes import MOST
from ..base import Shape
from ..support.images import ImageLayer

__all__ = ["Cropping2D", "ZeroPadding2D"]


class ZeroPadding2D(ImageLayer):
    """Add rows and columns of zeros around each image.

    Parameters
    ----------
    padding : int, (rows, columns) or ((top, bottom), (left, right))
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If padding has another form or a negative number.

    Examples
    --------
    >>> ZeroPadding2D(1)(np.ones((1, 2, 2, 3), "float32")).shape
    (1, 4, 4, 3)
    """

    fields = ("padding", "data_format")

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **settings: Any):
        super().__init__(data_format=data_format, **settings)
        self.padding = _both_sides("padding", padding, self)

    def output_shape_last(self, input_shape: Shape) -> Shape:
        (top, bottom), (left, right) = self.padding
        n, h, w, c = input_shape
        return n, h + top + bottom, w + left + right, c

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, None]:
        return np.pad(x, ((0, 0), *self.padding, (0, 0))), None

    def backward_last(self, dy: np.ndarray, ctx: None, need_dx: bool = True) -> np.ndarray:
        (top, bottom), (left, right) = self.padding
        _, h, w, _ = dy.shape
        return np.ascontiguousarray(dy[:, top : h - bottom, left : w - right])


class Cropping2D(ImageLayer):
    """Cut rows and columns off each image.

    Parameters
    ----------
    cropping : int, (rows, columns) or ((top, bottom), (left, right))
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If cropping has another form or a negative number, or leaves no pixel.

    Examples
    --------
    >>> Cropping2D(((1, 0), (0, 2)))(np.arange(9.0).reshape(1, 3, 3, 1)).ravel().tolist()
    [3.0, 6.0]
    """

    fields = ("cropping", "data_format")

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **settings: Any):
        super().__init__(data_format=data_format, **settings)
        self.cropping = _both_sides("cropping", cropping, self)

    def output_shape_last(self, input_shape: Shape) -> Shape:
        n, h, w, c = input_shape
        rows, columns = h - sum(self.cropping[0]), w - sum(self.cropping[1])
        if rows < 1 or columns < 1:
            axis, length = ("height", h) if rows < 1 else ("width", w)
            raise ValueError(f"cropping={self.cropping} leaves none of the {length} pixels along the {axis}.")
        return n, rows, columns, c

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, None]:
        (top, bottom), (left, right) = self.cropping
        _, h, w, _ = x.shape
        return np.ascontiguousarray(x[:, top : h - bottom, left : w - right]), None

    def backward_last(self, dy: np.ndarray, ctx: None, need_dx: bool = True) -> np.ndarray:
        return np.pad(dy, ((0, 0), *self.cropping, (0, 0)))


def _both_sides(name: str, value: Any, layer: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = value if isinstance(value, Sequence) and len(value) == 2 else (value, value)
    sides = [tuple(p) if isinstance(p, Sequence) else (p, p) for p in (rows, columns)]
    if any(len(s) != 2 or any(not isinstance(n, (int, np.integer)) or not 0 <= n < MOST for n in s) for s in sides):
        raise ValueError(
            f"{name} of {type(layer).__name__} must be n, (rows, columns) or ((top, bottom), (left, right)), of "
            f"integers from 0 to 2**31 - 1. Received: {name}={value!r}."
        )
    return sides[0], sides[1]
