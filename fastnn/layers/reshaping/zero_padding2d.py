"""ZeroPadding2D: a border of zeros around images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Shape
from ..support.images import ImageLayer

__all__ = ["ZeroPadding2D"]


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
        self.padding = _both_sides(padding)

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


def _both_sides(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = padding if isinstance(padding, Sequence) and len(padding) == 2 else (padding, padding)
    sides = [tuple(p) if isinstance(p, Sequence) else (p, p) for p in (rows, columns)]
    if any(len(s) != 2 or any(not isinstance(n, (int, np.integer)) or n < 0 for n in s) for s in sides):
        raise ValueError(
            "padding of ZeroPadding2D is n, (rows, columns) or ((top, bottom), (left, right)). Received: "
            f"padding={padding!r}."
        )
    return sides[0], sides[1]
