"""Operations of ``fastnn.ops`` on numbers: arithmetic, comparisons, products of arrays, elementwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....graph import Cast
from ....ops import arithmetic, comparisons, conversion, creation, exponentials, linear, losses, rounding
from .table import Call, converts, masks
from .value import Value, broadcast
from .writer import Writer

__all__: list[str] = []

_BINARY = {
    arithmetic.Add: "Add",
    arithmetic.Subtract: "Sub",
    arithmetic.Multiply: "Mul",
    arithmetic.Divide: "Div",
    arithmetic.Power: "Pow",
    arithmetic.Maximum: "Max",
    arithmetic.Minimum: "Min",
}
_UNARY = {
    arithmetic.Negative: "Neg",
    arithmetic.Absolute: "Abs",
    arithmetic.Sign: "Sign",
    arithmetic.Sqrt: "Sqrt",
    arithmetic.Reciprocal: "Reciprocal",
    exponentials.Exp: "Exp",
    exponentials.Log: "Log",
    exponentials.Sin: "Sin",
    exponentials.Cos: "Cos",
    exponentials.Tan: "Tan",
    exponentials.Erf: "Erf",
}
_COMPARE = {
    "equal": "Equal",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_xor": "Xor",
}


@converts(*_BINARY)
def binary(w: Writer, operation: Any, call: Call) -> Value:
    return w.add(_BINARY[type(operation)], *call.inputs)


@converts(*_UNARY)
def unary(w: Writer, operation: Any, call: Call) -> Value:
    return w.add(_UNARY[type(operation)], call.x)


@converts(arithmetic.Square)
def square(w: Writer, operation: Any, call: Call) -> Value:
    return w.add("Mul", call.x, call.x)


@converts(arithmetic.Rsqrt)
def rsqrt(w: Writer, operation: Any, call: Call) -> Value:
    return w.add("Reciprocal", w.add("Sqrt", call.x))


@converts(exponentials.Expm1)
def expm1(w: Writer, operation: Any, call: Call) -> Value:
    return w.add("Sub", w.add("Exp", call.x), 1.0)


@converts(exponentials.Log1p)
def log1p(w: Writer, operation: Any, call: Call) -> Value:
    return w.add("Log", w.add("Add", call.x, 1.0))


@converts(arithmetic.Mod)
def mod(w: Writer, operation: Any, call: Call) -> Value:
    """With the sign of the divisor, as ONNX has it for integers alone."""
    a, b = call.inputs
    if a.dtype == "int64":
        return w.add("Mod", a, b)
    return w.add("Sub", a, w.add("Mul", w.add("Floor", w.add("Div", a, b)), b))


@converts(arithmetic.FloorDivide)
def floor_divide(w: Writer, operation: Any, call: Call) -> Value:
    """Rounded down, where ONNX divides integers towards zero."""
    a, b = call.inputs
    if a.dtype == "int64":
        return w.add("Div", w.add("Sub", a, w.add("Mod", a, b)), b)
    return w.add("Floor", w.add("Div", a, b))


@converts(rounding.Rounded)
def rounded(w: Writer, operation: rounding.Rounded, call: Call) -> Value:
    op = operation.name.capitalize()
    if not operation.decimals:
        return w.add(op, call.x)
    factor = 10.0**operation.decimals
    return w.add("Div", w.add(op, w.add("Mul", call.x, factor)), factor)


@converts(rounding.Clip)
def clip(w: Writer, operation: rounding.Clip, call: Call) -> Value:
    low, high = (w.constant(np.asarray(bound, call.x.dtype)) for bound in (operation.low, operation.high))
    return w.add("Min", w.add("Max", call.x, low), high)


# Truths.


@converts(comparisons.Compare)
def compare(w: Writer, operation: comparisons.Compare, call: Call) -> Value:
    inputs = call.inputs
    if operation.name.startswith("logical"):
        inputs = [w.cast(one, "bool") for one in inputs]
    if operation.name == "not_equal":
        return w.add("Not", w.add("Equal", *inputs))
    return w.add(_COMPARE[operation.name], *inputs)


@converts(comparisons.Test)
def test(w: Writer, operation: comparisons.Test, call: Call) -> Value:
    x = call.x
    match operation.name:
        case "logical_not":
            return w.add("Not", w.cast(x, "bool"))
        case "isnan":
            return w.add("IsNaN", x)
        case "isinf":
            return w.add("IsInf", x)
    return w.add("Not", w.add("Or", w.add("IsNaN", x), w.add("IsInf", x)))


@converts(comparisons.Where)
def where(w: Writer, operation: Any, call: Call) -> Value:
    condition, a, b = call.inputs
    return w.add("Where", w.cast(condition, "bool"), a, b, dtype=a.dtype)


# Other values of the same numbers.


@converts(Cast)
def cast(w: Writer, operation: Cast, call: Call) -> Value:
    return w.cast(call.x, operation.dtype)


@masks(Cast)
def cast_mask(w: Writer, operation: Cast, call: Call) -> Value | None:
    return call.mask


@converts(conversion.StopGradient, conversion.Copy, losses.Labels)
def as_it_is(w: Writer, operation: Any, call: Call) -> Value:
    return call.x


@converts(creation.FullLike)
def full_like(w: Writer, operation: creation.FullLike, call: Call) -> Value:
    value = np.full((1,) * call.x.rank, operation.value, operation.dtype or call.x.dtype)
    return w.expand(w.constant(value), w.sizes(call.x)) if call.x.rank else w.constant(value)


@converts(creation.Triangle)
def triangle(w: Writer, operation: creation.Triangle, call: Call) -> Value:
    k = w.constant(np.int64(operation.k))
    return w.add("Trilu", w.plain(call.x), k, shape=call.x.shape, upper=int(operation.name == "triu"))


# Products.


@converts(linear.Matmul)
def matmul(w: Writer, operation: Any, call: Call) -> Value:
    a, b = call.inputs
    lead = broadcast([a.shape[:-2], b.shape[:-2]]) if max(a.rank, b.rank) > 2 else ()
    shape = (*lead, *(a.shape[-2:-1] if a.rank > 1 else ()), *(b.shape[-1:] if b.rank > 1 else ()))
    return w.add("MatMul", a, b, shape=shape)


@converts(linear.Contract)
def contract(w: Writer, operation: linear.Contract, call: Call) -> Value:
    sizes = dict(zip(operation.a + operation.b, (*call.inputs[0].shape, *call.inputs[1].shape), strict=True))
    shape = tuple(sizes[c] for c in operation.c)
    return w.add("Einsum", *call.inputs, shape=shape, equation=f"{operation.a},{operation.b}->{operation.c}")


@converts(linear.Diagonal)
def diagonal(w: Writer, operation: linear.Diagonal, call: Call) -> Value:
    sizes = dict(zip(operation.letters, call.x.shape, strict=True))
    shape = tuple(sizes[c] for c in operation.once)
    return w.add("Einsum", call.x, shape=shape, equation=f"{operation.letters}->{operation.once}")
