"""Parts of arrays: ``x[:, -1]``, rows by their numbers, the largest k."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Symbol
from .broadcasting import broadcast_shapes
from .function import Function, is_parameter, read_array

__all__ = ["getitem"]

_slice = slice


class GetItem(Function):
    """``x[key]``: integers, slices, None, an ellipsis, and arrays of integers.

    Parameters
    ----------
    key : tuple
        With an ``_Index`` where an operand stands.
    """

    takes_several = True
    alike = _slice(0, 1)
    gives_views = True

    def __init__(self, key: tuple[Any, ...]):
        self.key = key

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, *index_shapes = input_shape
        return _indexed_shape(shape, self.key, index_shapes)

    def filled(self, indices: Sequence[np.ndarray]) -> tuple[Any, ...]:
        """The key with arrays in their places."""
        arrays = iter(indices)
        return tuple(next(arrays) if isinstance(part, _Index) else part for part in self.key)

    def forward(self, x, training=False):
        x, *indices = x
        key = self.filled(indices)
        return x[key], (x.shape, key)

    def backward(self, dy, ctx, need_dx=True):
        shape, key = ctx
        dx = np.zeros(shape, dy.dtype)
        if len(dx) and any(isinstance(part, np.ndarray) and part.dtype != bool for part in key):
            np.add.at(dx, key, dy)  # a place may be named twice
        else:
            dx[key] = dy
        return [dx] + [None] * sum(isinstance(part, np.ndarray) for part in key)


class _Index:
    """Stands in a key where an array of integers was."""


def _indexed_shape(shape: Any, key: tuple[Any, ...], index_shapes: Sequence[Any]) -> tuple[int | None, ...]:
    """The shape of ``x[key]`` by NumPy's rules.

    An integer beside arrays counts as an array.  Arrays broadcast; their axes stand where the first one was, or in
    front if a slice stands between them.
    """
    used = sum(part is not None and part is not Ellipsis for part in key)
    if used > len(shape):
        raise IndexError(f"x[...] has {used} indices. Received: an array of shape {tuple(shape)}.")
    full: list[Any] = []
    for part in key if Ellipsis in [p for p in key if p is Ellipsis] else (*key, Ellipsis):
        full += [_slice(None)] * (len(shape) - used) if part is Ellipsis else [part]
    has_arrays = bool(index_shapes)
    arrays, places, result, axis = iter(index_shapes), [], [], 0
    for i, part in enumerate(full):
        if part is None:
            result.append(1)
            continue
        length = shape[axis]
        if isinstance(part, _slice):
            result.append(_slice_length(part, length))
        elif isinstance(part, int) and length is not None and not -length <= part < length:
            raise IndexError(f"x[...]: axis {axis} of {tuple(shape)} has {length} places. Received: index {part}.")
        axis += 1
        if isinstance(part, _Index) or (has_arrays and isinstance(part, int)):
            places.append((i, len(result)))
    if not has_arrays:
        return tuple(result)
    together = broadcast_shapes("getitem", list(arrays))
    first, last = places[0][0], places[-1][0]
    at = places[0][1] if last - first + 1 == len(places) else 0
    return (*result[:at], *together, *result[at:])


def _slice_length(part: Any, length: int | None) -> int | None:
    """The length of a slice of an axis; open where the axis is, since ``x[:5]`` may find fewer."""
    return None if length is None else len(range(length)[part])


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``, as NumPy has it.

    Parameters
    ----------
    x : array or Symbol
    key : int, slice, None, Ellipsis, array of integers or Symbol, or a tuple of these
        A place that an array of integers names several times gets the sum of its gradients.

    Raises
    ------
    TypeError
        For keys of bools on symbols, since the number of places is not known beforehand.
    IndexError
        For places that are not there.

    Examples
    --------
    >>> getitem([[1, 2, 3], [4, 5, 6]], (slice(None), -1))
    array([3, 6])
    """
    parts, indices = [], []
    for part in key if isinstance(key, tuple) else (key,):
        if part is None or part is Ellipsis or isinstance(part, _slice):
            parts.append(_plain_slice(part))
        elif isinstance(part, (Symbol, np.ndarray, list)) or is_parameter(part):
            index = part if isinstance(part, Symbol) else read_array("getitem", part)
            if str(index.dtype) != "int64":
                raise TypeError(
                    f"x[...] takes integers, slices and arrays of integers. Received: an index of dtype {index.dtype}. "
                    "Use ops.where(condition, x, 0) to keep the shape, or NumPy on arrays."
                )
            parts.append(_Index())
            indices.append(index)
        else:
            try:
                parts.append(operator.index(part))
            except TypeError:
                raise TypeError(
                    f"x[...] takes integers, slices, None, ... and arrays of integers. Received: {part!r}."
                ) from None
    return GetItem(tuple(parts))(x, *indices)


def _plain_slice(part: Any) -> Any:
    """A slice of integers; NumPy's become Python's, symbols are refused."""
    if not isinstance(part, _slice):
        return part
    return _slice(*(None if n is None else operator.index(n) for n in (part.start, part.stop, part.step)))
