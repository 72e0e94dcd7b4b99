"""Arrays as kernels read them: one real dtype for all of a call, and the order in which their numbers are in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["channels_last", "contiguous", "together"]

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)


def together(*arrays: Any) -> tuple[np.ndarray, ...]:
    """Return the arrays in the dtype that NumPy would compute in: float32 if none needs more, else float64.

    The books put float32 images before float64 weights, and integers before both.

    Examples
    --------
    >>> [a.dtype.name for a in together(np.zeros(2, np.float32), np.zeros(2))]
    ['float64', 'float64']
    >>> [a.dtype.name for a in together(np.zeros(2, np.float32), np.zeros(2, np.float32))]
    ['float32', 'float32']
    """
    first = arrays[0]
    if type(first) is np.ndarray and ((dtype := first.dtype) is _F32 or dtype is _F64):
        for a in arrays:
            if type(a) is not np.ndarray or a.dtype is not dtype:
                break
        else:
            return arrays
    arrays = tuple(np.asarray(a) for a in arrays)
    common = np.result_type(*arrays)
    real = _F32 if common == _F32 or common == np.float16 else _F64
    return tuple(np.asarray(a, dtype=real) for a in arrays)


def channels_last(x: np.ndarray) -> np.ndarray:
    """Return images (N, C, H, W) as a contiguous array (N, H, W, C); no copy where they are in memory that way.

    Examples
    --------
    >>> x = np.zeros((2, 5, 4, 3)).transpose(0, 3, 1, 2)  # as the kernels return them
    >>> np.shares_memory(channels_last(x), x)
    True
    """
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def contiguous(x: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return x as a contiguous array, and whether its channels come last there: for elementwise computations.

    Examples
    --------
    >>> a, last = contiguous(np.zeros((2, 5, 4, 3)).transpose(0, 3, 1, 2))
    >>> a.shape, last
    ((2, 5, 4, 3), True)
    """
    if x.flags.c_contiguous:
        return x, False
    if x.ndim == 4 and (last := x.transpose(0, 2, 3, 1)).flags.c_contiguous:
        return last, True
    return np.ascontiguousarray(x), False
