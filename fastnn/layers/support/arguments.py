"""Checks of the arguments that several layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import constraints, initializers, regularizers, shapes

__all__ = [
    "check_noise",
    "check_parts",
    "extra_lengths",
    "flag",
    "fraction",
    "image_format",
    "noise_shape_of",
    "positive",
    "seed_of",
    "sizes",
]

_FORMATS = ("channels_last", "channels_first")
_KINDS = {"initializer": initializers.get, "regularizer": regularizers.get, "constraint": constraints.get}


def positive(name: str, value: Any, layer: Any) -> int:
    """A positive integer, or the error that says so."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} of {type(layer).__name__} must be a positive integer. Received: {name}={value!r}.")
    if value >= shapes.MOST:
        raise ValueError(f"{name} of {type(layer).__name__} must be less than 2**31. Received: {name}={value!r}.")
    return int(value)


def fraction(name: str, value: Any, layer: Any) -> float:
    """A number from 0 to 1, or the error that says so."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"{name} of {type(layer).__name__} must be a number from 0 to 1. Received: {name}={value!r}.")
    return float(value)


def flag(name: str, value: Any, layer: Any) -> bool:
    """True or False (1 and 0 too), or the error that says so."""
    if not isinstance(value, (bool, np.bool_, int)) or value not in (0, 1):
        raise ValueError(f"{name} of {type(layer).__name__} must be True or False. Received: {name}={value!r}.")
    return bool(value)


def seed_of(seed: Any, layer: Any) -> int | None:
    """An integer or None, or the error that says so."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
        raise ValueError(f"seed of {type(layer).__name__} must be an integer or None. Received: seed={seed!r}.")
    return None if seed is None else int(seed)


def check_parts(layer: Any) -> None:
    """Raise the error of an initializer, regularizer or constraint that is none; the settings stay as given."""
    for name in layer.fields:
        find = _KINDS.get(name.rpartition("_")[2])
        if find is None:
            continue
        try:
            find(getattr(layer, name))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name} of {type(layer).__name__}: {error}") from None


def image_format(data_format: str | None, layer: Any) -> str:
    """``channels_last`` (also for None) or ``channels_first``, or the error that says so."""
    if data_format is not None and (not isinstance(data_format, str) or data_format not in _FORMATS):
        raise ValueError(
            f'data_format of {type(layer).__name__} must be "channels_last" or "channels_first". Received: '
            f"data_format={data_format!r}."
        )
    return data_format or "channels_last"


def sizes(name: str, value: Any, layer: Any) -> tuple[int, int]:
    """One or two positive integers as (rows, columns), or the error that names the layer."""
    try:
        return shapes.pair(name, value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{type(layer).__name__}: {error}") from None


def extra_lengths(value: Any, strides: tuple[int, ...], layer: Any) -> tuple[int, ...] | None:
    """``output_padding`` as an integer per axis, each below its stride, or None; or the error that says so."""
    if value is None:
        return None
    entries: tuple[Any, ...] = (
        tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * len(strides)
    )
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in entries)
    if len(entries) != len(strides) or not whole or any(not 0 <= n < s for n, s in zip(entries, strides, strict=True)):
        raise ValueError(
            f"output_padding of {type(layer).__name__} must be None, or an integer per axis, from 0 to its stride - 1. "
            f"Received: output_padding={value!r} with strides={strides}. Use output_padding=None for the usual size."
        )
    return tuple(int(n) for n in entries)


def noise_shape_of(noise_shape: Any, layer: Any) -> tuple[int | None, ...] | None:
    """The shape of a mask of dropout as a tuple, or raise an error."""
    if noise_shape is not None and (
        not isinstance(noise_shape, Sequence)
        or any(n is not None and (not isinstance(n, (int, np.integer)) or n < 1) for n in noise_shape)
    ):
        raise ValueError(
            f"noise_shape of {type(layer).__name__} must be a tuple of positive integers or None, the batch first. "
            f"Received: noise_shape={noise_shape!r}."
        )
    return None if noise_shape is None else tuple(noise_shape)


def check_noise(noise: tuple[int | None, ...] | None, input_shape: tuple[int | None, ...], layer: Any) -> None:
    """Raise the error of an input that a mask of this shape does not stretch over."""
    if noise is not None and (
        len(noise) != len(input_shape)
        or any(k not in (None, 1) and n is not None and k != n for k, n in zip(noise, input_shape, strict=True))
    ):
        layer.refuse_shape(f"an input that noise_shape={noise} stretches over", input_shape)
