"""Operators that give sizes as numbers, and make arrays of given sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .... import ops
from .node import OnnxNode
from .open_sizes import count, zeros
from .reader import Reader
from .table import reads
from .values import Known, Tensor, is_open

__all__: list[str] = []

# Sizes as numbers.


@reads("Shape")
def shape(r: Reader, node: OnnxNode) -> Known:
    value = node.get(0)
    sizes = value.sizes if isinstance(value, Tensor) else node.array(0).shape
    start, end = node.attribute("start", 0), node.attribute("end")
    return Known(np.array(sizes[start:end], np.int64))


@reads("Size")
def size(r: Reader, node: OnnxNode) -> Known:
    value = node.get(0)
    return Known(np.array(math.prod(value.sizes if isinstance(value, Tensor) else node.array(0).shape), np.int64))


@reads("ConstantOfShape")
def constant_of_shape(r: Reader, node: OnnxNode) -> Tensor:
    value = np.ravel(node.attribute("value", np.zeros(1, np.float32)))[0]
    empty = zeros(r, [int(n) for n in node.array(0)])
    dtype = "float32" if value.dtype.kind == "f" else "bool" if value.dtype.kind == "b" else "int64"
    if not value:
        return empty if dtype == "float32" else r.apply(lambda z: ops.cast(z, dtype), empty)
    return r.apply(lambda z: ops.cast(ops.add(z, float(value)), dtype), empty)


@reads("Range")
def arange(r: Reader, node: OnnxNode) -> Tensor:
    start, end, step = (node.array(place).item() for place in range(3))
    if start != 0 or step != 1 or not is_open(end):
        raise node.refusal("0, 1, … up to an open size", f"start={start}, end={end}, step={step}")
    y = r.record(count(r, int(end)))
    return y if node.array(1).dtype.kind == "i" else r.apply(lambda a: ops.cast(a, "float32"), y)


@reads("Expand")
def expand(r: Reader, node: OnnxNode) -> Any:
    value, target = node.get(0), [int(n) for n in node.array(1, "a shape")]
    sizes = value.sizes if isinstance(value, Tensor) else node.array(0).shape
    if isinstance(value, Known):
        value = _without_batch(r, value, target)
        sizes = value.array.shape
    full = np.broadcast_shapes(sizes, tuple(target))
    if isinstance(value, Known):
        if not value.array.any():
            return r.apply(lambda z: ops.cast(z, str(value.array.dtype)), zeros(r, full))
        return r.apply(lambda z: ops.add(ops.cast(z, str(value.array.dtype)), value.array), zeros(r, full))
    x = node.x()
    if full == x.sizes:
        return x
    lead = len(full) - x.rank
    kept = [None if i >= lead and x.sizes[i - lead] == n else n for i, n in enumerate(full)]
    if not any(n is not None and is_open(n) for n in kept):
        return r.apply(lambda a: ops.broadcast_to(a, kept), x)
    return r.apply(lambda a, z: ops.add(a, ops.cast(z, x.dtype)), x, zeros(r, full))


def _without_batch(r: Reader, known: Known, target: list[int]) -> Known:
    """A constant with a row for each example of the batch that the file fixes, if the rows are all alike: with one."""
    array = known.array
    for axis in range(-min(array.ndim, len(target)), 0):
        alike = array.shape[axis] > 1 and r.opened.get(array.shape[axis]) == target[axis]
        if alike and (array == array.take([0], axis)).all():
            array = array.take([0], axis)
    return known if array is known.array else Known(array)


@reads("Trilu")
def triangle(r: Reader, node: OnnxNode) -> Tensor:
    k = 0 if node.get(1) is None else int(node.array(1).item())
    function = ops.triu if node.attribute("upper", 1) else ops.tril
    x = node.x()
    if x.dtype == "bool":
        return r.apply(lambda a: ops.cast(function(ops.cast(a, "float32"), k), "bool"), x)
    return r.apply(lambda a: function(a, k), x)


@reads("OneHot")
def one_hot(r: Reader, node: OnnxNode) -> Tensor:
    depth, (off, on) = int(node.array(1).item()), node.array(2).tolist()
    axis = node.attribute("axis", -1)
    hot = r.apply(lambda x: ops.one_hot(ops.cast(x, "int64"), depth, axis=axis), node.x())
    return hot if (off, on) == (0, 1) else r.apply(lambda x: x * (on - off) + off, hot)
