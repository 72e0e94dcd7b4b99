"""Elementwise operators, activations, reductions and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .... import layers, ops
from ....activations import Activation
from .node import OnnxNode
from .reader import Reader
from .table import reads
from .values import Tensor

__all__ = ["reduced_axes"]

_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Abs": ops.absolute,
    "Add": ops.add,
    "And": ops.logical_and,
    "Ceil": ops.ceil,
    "Cos": ops.cos,
    "Equal": ops.equal,
    "Erf": ops.erf,
    "Erfc": lambda x: 1 - ops.erf(x),
    "Exp": ops.exp,
    "Floor": ops.floor,
    "Greater": ops.greater,
    "GreaterOrEqual": ops.greater_equal,
    "HardSwish": lambda x: x * ops.clip(x / 6 + 0.5, 0.0, 1.0),
    "Identity": lambda x: x,
    "IsInf": ops.isinf,
    "IsNaN": ops.isnan,
    "Less": ops.less,
    "LessOrEqual": ops.less_equal,
    "Log": ops.log,
    "Mish": lambda x: x * ops.tanh(ops.softplus(x)),
    "Mul": ops.multiply,
    "Neg": ops.negative,
    "Not": ops.logical_not,
    "Or": ops.logical_or,
    "Pow": ops.power,
    "Reciprocal": ops.reciprocal,
    "Round": ops.round,
    "Sign": ops.sign,
    "Sin": ops.sin,
    "Sqrt": ops.sqrt,
    "Sub": ops.subtract,
    "Swish": ops.silu,
    "Tan": ops.tan,
    "Where": ops.where,
    "Xor": ops.logical_xor,
}


@reads(*_ELEMENTWISE)
def elementwise(r: Reader, node: OnnxNode) -> Tensor:
    return r.elementwise(_ELEMENTWISE[node.op], *node.operands)


@reads("Dropout")
def dropout(r: Reader, node: OnnxNode) -> list[Tensor]:
    """The input: a file holds a model as it predicts."""
    return [node.x()]


@reads("Div")
def divide(r: Reader, node: OnnxNode) -> Tensor:
    """Of integers towards zero, as ONNX has it."""
    if node.x(0 if isinstance(node.get(0), Tensor) else 1).dtype != "int64":
        return r.elementwise(ops.divide, *node.operands)
    return r.elementwise(lambda a, b: ops.sign(a) * ops.sign(b) * (ops.absolute(a) // ops.absolute(b)), *node.operands)


@reads("Mod")
def mod(r: Reader, node: OnnxNode) -> Tensor:
    if node.attribute("fmod", 0):
        return r.elementwise(lambda a, b: ops.sign(a) * ops.mod(ops.absolute(a), ops.absolute(b)), *node.operands)
    return r.elementwise(ops.mod, *node.operands)


@reads("Max", "Min", "Sum", "Mean")
def several(r: Reader, node: OnnxNode) -> Tensor:
    function = {"Max": ops.maximum, "Min": ops.minimum}.get(node.op, ops.add)
    first, *rest = node.operands
    for one in rest:
        first = r.elementwise(function, first, one)
    return r.elementwise(lambda x: x / len(node.inputs), first) if node.op == "Mean" else first  # type: ignore


@reads("Clip")
def clip(r: Reader, node: OnnxNode) -> Tensor:
    """Bounds are attributes in old versions, and inputs that may be left out in new ones."""
    bounds = []
    for place, name in ((1, "min"), (2, "max")):
        given = node.get(place)
        bounds.append(node.attribute(name) if given is None else node.array(place, f"{name}=").item())
    x, (low, high) = node.x(), bounds
    if low == 0 and high is None:
        return _activation(r, node, "relu")
    if low is not None:
        x = r.elementwise(lambda a: ops.maximum(a, low), x)
    return x if high is None else r.elementwise(lambda a: ops.minimum(a, high), x)


@reads("Cast", "CastLike")
def cast(r: Reader, node: OnnxNode) -> Tensor:
    if node.op == "CastLike":
        kind = node.get(1)
        dtype = kind.dtype if isinstance(kind, Tensor) else str(node.array(1).dtype)
    else:
        dtype = np.dtype(r.onnx.helper.tensor_dtype_to_np_dtype(node.attribute("to"))).name
    kinds = {"bool": "bool", "float64": "float64"}
    target = kinds.get(dtype, "int64" if dtype.lstrip("u").startswith("int") else "float32")
    return node.x() if node.x().dtype == target else r.elementwise(lambda x: ops.cast(x, target), node.x())


# Activations, as layers.

_ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Selu": "selu",
}


def _activation(r: Reader, node: OnnxNode, activation: Any) -> Tensor:
    """A layer; elementwise, so that a transpose of the input stays pending."""
    x = node.x()
    if x.dtype == "int64":
        return r.elementwise(lambda a: ops.maximum(a, 0), x)
    base = Tensor(x.symbol, r.sizes[id(x.symbol)])
    y = r.layer(node, None, lambda **k: layers.Activation(activation, **k), [], base)
    return Tensor(y.symbol, x.sizes, x.order)


@reads(*_ACTIVATIONS)
def activation(r: Reader, node: OnnxNode) -> Tensor:
    return _activation(r, node, _ACTIVATIONS[node.op])


@reads("LeakyRelu", "Elu")
def sloped(r: Reader, node: OnnxNode) -> Tensor:
    name, default = {"LeakyRelu": ("leaky_relu", 0.01), "Elu": ("elu", 1.0)}[node.op]
    return _activation(r, node, Activation(name, node.attribute("alpha", default)))


@reads("HardSigmoid")
def hard_sigmoid(r: Reader, node: OnnxNode) -> Tensor:
    alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return _activation(r, node, "hard_sigmoid")
    return r.elementwise(lambda x: ops.clip(x * alpha + beta, 0.0, 1.0), node.x())


@reads("Gelu")
def gelu(r: Reader, node: OnnxNode) -> Tensor:
    return _activation(r, node, "gelu_tanh" if node.attribute("approximate", "none") == "tanh" else "gelu")


@reads("PRelu")
def prelu(r: Reader, node: OnnxNode) -> Tensor:
    return r.elementwise(lambda x, slope: ops.maximum(x, 0.0) + ops.minimum(x, 0.0) * slope, *node.operands)


@reads("Softmax", "LogSoftmax")
def softmax(r: Reader, node: OnnxNode) -> Tensor:
    """Along one axis; before version 13 over all axes from it on."""
    x = r.plain(node.x())
    axis: Any = node.attribute("axis", -1 if r.opset >= 13 else 1) % x.rank
    if r.opset < 13 and axis < x.rank - 1:
        axis = list(range(axis, x.rank))
    if node.op == "Softmax":
        return r.layer(node, None, lambda **k: layers.Softmax(axis, **k), [], x)
    return r.apply(lambda a: ops.log_softmax(a, axis=axis), x)


# Reductions.


def reduced_axes(r: Reader, node: OnnxNode, x: Tensor) -> list[int] | None:
    """The axes of a reduction; None where it reduces nothing."""
    axes = node.numbers("axes", 1)
    if not axes:
        return None if node.attribute("noop_with_empty_axes", 0) else list(range(x.rank))
    return [axis % x.rank for axis in axes]


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceMax": ops.max,
    "ReduceMean": ops.mean,
    "ReduceMin": ops.min,
    "ReduceProd": ops.prod,
    "ReduceSum": ops.sum,
    "ReduceLogSumExp": ops.logsumexp,
    "ReduceL1": lambda x, **k: ops.sum(ops.absolute(x), **k),
    "ReduceL2": lambda x, **k: ops.sqrt(ops.sum(ops.square(x), **k)),
    "ReduceSumSquare": lambda x, **k: ops.sum(ops.square(x), **k),
    "ReduceLogSum": lambda x, **k: ops.log(ops.sum(x, **k)),
}


@reads(*_REDUCTIONS)
def reduction(r: Reader, node: OnnxNode) -> Tensor:
    x = node.x()
    axes = reduced_axes(r, node, x)
    keepdims = bool(node.attribute("keepdims", 1))
    if axes is None:
        return x
    if x.order is None:
        return r.apply(lambda a: _REDUCTIONS[node.op](a, axis=axes, keepdims=keepdims), x)
    base = [x.order[axis] for axis in axes]
    y = r.record(_REDUCTIONS[node.op](x.symbol, axis=base, keepdims=True))
    kept = Tensor(y.symbol, tuple(y.sizes[axis] for axis in x.order), x.order)
    return kept if keepdims else r.apply(lambda a: ops.squeeze(a, axis=axes), kept)


@reads("ArgMax", "ArgMin")
def place(r: Reader, node: OnnxNode) -> Tensor:
    function = ops.argmax if node.op == "ArgMax" else ops.argmin
    axis, keepdims = node.attribute("axis", 0), bool(node.attribute("keepdims", 1))
    if node.attribute("select_last_index", 0):
        raise node.refusal("the first of equal numbers", "select_last_index=1")
    return r.apply(lambda x: function(x, axis=axis, keepdims=keepdims), node.x())


@reads("CumSum")
def cumulative_sum(r: Reader, node: OnnxNode) -> Tensor:
    if node.attribute("exclusive", 0) or node.attribute("reverse", 0):
        raise node.refusal("exclusive=0, reverse=0", "one of them set")
    axis = int(node.array(1, "axis").item())
    return r.apply(lambda x: ops.cumsum(x, axis=axis), node.x())


@reads("TopK")
def top_k(r: Reader, node: OnnxNode) -> list[Tensor]:
    x, k = node.x(), int(node.array(1, "k").item())
    if node.attribute("axis", -1) % x.rank != x.rank - 1 or not node.attribute("largest", 1):
        raise node.refusal("the largest along the last axis", "another axis, or the smallest")
    return r.apply(lambda a: list(ops.top_k(a, k)), x)


# Products.


@reads("Einsum")
def einsum(r: Reader, node: OnnxNode) -> Tensor:
    return r.apply(lambda *a: ops.einsum(node.attribute("equation"), *a), *node.operands)
