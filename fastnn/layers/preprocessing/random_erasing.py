"""RandomErasing: a rectangle of each image overwritten at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ...lookup import is_number
from .augmentation import Augmentation, Back, factors_of, value_range_of
from .random_affine import drawn

__all__ = ["RandomErasing"]


class RandomErasing(Augmentation):
    """A random rectangle of each image becomes noise or one value, in training.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    factor : float or (least, greatest)
        With what probability an image is changed, from 0 to 1; of a range a probability is drawn for each image.  One
        number f stands for the range from 0 to f, as in Keras.
    scale : (float, float)
        The least and the greatest share of the height, and of the width, squared.
    fill_value : float, or three of them for the channels, optional
        None: normal noise, times the greatest value of ``value_range``, kept within it.
    value_range : (float, float)
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Zhong et al.: Random Erasing Data Augmentation, 2017.

    Examples
    --------
    >>> x = np.ones((1, 4, 4, 1))
    >>> y = RandomErasing((1, 1), (0.25, 0.25), fill_value=0)(x)
    >>> int(y.sum())
    12
    """

    draws = 6
    fields = ("factor", "scale", "fill_value", "value_range", "seed", "data_format")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(seed, data_format, **settings)
        self.factor, self.scale = factors_of("factor", factor, self, 0.0), factors_of("scale", scale, self, 0.0)
        several = isinstance(fill_value, (list, tuple)) and len(fill_value) == 3 and all(map(is_number, fill_value))
        if fill_value is not None and not is_number(fill_value) and not several:
            raise ValueError(
                f"fill_value of RandomErasing is a number, three of them, or None. Received: fill_value={fill_value!r}."
            )
        self.fill_value, self.value_range = fill_value, value_range_of(value_range, self)

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        sides = np.sqrt(drawn(u[:, :2], self.scale)) * x.shape[1:3]
        starts = u[:, 2:4] * (np.array(x.shape[1:3]) - sides)
        erased = u[:, 5] < drawn(u[:, 4], self.factor)
        inside = [
            (np.arange(n) >= starts[:, axis, None]) & (np.arange(n) < (starts + sides)[:, axis, None])
            for axis, n in enumerate(x.shape[1:3])
        ]
        chosen = (inside[0][:, :, None] & inside[1][:, None, :] & erased[:, None, None])[..., None]
        return np.where(chosen, self._filling(x), x), lambda dy: np.where(chosen, 0, dy).astype(dy.dtype)

    def _filling(self, x: np.ndarray) -> np.ndarray:
        low, high = self.value_range
        if self.fill_value is not None:
            return np.clip(np.asarray(self.fill_value, x.dtype), low, high).astype(x.dtype)
        z = active().random_normal(x.size, self.key ^ 1, self.last_draw, x.dtype.name).reshape(x.shape)
        return np.clip(z * x.dtype.type(high), low, high).astype(x.dtype)
