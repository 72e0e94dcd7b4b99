"""``keras.backend``: the settings of the library, and the functions that losses and metrics of older scripts call.

>>> from fastnn.keras import backend as K
>>> float(K.mean(K.square([1.0, 3.0]))), K.floatx(), K.image_data_format()
(5.0, 'float32', 'channels_last')
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops, random
from ..backend import floatx, set_floatx
from ..ops import (
    abs,
    all,
    any,
    arange,
    argmax,
    argmin,
    binary_crossentropy,
    cast,
    categorical_crossentropy,
    clip,
    concatenate,
    cos,
    cumsum,
    dot,
    elu,
    equal,
    exp,
    expand_dims,
    eye,
    greater,
    greater_equal,
    hard_sigmoid,
    is_tensor,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    ones,
    ones_like,
    prod,
    relu,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
    zeros,
    zeros_like,
)
from ..utils import clear_session

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "batch_dot", "batch_flatten",
    "binary_crossentropy", "cast", "cast_to_floatx", "categorical_crossentropy", "clear_session", "clip",
    "concatenate", "constant", "cos", "cumsum", "dot", "elu", "epsilon", "equal", "exp", "expand_dims", "eye",
    "flatten", "floatx", "get_value", "greater", "greater_equal", "hard_sigmoid", "image_data_format",
    "int_shape", "is_tensor", "l2_normalize", "less", "less_equal", "log", "logsumexp", "max", "maximum",
    "mean", "min", "minimum", "ndim", "not_equal", "one_hot", "ones", "ones_like", "permute_dimensions", "pow",
    "prod", "random_normal", "random_uniform", "relu", "reshape", "round", "set_epsilon", "set_floatx",
    "set_image_data_format", "set_value", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sum",
    "switch", "tanh", "tile", "transpose", "update", "update_add", "update_sub", "var", "zeros", "zeros_like",
]  # fmt: skip

_EPSILON = 1e-7

# Settings.


def backend() -> str:
    """The name of what computes: "fastnn"."""
    return "fastnn"


def epsilon() -> float:
    """The number that losses keep probabilities away from 0 and 1 by, 1e-7."""
    return _EPSILON


def set_epsilon(value: float) -> None:
    """Accepted for 1e-7, which the kernels of the losses have.

    Raises
    ------
    ValueError
        For any other number.
    """
    if value != _EPSILON:
        raise ValueError(
            f"epsilon is fixed at 1e-7 in the kernels of the losses. Received: {value!r}. Leave the call out."
        )


def image_data_format() -> str:
    """The default position of channels: "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accepted for "channels_last".

    Raises
    ------
    ValueError
        For any other format.
    """
    if data_format != "channels_last":
        raise ValueError(
            f'Layers expect channels last. Received: {data_format!r}. Use data_format="channels_first" in the layers '
            "that have it, or np.moveaxis(images, 1, -1)."
        )


def cast_to_floatx(x: Any) -> np.ndarray:
    """An array of ``floatx()``."""
    return np.asarray(x, floatx())


# Functions under the names of Keras 2.


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> np.ndarray:
    """An array of a value."""
    array = np.asarray(value, dtype or floatx())
    return array if shape is None else np.full(shape, array, array.dtype)


def get_value(x: Any) -> np.ndarray:
    """The numbers of an array or a weight."""
    return ops.convert_to_numpy(x)


def set_value(x: Any, value: Any) -> None:
    """Write into a weight.  A learning rate is a number: assign ``model.optimizer.learning_rate = 0.01``.

    Raises
    ------
    TypeError
        If it is not a weight.
    """
    if not hasattr(x, "assign"):
        raise TypeError(
            f"set_value writes into a weight. Received: {x!r}. For a learning rate use "
            "model.optimizer.learning_rate = value."
        )
    x.assign(value)


def update(x: Any, new_x: Any) -> None:
    """Write into a weight."""
    set_value(x, new_x)


def update_add(x: Any, increment: Any) -> None:
    """Add to a weight."""
    x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> None:
    """Subtract from a weight."""
    x.assign_sub(decrement)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of an array, a weight or a symbol; None where it is open."""
    return tuple(x.shape)


def flatten(x: Any) -> Any:
    """All numbers in a row."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """The numbers of each example in a row."""
    return ops.reshape(x, (ops.shape(x)[0], -1))


def batch_dot(x: Any, y: Any) -> Any:
    """Products of matrices, example by example: the last axis of x with the second of y."""
    return ops.matmul(x, y)


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """The axes in another order."""
    return ops.transpose(x, pattern)


def pow(x: Any, a: Any) -> Any:
    """x to the power a."""
    return ops.power(x, a)


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """x over its Euclidean norm."""
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Elements of one of two arrays."""
    return ops.where(condition, then_expression, else_expression)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Uniform numbers."""
    return random.uniform(shape, minval, maxval, dtype, seed)
