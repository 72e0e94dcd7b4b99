"""``tf.math``: arithmetic, comparisons and reductions, under TensorFlow's names, computed by ``fastnn.ops``.

>>> float(reduce_sum([[1.0, 2.0], [3.0, 4.0]])), reduce_max([[1, 2], [3, 4]], axis=0).tolist()
(10.0, [3, 4])
"""

from __future__ import annotations

import math as _math
from typing import Any

import numpy as np

from ... import absent, ops
from ...graph import Symbol, as_tensor
from ._making import binary, reduction, unary, with_numpy
from .tensors import integers_kept, numbers_of, tensor

__all__ = [
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "argmax", "argmin", "asin", "asinh", "atan", "atan2",
    "atanh", "bincount", "ceil", "confusion_matrix", "cos", "cosh", "count_nonzero", "cumprod", "cumsum", "divide",
    "divide_no_nan", "equal", "erf", "exp", "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal",
    "in_top_k", "is_finite", "is_inf", "is_nan", "l2_normalize", "less", "less_equal", "lgamma", "log", "log1p",
    "log_sigmoid", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "multiply_no_nan", "negative", "not_equal", "pow", "reciprocal", "reciprocal_no_nan", "reduce_all", "reduce_any",
    "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod",
    "reduce_std", "reduce_sum", "reduce_variance", "rint", "round", "rsqrt", "scalar_mul", "segment_mean",
    "segment_sum", "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "softsign", "sqrt", "square",
    "squared_difference", "subtract", "tan", "tanh", "top_k", "truediv", "unsorted_segment_sum", "xlogy",
    "zero_fraction",
]  # fmt: skip

# One array.

abs = unary(ops.absolute, "abs")
ceil, cos, erf, exp, expm1, floor = map(unary, (ops.ceil, ops.cos, ops.erf, ops.exp, ops.expm1, ops.floor))
is_finite, is_inf = unary(ops.isfinite, "is_finite"), unary(ops.isinf, "is_inf")
is_nan = unary(ops.isnan, "is_nan")
log, log1p, log_sigmoid = map(unary, (ops.log, ops.log1p, ops.log_sigmoid))
logical_not, negative, reciprocal, round = map(unary, (ops.logical_not, ops.negative, ops.reciprocal, ops.round))
rint = unary(ops.round, "rint")
rsqrt, sigmoid, sign, sin, softplus, softsign = map(
    unary, (ops.rsqrt, ops.sigmoid, ops.sign, ops.sin, ops.softplus, ops.softsign)
)
sqrt, square, tan, tanh = map(unary, (ops.sqrt, ops.square, ops.tan, ops.tanh))
acos, asin, atan = with_numpy(np.arccos, "acos"), with_numpy(np.arcsin, "asin"), with_numpy(np.arctan, "atan")
acosh, asinh, atanh = (
    with_numpy(np.arccosh, "acosh"), with_numpy(np.arcsinh, "asinh"), with_numpy(np.arctanh, "atanh"),
)  # fmt: skip
lgamma = with_numpy(np.vectorize(_math.lgamma, otypes=[np.float32]), "lgamma")


def sinh(x: Any, name: str | None = None) -> Any:
    """``(eˣ − e⁻ˣ) / 2``."""
    x = tensor(x)
    return (ops.exp(x) - ops.exp(-x)) / 2


def cosh(x: Any, name: str | None = None) -> Any:
    """``(eˣ + e⁻ˣ) / 2``."""
    x = tensor(x)
    return (ops.exp(x) + ops.exp(-x)) / 2


