"""Dtypes and shapes: casts, arrays in and out, and gradients that are stopped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import Cast, Symbol, Tensor, as_symbol, given_out, is_recording, record
from ..shapes import Shape
from .function import Elementwise, is_parameter, is_symbolic, read_array

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "is_tensor",
    "ndim",
    "shape",
    "size",
    "stop_gradient",
]

_DTYPES = {name: name for name in ("float32", "float64", "int64", "bool")} | {"float": "float32", "int": "int64"}
_INTEGERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


class StopGradient(Elementwise):
    """The value passes, the gradient does not."""

    gives_views = True

    def forward(self, x, training=False):
        return x, None

    def backward(self, dy, ctx, need_dx=True):
        return None


def dtype_of(name: str, dtype: Any) -> str:
    """The dtype of an array here: reals as they are, integers of any width as int64.

    Raises
    ------
    ValueError
        For dtypes that are none of these.
    """
    try:
        word = dtype if isinstance(dtype, str) and dtype in _DTYPES else np.dtype(dtype).name
    except TypeError:
        word = ""
    if word in _INTEGERS:
        return "int64"
    if word not in _DTYPES:
        raise ValueError(
            f'{name} supports the dtypes "float32", "float64", "int64" and "bool". Received: dtype={dtype!r}.'
        )
    return _DTYPES[word]


def cast(x: Any, dtype: Any) -> Any:
    """The same numbers in another dtype; what lies between whole numbers is cut off for integers.

    Parameters
    ----------
    x : array, number or Symbol
    dtype : {"float32", "float64", "int64", "bool"}
        Integers of other widths mean int64.

    Examples
    --------
    >>> cast([1.7, -1.7], "int32")
    array([ 1, -1])
    """
    dtype = dtype_of("ops.cast", dtype)
    if is_symbolic(x):
        symbol = as_symbol(x)
        return symbol if symbol.dtype == dtype else record(Cast(dtype), [symbol], symbol.shape, dtype)
    with np.errstate(all="ignore"):
        array = read_array("cast", x.value if is_parameter(x) else x)
        y = array.astype(dtype)
    if is_recording() or isinstance(x, Tensor):
        return given_out(Cast(dtype), [x], y, array.dtype, False)
    return y


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: Any = None) -> Any:
    """Convert to an array; a symbol is returned unchanged.

    Parameters
    ----------
    x : array, number, list, Parameter or Symbol
    dtype : str, optional
        Default: that of an array; reals of numbers and lists are of ``backend.floatx()``.
    sparse, ragged : bool, optional
        Accepted as Keras does; arrays are dense.

    Examples
    --------
    >>> convert_to_tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    return Copy()(x) if dtype is None else cast(x, dtype)


class Copy(Elementwise):
    name = "convert_to_tensor"
    gives_views = True

    def forward(self, x, training=False):
        return x, None

    def backward(self, dy, ctx, need_dx=True):
        return dy


class Real(Copy):
    """Integers become reals; the rest stays as it is."""

    name = "real"
    kind = "f"


def convert_to_numpy(x: Any) -> np.ndarray:
    """Convert to a NumPy array; symbols have no numbers.

    Raises
    ------
    SymbolError
        For a symbol.

    Examples
    --------
    >>> convert_to_numpy([1, 2])
    array([1, 2])
    """
    return x.numpy() if isinstance(x, Symbol) or is_parameter(x) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether this is an array or a symbol.

    Examples
    --------
    >>> is_tensor(np.ones(2)), is_tensor([1, 2])
    (True, False)
    """
    return isinstance(x, (np.ndarray, Symbol))


def shape(x: Any) -> Shape:
    """The shape, None where a size is open.

    Within the ``call`` of a layer all sizes are known.

    Examples
    --------
    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def dtype(x: Any) -> str:
    """The dtype that an array, number or symbol has here.

    Examples
    --------
    >>> dtype(2.5), dtype([1, 2])
    ('float32', 'int64')
    """
    return str(x.dtype) if hasattr(x, "dtype") and not isinstance(x, np.generic) else str(Copy()(x).dtype)


def ndim(x: Any) -> int:
    """The number of axes.

    Examples
    --------
    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))


def size(x: Any) -> int | None:
    """How many numbers there are; None where a size is open.

    Examples
    --------
    >>> size([[1, 2, 3]])
    3
    """
    return None if None in shape(x) else math.prod(shape(x))


def stop_gradient(variable: Any) -> Any:
    """The value passes, the gradient does not.

    Examples
    --------
    >>> stop_gradient([1, 2])
    array([1, 2])
    """
    return StopGradient()(variable)
