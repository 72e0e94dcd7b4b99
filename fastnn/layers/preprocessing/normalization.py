"""Normalization: numbers shifted and scaled to mean 0 and variance 1, with statistics of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.arguments import flag
from ..support.array_checks import read_values
from .adapting import batches_of

__all__ = ["Normalization"]

_EPSILON = 1e-7


class Normalization(Layer):
    """y = (x − mean) / max(√variance, 10⁻⁷), or back with ``invert``.

    x of any shape → y of the same shape.

    Parameters
    ----------
    axis : int, tuple of int or None
        Axes whose places have statistics of their own; −1: each feature; None: one mean and variance for all.
    mean, variance : float or array, optional
        Instead of ``adapt``: both or none.
    invert : bool
        y = mean + x · max(√variance, 10⁻⁷).

    Attributes
    ----------
    mean, variance : array
        With the rank of the input, once the layer is built.

    Raises
    ------
    ValueError
        If only one of mean and variance is given, or an axis is not one of the input.

    Examples
    --------
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0, 10.0], [2.0, 30.0]]))
    >>> layer(np.array([[0.0, 30.0]])).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        axes = () if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
        if not isinstance(axes, Sequence) or any(
            isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes
        ):
            raise ValueError(f"axis of Normalization must be an integer, several, or None. Received: axis={axis!r}.")
        if any(a == 0 for a in axes):
            raise ValueError("Normalization keeps no statistics for each row of a batch. Received: 0 in axis.")
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization needs both mean and variance, or neither. Received: mean={mean!r}, "
                f"variance={variance!r}. Use adapt(data) to find them."
            )
        self.axis = tuple(int(a) for a in axes)
        self.invert = flag("invert", invert, self)
        self.input_mean, self.input_variance = self._given("mean", mean), self._given("variance", variance)
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self.count: Any = None

    def _given(self, name: str, value: Any) -> Any:
        """Numbers as they are written down: a float or nested lists."""
        if value is None:
            return None
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all():
            raise ValueError(f"{name} of Normalization must be finite numbers. Received: {name}={value!r}.")
        if name == "variance" and (numbers < 0).any():
            raise ValueError(f"variance of Normalization must not be negative. Received: variance={value!r}.")
        return numbers.astype(np.float64).tolist()

    def build(self, input_shape: Shape) -> None:
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            self.refuse_shape(f"an input with the axes {self.axis}", input_shape)
        self._kept = tuple(sorted(a % rank for a in self.axis))
        kept = tuple(input_shape[a] for a in self._kept)
        if None in kept:
            self.refuse_shape(f"a known size of the axes {self.axis}", input_shape)
        self._spread = tuple(n if a in self._kept else 1 for a, n in enumerate(input_shape))
        if self.input_mean is not None:
            for value in (self.input_mean, self.input_variance):
                self._spread_over(np.asarray(value), input_shape)
            return
        self.adapt_mean = self.add_weight(kept, "zeros", trainable=False, name="mean")
        self.adapt_variance = self.add_weight(kept, "ones", trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def _spread_over(self, numbers: np.ndarray, input_shape: Any = None) -> np.ndarray:
        """Statistics with the rank of the input, axis by axis from the right."""
        shape = [1] * len(self._spread)
        if numbers.ndim > len(self._kept):
            numbers = numbers.reshape([n for n in numbers.shape if n != 1] or [])
        for place, length in zip(reversed(self._kept), reversed(numbers.shape), strict=False):
            shape[place] = length
        if numbers.ndim > len(self._kept) or any(n not in (1, s) for n, s in zip(shape, self._spread, strict=True)):
            self.refuse_shape(
                f"statistics that fit its axes {self.axis}, and got numbers of shape {numbers.shape}", input_shape
            )
        return np.broadcast_to(numbers.reshape(shape), self._spread).astype(self.dtype)

    @property
    def mean(self) -> Any:
        """The mean, with the rank of the input; None before the layer is built."""
        return self._statistic(self.input_mean, self.adapt_mean)

    @property
    def variance(self) -> Any:
        """The variance, with the rank of the input; None before the layer is built."""
        return self._statistic(self.input_variance, self.adapt_variance)

    def _statistic(self, given: Any, found: Any) -> Any:
        if not self.built:
            return None
        return self._spread_over(np.asarray(given)) if found is None else found.value.reshape(self._spread)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Find mean and variance; those found before are forgotten.

        Parameters
        ----------
        data : array (N, …), Dataset or other iterable of batches
        batch_size : accepted; it has no effect
        steps : int, optional
            The number of batches to read from an iterable.

        Raises
        ------
        ValueError
            If they were given to the constructor, the data are empty, or their shape is another.
        """
        if self.input_mean is not None:
            raise ValueError(
                "adapt of Normalization cannot replace statistics that were given. Received: mean and variance. Use "
                "adapt or these, not both."
            )
        count, mean, variance = 0, np.float64(0), np.float64(0)
        for batch in batches_of(data, steps):
            x = np.asarray(batch)
            if x.dtype.kind not in "biuf":
                read_values(x, self)  # says what to do
            self._fit_shape(x)
            around = tuple(a for a in range(x.ndim) if a not in self._kept)
            size = math.prod(x.shape[a] for a in around)
            share = size / (count + size)
            own = x.mean(around, np.float64)
            difference = own - mean
            variance = (1 - share) * variance + share * x.var(around, np.float64) + share * (1 - share) * difference**2
            mean = mean + share * difference
            count += size
        if not count:
            raise ValueError("adapt of Normalization needs data. Received: none.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)
        self.count.assign(np.float64(count))

    def _fit_shape(self, x: np.ndarray) -> None:
        """Build for the first data, and hold the next against them."""
        if not x.size:
            raise ValueError(f"adapt of Normalization needs data. Received: an array of shape {x.shape}.")
        shape = (None, *x.shape[1:])
        if not self.built:
            self.build(shape)
        if x.ndim != len(self._spread) or any(x.shape[a] != self._spread[a] for a in self._kept):
            self.refuse_shape(f"data with {self._spread} at the axes {self.axis}, as it was built for", shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        scale = np.maximum(np.sqrt(self.variance), np.asarray(_EPSILON, x.dtype))
        if self.invert:
            return self.mean + x * scale, scale
        return (x - self.mean) / scale, 1 / scale

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        for p in self.weights:
            p.grad[...] = 0
        return dy * ctx if need_dx else None

    def get_config(self) -> dict[str, Any]:
        axis: Any = list(self.axis) if len(self.axis) > 1 else self.axis[0] if self.axis else None
        return {
            **super().get_config(),
            "axis": axis,
            "invert": self.invert,
            "mean": self.input_mean,
            "variance": self.input_variance,
        }
