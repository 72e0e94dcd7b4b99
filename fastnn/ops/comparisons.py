"""Comparisons, logic, and the choice between values: their results are bools, which have no gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .broadcasting import broadcast_shapes, sum_to
from .function import Elementwise, Function, wanted

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "where",
]


class Compare(Function):
    """A ufunc of two operands that gives bools: ``equal`` to ``less_equal``, ``logical_and`` and the like."""

    takes_several = True

    def __init__(self, name: str):
        self.name = name

    def compute_output_shape(self, input_shape: Any) -> Any:
        return broadcast_shapes(self.name, input_shape)

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return "bool"

    def forward(self, x, training=False):
        return getattr(np, self.name)(*x), None

    def backward(self, dy, ctx, need_dx=True):
        return [None, None]


class Test(Elementwise):
    """A ufunc of one operand that gives bools: ``isnan``, ``logical_not`` and the like."""

    def __init__(self, name: str):
        self.name = name

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return "bool"

    def forward(self, x, training=False):
        return getattr(np, self.name)(x), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class Where(Function):
    """a where the condition holds, b elsewhere; so goes the gradient."""

    takes_several = True
    selects_gradients = True
    alike = slice(1, None)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return broadcast_shapes(self.name, input_shape)

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return dtypes[1]

    def forward(self, x, training=False):
        condition, a, b = x
        return np.where(condition, a, b), (condition, a.shape, b.shape)

    def backward(self, dy, ctx, need_dx=True):
        condition, *shapes = ctx
        zero = dy.dtype.type(0)
        _, need_a, need_b = wanted(need_dx, 3)
        da = sum_to(np.where(condition, dy, zero), shapes[0]) if need_a else None
        db = sum_to(np.where(condition, zero, dy), shapes[1]) if need_b else None
        return [None, da, db]


def equal(x1: Any, x2: Any) -> Any:
    """Whether ``x1 == x2``, element by element.

    Parameters
    ----------
    x1, x2 : array, number, Parameter or Symbol
        Of shapes that broadcast.

    Examples
    --------
    >>> equal([1, 2], 2)
    array([False,  True])
    """
    return Compare("equal")(x1, x2)


def not_equal(x1: Any, x2: Any) -> Any:
    """Whether ``x1 != x2``, element by element.

    Examples
    --------
    >>> not_equal([1, 2], 2)
    array([ True, False])
    """
    return Compare("not_equal")(x1, x2)


def greater(x1: Any, x2: Any) -> Any:
    """Whether ``x1 > x2``, element by element.

    Examples
    --------
    >>> greater([1, 3], 2)
    array([False,  True])
    """
    return Compare("greater")(x1, x2)


def greater_equal(x1: Any, x2: Any) -> Any:
    """Whether ``x1 >= x2``, element by element.

    Examples
    --------
    >>> greater_equal([1, 2], 2)
    array([False,  True])
    """
    return Compare("greater_equal")(x1, x2)


def less(x1: Any, x2: Any) -> Any:
    """Whether ``x1 < x2``, element by element.

    Examples
    --------
    >>> less([1, 3], 2)
    array([ True, False])
    """
    return Compare("less")(x1, x2)


def less_equal(x1: Any, x2: Any) -> Any:
    """Whether ``x1 <= x2``, element by element.

    Examples
    --------
    >>> less_equal([2, 3], 2)
    array([ True, False])
    """
    return Compare("less_equal")(x1, x2)


def logical_and(x1: Any, x2: Any) -> Any:
    """Whether both are true; numbers are true unless 0.

    Examples
    --------
    >>> logical_and([True, True], [True, False])
    array([ True, False])
    """
    return Compare("logical_and")(x1, x2)


def logical_or(x1: Any, x2: Any) -> Any:
    """Whether one is true; numbers are true unless 0.

    Examples
    --------
    >>> logical_or([True, False], False)
    array([ True, False])
    """
    return Compare("logical_or")(x1, x2)


def logical_xor(x1: Any, x2: Any) -> Any:
    """Whether exactly one is true; numbers are true unless 0.

    Examples
    --------
    >>> logical_xor([True, False], True)
    array([False,  True])
    """
    return Compare("logical_xor")(x1, x2)


def logical_not(x: Any) -> Any:
    """Whether x is false, that is 0.

    Examples
    --------
    >>> logical_not([True, False])
    array([False,  True])
    """
    return Test("logical_not")(x)


def isnan(x: Any) -> Any:
    """Whether x is NaN.

    Examples
    --------
    >>> isnan([1.0, float("nan")])
    array([False,  True])
    """
    return Test("isnan")(x)


def isinf(x: Any) -> Any:
    """Whether x is infinite.

    Examples
    --------
    >>> isinf([1.0, float("-inf")])
    array([False,  True])
    """
    return Test("isinf")(x)


def isfinite(x: Any) -> Any:
    """Whether x is neither infinite nor NaN.

    Examples
    --------
    >>> isfinite([1.0, float("-inf")])
    array([ True, False])
    """
    return Test("isfinite")(x)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """``x1`` where the condition holds, ``x2`` elsewhere.

    The gradient goes to the one that was chosen.  A NaN in the slope of the other stays out only if its operand is kept
    sound too: ``where(x > 0, log(where(x > 0, x, 1)), 0)``.

    Parameters
    ----------
    condition : array of bool, or Symbol
    x1, x2 : array, number or Symbol
        All three of shapes that broadcast.

    Raises
    ------
    TypeError
        If ``x1`` or ``x2`` is missing.

    Examples
    --------
    >>> where([True, False], 1.0, 2.0).tolist()
    [1.0, 2.0]
    """
    if x1 is None or x2 is None:
        raise TypeError(
            "ops.where takes a condition and two values; the number of True entries is not known beforehand. Use "
            "ops.where(condition, x1, x2), or numpy.nonzero on arrays."
        )
    return Where()(condition, x1, x2)
