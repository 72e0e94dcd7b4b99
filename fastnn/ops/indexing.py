"""Parts of arrays: ``x[:, -1]``, rows by their numbers, the largest k."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backend import active, floatx
from ..graph import Symbol
from .axes import axis_of, length_along
from .broadcasting import broadcast_shapes
from .conversion import dtype_of
from .function import Function, is_parameter, read_array
from .shaping import ravel

__all__ = ["TopK", "get_item", "getitem", "one_hot", "slice", "take", "take_along_axis", "top_k"]

_slice = slice


class GetItem(Function):
    """``x[key]``: integers, slices, None, an ellipsis, and arrays of integers.

    Parameters
    ----------
    key : list
        The index as data: integers, None, "...", slices as (start, stop, step), and "array" for an operand.
    """

    takes_several = True
    alike = _slice(0, 1)
    gives_views = True

    def __init__(self, key: list[Any]):
        self.key = key

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, *index_shapes = input_shape
        return _indexed_shape(shape, self.key, index_shapes)

    def filled(self, indices: Sequence[np.ndarray]) -> tuple[Any, ...]:
        """The key as NumPy takes it."""
        arrays = iter(indices)
        words = {"...": lambda: Ellipsis, "array": lambda: next(arrays)}
        return tuple(
            words[part]() if isinstance(part, str) else _slice(*part) if isinstance(part, (list, tuple)) else part
            for part in self.key
        )

    def forward(self, x, training=False):
        x, *indices = x
        key = self.filled(indices)
        return x[key], (x.shape, key)

    def backward(self, dy, ctx, need_dx=True):
        shape, key = ctx
        dx = np.zeros(shape, dy.dtype)
        arrays = sum(isinstance(part, np.ndarray) for part in key)
        if arrays:
            np.add.at(dx, key, dy)  # a place may be named twice
        else:
            dx[key] = dy
        return [dx, *[None] * arrays]


def _indexed_shape(shape: Any, key: Sequence[Any], index_shapes: Sequence[Any]) -> tuple[int | None, ...]:
    """The shape of ``x[key]`` by NumPy's rules.

    An integer beside arrays counts as an array.  Arrays broadcast; their axes come where the first one was, or in
    front if a slice is between them.
    """
    used = sum(part is not None and part != "..." for part in key)
    if used > len(shape):
        raise IndexError(f"x[...] has {used} indices. Received: an array of shape {tuple(shape)}.")
    full: list[Any] = []
    for part in key if "..." in key else [*key, "..."]:
        full += [(None, None, None)] * (len(shape) - used) if part == "..." else [part]
    places: list[tuple[int, int]] = []  # of arrays, and integers beside them: in the key, and in the result
    result: list[int | None] = []
    axis = 0
    for i, part in enumerate(full):
        if part is None:
            result.append(1)
            continue
        length = shape[axis]
        if isinstance(part, (list, tuple)):  # the length of a slice of an open axis is open: x[:5] may find fewer
            result.append(None if length is None else len(range(length)[_slice(*part)]))
        elif isinstance(part, int) and length is not None and not -length <= part < length:
            raise IndexError(f"x[...]: axis {axis} of {tuple(shape)} has length {length}. Received: index {part}.")
        else:
            places.append((i, len(result)))
        axis += 1
    if not index_shapes:
        return tuple(result)
    together = broadcast_shapes("getitem", list(index_shapes))
    at = places[0][1] if places[-1][0] - places[0][0] + 1 == len(places) else 0
    return (*result[:at], *together, *result[at:])


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
    >>> getitem([[1, 2, 3], [4, 5, 6]], (..., -1))
    array([3, 6])
    """
    parts: list[Any] = []
    indices: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        if part is None:
            parts.append(None)
        elif part is Ellipsis:
            parts.append("...")
        elif isinstance(part, _slice):
            parts.append(tuple(None if n is None else operator.index(n) for n in (part.start, part.stop, part.step)))
        elif isinstance(part, (Symbol, np.ndarray, list)) or is_parameter(part):
            parts.append("array")
            indices.append(_index(part))
        else:
            try:
                if isinstance(part, (bool, np.bool_)):
                    raise TypeError
                parts.append(operator.index(part))
            except TypeError:
                raise TypeError(
                    f"x[...] takes integers, slices, None, ... and arrays of integers. Received: {part!r}."
                ) from None
    if parts.count("...") > 1:
        raise IndexError("x[...] takes only one ellipsis. Received: several.")
    if parts == ["array"]:
        return take(x, indices[0], axis=0)
    return GetItem(parts)(x, *indices)


