"""What every function of ``fastnn.ops`` rests on: operations called on arrays, numbers, parameters and symbols.

One rule for dtypes.  Arrays are float32, float64, int64 or bool; what comes in as another integer or as float16 is read
as int64 or float32.  Where several operands meet, they get one dtype:

- the widest real dtype among symbols and parameters; else that of the arrays;
- numbers, and lists of numbers, have no dtype of their own: they take that of the others, or ``backend.floatx()``;
- integers and bools give way to reals, bools to integers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backend import floatx
from ..graph import (
    Cast,
    Operation,
    Symbol,
    Tensor,
    as_symbol,
    contains_symbols,
    flatten,
    given_out,
    is_recording,
    is_tracing,
    record,
    refuse_texts,
)
from ..lookup import snake_case

__all__ = ["Elementwise", "Function", "is_parameter", "is_symbolic", "read_array", "wanted"]

_NUMBER, _ARRAY, _LEADER = range(3)


class Function(Operation):
    """An operation that is called like a function: at once on arrays, as a node on symbols.

    A subclass writes ``compute_output_shape``, ``forward`` and ``backward``, and sets what follows.
    """

    kind: str = "b"
    """What operands become at least: "b" any, "i" integers (bools count as 0 and 1), "f" reals."""
    alike: slice = slice(None)
    """Which operands are cast to one dtype; the others keep theirs."""
    gives_views: bool = False
    """Whether the output may share memory with the input."""

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.name = vars(cls).get("name", snake_case(cls.__name__))
        if "forward" in vars(cls):
            cls.forward = _forward(cls.forward)
        if "backward" in vars(cls):
            cls.backward = _backward(cls.backward)

    def __call__(self, *values: Any) -> Any:
        """The output of these operands, or its symbol."""
        symbolic = is_symbolic(*values)
        operands = self._read(values, symbolic)
        shapes = [tuple(operand.shape) for operand in operands]
        shape = self.compute_output_shape(shapes if self.takes_several else shapes[0])
        if symbolic:
            symbols = [as_symbol(operand) for operand in operands]
            return record(self, symbols, shape, self.output_dtype([s.dtype for s in symbols]))
        y, ctx = self.forward(operands if self.takes_several else operands[0])
        if is_recording() or any(isinstance(value, Tensor) or is_parameter(value) for value in values):
            return given_out(self, values, y, ctx, self.takes_several)
        return y

    def _read(self, values: Sequence[Any], symbolic: bool) -> list[Any]:
        """The operands as arrays, or as arrays and symbols, of one dtype if they are to be alike."""
        refuse_texts(self, [value for value in values if isinstance(value, Symbol)])
        found = [_read(self.name, value) for value in values]
        dtypes: list[str | None] = [None] * len(found)
        dtypes[self.alike] = [_common_dtype(found[self.alike], self.kind)] * len(found[self.alike])
        operands = []
        for (value, rank), dtype in zip(found, dtypes, strict=True):
            if rank == _LEADER and not isinstance(value, Symbol):
                alone = self.gives_views or is_recording()  # what a tape notes must not change with the weight
                value = as_symbol(value) if symbolic else value.value.copy() if alone else value.value
            if isinstance(value, Symbol):
                if dtype is not None and value.dtype != dtype:
                    value = record(Cast(dtype), [value], value.shape, dtype)
            elif dtype is not None:
                value = value.astype(dtype, copy=False)
            operands.append(value)
        return operands


def _forward(method: Callable[..., Any]) -> Callable[..., Any]:
    """``forward`` without NumPy's warnings, since infinity and NaN are values here; single numbers become arrays."""

    @functools.wraps(method)
    def forward(self: Any, x: Any, training: bool = False) -> tuple[Any, Any]:
        with np.errstate(all="ignore"):
            y, ctx = method(self, x, training)
        return y if isinstance(y, list) else np.asarray(y), ctx

    return forward


def _backward(method: Callable[..., Any]) -> Callable[..., Any]:
    """``backward``, in the same way."""

    @functools.wraps(method)
    def backward(self: Any, dy: Any, ctx: Any, need_dx: Any = True) -> Any:
        with np.errstate(all="ignore"):
            dx = method(self, dy, ctx, need_dx)
        if isinstance(dx, (list, tuple)):
            return [None if part is None else np.asarray(part) for part in dx]
        return None if dx is None else np.asarray(dx)

    return backward


class Elementwise(Function):
    """A function of one array that gives an array of the same shape."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def is_parameter(value: Any) -> bool:
    """Whether this is a weight: something with a ``value`` and a ``grad``."""
    return hasattr(value, "grad") and hasattr(value, "value")


def is_symbolic(*values: Any) -> bool:
    """Whether a call on these records a node: one is a symbol, or a parameter while a ``call`` is being traced."""
    return any(isinstance(value, Symbol) or (is_parameter(value) and is_tracing()) for value in values)


def read_array(name: str, value: Any) -> np.ndarray:
    """A number, list or array as an array of float32, float64, int64 or bool.

    Raises
    ------
    TypeError
        If it holds anything but numbers.
    """
    if isinstance(value, (list, tuple)) and contains_symbols(value):
        raise TypeError(f"ops.{name} takes an array or a symbol. Received: a list with symbols. Use ops.stack([...]).")
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"ops.{name} takes lists whose rows have equal length. Received: {value!s:.80}.") from None
    kind, dtype = array.dtype.kind, array.dtype
    if kind not in "biuf" or dtype == np.uint64:
        what = type(value).__name__ if kind == "O" else f"dtype {dtype}"
        raise TypeError(f"ops.{name} takes numbers and arrays of numbers. Received: {what}.")
    if kind in "iu":
        return array.astype(np.int64, copy=False)
    if kind == "f" and dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        return array.astype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return array


def _read(name: str, value: Any) -> tuple[Any, int]:
    """An operand, and how much its dtype counts."""
    if isinstance(value, Symbol) or is_parameter(value):
        return value, _LEADER
    array = read_array(name, value)
    if isinstance(value, (list, tuple)):
        has_dtype = any(isinstance(leaf, np.ndarray) for leaf in flatten(value))
    else:
        has_dtype = hasattr(value, "dtype") and not isinstance(value, np.generic)
    return array, _ARRAY if has_dtype else _NUMBER


def _common_dtype(found: Sequence[tuple[Any, int]], least: str) -> str:
    for weight in (_LEADER, _ARRAY):
        dtypes = {str(value.dtype) for value, rank in found if rank == weight}
        if "float64" in dtypes:
            return "float64"
        if "float32" in dtypes:
            return "float32"
    kinds = {least, *(np.dtype(value.dtype).kind for value, _ in found)}
    return floatx() if "f" in kinds else "int64" if "i" in kinds else "bool"


def wanted(need_dx: Any, count: int) -> Sequence[bool]:
    """``need_dx`` of an operation with ``selects_gradients``, as one flag for each input."""
    return need_dx if isinstance(need_dx, tuple) else (bool(need_dx),) * count
