"""RandomContrast and RandomBrightness: the values of pixels changed at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from .augmentation import Augmentation, Back, factors_of, value_range_of
from .random_affine import drawn

__all__ = ["RandomBrightness", "RandomContrast"]


def column(numbers: np.ndarray, dtype: Any) -> np.ndarray:
    """One number for each image, (N, 1, 1, 1)."""
    return numbers.astype(dtype)[:, None, None, None]


class RandomContrast(Augmentation):
    """y = (x − mean)·f + mean in training, with a factor f for each image and the mean of each of its channels.

    images (N, H, W, C) or (H, W, C) → the same shape, kept within ``value_range``.

    Parameters
    ----------
    factor : float or (lower, upper)
        f is drawn from 1 − lower to 1 + upper; one number stands for both, as Keras documents it.
    value_range : (float, float)
        The least and the greatest value of a pixel.
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> x = np.array([0.0, 100.0]).reshape(1, 1, 2, 1)
    >>> RandomContrast((0.5, -0.5))(x).ravel().tolist()
    [25.0, 75.0]
    """

    fields = ("factor", "value_range", "seed", "data_format")

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **settings: Any):
        super().__init__(seed, **settings)
        if isinstance(factor, (list, tuple)):
            factors_of("factor", factor, self)
            self.factor = (float(factor[0]), float(factor[1]))
        else:
            self.factor = (factors_of("factor", factor, self, 0.0)[1],) * 2
        self.value_range = value_range_of(value_range, self)

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        factor = column(drawn(u[:, 0], (1 - self.factor[0], 1 + self.factor[1])), x.dtype)
        mean = x.mean((1, 2), keepdims=True)
        y = (x - mean) * factor + mean
        kept = (y >= self.value_range[0]) & (y <= self.value_range[1])

        def back(dy: np.ndarray) -> np.ndarray:
            dy = dy * kept
            return dy * factor + dy.mean((1, 2), keepdims=True) * (1 - factor)

        return np.clip(y, *self.value_range).astype(x.dtype), back


class RandomBrightness(Augmentation):
    """y = x + d·(greatest − least value) in training, with a number d for each image.

    images (N, H, W, C) or (H, W, C) → the same shape, kept within ``value_range``.

    Parameters
    ----------
    factor : float or (least, greatest)
        The range of d, within [−1, 1].
    value_range : (float, float)
        The least and the greatest value of a pixel.
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> x = np.array([0.0, 100.0, 250.0]).reshape(1, 1, 3, 1)
    >>> RandomBrightness((0.2, 0.2))(x).ravel().tolist()
    [51.0, 151.0, 255.0]
    """

    fields = ("factor", "value_range", "seed", "data_format")

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **settings: Any):
        super().__init__(seed, **settings)
        self.factor = factors_of("factor", factor, self)
        self.value_range = value_range_of(value_range, self)

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        low, high = self.value_range
        y = x + column(drawn(u[:, 0], self.factor) * (high - low), x.dtype)
        kept = (y >= low) & (y <= high)
        return np.clip(y, low, high).astype(x.dtype), lambda dy: dy * kept
