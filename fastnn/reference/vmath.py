"""Twins of the vectorised elementary functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastnn import checks

__all__ = ["exp", "log", "tanh", "sigmoid"]


def _elementwise(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    x = checks.real("x", x)
    y = checks.result("y", y, x.shape, x.dtype, x, elementwise=True)
    with np.errstate(all="ignore"):
        y[...] = function(x)
    return y


def exp(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Exponential y = eˣ, elementwise.

    exp(−∞) = 0, exp(+∞) = +∞, exp(NaN) = NaN.

    Parameters
    ----------
    x : array of any shape
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, or `y` does not fit.

    Examples
    --------
    >>> exp([0.0, 1.0])
    array([1.        , 2.71828183])
    """
    return _elementwise(np.exp, x, y)


def log(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Natural logarithm y = ln x, elementwise.

    log(±0) = −∞, log(+∞) = +∞, NaN below zero.

    Parameters
    ----------
    x : array of any shape
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, or `y` does not fit.

    Examples
    --------
    >>> log([1.0, 10.0])
    array([0.        , 2.30258509])
    """
    return _elementwise(np.log, x, y)


def tanh(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Hyperbolic tangent y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), elementwise.

    Parameters
    ----------
    x : array of any shape
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, or `y` does not fit.

    Examples
    --------
    >>> tanh([0.0, 0.5])
    array([0.        , 0.46211716])
    """
    return _elementwise(np.tanh, x, y)


def sigmoid(x: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Logistic function y = 1 / (1 + e⁻ˣ), elementwise, without overflow on either side.

    For x < 0 it is computed as e⁻|x| / (1 + e⁻|x|).

    Parameters
    ----------
    x : array of any shape
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, or `y` does not fit.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 2.0])
    array([0.        , 0.5       , 0.88079708])
    """
    return _elementwise(_sigmoid, x, y)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))
