"""The writer of an ONNX graph: nodes and constants, transposes that wait, and operations on sizes that are open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....extras import library
from ..layout import after, inverse, without
from .value import Shape, Size, Value, broadcast

__all__ = ["Writer"]

_WORDS = """
Abs Add And Cast Ceil Clip Cos Div Elu Equal Erf Exp Floor Greater GreaterOrEqual HardSigmoid Identity IsInf IsNaN
LeakyRelu Less LessOrEqual Log Max Min Mod Mul Neg Not Or Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus
Softsign Sqrt Sub Tan Tanh Where Xor
"""
_ELEMENTWISE = frozenset(_WORDS.split())
_TRUTHS = {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not", "Xor", "IsNaN", "IsInf"}
_AXES_AS_INPUT = {"ReduceSum": 13}
"""The operator set from which a reduction reads its axes as an input; 18 for the others."""


class Writer:
    """An ONNX graph that is being written.

    Parameters
    ----------
    opset : int
    parent : Writer, optional
        Of the graph that this one is the body of; names and constants are the parent's.
    """

    def __init__(self, opset: int, parent: Writer | None = None):
        self.onnx = library("onnx", "onnx", "The exchange with ONNX")
        self.opset = opset
        self.nodes: list[Any] = []
        self.root: Writer = self if parent is None else parent.root
        if parent is None:
            self.constants: dict[Any, Any] = {}
            self.counter: dict[str, itertools.count[int]] = {}
            self.taken: set[str] = set()
        self._transposed: dict[Any, Value] = {}

    # Names, constants and nodes.

    def name(self, stem: str) -> str:
        """A name that nothing has yet."""
        counter = self.root.counter.setdefault(stem, itertools.count())
        for number in counter:
            found = f"{stem}_{number}" if number else stem
            if found not in self.root.taken:
                break
        self.root.taken.add(found)
        return found

    def constant(self, array: Any, dtype: str | None = None) -> Value:
        """A constant; it goes into the file once a node reads it, and equal ones go into it once."""
        array = np.asarray(array, dtype)
        return Value("", array.shape, array.dtype.name, array=array)

    def integers(self, *numbers: int) -> Value:
        """A constant (n,) of int64: axes, bounds, sizes."""
        return self.constant(np.array(numbers, np.int64))

    def weight(self, parameter: Any) -> Value:
        """The values of a parameter."""
        return self.constant(parameter.value)

    def read(self, value: Value | None) -> str:
        """The name by which a node reads a value; writes what waits."""
        if value is None:
            return ""
        if value.array is not None:
            return self._stored(value.array)
        return self.plain(value).name

    def _stored(self, array: np.ndarray) -> str:
        array = np.ascontiguousarray(array).reshape(array.shape)
        key = (array.dtype.name, array.shape, array.tobytes())
        constants = self.root.constants
        if key not in constants:
            constants[key] = self.onnx.numpy_helper.from_array(array, self.name("constant"))
        return constants[key].name

    def plain(self, value: Value) -> Value:
        """The same value as an array of its own: a transpose that waits is written, once."""
        if value.order is None or value.array is not None:
            return value
        key = (value.name, value.order)
        if key not in self._transposed:
            name = self.name("Transpose")
            self.nodes.append(self.onnx.helper.make_node("Transpose", [value.name], [name], perm=value.order))
            self._transposed[key] = Value(name, value.shape, value.dtype)
        return self._transposed[key]

    def emit(self, op: str, inputs: Sequence[Value | None], outputs: int = 1, **attributes: Any) -> list[str]:
        """Write a node; gives the names of its outputs."""
        names = [self.read(value) for value in inputs]
        while names and not names[-1]:  # optional inputs that are left out at the end are not there at all
            names.pop()
        made = [self.name(op) for _ in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(op, names, made, **attributes))
        return made

    def add(
        self, op: str, *inputs: Any, shape: Shape | None = None, dtype: str | None = None, **attributes: Any
    ) -> Value:
        """Write a node with one output.

        Parameters
        ----------
        op : str
            Of ONNX.
        *inputs : Value, number or None
            A number takes the dtype of the first value; None leaves an optional input out.
        shape, dtype : optional
            Of the output. Elementwise operations know their own, and keep a transpose of their inputs waiting.
        """
        first = next(one for one in inputs if isinstance(one, Value))
        kind = inputs[1].dtype if op == "Where" and isinstance(inputs[1], Value) else first.dtype
        values = [self.constant(one, kind) if isinstance(one, (int, float)) else one for one in inputs]
        dtype = dtype or ("bool" if op in _TRUTHS else kind)
        order = None
        if op in _ELEMENTWISE:
            shape = shape or broadcast([one.shape for one in values if one is not None])
            order, values = self._aligned(values, len(shape))
        (name,) = self.emit(op, values, **attributes)
        return Value(name, shape if shape is not None else first.shape, dtype, order)

    def _aligned(self, values: list[Any], rank: int) -> tuple[Any, list[Any]]:
        """Values on which an elementwise operation can run in their current layout, and the order of its output."""
        arrays = [one for one in values if one is not None and one.array is None]
        orders = {one.order for one in arrays}
        if len(orders) != 1 or None in orders or any(one.rank != rank for one in arrays):
            return None, values
        (order,) = orders
        back = inverse(order)
        laid = []
        for one in values:
            if one is None or (one.array is not None and one.array.size == 1):
                laid.append(one)
            elif one.array is not None:
                laid.append(self.constant(one.array.reshape((1,) * (rank - one.rank) + one.shape).transpose(back)))
            else:
                laid.append(Value(one.name, tuple(one.shape[axis] for axis in back), one.dtype))
        return order, laid

    # Axes.

    def transpose(self, x: Value, axes: Sequence[int]) -> Value:
        """The value with its axes in another order."""
        if x.array is not None:
            return self.constant(x.array.transpose(axes))
        shape = tuple(x.shape[axis] for axis in axes)
        return Value(x.name, shape, x.dtype, after(x.order, axes))

    def move_axis(self, x: Value, source: int, target: int) -> Value:
        """As numpy.moveaxis."""
        axes = list(range(x.rank))
        axes.insert(target % x.rank, axes.pop(source % x.rank))
        return self.transpose(x, axes)

    def sizes(self, x: Value) -> list[int | Size]:
        """The size of every axis: a number where it is known."""
        return [Size(x, axis) if n is None else n for axis, n in enumerate(x.shape)]

    def shape_of(self, sizes: Sequence[int | Size]) -> Value:
        """A shape as a value, (rank,) of int64."""
        parts: list[Value] = []
        for known, run in itertools.groupby(sizes, key=lambda n: isinstance(n, int)):
            same: list[Any] = list(run)
            parts += [self.integers(*same)] if known else [self.size(n) for n in same]
        if not parts:
            return self.integers()
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, shape=(len(sizes),), axis=0)

    def size(self, size: int | Size) -> Value:
        """A size as a value, (1,) of int64."""
        if isinstance(size, int):
            return self.integers(size)
        source = size.value
        axis = size.axis if source.order is None else source.order[size.axis]
        base = Value(source.name, source.shape, source.dtype)
        return self.add("Shape", base, shape=(1,), dtype="int64", start=axis, end=axis + 1)

    def reshape(self, x: Value, sizes: Sequence[int | Size]) -> Value:
        """The numbers in another shape; one size may be -1."""
        same = [isinstance(n, Size) and n.value.name == x.name and n == Size(n.value, i) for i, n in enumerate(sizes)]
        x = self.plain(x)
        target: list[int | Size] = [0 if keep else n for keep, n in zip(same, sizes, strict=True)]  # 0: that of x
        open_sizes = [i for i, n in enumerate(target) if isinstance(n, Size)]
        if len(open_sizes) == 1 and -1 not in target:
            target[open_sizes[0]] = -1
        shape: list[int | None] = [n if isinstance(n, int) and n >= 0 else None for n in sizes]
        if -1 in sizes and None not in x.shape and shape.count(None) == 1:
            shape[shape.index(None)] = _cells(x.shape) // max(1, _cells(shape))
        return self.add("Reshape", x, self.shape_of(target), shape=tuple(shape))

    def expand_dims(self, x: Value, *axes: int) -> Value:
        """New axes of length 1, at these places of the result."""
        rank = x.rank + len(axes)
        places = sorted(axis % rank for axis in axes)
        shape: list[Any] = list(x.shape)
        for axis in places:
            shape.insert(axis, 1)
        if x.array is not None:
            return self.constant(x.array.reshape(shape))
        return self.add("Unsqueeze", self.plain(x), self.integers(*places), shape=tuple(shape))

    def squeeze(self, x: Value, *axes: int) -> Value:
        """The value without these axes, which are of length 1."""
        places = sorted(axis % x.rank for axis in axes)
        base = places if x.order is None else sorted(x.order[axis] for axis in places)
        (name,) = self.emit("Squeeze", [self._as_laid(x), self.integers(*base)])
        shape = tuple(n for axis, n in enumerate(x.shape) if axis not in places)
        return Value(name, shape, x.dtype, without(x.order, places))

    def _as_laid(self, x: Value) -> Value:
        """The array behind a value."""
        return x if x.order is None else Value(x.name, tuple(x.shape[a] for a in inverse(x.order)), x.dtype)

    def expand(self, x: Value, sizes: Sequence[int | Size]) -> Value:
        """The value stretched over axes of length 1, as numpy.broadcast_to; a size of 1 keeps that of the value."""
        shape = broadcast([x.shape, tuple(n if isinstance(n, int) else None for n in sizes)])
        return self.add("Expand", self.plain(x), self.shape_of(sizes), shape=shape)

    def slice(self, x: Value, axis: int, start: int = 0, end: int | None = None, step: int = 1) -> Value:
        """x[start:end:step] along an axis."""
        axis %= x.rank
        base = axis if x.order is None else x.order[axis]
        last = end if end is not None else np.iinfo(np.int64).max if step > 0 else np.iinfo(np.int64).min
        bounds = [self.integers(n) for n in (start, last, base, step)]
        (name,) = self.emit("Slice", [self._as_laid(x), *bounds])
        n = x.shape[axis]
        length = None if n is None else len(range(n)[start:end:step])
        return Value(name, (*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype, x.order)

    def flip(self, x: Value, axis: int) -> Value:
        """The value with an axis turned round."""
        return self.slice(x, axis, -1, None, -1)

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        """Values joined end to end."""
        axis %= values[0].rank
        lengths = [one.shape[axis] for one in values]
        joined = None if None in lengths else sum(n for n in lengths if n is not None)
        others = [
            next((s for s in sizes if s is not None), None) for sizes in zip(*(v.shape for v in values), strict=True)
        ]
        shape = (*others[:axis], joined, *others[axis + 1 :])
        orders = {one.order for one in values}
        (order,) = orders if len(orders) == 1 else (None,)
        laid = [self._as_laid(one) if order is not None else one for one in values]
        (name,) = self.emit("Concat", laid, axis=axis if order is None else order[axis])
        return Value(name, shape, values[0].dtype, order)

    def reduce(self, op: str, x: Value, axes: Sequence[int], keepdims: bool = False) -> Value:
        """A reduction such as ReduceMean over some axes."""
        places = sorted(axis % x.rank for axis in axes)
        base = places if x.order is None else sorted(x.order[axis] for axis in places)
        shape = tuple(1 if axis in places else n for axis, n in enumerate(x.shape) if keepdims or axis not in places)
        if not places:
            return x
        inputs: list[Any] = [self._as_laid(x)]
        named: dict[str, Any] = {"keepdims": int(keepdims)}
        if self.opset >= _AXES_AS_INPUT.get(op, 18):
            inputs.append(self.integers(*base))
        else:
            named["axes"] = base
        (name,) = self.emit(op, inputs, **named)
        return Value(name, shape, x.dtype, x.order if keepdims else without(x.order, places))

    # What several converters need.

    def matmul(self, a: Value, b: Value) -> Value:
        """The product of matrices, stretched over the axes before."""
        lead = broadcast([a.shape[:-2], b.shape[:-2]]) if max(a.rank, b.rank) > 2 else ()
        return self.add("MatMul", a, b, shape=(*lead, a.shape[-2], b.shape[-1]))

    def cast(self, x: Value, dtype: str) -> Value:
        """The value in another dtype."""
        if x.dtype == dtype:
            return x
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", x, dtype=dtype, to=kind)

    def where(self, condition: Value, a: Value | float, b: Value | float, dtype: str) -> Value:
        """``a`` where the condition holds, else ``b``."""
        a, b = (one if isinstance(one, Value) else self.constant(one, dtype) for one in (a, b))
        return self.add("Where", condition, a, b, dtype=dtype)

    def softmax(self, x: Value, axis: int = -1, op: str = "Softmax") -> Value:
        """Softmax, or LogSoftmax, along an axis."""
        axis %= x.rank
        (name,) = self.emit(op, [self._as_laid(x)], axis=axis if x.order is None else x.order[axis])
        return Value(name, x.shape, x.dtype, x.order)

    def arange(self, length: int | Size) -> Value:
        """0, 1, …, length − 1 of int64."""
        if isinstance(length, int):
            return self.constant(np.arange(length, dtype=np.int64))
        end = self.squeeze(self.size(length), 0)
        return self.add("Range", self.constant(np.int64(0)), end, self.constant(np.int64(1)), shape=(None,))

    # The graph as a whole.

    def info(self, value: Value, names: Sequence[str] | None = None) -> Any:
        """The name, dtype and shape of a value, as inputs and outputs are described; open sizes by name, or not at all.

        Parameters
        ----------
        value : Value
        names : list of str, optional
            One for each axis, used where it is open.
        """
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
        words: Sequence[str | None] = names or [None] * value.rank
        sizes = [name if n is None else n for n, name in zip(value.shape, words, strict=True)]
        return self.onnx.helper.make_tensor_value_info(value.name, kind, sizes)

    def body(self, name: str, inputs: Sequence[Value], outputs: Sequence[Value]) -> Any:
        """The graph from these inputs to these outputs, as the body of a loop in the parent's."""
        ends = [self.info(value) for value in inputs], [self.info(value) for value in outputs]
        return self.onnx.helper.make_graph(self.nodes, name, *ends)


def _cells(shape: Sequence[int | None]) -> int:
    """The product of the sizes that are known."""
    return math.prod(n for n in shape if n is not None)
