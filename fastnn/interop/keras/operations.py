"""Operations between layers (``x + y``, ``keras.ops.mean``): nodes of their own in a functional model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ... import ops
from ...activations import Activation
from ...lookup import snake_case
from .names import LEFT_OUT

__all__ = ["operation", "operation_entry"]

_FUNCTIONS = {"true_divide": "divide", "get_item": "getitem"}
_ARGUMENTS = {"newshape": "newshape", "perm": "axes"}


def operation(name: str, config: dict[str, Any], where: str) -> Callable[..., Any]:
    """The function of ``fastnn.ops`` that corresponds to an operation of Keras, with its settings.

    Raises
    ------
    ValueError
        If there is none.
    """
    own = snake_case(name)
    function = getattr(ops, _FUNCTIONS.get(own, own), None) if _FUNCTIONS.get(own, own) in ops.__all__ else None
    if function is None or inspect.isclass(function):
        raise ValueError(f"{where} is an operation that fastnn.ops does not have. Use a Layer that computes it.")
    known = list(inspect.signature(function).parameters)
    settings = {}
    for key, value in config.items():
        value = tuple(value) if isinstance(value, list) else value
        if key in known:
            settings[key] = value
        elif key == "newshape":
            settings[known[1]] = value
        elif not (key in LEFT_OUT or value in (None, False) or key == "dtype"):
            raise ValueError(f"{where} has a setting that fastnn.ops.{own} lacks. Received: {key}={value!r:.80}.")

    def call(*arguments: Any, **named: Any) -> Any:
        values = [tuple(one) if own == "get_item" and isinstance(one, list) else one for one in arguments]
        try:
            return function(*values, **(settings if not named else settings | named))
        except (TypeError, IndexError) as error:
            raise ValueError(f"{where} cannot be called as the file specifies. {error}") from error

    return call


# Writing.

_NUMPY, _NN, _MATH, _CORE = (f"keras.src.ops.{module}" for module in ("numpy", "nn", "math", "core"))
_PLAIN = frozenset(
    {
        "Absolute",
        "Add",
        "Ceil",
        "Cos",
        "Divide",
        "Exp",
        "Expm1",
        "Floor",
        "FloorDivide",
        "Log",
        "Log1p",
        "Matmul",
        "Maximum",
        "Minimum",
        "Mod",
        "Multiply",
        "Negative",
        "Power",
        "Reciprocal",
        "Sign",
        "Sin",
        "Sqrt",
        "Square",
        "Subtract",
        "Tan",
        "Where",
    }
)
_SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "Cast": (_CORE, {"dtype": "dtype"}),
    "Concatenate": (_NUMPY, {"axis": "axis"}),
    "CumSum": (_NUMPY, {"axis": "axis"}),
    "Erf": (_MATH, {}),
    "ExpandDims": (_NUMPY, {"axis": "axis"}),
    "Flip": (_NUMPY, {"axis": "axis"}),
    "GetItem": (_NUMPY, {}),
    "LogSumExp": (_MATH, {"axis": "axis", "keepdims": "keepdims"}),
    "Mean": (_NUMPY, {"axis": "axis", "keepdims": "keepdims"}),
    "Prod": (_NUMPY, {"axis": "axis", "keepdims": "keepdims"}),
    "Repeat": (_NUMPY, {"repeats": "repeats", "axis": "axis"}),
    "Reshape": (_NUMPY, {"newshape": "shape"}),
    "Roll": (_NUMPY, {"shift": "shift", "axis": "axis"}),
    "Rsqrt": (_MATH, {}),
    "Squeeze": (_NUMPY, {"axis": "axis"}),
    "StopGradient": (_CORE, {}),
    "Sum": (_NUMPY, {"axis": "axis", "keepdims": "keepdims"}),
    "Tile": (_NUMPY, {"repeats": "repeats"}),
    "Transpose": (_NUMPY, {"axes": "axes"}),
}
_NAMES = {"CumSum": "Cumsum", "LogSumExp": "Logsumexp"}
_BY_NAME = {
    "max": "Max", "min": "Min", "argmax": "Argmax", "argmin": "Argmin", "any": "Any", "all": "All",
    "greater": "Greater", "greater_equal": "GreaterEqual", "less": "Less", "less_equal": "LessEqual",
    "equal": "Equal", "not_equal": "NotEqual", "logical_and": "LogicalAnd", "logical_or": "LogicalOr",
}  # fmt: skip
_ACTIVATIONS = {
    "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "softplus": "Softplus", "softsign": "Softsign",
    "silu": "Silu", "elu": "Elu", "selu": "Selu", "hard_sigmoid": "HardSigmoid", "leaky_relu": "LeakyRelu",
    "gelu": "Gelu", "gelu_tanh": "Gelu", "tanh": "Tanh", "exponential": "Exp", "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
}  # fmt: skip
_SLOPES = {"elu": "alpha", "leaky_relu": "negative_slope"}


def operation_entry(found: Any, where: str) -> tuple[str, str, dict[str, Any], list[Any]]:
    """Module, class, settings and further arguments of an operation in Keras.

    Raises
    ------
    ValueError
        If Keras has no such operation.
    """
    kind = type(found).__name__
    if kind in _PLAIN:
        return _NUMPY, kind, {}, []
    if kind == "GetItem":
        return _NUMPY, kind, {}, [[_key(one) for one in found.key]]
    if kind in _SETTINGS:
        module, settings = _SETTINGS[kind]
        values = {theirs: _plain(getattr(found, ours)) for theirs, ours in settings.items()}
        return module, _NAMES.get(kind, kind), values, []
    name = getattr(found, "name", "")
    if kind in ("Extreme", "Arg", "Logical", "Compare") and name in _BY_NAME:
        values = {key: _plain(getattr(found, key)) for key in ("axis", "keepdims") if key in vars(found)}
        return _NUMPY, _BY_NAME[name], values, []
    if kind == "Clip" and found.low is not None and found.high is not None:
        return _NUMPY, "Clip", {"x_min": found.low, "x_max": found.high}, []
    if kind == "Split":
        return _NUMPY, "Split", {"indices_or_sections": _plain(found.parts), "axis": found.axis}, []
    if kind in ("Activate", "SoftmaxAlong"):
        return _activation(found.activation, where)
    raise ValueError(
        f'{where} is an operation ({kind} "{name}") that cannot be written for Keras. Use a Layer that computes it, or '
        "save the model as .safetensors."
    )


def _activation(activation: Any, where: str) -> tuple[str, str, dict[str, Any], list[Any]]:
    name = activation.name if isinstance(activation, Activation) else ""
    if name not in _ACTIVATIONS:
        raise ValueError(f"{where} is an activation that Keras does not have, {name!r}.")
    settings: dict[str, Any] = {}
    if name in _SLOPES and getattr(activation, "alpha", None) is not None:
        settings = {_SLOPES[name]: activation.alpha}
    elif name in ("gelu", "gelu_tanh"):
        settings = {"approximate": name == "gelu_tanh"}
    elif name in ("softmax", "log_softmax"):
        settings = {"axis": _plain(getattr(activation, "axis", -1))}
    return (_NUMPY if _ACTIVATIONS[name] in ("Tanh", "Exp") else _NN), _ACTIVATIONS[name], settings, []


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def _key(part: Any) -> Any:
    """One axis of an index; operations store slices as tuples."""
    if isinstance(part, tuple):
        return slice(*part)
    return Ellipsis if part == "..." else part
