"""Operations of ``fastnn.ops`` that move, join, repeat and choose entries of arrays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ....ops import indexing, joining, repeating, shaping
from .reshaping import padded
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__: list[str] = []

# Shapes.


@converts(shaping.Reshape)
def reshape(w: Writer, operation: shaping.Reshape, call: Call) -> Value:
    sizes = w.sizes(call.x)
    shape = operation.compute_output_shape(call.x.shape)
    target = [
        sizes[i] if given is None else n if n is not None else -1
        for i, (given, n) in enumerate(zip(operation.shape, shape, strict=True))
    ]
    return w.reshape(call.x, target)


@converts(shaping.Transpose)
def transpose(w: Writer, operation: shaping.Transpose, call: Call) -> Value:
    return w.transpose(call.x, operation.order(call.x.shape))


@converts(shaping.ExpandDims)
def expand_dims(w: Writer, operation: shaping.ExpandDims, call: Call) -> Value:
    return w.expand_dims(call.x, *operation.axis)


@converts(shaping.Squeeze)
def squeeze(w: Writer, operation: shaping.Squeeze, call: Call) -> Value:
    axes = operation.axes(call.x.shape)
    return w.squeeze(call.x, *axes) if axes else call.x


@converts(shaping.Flip)
def flip(w: Writer, operation: shaping.Flip, call: Call) -> Value:
    x = call.x
    axes = range(x.rank) if operation.axis is None else np.atleast_1d(operation.axis)
    for axis in axes:
        x = w.flip(x, int(axis))
    return x


@converts(shaping.Roll)
def roll(w: Writer, operation: shaping.Roll, call: Call) -> Value:
    if operation.axis is None:
        sizes = w.sizes(call.x)
        return w.reshape(_rolled(w, w.reshape(call.x, [-1]), 0, int(np.sum(operation.shift))), sizes)
    shifts, axes = np.broadcast_arrays(operation.shift, operation.axis)
    x = call.x
    for shift, axis in zip(np.atleast_1d(shifts), np.atleast_1d(axes), strict=True):
        x = _rolled(w, x, int(axis), int(shift))
    return x


def _rolled(w: Writer, x: Value, axis: int, shift: int) -> Value:
    """The last ``shift`` places in front; a shift longer than a known axis goes round more than once."""
    length = x.shape[axis]
    shift = shift % length if length else shift
    return w.concat([w.slice(x, axis, -shift), w.slice(x, axis, 0, -shift)], axis) if shift else x


@converts(shaping.BroadcastTo)
def broadcast_to(w: Writer, operation: shaping.BroadcastTo, call: Call) -> Value:
    return w.expand(call.x, [1 if n is None else n for n in operation.shape])


# Joining, repeating, padding.


@converts(joining.Concatenate)
def concatenate(w: Writer, operation: joining.Concatenate, call: Call) -> Value:
    return w.concat(call.inputs, operation.axis)


@converts(joining.Split)
def split(w: Writer, operation: joining.Split, call: Call) -> list[Value]:
    bounds = [0, *operation.bounds(call.x.shape), None]
    return [w.slice(call.x, operation.axis, a or 0, b) for a, b in itertools.pairwise(bounds)]


@converts(repeating.Tile)
def tile(w: Writer, operation: repeating.Tile, call: Call) -> Value:
    shape, repeats = operation.aligned(call.x.shape)
    x = w.expand_dims(call.x, *range(len(shape) - call.x.rank)) if len(shape) > call.x.rank else call.x
    sizes = tuple(None if n is None else n * k for n, k in zip(x.shape, repeats, strict=True))
    return w.add("Tile", w.plain(x), w.integers(*repeats), shape=sizes)


@converts(repeating.Repeat)
def repeat(w: Writer, operation: repeating.Repeat, call: Call) -> Value:
    """The places in a list where the length is known; else every place as often."""
    x, axis = (w.reshape(call.x, [-1]), 0) if operation.axis is None else (call.x, operation.axis % call.x.rank)
    length, times = x.shape[axis], operation.repeats
    if length is not None:
        places = np.repeat(np.arange(length, dtype=np.int64), times)
        return _gathered(w, x, w.constant(places), axis)
    if np.size(times) != 1:
        raise NotImplementedError(
            "ops.repeat with a number for each place is written as ONNX along an axis of a known length. Received: "
            f"shape {x.shape}, axis={axis}. Use export_onnx(..., input_shape=...) with known sizes."
        )
    times = int(np.ravel(times)[0])
    sizes = w.sizes(x)
    wide = w.expand(w.expand_dims(x, axis + 1), [1] * (axis + 1) + [times] + [1] * (x.rank - axis - 1))
    return w.reshape(wide, [*sizes[:axis], -1, *sizes[axis + 1 :]])


@converts(repeating.Pad)
def pad(w: Writer, operation: repeating.Pad, call: Call) -> Value:
    modes = {"constant": "constant", "edge": "edge", "reflect": "reflect"}
    if operation.mode not in modes:
        raise NotImplementedError(
            f'ops.pad with mode "constant", "edge" or "reflect" has a form in ONNX. Received: mode={operation.mode!r}.'
        )
    widths = [(int(a), int(b)) for a, b in operation.of(call.x.shape)]
    return padded(w, call.x, widths, operation.mode, operation.value or 0)


# Choosing.


def _gathered(w: Writer, x: Value, places: Value, axis: int) -> Value:
    shape = (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])
    return w.add("Gather", w.plain(x), places, shape=shape, axis=axis)


@converts(indexing.Take)
def take(w: Writer, operation: indexing.Take, call: Call) -> Value:
    x, places = call.inputs
    return _gathered(w, x, places, operation.axis % x.rank)


@converts(indexing.TakeAlongAxis)
def take_along_axis(w: Writer, operation: indexing.TakeAlongAxis, call: Call) -> Value:
    x, places = call.inputs
    axis = operation.axis % x.rank
    shape = operation.compute_output_shape([x.shape, places.shape])
    sizes = [size for i, size in enumerate(w.sizes(x)) if i != axis]
    places = w.expand(places, [*sizes[:axis], 1, *sizes[axis:]])
    others = [n if n is not None else 1 for i, n in enumerate(shape) if i != axis]
    x = w.expand(x, [*others[:axis], 1, *others[axis:]])
    return w.add("GatherElements", w.plain(x), w.plain(places), shape=shape, axis=axis)


@converts(indexing.GetItem)
def get_item(w: Writer, operation: indexing.GetItem, call: Call) -> Value:
    """Slices, then one array of places, then axes that go and axes that come."""
    x, *arrays = call.inputs
    key = list(operation.key)
    if len(arrays) > 1:
        raise NotImplementedError(
            "x[...] with one array of places has a form in ONNX. Received: several arrays. Use ops.take or "
            "ops.take_along_axis, one axis at a time."
        )
    used = sum(part is not None and part != "..." for part in key)
    full: list[Any] = []
    for part in key if "..." in key else [*key, "..."]:
        full += [(None, None, None)] * (x.rank - used) if part == "..." else [part]
    gone, gathered = [], None
    for axis, part in enumerate(part for part in full if part is not None):
        if part == "array":
            gathered = axis
        elif isinstance(part, int):
            x = w.slice(x, axis, part, part + 1 or None)
            gone.append(axis)
        else:
            start, end, step = part
            if (start, end, step) != (None, None, None):
                step = 1 if step is None else step
                x = w.slice(x, axis, (0 if step > 0 else -1) if start is None else start, end, step)
    if gathered is not None:
        if gone:
            raise NotImplementedError(
                f"x[...] with integers beside an array of places cannot be written as ONNX. Received: x[{key}]. Use "
                "two steps, as in x[:, 0][places]."
            )
        x = _gathered(w, x, arrays[0], gathered)
        full = [one for part in full for one in ([part] * arrays[0].rank if part == "array" else [part])]
    if gone:
        x = w.squeeze(x, *gone)
    new, place = [], 0
    for part in full:
        if part is None:
            new.append(place)
        if not isinstance(part, int):
            place += 1
    return w.expand_dims(x, *new) if new else x


@converts(indexing.OneHot)
def one_hot(w: Writer, operation: indexing.OneHot, call: Call) -> Value:
    axis = operation.axis % (call.x.rank + 1)
    classes = np.arange(operation.num_classes).reshape(-1, *[1] * (call.x.rank - axis))
    return w.cast(w.add("Equal", w.expand_dims(call.x, axis), w.constant(classes, call.x.dtype)), operation.dtype)


@converts(indexing.LargestK)
def top_k(w: Writer, operation: indexing.LargestK, call: Call) -> list[Value]:
    values, places = w.emit("TopK", [call.x, w.integers(operation.k)], 2, axis=-1)
    shape = (*call.x.shape[:-1], operation.k)
    return [Value(values, shape, call.x.dtype), Value(places, shape, "int64")]
