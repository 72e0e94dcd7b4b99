"""Reductions of ``fastnn.ops``."""

from __future__ import annotations

from typing import Any

from ....ops import reductions
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__: list[str] = []

_PLAIN = {
    reductions.Sum: "ReduceSum",
    reductions.Mean: "ReduceMean",
    reductions.Prod: "ReduceProd",
    reductions.LogSumExp: "ReduceLogSumExp",
}


@converts(*_PLAIN)
def reduction(w: Writer, operation: reductions.Reduction, call: Call) -> Value:
    return w.reduce(_PLAIN[type(operation)], call.x, operation.axes(call.x.shape), operation.keepdims)


@converts(reductions.Extreme)
def extreme(w: Writer, operation: reductions.Extreme, call: Call) -> Value:
    op = {"max": "ReduceMax", "min": "ReduceMin"}[operation.name]
    return w.reduce(op, call.x, operation.axes(call.x.shape), operation.keepdims)


@converts(reductions.Logical)
def logical(w: Writer, operation: reductions.Logical, call: Call) -> Value:
    op = {"any": "ReduceMax", "all": "ReduceMin"}[operation.name]
    truths = w.cast(w.cast(call.x, "bool"), "float32")
    return w.cast(w.reduce(op, truths, operation.axes(call.x.shape), operation.keepdims), "bool")


@converts(reductions.Arg)
def place(w: Writer, operation: reductions.Arg, call: Call) -> Value:
    op, x = {"argmax": "ArgMax", "argmin": "ArgMin"}[operation.name], call.x
    axis: Any = operation.axis
    if axis is None:
        flat = w.reshape(x, [-1])
        y = w.add(op, flat, shape=(), dtype="int64", axis=0, keepdims=0)
        return w.reshape(y, [1] * x.rank) if operation.keepdims else y
    axis %= x.rank
    shape = (*x.shape[:axis], *([1] if operation.keepdims else []), *x.shape[axis + 1 :])
    return w.add(op, x, shape=shape, dtype="int64", axis=axis, keepdims=int(operation.keepdims))


@converts(reductions.CumSum)
def cumulative_sum(w: Writer, operation: reductions.CumSum, call: Call) -> Value:
    x = call.x if operation.axis is not None else w.reshape(call.x, [-1])
    axis: Any = 0 if operation.axis is None else operation.axis % x.rank
    return w.add("CumSum", w.plain(x), w.constant(axis, "int64"), shape=x.shape)
