"""Sequences made longer or shorter: zeros at the ends, steps cut off, steps repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..support.series import SeriesLayer, one_size

__all__ = ["Cropping1D", "UpSampling1D", "ZeroPadding1D"]


class ZeroPadding1D(SeriesLayer):
    """Add time steps of zeros at both ends.

    Parameters
    ----------
    padding : int or (before, after)
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        If padding has another form or a negative number.

    Examples
    --------
    >>> ZeroPadding1D((2, 1))(np.ones((1, 4, 3), "float32")).shape
    (1, 7, 3)
    """

    fields = ("padding", "data_format")

    def __init__(self, padding: Any = 1, data_format: str | None = None, **settings: Any):
        super().__init__(data_format=data_format, **settings)
        self.padding = _ends("padding", padding, self)

    def output_length(self, length: int, channels: int) -> int:
        return length + sum(self.padding)

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, None]:
        return np.pad(x, ((0, 0), self.padding, (0, 0))), None

    def backward_last(self, dy: np.ndarray, ctx: None, need_dx: bool = True) -> np.ndarray:
        before, after = self.padding
        return np.ascontiguousarray(dy[:, before : dy.shape[1] - after])


class Cropping1D(SeriesLayer):
    """Cut time steps off both ends.

    Parameters
    ----------
    cropping : int or (before, after)

    Raises
    ------
    ValueError
        If cropping has another form or a negative number, or leaves no time step.

    Examples
    --------
    >>> Cropping1D((2, 1))(np.ones((1, 4, 3), "float32")).shape
    (1, 1, 3)
    """

    fields = ("cropping",)

    def __init__(self, cropping: Any = (1, 1), **settings: Any):
        super().__init__(**settings)
        self.cropping = _ends("cropping", cropping, self)

    def output_length(self, length: int, channels: int) -> int:
        left = length - sum(self.cropping)
        if left < 1:
            raise ValueError(f"cropping={self.cropping} leaves none of {length} time steps.")
        return left

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        before, after = self.cropping
        return np.ascontiguousarray(x[:, before : x.shape[1] - after]), None

    def backward_last(self, dy: np.ndarray, ctx: None, need_dx: bool = True) -> np.ndarray:
        return np.pad(dy, ((0, 0), self.cropping, (0, 0)))


class UpSampling1D(SeriesLayer):
    """Repeat each time step ``size`` times.

    Parameters
    ----------
    size : int

    Examples
    --------
    >>> UpSampling1D(2)(np.array([[[1.0], [5.0]]])).ravel().tolist()
    [1.0, 1.0, 5.0, 5.0]
    """

    fields = ("size",)

    def __init__(self, size: Any = 2, **settings: Any):
        super().__init__(**settings)
        self.size = one_size("size", size, self)

    def output_length(self, length: int, channels: int) -> int:
        return length * self.size

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, None]:
        return np.repeat(x, self.size, axis=1), None

    def backward_last(self, dy: np.ndarray, ctx: None, need_dx: bool = True) -> np.ndarray:
        n, t, c = dy.shape
        return dy.reshape(n, t // self.size, self.size, c).sum(axis=2)


def _ends(name: str, value: Any, layer: Any) -> tuple[int, int]:
    """Numbers for the beginning and the end, from one for both or from a pair."""
    pair = value if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    wrong = [n for n in pair if isinstance(n, bool) or not isinstance(n, (int, np.integer))]
    if len(pair) != 2 or wrong:
        raise ValueError(
            f"{name} of {type(layer).__name__} is an integer, or two for the beginning and the end. Received: "
            f"{name}={value!r}."
        )
    before, after = (one_size(name, n, layer, least=0) for n in pair)
    return before, after
