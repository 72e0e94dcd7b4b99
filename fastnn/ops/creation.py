"""Arrays from nothing: zeros, ranges, identities; and arrays like another."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import floatx
from ..graph import Symbol
from .arithmetic import add
from .conversion import cast, dtype_of
from .function import Elementwise, is_symbolic, read_array
from .shaping import broadcast_to

__all__ = [
    "arange",
    "eye",
    "full",
    "full_like",
    "identity",
    "linspace",
    "ones",
    "ones_like",
    "tri",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


class FullLike(Elementwise):
    """One number everywhere, in the shape of the input; no gradient."""

    def __init__(self, name: str, value: Any, dtype: str | None):
        self.name, self.value, self.dtype = name, value, dtype

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return self.dtype or dtypes[0]

    def forward(self, x, training=False):
        return np.full(x.shape, self.value, self.dtype or x.dtype), None

    def backward(self, dy, ctx, need_dx=True):
        return None


class Triangle(Elementwise):
    """tril or triu: zeros beyond a diagonal of the last two axes."""

    def __init__(self, name: str, k: int):
        self.name, self.k = name, operator.index(k)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) < 2:
            raise ValueError(f"ops.{self.name} takes matrices. Received: an array of shape {tuple(input_shape)}.")
        return input_shape

    def forward(self, x, training=False):
        return getattr(np, self.name)(x, self.k), None

    def backward(self, dy, ctx, need_dx=True):
        return getattr(np, self.name)(dy, self.k)


def zeros(shape: int | Sequence[int], dtype: Any = None) -> np.ndarray:
    """Zeros in a shape that is known.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : str, optional
        Default: ``backend.floatx()``.

    Raises
    ------
    ValueError
        If a size is open.

    Examples
    --------
    >>> zeros((2, 2)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return np.zeros(known("ops.zeros", shape), _dtype("zeros", dtype))


def ones(shape: int | Sequence[int], dtype: Any = None) -> np.ndarray:
    """Ones in a shape that is known.

    Examples
    --------
    >>> ones(3).tolist()
    [1.0, 1.0, 1.0]
    """
    return np.ones(known("ops.ones", shape), _dtype("ones", dtype))


def full(shape: int | Sequence[int], fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere, in a shape that is known.

    Examples
    --------
    >>> full((2,), 3, dtype="int64")
    array([3, 3])
    """
    sizes, dtype = known("ops.full", shape), None if dtype is None else _dtype("full", dtype)
    if is_symbolic(fill_value):
        return broadcast_to(fill_value if dtype is None else cast(fill_value, dtype), sizes)
    value = read_array("full", fill_value)
    return np.full(sizes, value, dtype or (floatx() if value.dtype.kind == "f" else value.dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> np.ndarray:
    """Ones on a diagonal, zeros elsewhere.

    Examples
    --------
    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = known("ops.eye", (N, N if M is None else M))
    return np.eye(rows, columns, k, _dtype("eye", dtype))


def identity(n: int, dtype: Any = None) -> np.ndarray:
    """Ones on the diagonal of a square matrix.

    Examples
    --------
    >>> identity(2, "int64").tolist()
    [[1, 0], [0, 1]]
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> np.ndarray:
    """Ones on and below a diagonal, zeros above.

    Examples
    --------
    >>> tri(2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    rows, columns = known("ops.tri", (N, N if M is None else M))
    return np.tri(rows, columns, k, _dtype("tri", dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> np.ndarray:
    """Numbers from ``start`` up to but without ``stop``; given one number, from 0 up to it.

    Examples
    --------
    >>> arange(3)
    array([0, 1, 2])
    >>> arange(1, 2, 0.5).tolist()
    [1.0, 1.5]
    """
    given = [_number("arange", x) for x in (start, stop, step) if x is not None]
    if stop is None:
        given.insert(0, 0)
    if stop is None and step is not None:
        raise TypeError(f"ops.arange needs a stop before a step. Received: arange({start!r}, step={step!r}).")
    numbers = np.arange(*given)
    if dtype is None:
        return numbers.astype(floatx() if numbers.dtype.kind == "f" else np.int64)
    return numbers.astype(_dtype("arange", dtype))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances.

    Parameters
    ----------
    start, stop : number or array
    num : int
    endpoint : bool
        Whether ``stop`` is the last one.
    retstep : bool
        Whether the distance comes too.
    dtype : str, optional
        Default: ``backend.floatx()``.
    axis : int
        The axis of the numbers, if start and stop are arrays.

    Examples
    --------
    >>> linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    a, b = (np.asarray(_number("linspace", x, arrays=True)) for x in (start, stop))
    numbers, step = np.linspace(a, b, num, endpoint, retstep=True, axis=axis)
    numbers = np.asarray(numbers, _dtype("linspace", dtype))
    return (numbers, step) if retstep else numbers


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of another array.

    Examples
    --------
    >>> zeros_like([1, 2])
    array([0, 0])
    """
    return _constant_like("zeros_like", x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of another array.

    Examples
    --------
    >>> ones_like([3, 4])
    array([1, 1])
    """
    return _constant_like("ones_like", x, 1, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One number everywhere, in the shape of another array.

    Examples
    --------
    >>> full_like([3, 4], 7)
    array([7, 7])
    """
    if is_symbolic(fill_value):
        return add(_constant_like("full_like", x, 0, dtype), fill_value)
    return _constant_like("full_like", x, fill_value, dtype)


def tril(x: Any, k: int = 0) -> Any:
    """Zeros above a diagonal of the last two axes; ``k=0`` is the main one.

    Examples
    --------
    >>> tril([[1, 2], [3, 4]])
    array([[1, 0],
           [3, 4]])
    """
    return Triangle("tril", k)(x)


def triu(x: Any, k: int = 0) -> Any:
    """Zeros below a diagonal of the last two axes; ``k=0`` is the main one.

    Examples
    --------
    >>> triu([[1, 2], [3, 4]])
    array([[1, 2],
           [0, 4]])
    """
    return Triangle("triu", k)(x)


def _constant_like(name: str, x: Any, value: Any, dtype: Any) -> Any:
    dtype = None if dtype is None else dtype_of(f"ops.{name}", dtype)
    return FullLike(name, read_array(name, value).tolist(), dtype)(x)


def known(name: str, shape: Any) -> tuple[int, ...]:
    """A shape whose sizes are all known, or the error that says so."""
    sizes = tuple(shape) if isinstance(shape, (list, tuple, np.ndarray)) else (shape,)
    if None in [n for n in sizes if n is None]:
        raise ValueError(
            f"{name} needs a known shape. Received: shape={sizes}, with an open size. Use ops.zeros_like(x), "
            "ops.ones_like(x) or another function of a symbol; within the call of a layer all sizes are known."
        )
    try:
        return tuple(operator.index(n) for n in sizes)
    except TypeError:
        raise TypeError(f"{name}: a shape must contain integers. Received: shape={shape!r}.") from None


def _dtype(name: str, dtype: Any) -> str:
    return floatx() if dtype is None else dtype_of(f"ops.{name}", dtype)


def _number(name: str, value: Any, arrays: bool = False) -> Any:
    """A number that is known, or the error that says so."""
    if isinstance(value, Symbol):
        raise TypeError(
            f"ops.{name} needs a known shape. Received: {value!r}. Use numbers, or sizes of ops.shape(x) within the "
            "call of a layer, where all of them are known."
        )
    array = read_array(name, value)
    return array if arrays else array.item()
