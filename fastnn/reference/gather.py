"""Twin of the kernel that gathers a batch: rows of the user's array, cast in the same pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks

__all__ = ["gather_rows"]


def gather_rows(
    source: np.ndarray, index: np.ndarray, dtype: Any = "float32", *, out: np.ndarray | None = None
) -> np.ndarray:
    """Copy rows and cast them, out[m] = source[index[m]] as `dtype`.

    Parameters
    ----------
    source : array (rows, …) of bool, any integer dtype, float32 or float64
    index : array (M,) of any integer dtype except uint64, each in [0, rows)
    dtype : {"float32", "float64"}
    out : array (M, …) of `dtype`, optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes or ranks do not fit.
    IndexError
        If an index is out of range; then nothing is written.

    Examples
    --------
    >>> gather_rows(np.array([[1, 2], [3, 4]], np.uint8), [1, 1, 0])
    array([[3., 4.],
           [3., 4.],
           [1., 2.]], dtype=float32)
    """
    if not isinstance(source, np.ndarray):
        source = checks.real("source", source)
    fit = source.dtype.kind in "biu" or source.dtype in (np.float32, np.float64)
    if not fit or not source.dtype.isnative:
        raise TypeError(
            f"source must be bool, integer, float32 or float64 in native byte order. Received: {source.dtype.str!r}. "
            "Use source.astype(np.float32)."
        )
    if source.ndim < 1:
        raise ValueError("source must have at least one axis. Received: a single number.")
    dtype = np.dtype(checks.choice("dtype", getattr(dtype, "__name__", None) or str(dtype), ("float32", "float64")))
    index = checks.index("index", index, source.shape[0])
    out = checks.result("out", out, index.shape + source.shape[1:], dtype, source, index)
    with np.errstate(all="ignore"):
        out[...] = source[index].astype(dtype)
    return out
