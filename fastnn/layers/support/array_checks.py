"""Checks of arrays on their way into a layer: numbers, ids, and masks of time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["checked_mask", "read_ids", "read_values"]


def read_values(x: Any, layer: Any) -> np.ndarray:
    """Real numbers as a contiguous array of the layer's dtype.

    Parameters
    ----------
    x : array or list
    layer : Layer
        Says the dtype, and is named in errors.

    Raises
    ------
    TypeError
        If they are not real numbers.
    ValueError
        If the rows of a list differ in length.

    Examples
    --------
    >>> from fastnn.layers import Dense
    >>> read_values([[3, 0]], Dense(2))
    array([[3., 0.]], dtype=float32)
    """
    try:
        values = np.asarray(x)
    except ValueError:
        raise ValueError(
            f'Layer "{layer.name}" takes an array, whose rows have equal length. Received: a list of {len(x)} rows of '
            "different lengths. Use x = fastnn.utils.pad_sequences(x)."
        ) from None
    if values.dtype.kind not in "biuf":
        raise TypeError(
            f'Layer "{layer.name}" takes real numbers. Received: dtype {values.dtype}. Use x.astype(np.float32) if the '
            "values are numbers. Use fastnn.text.TextVectorization to turn words into ids."
        )
    return np.ascontiguousarray(values, layer.dtype)


def read_ids(x: Any, layer: Any) -> np.ndarray:
    """Ids as a contiguous int64 array: integers of any dtype, or floats that are all whole numbers.

    Parameters
    ----------
    x : array or list
    layer : Layer
        Named in errors.

    Raises
    ------
    TypeError
        If they are not numbers.
    ValueError
        If a float is not a whole number, or the rows of a list differ in length.

    Examples
    --------
    >>> read_ids([[3.0, 0.0]], "words")
    array([[3, 0]])
    """
    name = getattr(layer, "name", layer)
    try:
        ids = np.asarray(x)
    except ValueError:
        raise ValueError(
            f'Layer "{name}" takes ids (batch, time), whose rows have equal length. Received: a list of {len(x)} rows '
            "of different lengths. Use x = fastnn.utils.pad_sequences(x)."
        ) from None
    if ids.dtype.kind not in "biuf":
        raise TypeError(
            f'Layer "{name}" takes ids, integers. Received: dtype {ids.dtype}. Use fastnn.text.TextVectorization to '
            "turn words into ids."
        )
    if ids.dtype.kind == "f":
        whole = ids == np.rint(ids)  # False for NaN
        whole &= np.abs(ids) < np.float64(2**62)
        if not whole.all():
            at = np.unravel_index(int(np.argmin(whole)), ids.shape)
            raise ValueError(
                f'Layer "{name}" takes ids, whole numbers. Received: {ids[at]} at index {tuple(map(int, at))}. Use '
                "x.astype(np.int64) to cut the fractions off."
            )
    elif ids.dtype == np.uint64 and ids.size and int(ids.max()) >= 2**63:
        raise ValueError(f'Layer "{name}" takes ids below 2**63. Received: {int(ids.max())}.')
    return np.ascontiguousarray(ids, np.int64)


def checked_mask(mask: Any, x_shape: tuple[int, ...], layer: Any) -> np.ndarray:
    """A mask of time steps for an input (B, T, …): bool (B, T), contiguous.

    Parameters
    ----------
    mask : array or list
        Of bool, or of integers or floats, of which all but 0 count.
    x_shape : tuple of int
        Shape of the input.
    layer : Layer
        Named in errors.  One with ``masks_cells`` takes a mask of single values as well: of the rank of the input, each
        axis as long as the input's, or 1.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        If its shape is not that of the batch and the time steps, or a value is NaN.

    Examples
    --------
    >>> checked_mask([[1, 0]], (1, 2, 5), "lstm")
    array([[ True, False]])
    """
    name = getattr(layer, "name", layer)
    try:
        found = np.asarray(mask)
    except ValueError:
        raise ValueError(
            f'The mask of layer "{name}" must have rows of equal length. Received: a list of {len(mask)} rows of '
            "different lengths. Use mask = x != 0 on the padded ids."
        ) from None
    if found.dtype.kind not in "biuf":
        raise TypeError(
            f'The mask of layer "{name}" must be an array of bool, True where a time step counts, or of numbers, 0 '
            f"where it does not. Received: dtype {found.dtype}. Use x != 0 on the padded ids."
        )
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise ValueError(
            f'The mask of layer "{name}" must not hold NaN. Received: NaN at index '
            f"{tuple(map(int, np.argwhere(np.isnan(found))[0]))}. Use ~np.isnan(x) to leave such values out."
        )
    if getattr(layer, "masks_cells", False) and found.ndim == len(x_shape):
        if all(n in (1, length) for n, length in zip(found.shape, x_shape, strict=True)):
            return np.ascontiguousarray(found, bool)
        raise ValueError(
            f'The mask of layer "{name}" must have one value for each value of the input, shape {tuple(x_shape)}, '
            f"where any axis may be 1. Received: shape {found.shape}."
        )
    axis = getattr(layer, "time_axis", 1)
    expected = (*x_shape[:1], *x_shape[axis : axis + 1])
    if len(expected) < 2 or found.shape != expected:
        raise ValueError(
            f'The mask of layer "{name}" must have one value for each time step, shape {expected} for an input of '
            f"shape {tuple(x_shape)}. Received: shape {found.shape}."
        )
    return np.ascontiguousarray(found, bool)
