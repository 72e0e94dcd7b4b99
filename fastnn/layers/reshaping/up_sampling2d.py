"""UpSampling2D: images made larger by whole factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.arguments import sizes
from ..support.images import ImageLayer

__all__ = ["UpSampling2D"]


class UpSampling2D(ImageLayer):
    """Make images ``size`` times as high and as wide.

    Parameters
    ----------
    size : int or (rows, columns)
    data_format : {"channels_last", "channels_first"}
    interpolation : {"nearest", "bilinear"}
        "nearest" repeats each pixel; "bilinear" weighs the two nearest pixels along each axis by their distance.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or the interpolation is another one.

    Examples
    --------
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> UpSampling2D((1, 2))(x).ravel().tolist()
    [0.0, 0.0, 4.0, 4.0]
    >>> UpSampling2D((1, 2), interpolation="bilinear")(x).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    fields = ("size", "data_format", "interpolation")

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **settings: Any
    ):
        super().__init__(data_format=data_format, **settings)
        self.size = sizes("size", size, self)
        self.interpolation = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if self.interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                'interpolation of UpSampling2D must be "nearest" or "bilinear". Received: '
                f'interpolation={interpolation!r}. Use interpolation="bilinear" for smooth images.'
            )

    def output_shape_last(self, input_shape: Shape) -> Shape:
        n, h, w, c = input_shape
        return n, h * self.size[0], w * self.size[1], c

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        return active().resize2d_forward(x, self.output_shape_last(x.shape)[1:3], self.interpolation), x.shape

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return active().resize2d_backward(dy, ctx, self.interpolation) if need_dx else None
