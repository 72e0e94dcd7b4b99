"""Activations, as settings of layers, as layers of their own and as operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ....activations import (
    Activation,
    ActivationOperation,
    ClippedRelu,
    Custom,
    Formula,
    LogSoftmax,
    Softmax,
    Sparsemax,
)
from ....layers import ELU, LeakyReLU, PReLU, ReLU
from ....layers import Activation as ActivationLayer
from ....layers import Softmax as SoftmaxLayer
from ....ops.nonlinear import Activate
from .table import Call, converts, masks
from .value import Value
from .walk import Walk, function_graph
from .writer import Writer

__all__ = ["activated", "softmax_over"]

_SELU: dict[str, Any] = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}
_NEVER = -1e9


def activated(w: Writer, x: Value, activation: Any) -> Value:
    """act(x), for an activation of ``fastnn.activations``."""
    if isinstance(activation, Custom):
        return Walk(w).graph(function_graph(activation, x), [x])[0][0]
    if isinstance(activation, ClippedRelu):
        return _clipped_relu(w, x, activation)
    if isinstance(activation, Softmax) and not isinstance(activation, Sparsemax):
        op = "LogSoftmax" if isinstance(activation, LogSoftmax) else "Softmax"
        return softmax_over(w, x, activation.axis, op)
    if isinstance(activation, Formula) and activation.name in _FORMULAS:
        return _FORMULAS[activation.name](w, x, activation)
    if type(activation) is not Activation:
        raise NotImplementedError(
            f"The activation {activation!r} computes on arrays in its own forward, so it cannot be written as ONNX. "
            "Use a function of operators and fastnn.ops in its place."
        )
    return _named(w, x, activation)


def _named(w: Writer, x: Value, activation: Activation) -> Value:
    alpha = activation.alpha
    match activation.name:
        case "linear":
            return x
        case "leaky_relu" | "elu":
            return w.add("LeakyRelu" if activation.name == "leaky_relu" else "Elu", x, alpha=alpha)
        case "selu":
            return w.add("Selu", x, **_SELU)
        case "hard_sigmoid":
            return w.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        case "silu":
            return w.add("Mul", x, w.add("Sigmoid", x))
        case "step":
            return w.cast(w.add("Greater", x, 0.0), x.dtype)
        case "gelu":
            both = w.add("Add", w.add("Erf", w.add("Mul", x, 1 / math.sqrt(2))), 1.0)
            return w.add("Mul", w.add("Mul", x, 0.5), both)
        case "gelu_tanh":
            cube = w.add("Mul", w.add("Mul", x, x), x)
            inner = w.add("Mul", w.add("Add", x, w.add("Mul", cube, 0.044715)), math.sqrt(2 / math.pi))
            return w.add("Mul", w.add("Mul", x, 0.5), w.add("Add", w.add("Tanh", inner), 1.0))
    return w.add({"exponential": "Exp"}.get(activation.name, activation.name.capitalize()), x)


def _clipped_relu(w: Writer, x: Value, activation: ClippedRelu) -> Value:
    slope, top, threshold = activation.negative_slope, activation.max_value, activation.threshold
    if not slope and not threshold:
        y = w.add("Relu", x)
    else:
        below: Any = w.add("Mul", w.add("Sub", x, threshold), slope) if slope else 0.0
        y = w.where(w.add("Greater", x, threshold), x, below, x.dtype)
    return y if top is None else w.add("Min", y, float(top))


def _sparse_plus(w: Writer, x: Value, activation: Any) -> Value:
    above = w.add("Add", x, 1.0)
    bent = w.where(w.add("Less", x, 1.0), w.add("Mul", w.add("Mul", above, above), 0.25), x, x.dtype)
    return w.where(w.add("Greater", x, -1.0), bent, 0.0, x.dtype)


def _celu(w: Writer, x: Value, activation: Any) -> Value:
    power = w.add("Exp", w.add("Div", w.add("Min", x, 0.0), activation.alpha))
    return w.add("Add", w.add("Max", x, 0.0), w.add("Mul", w.add("Sub", power, 1.0), activation.alpha))


def _squareplus(w: Writer, x: Value, activation: Any) -> Value:
    root = w.add("Sqrt", w.add("Add", w.add("Mul", x, x), activation.b))
    return w.add("Mul", w.add("Add", x, root), 0.5)


_FORMULAS: dict[str, Callable[[Writer, Value, Any], Value]] = {
    "softsign": lambda w, x, a: w.add("Softsign", x),
    "mish": lambda w, x, a: w.add("Mul", x, w.add("Tanh", w.add("Softplus", x))),
    "hard_silu": lambda w, x, a: w.add("Mul", x, w.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    "log_sigmoid": lambda w, x, a: w.add("Neg", w.add("Softplus", w.add("Neg", x))),
    "celu": _celu,
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda w, x, a: w.add("HardSigmoid", x, alpha=0.5, beta=0.5),
    "hard_tanh": lambda w, x, a: w.add("Max", w.add("Min", x, 1.0), -1.0),
    "tanh_shrink": lambda w, x, a: w.add("Sub", x, w.add("Tanh", x)),
    "soft_shrink": lambda w, x, a: w.add("Shrink", x, lambd=a.threshold, bias=a.threshold),
    "hard_shrink": lambda w, x, a: w.add("Shrink", x, lambd=a.threshold, bias=0.0),
    "threshold": lambda w, x, a: w.where(w.add("Greater", x, a.threshold), x, a.default_value, x.dtype),
}


def softmax_over(w: Writer, x: Value, axis: int | Sequence[int], op: str = "Softmax") -> Value:
    """Softmax along an axis, or over several axes together."""
    axes = [a % x.rank for a in (axis if isinstance(axis, Sequence) else [axis])]
    if len(axes) == 1:
        return w.softmax(x, axes[0], op)
    rest = [a for a in range(x.rank) if a not in axes]
    order = (*rest, *axes)
    moved = w.transpose(x, order)
    sizes = w.sizes(moved)
    flat = w.reshape(moved, [*sizes[: len(rest)], -1])
    y = w.reshape(w.softmax(flat, -1, op), sizes)
    return w.transpose(y, [order.index(a) for a in range(x.rank)])


@converts(ActivationOperation, Activate)
def activation_operation(w: Writer, operation: Any, call: Call) -> Value:
    return activated(w, call.x, operation.activation)


@converts(ActivationLayer, ReLU, LeakyReLU, ELU)
def activation_layer(w: Writer, layer: Any, call: Call) -> Value:
    return activated(w, call.x, layer.rule.activation)


@converts(SoftmaxLayer)
def softmax_layer(w: Writer, layer: SoftmaxLayer, call: Call) -> Value:
    x, mask = call.x, call.mask
    if mask is not None and mask.rank < x.rank:
        over_time = any(axis in (1, 1 - x.rank) for axis in layer._axes())
        mask = w.expand_dims(mask, *range(mask.rank, x.rank)) if over_time else None
    if mask is None:
        return activated(w, x, layer.rule.activation)
    y = activated(w, w.where(mask, x, _NEVER, x.dtype), layer.rule.activation)
    return w.where(mask, y, 0.0, x.dtype)


@masks(SoftmaxLayer)
def softmax_mask(w: Writer, layer: SoftmaxLayer, call: Call) -> Value | None:
    return call.mask if call.mask is not None and call.x.rank > 2 and call.mask.rank == 2 else None


@converts(PReLU)
def prelu(w: Writer, layer: PReLU, call: Call) -> Value:
    below = w.add("Mul", w.add("Min", call.x, 0.0), w.weight(layer.alpha))
    return w.add("Add", below, w.add("Relu", call.x))
