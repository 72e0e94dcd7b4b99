"""Shapes, joining, parts: functions of ``tf`` itself that change no number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ...graph import Symbol, Tensor, as_tensor
from ...ops.function import is_parameter
from .tensors import cast, integers_kept, numbers_of, tensor

__all__ = [
    "argsort", "boolean_mask", "broadcast_to", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "concat",
    "expand_dims", "gather", "gather_nd", "meshgrid", "one_hot", "pad", "repeat", "reshape", "reverse", "roll",
    "scatter_nd", "searchsorted", "sequence_mask", "slice", "sort", "split", "squeeze", "stack", "stop_gradient",
    "tensor_scatter_nd_add", "tensor_scatter_nd_update", "tile", "transpose", "unique", "unique_with_counts", "unstack",
    "where",
]  # fmt: skip


def _ints(value: Any) -> Any:
    """Sizes or axes that may come as a tensor, as integers of Python; None stays."""
    if value is None or isinstance(value, (int, np.integer)):
        return value
    if isinstance(value, (np.ndarray, list, tuple)):
        return tuple(None if n is None else int(n) for n in value) if np.ndim(value) else int(np.asarray(value))
    return value


def _changed(of_numbers: Callable[..., Any], of_text: Callable[..., Any], x: Any, *arguments: Any) -> Any:
    """A function of ``ops``; strings go through that of NumPy."""
    x = tensor(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return as_tensor(of_text(np.asarray(x), *arguments))
    return integers_kept(of_numbers(x, *arguments), x)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The same numbers in another shape; -1 for the size that follows from the others."""
    sizes = _ints(shape)
    return _changed(ops.reshape, np.reshape, tensor, (sizes,) if isinstance(sizes, int) else sizes)


def expand_dims(input: Any, axis: int, name: str | None = None) -> Any:
    """One more axis, of size 1."""
    return _changed(ops.expand_dims, np.expand_dims, input, _ints(axis))


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Without axes of size 1."""
    return _changed(ops.squeeze, np.squeeze, input, _ints(axis))


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Any:
    """The axes in another order; by default reversed."""
    return _changed(ops.transpose, np.transpose, a, _ints(perm))


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """Stretched over a larger shape."""
    return _changed(ops.broadcast_to, np.broadcast_to, input, _ints(shape))


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """Copies side by side, a number of them along each axis."""
    return _changed(ops.tile, np.tile, input, _ints(multiples))


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element, or each slice along an axis, several times."""
    return _changed(ops.repeat, np.repeat, input, _ints(repeats), axis)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """Reversed along axes."""
    return _changed(ops.flip, np.flip, tensor, _ints(axis))


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """Moved along axes; elements that leave at one end enter at the other."""
    return _changed(ops.roll, np.roll, input, _ints(shift), _ints(axis))


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Any:
    """More places around: ``[[before, after], …]``, one pair for each axis."""
    widths = [tuple(int(n) for n in pair) for pair in np.asarray(paddings)]
    how = mode.lower()

    def numbers(x: Any, widths: Any) -> Any:
        return ops.pad(x, widths, how, constant_values) if how == "constant" else ops.pad(x, widths, how)

    return _changed(numbers, np.pad, tensor, widths)


# Several arrays.