def _index(part: Any) -> Any:
    """The array of integers in a key, or raise an error for other dtypes."""
    index = part if isinstance(part, Symbol) else read_array("getitem", part)
    if str(index.dtype) != "int64":
        raise TypeError(
            f"x[...] takes integers, slices and arrays of integers. Received: an index of dtype {index.dtype}. "
            "Use ops.where(condition, x, 0) to keep the shape, or NumPy on arrays."
        )
    return index


def get_item(x: Any, key: Any) -> Any:
    """Another word for ``getitem``.

    Examples
    --------
    >>> get_item([1, 2, 3], -1).tolist()
    3
    """
    return getitem(x, key)


class Take(Function):
    """Rows (or slices along another axis) by their numbers; a row that is taken twice gets the sum of the gradients."""

    takes_several = True
    alike = _slice(0, 1)

    def __init__(self, axis: int):
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, index_shape = input_shape
        axis = axis_of(self.name, self.axis, shape)
        return (*shape[:axis], *index_shape, *shape[axis + 1 :])

    def forward(self, x, training=False):
        x, indices = x
        length = x.shape[self.axis]
        _refuse_outside(self.name, indices, length, self.axis)
        return np.take(x, indices, self.axis), (x.shape, indices % max(length, 1))

    def backward(self, dy, ctx, need_dx=True):
        shape, indices = ctx
        axis = self.axis % len(shape)
        rest = (*shape[:axis], *shape[axis + 1 :])
        lead = [*range(axis, axis + indices.ndim)]
        rows = np.moveaxis(dy, lead, range(indices.ndim)).reshape(indices.size, math.prod(rest))
        dx = active().embedding_backward(rows, indices.ravel(), shape[axis])[0]
        return [np.moveaxis(dx.reshape(shape[axis], *rest), 0, axis), None]


def _refuse_outside(name: str, indices: np.ndarray, length: int, axis: int) -> None:
    if indices.size and not (-length <= indices.min() and indices.max() < length):
        raise IndexError(
            f"ops.{name}: axis {axis} has length {length}. Received: indices from {indices.min()} to {indices.max()}."
        )


