"""Twins of softmax and log-softmax, over the last axis."""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["softmax_forward", "softmax_backward", "log_softmax_forward", "log_softmax_backward"]


def _rows(x: np.ndarray, y: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    x = checks.real("x", x)
    if x.ndim == 0:
        raise ValueError("x must have at least one axis. Received: a single number.")
    checks.at_least_one("x", x, x.ndim - 1)
    return x, checks.result("y", y, x.shape, x.dtype, x, elementwise=True)


def _gradient(dy: np.ndarray, y: np.ndarray, dx: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dy, y = checks.reals(dy=(dy, None), y=(y, None))
    checks.shape("dy", dy, y.shape)
    if y.ndim == 0:
        raise ValueError("y must have at least one axis. Received: a single number.")
    checks.at_least_one("y", y, y.ndim - 1)
    return dy, y, checks.result("dx", dx, y.shape, y.dtype, dy, y, elementwise=True)


def softmax_forward(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Softmax over the last axis, y[i] = e^(x[i] − max x) / Σ_j e^(x[j] − max x).

    A row that is all −∞, or contains +∞ or NaN, gives NaN.

    Parameters
    ----------
    x : array (…, C), C at least 1
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real or has no column, or `y` does not fit.

    Examples
    --------
    >>> softmax_forward([[1000.0, 1000.0], [0.0, np.log(3)]])
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    x, y = _rows(x, y)
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        y[...] = e / e.sum(axis=-1, keepdims=True)
    return y


def softmax_backward(dy: np.ndarray, y: np.ndarray, *, dx: np.ndarray | None = None) -> np.ndarray:
    """Gradient of softmax, dx[i] = y[i] · (dy[i] − Σ_j dy[j]·y[j]).

    Parameters
    ----------
    dy, y : arrays (…, C)
        The gradient of y, and the output of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, or `dx` does not fit.

    Examples
    --------
    >>> softmax_backward([1.0, 0.0], [0.25, 0.75])
    array([ 0.1875, -0.1875])
    """
    dy, y, dx = _gradient(dy, y, dx)
    with np.errstate(all="ignore"):
        dx[...] = y * (dy - (dy * y).sum(axis=-1, keepdims=True))
    return dx


def log_softmax_forward(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Logarithm of softmax over the last axis, y[i] = x[i] − max x − ln Σ_j e^(x[j] − max x).

    A row that is all −∞, or contains +∞ or NaN, gives NaN.

    Parameters
    ----------
    x : array (…, C), C at least 1
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real or has no column, or `y` does not fit.

    Examples
    --------
    >>> log_softmax_forward([1000.0, 1000.0])
    array([-0.69314718, -0.69314718])
    """
    x, y = _rows(x, y)
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=-1, keepdims=True)
        y[...] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        y[np.isnan(y).any(axis=-1)] = np.nan
    return y


def log_softmax_backward(dy: np.ndarray, y: np.ndarray, *, dx: np.ndarray | None = None) -> np.ndarray:
    """Gradient of log-softmax, dx[i] = dy[i] − e^y[i] · Σ_j dy[j].

    Parameters
    ----------
    dy, y : arrays (…, C)
        The gradient of y, and the output of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, or `dx` does not fit.

    Examples
    --------
    >>> log_softmax_backward([1.0, 0.0], np.log([0.25, 0.75]))
    array([ 0.75, -0.75])
    """
    dy, y, dx = _gradient(dy, y, dx)
    with np.errstate(all="ignore"):
        dx[...] = dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)
    return dx
