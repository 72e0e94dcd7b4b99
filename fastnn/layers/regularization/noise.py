"""Normal noise in training: added to the numbers, or multiplied with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import active
from ...lookup import is_number
from ..support.arguments import fraction
from ..support.drawing import DrawingLayer

__all__ = ["GaussianDropout", "GaussianNoise"]


class _NormalLayer(DrawingLayer):
    stddev: float

    def normals(self, x: np.ndarray) -> np.ndarray:
        """New normal numbers of the shape and dtype of x, of deviation ``stddev``."""
        z = active().random_normal(x.size, self.key, self.next_call(), x.dtype.name).reshape(x.shape)
        z *= x.dtype.type(self.stddev)
        return z


class GaussianNoise(_NormalLayer):
    """y = x + stddev·z in training, z normal; y = x otherwise.

    Parameters
    ----------
    stddev : float
        Standard deviation, ≥ 0.
    seed : int, optional
        A fixed start of the noise; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If stddev is not a number ≥ 0.

    References
    ----------
    Bishop: Training with Noise is Equivalent to Tikhonov Regularization, 1995.

    Examples
    --------
    >>> layer = GaussianNoise(0.1, seed=1)
    >>> x = np.zeros((100, 100), "float32")
    >>> layer(x).any().item(), round(layer(x, training=True).std().item(), 2)
    (False, 0.1)
    """

    fields = ("stddev", "seed")

    def __init__(self, stddev: float, seed: int | None = None, **settings: Any):
        super().__init__(seed, **settings)
        if not is_number(stddev) or stddev < 0:
            raise ValueError(f"stddev of GaussianNoise must be a number ≥ 0. Received: stddev={stddev!r}.")
        self.stddev = float(stddev)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not training or self.stddev == 0:
            return x, None
        y = self.normals(x)
        y += x
        return y, None

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy


class GaussianDropout(_NormalLayer):
    """y = x·(1 + z·√(rate / (1 − rate))) in training, z normal; y = x otherwise.

    The factor has the mean and the deviation of dropout's, 0 or 1 / (1 − rate).

    Parameters
    ----------
    rate : float
        At least 0 and below 1.
    seed : int, optional
        A fixed start of the factors; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If rate is not in [0, 1).

    References
    ----------
    Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014, section 10.

    Examples
    --------
    >>> y = GaussianDropout(0.2, seed=1)(np.ones((100, 100), "float32"), training=True)
    >>> round(y.mean().item(), 2), round(y.std().item(), 2)
    (1.0, 0.5)
    """

    fields = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **settings: Any):
        super().__init__(seed, **settings)
        self.rate = fraction("rate", rate, self)
        if self.rate == 1:
            raise ValueError(
                "rate of GaussianDropout must be below 1, where the deviation of its factors, √(rate / (1 − rate)), "
                f"has no bound. Received: rate={rate!r}."
            )
        self.stddev = math.sqrt(self.rate / (1 - self.rate))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not training or self.rate == 0:
            return x, None
        factors = self.normals(x)
        factors += 1
        return x * factors, factors

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return dy if ctx is None else dy * ctx
