"""Scale vectors to length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["normalize"]


def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """Divide vectors by their norm: x / ‖x‖ along ``axis``; a zero vector is left as it is.

    Parameters
    ----------
    x : array_like of numbers, at least one axis
    axis : int
    order : 1, 2, numpy.inf, …
        The order of the norm, as in ``numpy.linalg.norm``.

    Returns
    -------
    array of the shape of x; integers become float64

    Raises
    ------
    ValueError
        If x is a single number, or has no such axis.

    Notes
    -----
    Keras turns a vector (n,) into a row (1, n) and fails along ``axis=0``; here the shape is kept and any axis works.

    Examples
    --------
    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = np.asarray(x)
    if x.ndim == 0 or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"normalize needs an array with the axis {axis}. Received: shape {x.shape}.")
    length = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(length == 0, 1, length)