class TakeAlongAxis(Function):
    """For each entry of ``indices``, the element at that index along an axis."""

    takes_several = True
    alike = _slice(0, 1)

    def __init__(self, axis: int):
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, index_shape = input_shape
        axis = axis_of(self.name, self.axis, shape)
        if len(shape) != len(index_shape):
            raise ValueError(
                "ops.take_along_axis: x and indices must have the same number of axes. Received: shapes "
                f"{tuple(shape)} and {tuple(index_shape)}."
            )
        others = broadcast_shapes(self.name, [(*s[:axis], 1, *s[axis + 1 :]) for s in (shape, index_shape)])
        return (*others[:axis], index_shape[axis], *others[axis + 1 :])

    def forward(self, x, training=False):
        x, indices = x
        _refuse_outside(self.name, indices, x.shape[self.axis], self.axis)
        places = self.places(x.shape, indices)
        return x[places], (x.shape, places)

    def places(self, shape: Any, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        """The index of each number along each axis; an axis of length 1 is stretched."""
        axis, ndim = self.axis % len(shape), len(shape)
        full = np.broadcast_shapes((*shape[:axis], 1, *shape[axis + 1 :]), indices.shape)
        grid = [np.arange(n if shape[i] != 1 else 1).reshape([-1 if j == i else 1 for j in range(ndim)])
                for i, n in enumerate(full)]  # fmt: skip
        grid[axis] = indices
        return tuple(grid)

    def backward(self, dy, ctx, need_dx=True):
        shape, places = ctx
        dx = np.zeros(shape, dy.dtype)
        np.add.at(dx, places, dy)
        return [dx, None]


class OneHot(Function):
    """1 in the place that an integer names, 0 elsewhere; integers that name none give zeros."""

    def __init__(self, num_classes: int, axis: int, dtype: str):
        self.num_classes, self.axis, self.dtype = num_classes, axis, dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = axis_of(self.name, self.axis, input_shape, 1)
        return (*input_shape[:axis], self.num_classes, *input_shape[axis:])

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return self.dtype

    def forward(self, x, training=False):
        axis = axis_of(self.name, self.axis, x.shape, 1)
        classes = np.arange(self.num_classes).reshape(-1, *[1] * (x.ndim - axis))
        return (np.expand_dims(x, axis) == classes).astype(self.dtype), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class LargestK(Function):
    """The largest k numbers of the last axis, and where they stood; the first of those that are equal."""

    name = "top_k"
    gives_several = True

    def __init__(self, k: int):
        self.k = k

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not input_shape:
            raise ValueError("ops.top_k takes arrays with at least one axis. Received: a single number.")
        length = length_along(self.name, input_shape, -1, "Give the input a known length there.")
        if not 0 <= self.k <= length:
            raise ValueError(
                f"ops.top_k: k must be at most {length}, the length of the last axis. Received: k={self.k}."
            )
        return [(*input_shape[:-1], self.k)] * 2

    def output_dtype(self, dtypes: Sequence[str]) -> Any:
        return [dtypes[0], "int64"]

    def forward(self, x, training=False):
        places = np.argsort(-x, axis=-1, kind="stable")[..., : self.k]
        return [np.take_along_axis(x, places, -1), places], (x.shape, places)

    def backward(self, dy, ctx, need_dx=True):
        shape, places = ctx
        if dy[0] is None:
            return None
        dx = np.zeros(shape, dy[0].dtype)
        np.put_along_axis(dx, places, dy[0], -1)
        return dx


class TopK(NamedTuple):
    """The largest numbers, and where they stood."""

    values: Any
    indices: Any


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Rows, or slices along another axis, by their numbers: a table look-up.

    Parameters
    ----------
    x : array, Parameter or Symbol
    indices : array of integers, or Symbol
        Any shape, which replaces the axis; negative ones count from the end.
    axis : int or None
        None: x is flattened.

    Raises
    ------
    IndexError
        If a row does not exist.

    Examples
    --------
    >>> take([[1, 2], [3, 4], [5, 6]], [2, 0], axis=0)
    array([[5, 6],
           [1, 2]])
    """
    if axis is None:
        x, axis = ravel(x), 0
    return Take(axis)(x, _integers("take", indices))


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For each entry of ``indices``, the element at that index along an axis.

    Parameters
    ----------
    x : array or Symbol
    indices : array of integers, or Symbol
        As many axes as x; they broadcast, but for ``axis``.
    axis : int or None
        None: x is flattened.

    Raises
    ------
    IndexError
        If an index does not exist.

    Examples
    --------
    >>> take_along_axis([[1, 5], [7, 2]], [[1], [0]], axis=1)
    array([[5],
           [7]])
    """
    indices = _integers("take_along_axis", indices)
    if axis is None:
        x, indices, axis = ravel(x), ravel(indices), 0
    return TakeAlongAxis(axis)(x, indices)


def slice(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Any:
    """The part of this shape that begins at these places.

    Examples
    --------
    >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))
    array([[2, 3],
           [5, 6]])
    """
    return getitem(inputs, tuple(_slice(a, a + n) for a, n in zip(start_indices, shape, strict=True)))


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Rows with a 1 in the place that an integer names; integers outside of the classes give zeros.

    Parameters
    ----------
    x : array of integers, or Symbol
    num_classes : int
    axis : int
        The position of the new axis.
    dtype : str, optional
        Default: ``backend.floatx()``.
    sparse : bool
        Accepted as Keras does; False alone.

    Examples
    --------
    >>> one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if sparse:
        raise ValueError("ops.one_hot gives dense arrays. Received: sparse=True.")
    dtype = floatx() if dtype is None else dtype_of("ops.one_hot", dtype)
    return OneHot(operator.index(num_classes), axis, dtype)(_integers("one_hot", x))


def top_k(x: Any, k: int, sorted: bool = True) -> TopK:
    """The largest k numbers of the last axis, from the largest on, and where they stood.

    Parameters
    ----------
    x : array or Symbol
    k : int
    sorted : bool
        Accepted as Keras does; the numbers come in order in any case.

    Returns
    -------
    TopK
        ``values`` and ``indices``; the gradient of the values goes to where they stood.

    Examples
    --------
    >>> values, indices = top_k([1, 7, 5], 2)
    >>> values, indices
    (array([7, 5]), array([1, 2]))
    """
    return TopK(*LargestK(operator.index(k))(x))


def _integers(name: str, indices: Any) -> Any:
    """Indices unchanged, or raise an error if they are not integers."""
    if is_parameter(indices) or not isinstance(indices, Symbol):
        indices = read_array(name, indices.value if is_parameter(indices) else indices)
        if indices.size == 0 and indices.dtype.kind == "f":
            return indices.astype(np.int64)
    if str(indices.dtype) != "int64":
        raise TypeError(
            f'ops.{name} takes integers as indices. Received: dtype {indices.dtype}. Use ops.cast(x, "int64").'
        )
    return indices