def concat(values: Any, axis: int, name: str | None = None) -> Any:
    """Arrays end to end along an axis."""
    return _joined(ops.concatenate, np.concatenate, values, axis)


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Arrays side by side along a new axis."""
    return _joined(ops.stack, np.stack, values, axis)


def _joined(of_numbers: Callable[..., Any], of_text: Callable[..., Any], values: Any, axis: Any) -> Any:
    parts = [tensor(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
    if not isinstance(values, (list, tuple)):
        parts = list(parts[0])
    if any(isinstance(part, np.ndarray) and part.dtype == object for part in parts):
        return as_tensor(of_text([np.asarray(part) for part in parts], _ints(axis)))
    return integers_kept(of_numbers(parts, _ints(axis)), *parts)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str | None = None) -> list[Any]:
    """Cut into a number of equal parts, or into parts of these sizes (one may be -1)."""
    value, parts = tensor(value), _ints(num_or_size_splits)
    if isinstance(parts, tuple):
        whole = value.shape[axis]
        parts = [whole - sum(n for n in parts if n >= 0) if n < 0 else n for n in parts]
        parts = [int(n) for n in np.cumsum(parts)[:-1]]
    return [integers_kept(part, value) for part in ops.split(value, parts, axis)]


def unstack(value: Any, num: Any = None, axis: int = 0, name: str | None = None) -> list[Any]:
    """The slices along an axis, without it."""
    value = tensor(value)
    return [integers_kept(part, value) for part in ops.unstack(value, num, axis)]


def meshgrid(*args: Any, indexing: Any = "xy", name: str | None = None) -> list[Tensor]:
    """The coordinates of a grid."""
    return [as_tensor(part) for part in np.meshgrid(*(np.asarray(tensor(a)) for a in args), indexing=indexing)]


# Parts, by place or by condition.


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The part that begins at these places, of these sizes; -1: up to the end."""
    x = tensor(input_)
    ends = [None if n == -1 else b + n for b, n in zip(_ints(begin), _ints(size), strict=True)]
    return x[tuple(_slice(b, e) for b, e in zip(_ints(begin), ends, strict=True))]


_slice = __builtins__["slice"] if isinstance(__builtins__, dict) else __builtins__.slice


def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: int | None = None, batch_dims: int = 0,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Slices along an axis by their numbers; with ``batch_dims=1`` numbers of its own for each example."""
    x, indices = tensor(params), tensor(indices)
    if batch_dims == 1 and axis in (None, 1, -1) and len(x.shape) == len(indices.shape) == 2:
        return integers_kept(ops.take_along_axis(x, indices, 1), x)
    if batch_dims:
        raise ValueError(
            f"gather supports batch_dims=1 only for tables. Received: batch_dims={batch_dims}. Use tf.gather_nd."
        )
    if isinstance(x, np.ndarray) and x.dtype == object:
        return as_tensor(np.take(np.asarray(x), np.asarray(indices), axis or 0))
    return integers_kept(ops.take(x, indices, axis or 0), x)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Any:
    """The parts at these places; the last axis of ``indices`` holds a place.

    Examples
    --------
    >>> gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).tolist()
    [2, 3]
    """
    if batch_dims:
        raise ValueError(
            f"gather_nd supports only batch_dims=0. Received: {batch_dims}. Use tf.gather(..., batch_dims=1)."
        )
    x, places = tensor(params), np.asarray(indices)
    return integers_kept(x[tuple(np.moveaxis(places, -1, 0))], x)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Elements of x where the condition holds, else of y; without these, the places where it holds.

    Examples
    --------
    >>> where([True, False], [1, 2], 0).tolist(), where([False, True]).tolist()
    ([1, 0], [[1]])
    """
    condition = tensor(condition)
    if x is None and y is None:
        if isinstance(condition, Symbol):
            condition.numpy()  # says that a symbol has no numbers
        return as_tensor(np.argwhere(np.asarray(condition)))
    x, y = (value if isinstance(value, (int, float)) else tensor(value) for value in (x, y))
    if any(str(getattr(value, "dtype", "")) == "object" for value in (x, y)):
        return as_tensor(np.where(np.asarray(condition), x, y))
    return integers_kept(ops.where(condition, x, y), x, y)


def boolean_mask(tensor: Any, mask: Any, axis: int | None = None, name: str | None = None) -> Any:
    """The elements that the mask marks, in order."""
    keep = np.asarray(mask, bool)
    x = _read(tensor)
    places = np.nonzero(keep)
    return integers_kept(x[(*[_slice(None)] * (axis or 0), *places)], x)


