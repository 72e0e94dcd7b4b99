"""Join the rows of one leaf into the array of a batch, as they are or padded to one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

__all__ = ["Column", "fit_filling", "fit_shapes", "pad", "stack"]

Column = np.ndarray | Sequence[Any]
"""The rows of a leaf: an array with the rows along its first axis, or a list of rows."""


def stack(column: Column) -> np.ndarray:
    """Stack the rows along a new first axis.

    Raises
    ------
    ValueError
        If they differ in shape.
    """
    if isinstance(column, np.ndarray):
        return column
    first = column[0]
    if not isinstance(first, np.ndarray):
        if any(isinstance(row, np.ndarray) and row.ndim for row in column):
            _refuse_shapes(column)
        return np.array(column, object if isinstance(first, (str, bytes)) else None)
    try:
        return np.stack(column)
    except ValueError:
        _refuse_shapes(column)


def _refuse_shapes(column: Column) -> NoReturn:
    shapes = list(dict.fromkeys(np.shape(row) for row in column))
    raise ValueError(
        "batch needs elements of one shape. Received: shapes "
        f"{', '.join(map(str, shapes[:4]))}{', …' if len(shapes) > 4 else ''}. Use padded_batch(...), which pads "
        "them to the longest of the batch."
    ) from None


def pad(column: Column, shape: Sequence[int | None] | None = None, filling: Any = None) -> np.ndarray:
    """Stack the rows along a new first axis, each padded at its end.

    Parameters
    ----------
    column : rows of one rank
    shape : the shape of a padded row; an entry None or -1 means the longest row; None means that for every axis
    filling : the number or string to pad with; None for 0, False or the empty string

    Raises
    ------
    ValueError
        If the rows differ in rank, a row is longer than ``shape``, or their dtype cannot hold the filling.

    Examples
    --------
    >>> pad([np.array([1]), np.array([2, 3])])
    array([[1, 0],
           [2, 3]])
    >>> pad([np.array([1]), np.array([2, 3])], [4], -1)
    array([[ 1, -1, -1, -1],
           [ 2,  3, -1, -1]])
    """
    shapes = [np.shape(row) for row in column]
    rank = len(shapes[0])
    if any(len(s) != rank for s in shapes):
        raise ValueError(f"padded_batch needs elements of one rank. Received: shapes {sorted(set(shapes))[:4]}.")
    if shape is not None and len(shape) != rank:
        raise ValueError(
            f"padded_shapes must have one entry per axis of an element, {rank} here. Received: {list(shape)} for an "
            f"element of shape {shapes[0]}."
        )
    longest = [max(lengths) for lengths in zip(*shapes, strict=True)]
    target = [
        n if want is None or want == -1 else int(want)
        for n, want in zip(longest, shape if shape is not None else [None] * rank, strict=True)
    ]
    if any(n > want for n, want in zip(longest, target, strict=True)):
        raise ValueError(
            f"padded_shapes must be at least as long as the elements. Received: {list(shape or ())} for an element of "
            f"length {longest}. Use None for the longest of the batch, or cut the elements with map(...)."
        )
    if target == longest and len(set(shapes)) == 1:
        return stack(column)
    dtype = column.dtype if isinstance(column, np.ndarray) else np.result_type(*{row.dtype for row in column})
    result = np.full((len(column), *target), fit_filling(filling, dtype), dtype)
    if rank == 1:
        for i, row in enumerate(column):
            result[i, : len(row)] = row
    else:
        for i, row in enumerate(column):
            result[(i, *map(slice, row.shape))] = row
    return result


def fit_filling(filling: Any, dtype: np.dtype) -> Any:
    """Return the value that rows of this dtype are padded with.

    Raises
    ------
    ValueError
        If the dtype cannot hold it.
    """
    if filling is None:
        return "" if dtype.kind in "OSU" else np.zeros((), dtype)[()]
    if dtype.kind in "OSU" and isinstance(filling, (str, bytes)):
        return filling
    if np.ndim(filling) == 0 and np.asarray(filling).dtype.kind in "biuf" and dtype.kind in "biuf":
        with np.errstate(all="ignore"):
            fitted = np.asarray(filling).astype(dtype)[()]
        if dtype.kind == "f" or fitted == filling:
            return fitted
    raise ValueError(f"padding_values must fit the elements, of dtype {dtype.name} here. Received: {filling!r}.")


def fit_shapes(like: Any, given: Any, name: str) -> list[Any]:
    """Return the entry of ``padded_shapes`` or ``padding_values`` for each leaf of an element, left to right.

    Raises
    ------
    ValueError
        If it is not nested like the element.
    """
    if given is None or not isinstance(like, (tuple, dict)):
        return [given] * _leaves(like)
    keys: Any = list(like) if isinstance(like, dict) else range(len(like))
    alike = isinstance(given, dict) if isinstance(like, dict) else isinstance(given, (tuple, list))
    if not alike or len(given) != len(like) or any(isinstance(like, dict) and key not in given for key in keys):
        example = "([None], [])" if name == "padded_shapes" else "(0, 0)"
        raise ValueError(f"{name} must be nested like an element: {example} for (x, y). Received: {name}={given!r}.")
    return [part for key in keys for part in fit_shapes(like[key], given[key], name)]


def _leaves(like: Any) -> int:
    if isinstance(like, dict):
        return sum(map(_leaves, like.values()))
    return sum(map(_leaves, like)) if isinstance(like, tuple) else 1
