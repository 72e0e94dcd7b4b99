"""The functions of both books' ``common/functions.py``, on arrays of any shape and on numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active

__all__ = [
    "cross_entropy_error",
    "identity_function",
    "mean_squared_error",
    "np",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_loss",
    "step_function",
    "sum_squared_error",
]


def _is_real(x: Any) -> bool:
    return type(x) is np.ndarray and x.ndim > 0 and x.dtype in (np.float32, np.float64)


def identity_function(x: Any) -> Any:
    """Return x itself: the activation of the output layer in regression.

    Examples
    --------
    >>> identity_function(3)
    3
    """
    return x


def step_function(x: Any) -> np.ndarray:
    """Return 1 where x > 0, else 0, as integers.

    Examples
    --------
    >>> step_function(np.array([-1.0, 0.0, 2.0]))
    array([0, 0, 1])
    """
    return np.array(np.asarray(x) > 0, dtype=int)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e^(−x)).

    Examples
    --------
    >>> sigmoid(np.array([0.0, np.log(3)]))
    array([0.5 , 0.75])
    """
    if _is_real(x):
        return active().sigmoid(x)
    return 1 / (1 + np.exp(-x))


def sigmoid_grad(x: Any) -> Any:
    """Return the slope of the sigmoid, sigmoid(x) · (1 − sigmoid(x)).

    Examples
    --------
    >>> sigmoid_grad(np.array([0.0]))
    array([0.25])
    """
    y = sigmoid(x)
    return (1.0 - y) * y


def relu(x: Any) -> Any:
    """Return max(0, x).

    Examples
    --------
    >>> relu(np.array([-1, 2]))
    array([0, 2])
    """
    return np.maximum(0, x)


def relu_grad(x: Any) -> np.ndarray:
    """Return the slope of relu: 1 where x ≥ 0, else 0.

    Examples
    --------
    >>> relu_grad(np.array([-1.0, 0.0, 2.0]))
    array([0., 1., 1.])
    """
    return np.where(np.asarray(x) >= 0, 1, 0).astype(np.asarray(x).dtype)


def softmax(x: Any) -> np.ndarray:
    """Return e^x / Σ e^x over the last axis, less the largest entry first: no number overflows.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    if not _is_real(x):
        x = np.asarray(x, dtype=float)
    return active().softmax_forward(x)


def sum_squared_error(y: Any, t: Any) -> Any:
    """Return ½ · Σ (y − t)².

    Examples
    --------
    >>> float(sum_squared_error(np.array([1.0, 3.0]), np.array([0.0, 0.0])))
    5.0
    """
    return 0.5 * np.sum((y - t) ** 2)


mean_squared_error = sum_squared_error


def cross_entropy_error(y: np.ndarray, t: np.ndarray) -> Any:
    """Return −1/N · Σ ln(y[n, t[n]] + 1e-7), the mean over the rows.

    y (N, C) or one row (C,) of probabilities; t is labels, or rows like y, of which the largest entry is the label.

    Examples
    --------
    >>> round(float(cross_entropy_error(np.array([[0.25, 0.75]]), np.array([1]))), 6)
    0.287682
    >>> round(float(cross_entropy_error(np.array([0.25, 0.75]), np.array([0, 1]))), 6)
    0.287682
    """
    if y.ndim == 1:
        t, y = t.reshape(1, t.size), y.reshape(1, y.size)
    if t.size == y.size:
        t = t.argmax(axis=1)
    rows = y.shape[0]
    return -np.sum(np.log(y[np.arange(rows), t] + 1e-7)) / rows


def softmax_loss(X: np.ndarray, t: np.ndarray) -> Any:
    """Return the cross-entropy of the softmax of X.

    Examples
    --------
    >>> round(float(softmax_loss(np.array([[0.0, np.log(3)]]), np.array([1]))), 6)
    0.287682
    """
    return cross_entropy_error(softmax(X), t)
