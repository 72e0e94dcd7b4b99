"""Numerical gradients, by central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["numerical_gradient", "numerical_gradient_2d"]

_STEP = 1e-4


def numerical_gradient(f: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """Return the gradient of a number f(x), (f(x + h) − f(x − h)) / 2h for each entry of x, with h = 1e-4.

    f is called with x itself, an entry of it moved: a function that reads the array by another name sees the change
    too, as the books' ``lambda W: network.loss(x, t)`` does. Afterwards x is as it was, also when f raises.

    Parameters
    ----------
    f : function
    x : array of any shape, float

    Returns
    -------
    array of the shape of x

    Raises
    ------
    TypeError
        If x is not an array of floats, in which a step of 1e-4 would be lost.

    Examples
    --------
    >>> numerical_gradient(lambda x: np.sum(x**2), np.array([3.0, 4.0])).round(6)
    array([6., 8.])
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        received = f"an array of {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"x must be an array of floats. Received: {received}. Use np.array(x, dtype=float).")
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        try:
            x[index] = float(value) + _STEP
            above = f(x)
            x[index] = float(value) - _STEP
            below = f(x)
        finally:
            x[index] = value
        grad[index] = (above - below) / (2 * _STEP)
    return grad


def numerical_gradient_2d(f: Callable[[np.ndarray], Any], X: np.ndarray) -> np.ndarray:
    """Return the gradients of f at one point (n,), or at each row of X (m, n): f is called with one row.

    Raises
    ------
    TypeError
        If X is not an array of floats.

    Examples
    --------
    >>> numerical_gradient_2d(lambda x: np.sum(x**2), np.array([[3.0, 4.0], [0.0, 1.0]])).round(6)
    array([[6., 8.],
           [0., 2.]])
    """
    if np.ndim(X) <= 1:
        return numerical_gradient(f, X)
    return np.stack([numerical_gradient(f, row) for row in X]) if len(X) else np.zeros_like(X)