_read = tensor


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int = -1, dtype: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Rows with a 1 at the place of each integer; of integers outside rows of 0.

    Examples
    --------
    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = tensor(indices)
    if isinstance(x, Symbol) or is_parameter(x):
        return ops.one_hot(x, int(depth), axis, dtype or "float32")
    hot = np.expand_dims(np.asarray(x), axis) == np.arange(int(depth)).reshape(
        [-1 if i == axis % (x.ndim + 1) else 1 for i in range(x.ndim + 1)]
    )
    if dtype is None:
        given = [tensor(value).dtype for value in (on_value, off_value) if value is not None]
        dtype = given[0] if given else np.float32
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    return as_tensor(np.where(hot, on, off).astype(dtype))


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None) -> Tensor:
    """True for the first places of each row, as many as its length."""
    lengths = np.asarray(tensor(lengths))
    count = int(lengths.max(initial=0) if maxlen is None else maxlen)
    return as_tensor((np.arange(count) < lengths[..., None]).astype(dtype))


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros, and these parts at these places; parts for one place are added."""
    (updates,) = numbers_of("scatter_nd", updates)
    found = np.zeros(_ints(shape), updates.dtype)
    np.add.at(found, tuple(np.moveaxis(np.asarray(indices), -1, 0)), updates)
    return as_tensor(found)


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A copy with other parts at these places; without a gradient."""
    given, parts = numbers_of("tensor_scatter_nd_update", tensor, updates)
    found = given.copy()
    found[tuple(np.moveaxis(np.asarray(indices), -1, 0))] = parts
    return as_tensor(found)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """A copy with more at these places."""
    x = _read(tensor)
    return x + cast(scatter_nd(indices, updates, x.shape), x.dtype)


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The value passes, the gradient does not."""
    return ops.stop_gradient(tensor(input))


# Order.


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """In order along an axis; the gradient returns to the original position of each number."""
    x = tensor(values)
    return integers_kept(ops.take_along_axis(x, argsort(x, axis, direction), axis), x)


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The indices that would sort the numbers."""
    x = np.asarray(tensor(values))
    return as_tensor(np.argsort(-x if direction == "DESCENDING" else x, axis, kind="stable").astype(np.int32))


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left", name: str | None = None) -> Tensor:
    """The positions at which values would be inserted into a sorted sequence."""
    found = np.searchsorted(np.asarray(tensor(sorted_sequence)), np.asarray(tensor(values)), side)
    return as_tensor(found.astype(np.int32))


class Unique(NamedTuple):
    """What ``tf.unique`` gives."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """What ``tf.unique_with_counts`` gives."""

    y: Tensor
    idx: Tensor
    count: Tensor


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """The different values in the order in which they come, and where each element is among them."""
    return Unique(*unique_with_counts(x, out_idx)[:2])


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> UniqueWithCounts:
    """As ``unique``, and how often each comes.

    Examples
    --------
    >>> [part.tolist() for part in unique_with_counts([3, 1, 3])]
    [[3, 1], [0, 1, 0], [2, 1]]
    """
    _, first, places, counts = np.unique(np.asarray(tensor(x)), True, True, True)
    order = np.argsort(first)
    rank = np.argsort(order)
    y = np.asarray(tensor(x))[first[order]]
    return UniqueWithCounts(*map(as_tensor, (y, rank[places].astype(out_idx), counts[order].astype(out_idx))))


# Limits.


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Numbers below or above the limits become the limits."""
    t = tensor(t)
    if all(isinstance(limit, (int, float)) for limit in (clip_value_min, clip_value_max)):
        return integers_kept(ops.clip(t, clip_value_min, clip_value_max), t)
    return integers_kept(ops.minimum(ops.maximum(t, tensor(clip_value_min)), tensor(clip_value_max)), t)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """Scaled down to at most this Euclidean length.

    Examples
    --------
    >>> clip_by_norm([3.0, 4.0], 1.0).numpy().round(3).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    t = tensor(t)
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(t), axes, keepdims=True), 1e-30))
    return ops.divide(ops.multiply(t, clip_norm), ops.maximum(length, clip_norm))


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """Scaled down together to at most this length; also gives the length that they had."""
    from .linalg import global_norm

    length = global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm / np.maximum(length, clip_norm)
    return [None if t is None else tensor(t) * np.float32(scale) for t in t_list], length