def softmax(logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """``eˣ / Σ eˣ`` along an axis."""
    return ops.softmax(tensor(logits), axis)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Any:
    """x over its Euclidean length, which counts as at least the root of ``epsilon``."""
    x = tensor(x)
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


def reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    """1 / x, and 0 where x is 0."""
    return divide_no_nan(1.0, x)


def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The share of zeros."""
    return ops.mean(ops.cast(ops.equal(tensor(value), 0), "float32"))


# Two arrays.

add, maximum, minimum, multiply, subtract = map(binary, (ops.add, ops.maximum, ops.minimum, ops.multiply, ops.subtract))
mod = floormod = binary(ops.mod, "mod")
floordiv, pow = binary(ops.floor_divide, "floordiv"), binary(ops.power, "pow")
greater, greater_equal, less, less_equal = map(binary, (ops.greater, ops.greater_equal, ops.less, ops.less_equal))
logical_and, logical_or, logical_xor = map(binary, (ops.logical_and, ops.logical_or, ops.logical_xor))
_divide, _equal, _not_equal = binary(ops.divide), binary(ops.equal), binary(ops.not_equal)


def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y; of two integers float64, as in TensorFlow.

    Examples
    --------
    >>> divide([1, 2], 4).tolist()
    [0.25, 0.5]
    """
    x, y = tensor(x), y if isinstance(y, (int, float)) else tensor(y)
    kinds = {np.dtype(getattr(v, "dtype", type(v))).kind for v in (x, y)}
    if kinds <= {"i", "u"} and not isinstance(x, Symbol) and not isinstance(y, Symbol):
        return as_tensor(np.true_divide(np.asarray(x), np.asarray(y)))
    return _divide(x, y)


truediv = divide


def equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether numbers, or strings, are the same."""
    x, y = tensor(x), tensor(y)
    return as_tensor(np.asarray(x) == np.asarray(y)) if x.dtype == object else _equal(x, y)


def not_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether numbers, or strings, differ."""
    x, y = tensor(x), tensor(y)
    return as_tensor(np.asarray(x) != np.asarray(y)) if x.dtype == object else _not_equal(x, y)


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y, and 0 where y is 0.

    Examples
    --------
    >>> divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
    [0.0, 0.5]
    """
    x, y = tensor(x), tensor(y)
    none = ops.equal(y, 0)
    return ops.where(none, 0.0, ops.divide(x, ops.where(none, 1.0, y)))


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """x · y, and 0 where y is 0, whatever x."""
    x, y = tensor(x), tensor(y)
    return ops.where(ops.equal(y, 0), 0.0, ops.multiply(x, y))


def xlogy(x: Any, y: Any, name: str | None = None) -> Any:
    """x · log y, and 0 where x is 0."""
    x, y = tensor(x), tensor(y)
    none = ops.equal(x, 0)
    return ops.where(none, 0.0, x * ops.log(ops.where(none, 1.0, y)))


def squared_difference(x: Any, y: Any, name: str | None = None) -> Any:
    """(x − y)²."""
    return square(subtract(x, y))


def atan2(y: Any, x: Any, name: str | None = None) -> Any:
    """The angle of the point (x, y); without a gradient."""
    return as_tensor(np.arctan2(*numbers_of("math.atan2", y, x)))


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A number times an array."""
    return multiply(x, scalar)


def add_n(inputs: Any, name: str | None = None) -> Any:
    """The sum of a list of arrays."""
    first, *rest = map(tensor, inputs)
    for part in rest:
        first = add(first, part)
    return first


accumulate_n = add_n

# Reductions.

reduce_all, reduce_any = reduction(ops.all, "reduce_all"), reduction(ops.any, "reduce_any")
reduce_euclidean_norm = reduction(ops.norm, "reduce_euclidean_norm")
reduce_logsumexp = reduction(ops.logsumexp, "reduce_logsumexp")
reduce_max, reduce_min = reduction(ops.max, "reduce_max"), reduction(ops.min, "reduce_min")
reduce_prod, reduce_std = reduction(ops.prod, "reduce_prod"), reduction(ops.std, "reduce_std")
reduce_sum, reduce_variance = reduction(ops.sum, "reduce_sum"), reduction(ops.var, "reduce_variance")
_mean = reduction(ops.mean, "reduce_mean")


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The mean along axes; of integers cut to an integer, as in TensorFlow: cast to float32 before.

    Examples
    --------
    >>> float(reduce_mean([1.0, 2.0])), int(reduce_mean([1, 2]))
    (1.5, 1)
    """
    x = tensor(input_tensor)
    found = _mean(x, axis, keepdims)
    whole = np.dtype(x.dtype).kind in "iu" and not isinstance(x, Symbol)
    return as_tensor(np.trunc(found).astype(x.dtype)) if whole else found


def argmax(input: Any, axis: int = 0, output_type: Any = "int64", name: str | None = None) -> Any:
    """The index of the largest number along an axis, by default the first.

    Examples
    --------
    >>> argmax([[1, 9], [8, 2]], axis=1).tolist()
    [1, 0]
    """
    return _as(ops.argmax(tensor(input), axis=axis or 0), output_type)


def argmin(input: Any, axis: int = 0, output_type: Any = "int64", name: str | None = None) -> Any:
    """The index of the smallest number along an axis, by default the first."""
    return _as(ops.argmin(tensor(input), axis=axis or 0), output_type)


def _as(found: Any, dtype: Any) -> Any:
    return found if isinstance(found, Symbol) else as_tensor(np.asarray(found).astype(dtype))


def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64", name: str | None = None
) -> Any:
    """How many numbers are not 0."""
    return _as(ops.sum(ops.cast(ops.not_equal(tensor(input), 0), "int64"), axis, keepdims), dtype)


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """The sums of the first numbers along an axis; ``exclusive``: without the number itself, ``reverse``: of the last.

    Examples
    --------
    >>> cumsum([1, 2, 3]).tolist(), cumsum([1, 2, 3], exclusive=True, reverse=True).tolist()
    ([1, 3, 6], [5, 3, 0])
    """
    x = tensor(x)
    turned = ops.flip(x, axis) if reverse else x
    found = ops.cumsum(turned, axis)
    found = ops.subtract(found, turned) if exclusive else found
    return integers_kept(ops.flip(found, axis) if reverse else found, x)


def cumprod(x: Any, axis: int = 0, name: str | None = None) -> Any:
    """The products of the first numbers along an axis; without a gradient."""
    return as_tensor(np.cumprod(numbers_of("math.cumprod", x)[0], axis))


# Counting, ranking, groups.


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> Any:
    """The largest numbers of each row, and their indices: ``values, indices``."""
    x = tensor(input)
    values, indices = ops.top_k(x, k, sorted)
    return ops.TopK(integers_kept(values, x), _as(indices, "int32"))


def in_top_k(targets: Any, predictions: Any, k: int, name: str | None = None) -> Any:
    """Whether the class is among the ``k`` most likely predictions."""
    p = np.asarray(tensor(predictions))
    chosen = np.take_along_axis(p, np.asarray(targets)[:, None], 1)
    return as_tensor((p > chosen).sum(1) < k)


def bincount(arr: Any, weights: Any = None, minlength: int = 0, maxlength: Any = None, dtype: Any = "int32") -> Any:
    """How often each integer from 0 occurs in the array."""
    flat = np.asarray(tensor(arr)).ravel()
    found = np.bincount(flat, None if weights is None else np.asarray(weights).ravel(), minlength or 0)[:maxlength]
    return as_tensor(found.astype(dtype if weights is None else np.asarray(weights).dtype))


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int | None = None, weights: Any = None, dtype: Any = "int32"
) -> Any:
    """How often each class (row) was predicted as each class (column).

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 1, 0]).tolist()
    [[1, 0], [1, 1]]
    """
    t, p = (np.asarray(tensor(a)).astype(np.int64).ravel() for a in (labels, predictions))
    n = int(max(t.max(initial=-1), p.max(initial=-1)) + 1) if num_classes is None else num_classes
    found = np.zeros((n, n), dtype)
    np.add.at(found, (t, p), 1 if weights is None else np.asarray(weights))
    return as_tensor(found)


def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: int, name: str | None = None) -> Any:
    """The sum of the rows of each group."""
    data, ids = tensor(data), tensor(segment_ids)
    return integers_kept(ops.tensordot(ops.transpose(ops.one_hot(ids, num_segments, dtype=data.dtype)), data, 1), data)


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """The sum of the rows of each group; group numbers ascend."""
    return unsorted_segment_sum(data, segment_ids, int(np.max(segment_ids)) + 1)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """The mean of the rows of each group; group numbers ascend."""
    total = segment_sum(data, segment_ids)
    counts = np.maximum(np.bincount(np.asarray(segment_ids)), 1).astype(np.float32)
    return total / counts.reshape(-1, *[1] * (len(total.shape) - 1))


__getattr__ = absent.answer(__name__)
