"""Tensors and their dtypes: ``tf.constant``, ``tf.convert_to_tensor``, ``tf.cast``, and arrays made from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...backend import floatx
from ...graph import Symbol, Tensor, as_tensor, contains_symbols, flatten, is_followed
from ...ops.function import is_parameter

__all__ = [
    "DType",
    "TensorShape",
    "as_dtype",
    "bool",
    "cast",
    "constant",
    "convert_to_tensor",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "identity",
    "int8",
    "int16",
    "int32",
    "int64",
    "integers_kept",
    "is_tensor",
    "linspace",
    "numbers_of",
    "ones",
    "ones_like",
    "range",
    "rank",
    "shape",
    "size",
    "string",
    "tensor",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "zeros",
    "zeros_like",
]

DType = np.dtype
float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int8, int16, int32, int64 = np.dtype("int8"), np.dtype("int16"), np.dtype("int32"), np.dtype("int64")
uint8, uint16, uint32, uint64 = np.dtype("uint8"), np.dtype("uint16"), np.dtype("uint32"), np.dtype("uint64")
string = np.dtype(object)
"""Strings of Python in an array."""


class TensorShape(tuple):
    """A shape, None where a size is open.

    Examples
    --------
    >>> TensorShape([None, 28]).as_list()
    [None, 28]
    """

    def __new__(cls, dims: Sequence[int | None] = ()) -> TensorShape:
        return super().__new__(cls, dims)

    def as_list(self) -> list[int | None]:
        """The sizes as a list."""
        return list(self)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank


def as_dtype(dtype: Any) -> np.dtype:
    """The dtype of a name, ``tf.float32`` or ``np.float32``."""
    if isinstance(dtype, str) and dtype == "string":
        return string
    return np.dtype(dtype)


def tensor(value: Any, dtype: Any = None) -> Any:
    """Read an argument as a tensor; symbols, weights and variables are returned unchanged.

    Numbers and lists are float32 and int32 as in TensorFlow, arrays keep their dtype, strings become arrays of them.
    """
    if isinstance(value, (Symbol, Tensor)) or is_parameter(value):
        return value if dtype is None or as_dtype(dtype) == value.dtype else cast(value, dtype)
    if isinstance(value, (list, tuple)) and (contains_symbols(value) or is_followed(*flatten(value))):
        return ops.stack([tensor(part, dtype) for part in value])
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        array = value.astype(object)
    elif _holds_text(value):
        array = np.array(value, object)
    else:
        array = np.asarray(value)
        if dtype is None and not any(hasattr(leaf, "dtype") for leaf in flatten(value)):
            array = array.astype({"f": floatx(), "i": "int32"}.get(array.dtype.kind, array.dtype), copy=False)
    if array.dtype == object and not _holds_text(value) and not isinstance(value, np.ndarray):
        raise TypeError(
            f"A tensor must be made of numbers or strings, in rows of equal length. Received: {value!r:.80}."
        )
    return as_tensor(array if dtype is None else array.astype(as_dtype(dtype), copy=False))


def _holds_text(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (str, bytes))


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of numbers or strings of its own memory; with ``shape`` a single number fills it.

    Examples
    --------
    >>> constant([1, 2]).dtype.name, constant([1.0]).dtype.name, constant(7, shape=(2, 2)).tolist()
    ('int32', 'float32', [[7, 7], [7, 7]])
    """
    found = tensor(value, dtype)
    if isinstance(found, Symbol) or is_parameter(found) or is_followed(found):
        return found if shape is None else ops.reshape(found, shape)
    found = found.copy()
    if shape is None:
        return found
    return as_tensor(np.full(shape, found, found.dtype)) if found.size == 1 else found.reshape(tuple(shape))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Convert to a tensor; tensors and symbols are returned unchanged."""
    found = tensor(value, dtype)
    return ops.convert_to_tensor(found) if is_parameter(found) else found


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The same numbers in another dtype.

    Examples
    --------
    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    wanted = as_dtype(dtype)
    x = tensor(x)
    if isinstance(x, Symbol) or is_parameter(x) or (wanted.kind == "f" and is_followed(x)):
        return ops.cast(x, wanted)
    with np.errstate(all="ignore"):
        return as_tensor(np.asarray(x).astype(wanted))


def integers_kept(result: Any, *operands: Any) -> Any:
    """A result of ``ops``, whose integers are int64, in the dtype of the integers that went in."""
    if not isinstance(result, Tensor) or result.dtype != np.int64:
        return result
    kinds = [np.asarray(x).dtype for x in operands if hasattr(x, "dtype") and np.dtype(x.dtype).kind in "iu"]
    return result.astype(np.result_type(*kinds)) if kinds else result


def numbers_of(name: str, *values: Any) -> list[np.ndarray]:
    """The arrays of a function of NumPy, which has no gradient here.

    Raises
    ------
    NotImplementedError
        If a tape follows one of them, so that a gradient would be lost.
    SymbolError
        For a symbol, which has no numbers.
    """
    read = [tensor(value) for value in values]
    if is_followed(*read):
        raise NotImplementedError(
            f"tf.{name} has no gradient here. Use tf.stop_gradient(x) for x if you need no gradient, or call it "
            "outside the block of the GradientTape."
        )
    return [np.asarray(value) for value in read]


def is_tensor(x: Any) -> Any:
    """Whether this is a tensor, a variable or a symbol."""
    return isinstance(x, (Tensor, Symbol)) or is_parameter(x)


def identity(input: Any, name: str | None = None) -> Any:
    """A copy."""
    return ops.convert_to_tensor(tensor(input)) if is_followed(input) else constant(input)


# Arrays made from nothing.


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Zeros."""
    return as_tensor(np.zeros(_sizes(shape), as_dtype(dtype)))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Ones."""
    return as_tensor(np.ones(_sizes(shape), as_dtype(dtype)))


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """One number everywhere."""
    value = tensor(value)
    return as_tensor(np.full(_sizes(dims), value, value.dtype))


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Ones on the diagonal."""
    return as_tensor(np.eye(int(num_rows), num_columns, dtype=as_dtype(dtype)))


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of another."""
    return _like(ops.zeros_like, np.zeros, input, dtype)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of another."""
    return _like(ops.ones_like, np.ones, input, dtype)


