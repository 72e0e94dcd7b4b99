"""Layers that merge: elementwise, end to end, and by products; with what their masks leave out."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from ....layers import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from ....layers.merging.dot import _LEAST_NORM
from ....layers.merging.elementwise import MaskedMerge
from ....layers.merging.merge import Merge
from .table import Call, converts, masks
from .value import Value
from .writer import Writer

__all__: list[str] = []


def _alike(w: Writer, values: list[Value]) -> list[Value]:
    """Values of one rank: axes of length 1 come behind the batch."""
    rank = max(one.rank for one in values)
    return [w.expand_dims(one, *range(1, 1 + rank - one.rank)) if one.rank < rank else one for one in values]


def _folded(w: Writer, op: str, values: list[Value]) -> Value:
    first, *rest = values
    for one in rest:
        first = w.add(op, first, one)
    return first


@converts(Add)
def add(w: Writer, layer: Add, call: Call) -> Value:
    return _folded(w, "Add", _alike(w, call.inputs))


@converts(Subtract)
def subtract(w: Writer, layer: Subtract, call: Call) -> Value:
    return _folded(w, "Sub", _alike(w, call.inputs))


@converts(Average)
def average(w: Writer, layer: Average, call: Call) -> Value:
    return w.add("Mul", add(w, layer, call), 1 / len(call.inputs))


@converts(Multiply, Maximum, Minimum)
def masked_merge(w: Writer, layer: MaskedMerge, call: Call) -> Value:
    """What a mask leaves out has no say; where all of them leave it out, products are 0 and extremes the first's."""
    op = {"multiply": "Mul", "maximum": "Max", "minimum": "Min"}[layer.mode]
    values = _alike(w, call.inputs)
    counts = [
        None if mask is None else w.expand_dims(mask, *range(mask.rank, values[0].rank))
        for mask in (call.masks + [None] * len(values))[: len(values)]
    ]
    some = merged_mask(w, layer, Call(values, counts, {}, [], call.apply)) if counts else None
    values = [
        one if count is None else w.where(_kept(w, layer, i, count, some), one, layer.neutral, one.dtype)
        for i, (one, count) in enumerate(zip(values, counts, strict=True))
    ]
    y = _folded(w, op, values)
    return w.where(some, y, 0.0, y.dtype) if some is not None and layer.mode == "multiply" else y


def _kept(w: Writer, layer: MaskedMerge, place: int, count: Value, some: Value | None) -> Value:
    """Where an input has a say: the first one also where none has, if an extreme is sought."""
    if place or some is None or layer.mode == "multiply":
        return count
    return w.add("Or", count, w.add("Not", some))


@masks(Merge)
def merged_mask(w: Writer, layer: Any, call: Call) -> Value | None:
    if not call.masks or any(mask is None for mask in call.masks):
        return None
    return _folded(w, "Or", [mask for mask in call.masks if mask is not None])


@converts(Concatenate)
def concatenate(w: Writer, layer: Concatenate, call: Call) -> Value:
    return w.concat(call.inputs, layer.axis)


@masks(Concatenate)
def concatenated_mask(w: Writer, layer: Concatenate, call: Call) -> Value | None:
    if all(mask is None for mask in call.masks):
        return None
    every = w.constant(np.array([[True]]))
    full = [
        w.expand(every, w.sizes(x)[:2]) if mask is None else mask
        for x, mask in zip(call.inputs, call.masks, strict=True)
    ]
    axis = layer.axis % call.x.rank
    return w.concat(full, axis) if axis < 2 else _folded(w, "Or", full)


@converts(Dot)
def dot(w: Writer, layer: Dot, call: Call) -> Value:
    """Einsum, example by example; of vectors of length 1 with ``normalize``."""
    a, b = call.inputs
    i, j = layer._places([a.shape, b.shape])
    if layer.normalize:
        a, b = _unit(w, a, i), _unit(w, b, j)
    left, right = list(string.ascii_lowercase[: a.rank]), list(string.ascii_uppercase[: b.rank])
    right[0], right[j] = left[0], left[i]
    rest = [*left[1:i], *left[i + 1 :], *right[1:j], *right[j + 1 :]]
    equation = f"{''.join(left)},{''.join(right)}->{left[0]}{''.join(rest)}"
    shape = (a.shape[0], *a.shape[1:i], *a.shape[i + 1 :], *b.shape[1:j], *b.shape[j + 1 :])
    y = w.add("Einsum", a, b, shape=shape, equation=equation)
    return y if rest else w.expand_dims(y, 1)


def _unit(w: Writer, x: Value, axis: int) -> Value:
    squares = w.reduce("ReduceSum", w.add("Mul", x, x), [axis], keepdims=True)
    return w.add("Div", x, w.add("Max", w.add("Sqrt", squares), float(_LEAST_NORM)))
