"""Resizing, CenterCrop and RandomCrop: images of a given height and width."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ...lookup import is_number
from ..base import Shape
from ..support.arguments import flag, positive
from .augmentation import Augmentation, Back

__all__ = ["CenterCrop", "RandomCrop", "Resizing", "best_crop"]


def best_crop(height: int, width: int, to_height: int, to_width: int) -> tuple[slice, slice]:
    """The largest part in the middle of an image that has the proportions of another size.

    Examples
    --------
    >>> best_crop(340, 500, 200, 200)
    (slice(0, 340, None), slice(80, 420, None))
    """
    rows = max(min(height, int(width * to_height / to_width)), 1)
    columns = max(min(width, int(height * to_width / to_height)), 1)
    top, left = int((height - rows) / 2), int((width - columns) / 2)
    return slice(top, top + rows), slice(left, left + columns)


class _Sized(Augmentation):
    """Base: images of ``height`` and ``width``, the same in training and out of it."""

    training_by_default = False
    fields: tuple[str, ...] = ("height", "width", "data_format")

    def __init__(self, height: Any, width: Any, seed: Any = None, data_format: Any = None, **settings: Any):
        super().__init__(seed, data_format, **settings)
        self.height, self.width = positive("height", height, self), positive("width", width, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        *front, a, _, c = super().compute_output_shape(input_shape)
        last = self.data_format == "channels_last"
        return (*front, self.height, self.width, c) if last else (*front, a, self.height, self.width)

    def forward(self, x: np.ndarray, training: bool | None = False) -> tuple[np.ndarray, Any]:
        return super().forward(x, False)

    def resized(self, x: np.ndarray, rows: slice, columns: slice, how: str = "bilinear") -> tuple[np.ndarray, Back]:
        """A part of each image in the wanted size."""
        part = np.ascontiguousarray(x[:, rows, columns])
        same = part.shape[1:3] == (self.height, self.width)

        def back(dy: np.ndarray) -> np.ndarray:
            dx = np.zeros(x.shape, dy.dtype)
            dx[:, rows, columns] = dy if same else active().resize2d_backward(dy, part.shape, how)
            return dx

        return (part if same else active().resize2d_forward(part, (self.height, self.width), how)), back

    def in_the_middle(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        """The middle of images that are large enough, else the best part of their middle, resized."""
        spare = (x.shape[1] - self.height, x.shape[2] - self.width)
        if min(spare) < 0:
            return self.resized(x, *best_crop(x.shape[1], x.shape[2], self.height, self.width))
        top, left = spare[0] // 2, spare[1] // 2
        return self.resized(x, slice(top, top + self.height), slice(left, left + self.width))


class Resizing(_Sized):
    """Images of another height and width, in training and out of it.

    images (N, H, W, C) or (H, W, C) → (N, height, width, C) or (height, width, C).

    Parameters
    ----------
    height, width : int
    interpolation : {"bilinear", "nearest"}
    crop_to_aspect_ratio : bool
        Whether the proportions stay, and what is too much is cut off on both sides.
    pad_to_aspect_ratio : bool
        Whether the proportions stay, and what lacks is filled on both sides.
    fill_mode : {"constant"}
    fill_value : float
        What is filled in.
    antialias : bool
        False: pixels are weighed by distance alone.
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> Resizing(1, 4)(x).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    fields = (
        "height",
        "width",
        "interpolation",
        "crop_to_aspect_ratio",
        "pad_to_aspect_ratio",
        "fill_mode",
        "fill_value",
        "antialias",
        "data_format",
    )

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(height, width, None, data_format, **settings)
        for name, value, known in (
            ("interpolation", interpolation, ("bilinear", "nearest")),
            ("fill_mode", fill_mode, ("constant",)),
            ("antialias", antialias, (False,)),
        ):
            if value not in known:
                raise ValueError(
                    f"{name} of Resizing must be {' or '.join(map(repr, known))}. Received: {name}={value!r}. "
                    "Use Pillow in Dataset.map for others."
                )
        self.crop_to_aspect_ratio = flag("crop_to_aspect_ratio", crop_to_aspect_ratio, self)
        self.pad_to_aspect_ratio = flag("pad_to_aspect_ratio", pad_to_aspect_ratio, self)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError("Resizing crops or pads to keep proportions. Received: both.")
        if not is_number(fill_value):
            raise ValueError(f"fill_value of Resizing is a number. Received: fill_value={fill_value!r}.")
        self.interpolation, self.fill_mode, self.antialias = interpolation, fill_mode, bool(antialias)
        self.fill_value = float(fill_value)

    def rest(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        height, width = x.shape[1:3]
        if self.crop_to_aspect_ratio:
            return self.resized(x, *best_crop(height, width, self.height, self.width), self.interpolation)
        if not self.pad_to_aspect_ratio:
            return self.resized(x, slice(None), slice(None), self.interpolation)
        top = max(int(width * self.height / self.width) - height, 0) // 2
        left = max(int(height * self.width / self.height) - width, 0) // 2
        room = np.full((len(x), height + 2 * top, width + 2 * left, x.shape[3]), self.fill_value, x.dtype)
        room[:, top : top + height, left : left + width] = x
        y, back = self.resized(room, slice(None), slice(None), self.interpolation)
        return y, lambda dy: back(dy)[:, top : top + height, left : left + width]


class CenterCrop(_Sized):
    """The middle of images, in training and out of it; smaller images are cut to the proportions and resized.

    images (N, H, W, C) or (H, W, C) → (N, height, width, C) or (height, width, C).

    Parameters
    ----------
    height, width : int
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If a size is no positive integer.

    Examples
    --------
    >>> CenterCrop(1, 2)(np.arange(4.0).reshape(1, 1, 4, 1)).ravel().tolist()
    [1.0, 2.0]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **settings: Any):
        super().__init__(height, width, None, data_format, **settings)

    def rest(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        return self.in_the_middle(x)


class RandomCrop(_Sized):
    """A random part of images in training, the same place for all of a batch; the middle of them out of training.

    images (N, H, W, C) or (H, W, C) → (N, height, width, C) or (height, width, C); smaller images are cut to the
    proportions and resized.

    Parameters
    ----------
    height, width : int
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If a size is no positive integer.

    Examples
    --------
    >>> RandomCrop(2, 2)(np.ones((3, 5, 4, 1))).shape
    (3, 2, 2, 1)
    """

    training_by_default = True
    draws = 2
    fields = ("height", "width", "seed", "data_format")

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **settings: Any
    ):
        super().__init__(height, width, seed, data_format, **settings)

    def forward(self, x: np.ndarray, training: bool | None = False) -> tuple[np.ndarray, Any]:
        return Augmentation.forward(self, x, training)

    def rest(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        return self.in_the_middle(x)

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        spare = (x.shape[1] - self.height, x.shape[2] - self.width)
        if min(spare) < 0 or not len(x):
            return self.in_the_middle(x)
        top, left = (int(share * (n + 1)) for share, n in zip(u[0], spare, strict=True))
        return self.resized(x, slice(top, top + self.height), slice(left, left + self.width))