def _like(of_symbol: Callable[..., Any], make: Callable[..., Any], x: Any, dtype: Any) -> Any:
    x = tensor(x)
    if isinstance(x, Symbol):
        return of_symbol(x, dtype)
    return as_tensor(make(x.shape, as_dtype(x.dtype if dtype is None else dtype)))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """Numbers from ``start`` (0 if only one is given) up to, but not including, ``limit``.

    Examples
    --------
    >>> range(3).tolist(), range(1, 2, 0.25).tolist()
    ([0, 1, 2], [1.0, 1.25, 1.5, 1.75])
    """
    start, limit = (0, start) if limit is None else (start, limit)
    found = np.arange(*(np.asarray(n).item() for n in (start, limit, delta)))
    return as_tensor(found.astype(as_dtype(dtype or ("float32" if found.dtype.kind == "f" else "int32"))))


def linspace(start: Any, stop: Any, num: int, name: str | None = None, axis: int = 0) -> Tensor:
    """Evenly spaced numbers from ``start`` to ``stop``."""
    start = tensor(start)
    kind = start.dtype if np.dtype(start.dtype).kind == "f" else np.float64
    return as_tensor(np.linspace(np.asarray(start), np.asarray(stop), int(num), axis=axis, dtype=kind))


def _sizes(shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.atleast_1d(np.asarray(shape)))


# What an array is.


def shape(input: Any, out_type: Any = "int32", name: str | None = None) -> Any:
    """The shape as a tensor; of a symbol as a tuple, whose sizes may be open.

    Examples
    --------
    >>> shape([[1, 2, 3]]).tolist()
    [1, 3]
    """
    if isinstance(input, Symbol):
        return ops.shape(input)
    return as_tensor(np.array(tensor(input).shape, as_dtype(out_type)))


def size(input: Any, out_type: Any = "int32", name: str | None = None) -> Any:
    """How many numbers there are."""
    return ops.size(input) if isinstance(input, Symbol) else as_tensor(np.array(np.size(tensor(input)), out_type))


def rank(input: Any, name: str | None = None) -> Any:
    """The number of axes."""
    return as_tensor(np.array(len(tensor(input).shape), np.int32))


bool = np.dtype("bool")
