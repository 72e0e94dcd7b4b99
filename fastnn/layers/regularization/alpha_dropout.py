"""AlphaDropout: dropout that keeps the mean and the variance of selu's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.arguments import check_noise, fraction, noise_shape_of
from ..support.drawing import DrawingLayer

__all__ = ["AlphaDropout"]

_FLOOR = -1.7580993408473766
"""What selu gives far below zero, −scale·alpha: the value of a dropped cell."""


class AlphaDropout(DrawingLayer):
    """y = a·x + b where a cell is kept and a·α′ + b where it is dropped, α′ = −1.758, in training; y = x otherwise.

    a = ((1 − rate)·(1 + rate·α′²))^−½ and b = −a·α′·rate keep a mean of 0 and a variance of 1 as they are.

    Parameters
    ----------
    rate : float
        Share of cells that are dropped, at least 0 and below 1.
    noise_shape : tuple of int or None, optional
        Shape of the mask, which is stretched over axes of length 1; None means the length of the input's axis.
    seed : int, optional
        A fixed start of the masks; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If rate is not in [0, 1), or noise_shape does not stretch over the input.

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter: Self-Normalizing Neural Networks, 2017.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((100, 100))
    >>> y = AlphaDropout(0.3, seed=1)(x, training=True)
    >>> round(y.mean().item(), 1) + 0, round(y.std().item(), 1)
    (0.0, 1.0)
    """

    fields = ("rate", "noise_shape", "seed")

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **settings: Any,
    ):
        super().__init__(seed, **settings)
        self.rate = fraction("rate", rate, self)
        if self.rate == 1:
            raise ValueError(
                "rate of AlphaDropout must be below 1: where all cells are dropped, no factor restores their variance. "
                f"Received: rate={rate!r}."
            )
        self.noise_shape = noise_shape_of(noise_shape, self)
        self.slope = ((1 - self.rate) * (1 + self.rate * _FLOOR**2)) ** -0.5
        self.offset = -self.slope * _FLOOR * self.rate

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_noise(self.noise_shape, input_shape, self)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if not training or self.rate == 0:
            return x, None
        noise = self.noise_shape or x.shape
        shape = [n if k is None else k for k, n in zip(noise, x.shape, strict=True)]
        bits = active().random_bits(int(np.prod(shape)), self.key, self.next_call()).reshape(shape)
        kept = bits < (1 - self.rate) * 2.0**32
        number = x.dtype.type
        dropped = number(self.slope * _FLOOR + self.offset)
        return np.where(kept, x * number(self.slope) + number(self.offset), dropped), kept

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        if ctx is None:
            return dy
        return np.where(ctx, dy * dy.dtype.type(self.slope), dy.dtype.type(0))
