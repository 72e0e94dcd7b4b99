"""RandomRotation, RandomTranslation, RandomZoom, RandomShear: each image warped by a map of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ...lookup import is_number
from .augmentation import Augmentation, Back, factors_of

__all__ = ["RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"]

_FILL_MODES = ("constant", "nearest", "reflect", "wrap")


class RandomAffine(Augmentation):
    """Base: a subclass writes ``maps``."""

    fields: tuple[str, ...] = ("fill_mode", "interpolation", "fill_value", "seed", "data_format")

    def __init__(
        self, fill_mode: str, interpolation: str, seed: Any, fill_value: Any, data_format: Any, **settings: Any
    ):
        super().__init__(seed, data_format, **settings)
        for name, value, known in (
            ("fill_mode", fill_mode, _FILL_MODES),
            ("interpolation", interpolation, ("nearest", "bilinear")),
        ):
            if not isinstance(value, str) or value not in known:
                raise ValueError(
                    f"{name} of {type(self).__name__} must be one of {', '.join(known)}. Received: {name}={value!r}."
                )
        if not is_number(fill_value):
            raise ValueError(f"fill_value of {type(self).__name__} is a number. Received: fill_value={fill_value!r}.")
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, float(fill_value)

    def maps(self, u: np.ndarray, height: int, width: int) -> list[Any]:
        """a0, a1, a2, b0, b1, b2, numbers or one for each image: pixel (i, j) is taken from row b0·j + b1·i + b2."""
        raise NotImplementedError

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        maps = self.maps(u, *x.shape[1:3])
        table = np.stack([np.broadcast_to(np.asarray(m, np.float64), len(x)) for m in maps], axis=1)
        steps = np.rint(table * 2.0**32).astype(np.int64)
        how, beyond = self.interpolation, self.fill_mode
        y = active().warp2d_forward(x, steps, how, beyond, self.fill_value)
        return y, lambda dy: active().warp2d_backward(dy, steps, how, beyond)


def drawn(u: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """Numbers in a range, from numbers in [0, 1)."""
    return factors[0] + u * (factors[1] - factors[0])


class RandomRotation(RandomAffine):
    """Each image turned about its centre by a random angle, in training.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    factor : float or (least, greatest)
        Parts of a full turn, counter-clockwise where positive: 0.1 for −36° to 36°.
    fill_mode : {"reflect", "constant", "wrap", "nearest"}
        What is beyond the image: its mirror image, ``fill_value``, the image again, its nearest pixel.
    interpolation : {"bilinear", "nearest"}
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.
    fill_value : float
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> RandomRotation((0.25, 0.25))(x)[0, :, :, 0].round(3).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """

    fields = ("factor", *RandomAffine.fields)

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **settings)
        self.factor = factors_of("factor", factor, self)

    def maps(self, u: np.ndarray, height: int, width: int) -> list[Any]:
        angle = 2 * np.pi * drawn(u[:, 0], self.factor)
        cos, sin, h, w = np.cos(angle), np.sin(angle), height - 1, width - 1
        return [cos, -sin, (w - cos * w + sin * h) / 2, sin, cos, (h - sin * w - cos * h) / 2]


class RandomTranslation(RandomAffine):
    """Each image shifted by random parts of its height and width, in training.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    height_factor, width_factor : float or (least, greatest)
        Parts of the height, downwards where positive, and of the width, to the right.
    fill_mode : {"reflect", "constant", "wrap", "nearest"}
    interpolation : {"bilinear", "nearest"}
    seed : int, optional
    fill_value : float
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> x = np.arange(4.0).reshape(1, 1, 4, 1)
    >>> RandomTranslation(0, (0.25, 0.25), fill_mode="constant")(x).ravel().tolist()
    [0.0, 0.0, 1.0, 2.0]
    """

    draws = 2
    fields = ("height_factor", "width_factor", *RandomAffine.fields)

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **settings)
        self.height_factor = factors_of("height_factor", height_factor, self)
        self.width_factor = factors_of("width_factor", width_factor, self)

    def maps(self, u: np.ndarray, height: int, width: int) -> list[Any]:
        down, right = drawn(u[:, 0], self.height_factor) * height, drawn(u[:, 1], self.width_factor) * width
        return [1, 0, -right, 0, 1, -down]


class RandomZoom(RandomAffine):
    """Each image made larger or smaller about its centre, in training.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    height_factor, width_factor : float or (least, greatest)
        0.2 shows 20% more of the height: the image gets smaller; −0.2 makes it larger.  Without ``width_factor`` both
        axes get the same.
    fill_mode : {"reflect", "constant", "wrap", "nearest"}
    interpolation : {"bilinear", "nearest"}
    seed : int, optional
    fill_value : float
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> x = np.arange(5.0).reshape(1, 1, 5, 1)
    >>> RandomZoom(0, (-0.5, -0.5))(x).ravel().tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """

    draws = 2
    fields = ("height_factor", "width_factor", *RandomAffine.fields)

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **settings)
        self.height_factor = factors_of("height_factor", height_factor, self)
        self.width_factor = None if width_factor is None else factors_of("width_factor", width_factor, self)

    def maps(self, u: np.ndarray, height: int, width: int) -> list[Any]:
        rows = 1 + drawn(u[:, 0], self.height_factor)
        columns = rows if self.width_factor is None else 1 + drawn(u[:, 1], self.width_factor)
        return [columns, 0, (width - 1) / 2 * (1 - columns), 0, rows, (height - 1) / 2 * (1 - rows)]


class RandomShear(RandomAffine):
    """Each image slanted, in training: columns move with the row, and rows with the column.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    x_factor, y_factor : float or (least, greatest)
        From 0 to 1; the direction is drawn.
    interpolation : {"bilinear", "nearest"}
    fill_mode : {"reflect", "constant", "wrap", "nearest"}
    fill_value : float
    data_format : {"channels_last", "channels_first"}
    seed : int, optional

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> x = np.ones((1, 3, 3, 1))
    >>> bool((RandomShear(0.5)(x) == x).all())
    True
    """

    draws = 3
    fields = ("x_factor", "y_factor", *RandomAffine.fields)

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **settings: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **settings)
        self.x_factor = factors_of("x_factor", x_factor, self, 0.0)
        self.y_factor = factors_of("y_factor", y_factor, self, 0.0)

    def maps(self, u: np.ndarray, height: int, width: int) -> list[Any]:
        turn = np.where(u[:, 0] < 0.5, 1, -1)
        return [1, drawn(u[:, 1], self.x_factor) * turn, 0, drawn(u[:, 2], self.y_factor) * turn, 1, 0]
