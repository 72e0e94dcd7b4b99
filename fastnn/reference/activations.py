"""Twins of the activation functions: a table of (value, derivative), and the two kernels that read it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastnn import checks
from fastnn.reference.vmath import _sigmoid

__all__ = ["activation_forward", "activation_backward"]

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
DEFAULT_ALPHA = {"leaky_relu": 0.2, "elu": 1.0}
FUSIBLE = (
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "sigmoid",
    "tanh",
    "softplus",
    "exponential",
    "hard_sigmoid",
)


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    """Φ(x) = erfc(−x / √2) / 2."""
    return np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.ravel().tolist()], x.dtype).reshape(x.shape)


def _normal_pdf(x: np.ndarray) -> np.ndarray:
    """φ(x) = e^(−x²/2) / √(2π)."""
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _gelu(x: np.ndarray) -> np.ndarray:
    return np.where(np.isneginf(x), -0.0, x * _normal_cdf(x)).astype(x.dtype)


def _gelu_slope(x: np.ndarray) -> np.ndarray:
    return np.where(np.isinf(x), x > 0, _normal_cdf(x) + x * _normal_pdf(x)).astype(x.dtype)


def _gelu_tanh_gate(x: np.ndarray) -> np.ndarray:
    """2·√(2/π)·(x + 0.044715·x³); its sigmoid is the gate (1 + tanh(half of it)) / 2."""
    return 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return np.where(np.isneginf(x), -0.0, x * _sigmoid(_gelu_tanh_gate(x))).astype(x.dtype)


def _gelu_tanh_slope(x: np.ndarray) -> np.ndarray:
    gate = _sigmoid(_gelu_tanh_gate(x))
    steep = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return np.where(gate * (1 - gate) == 0, gate, gate + x * gate * (1 - gate) * steep).astype(x.dtype)


def _silu(x: np.ndarray) -> np.ndarray:
    return np.where(np.isneginf(x), -0.0, x * _sigmoid(x)).astype(x.dtype)


def _silu_slope(x: np.ndarray) -> np.ndarray:
    s = _sigmoid(x)
    return np.where(s * (1 - s) == 0, s, s + x * s * (1 - s)).astype(x.dtype)


def _where(condition: np.ndarray, yes: np.ndarray | float, no: np.ndarray | float, x: np.ndarray) -> np.ndarray:
    return np.where(condition, yes, no).astype(x.dtype)


# name: (value of x and alpha, derivative of x, y and alpha). The derivatives of FUSIBLE ones need only y.
_TABLE: dict[str, tuple[Callable, Callable]] = {
    "linear": (lambda x, a: x, lambda x, y, a: np.ones_like(y)),
    "relu": (lambda x, a: np.maximum(x, 0), lambda x, y, a: _where(y > 0, 1, 0, y)),
    "leaky_relu": (lambda x, a: _where(x > 0, x, x * a, x), lambda x, y, a: _where(y > 0, 1, a, y)),
    "elu": (lambda x, a: _where(x > 0, x, a * np.expm1(x), x), lambda x, y, a: _where(y > 0, 1, y + a, y)),
    "selu": (
        lambda x, a: _where(x > 0, SELU_SCALE * x, SELU_SCALE * SELU_ALPHA * np.expm1(x), x),
        lambda x, y, a: _where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA, y),
    ),
    "sigmoid": (lambda x, a: _sigmoid(x), lambda x, y, a: y * (1 - y)),
    "tanh": (lambda x, a: np.tanh(x), lambda x, y, a: 1 - y * y),
    "softplus": (lambda x, a: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda x, y, a: -np.expm1(-y)),
    "gelu": (lambda x, a: _gelu(x), lambda x, y, a: _gelu_slope(x)),
    "gelu_tanh": (lambda x, a: _gelu_tanh(x), lambda x, y, a: _gelu_tanh_slope(x)),
    "silu": (lambda x, a: _silu(x), lambda x, y, a: _silu_slope(x)),
    "hard_sigmoid": (
        lambda x, a: np.clip(x / 6 + 0.5, 0, 1).astype(x.dtype),
        lambda x, y, a: _where((y > 0) & (y < 1), 1 / 6, 0, y),
    ),
    "exponential": (lambda x, a: np.exp(x), lambda x, y, a: y),
    "step": (lambda x, a: _where(np.isnan(x), x, x > 0, x), lambda x, y, a: np.zeros_like(y)),
}


def _alpha(activation: str, alpha: float | None) -> float:
    """Return the parameter of `activation`, its default for None; refuse one that the function does not have."""
    checks.choice("activation", activation, _TABLE)
    if alpha is None:
        return DEFAULT_ALPHA.get(activation, 0.0)
    if activation not in DEFAULT_ALPHA:
        raise ValueError(f"Only {' and '.join(DEFAULT_ALPHA)} have alpha. Received: {activation!r}, alpha={alpha!r}.")
    return checks.number("alpha", alpha, 0.0)


def _times(dy: np.ndarray, slope: np.ndarray, activation: str) -> np.ndarray:
    """Return dy · slope; where relu, hard_sigmoid and step are flat, 0 whatever dy is."""
    hides = activation in ("relu", "hard_sigmoid", "step")
    return np.where(hides & (slope == 0), np.zeros_like(dy), dy * slope)


def fused(activation: str) -> str:
    """Return the name if its derivative follows from its output, else raise ValueError."""
    return checks.choice("activation", activation, FUSIBLE)


def fused_value(z: np.ndarray, activation: str) -> np.ndarray:
    """Return act(z), as dense and convolution apply it to their sums."""
    with np.errstate(all="ignore"):
        return _TABLE[activation][0](z, DEFAULT_ALPHA.get(activation, 0.0))


def fused_gradient(dy: np.ndarray, y: np.ndarray | None, activation: str) -> np.ndarray:
    """Return dz = dy · act′(z), with act′ computed from y = act(z)."""
    if activation == "linear":
        return dy
    with np.errstate(all="ignore"):
        return _times(dy, _TABLE[activation][1](None, y, DEFAULT_ALPHA.get(activation, 0.0)), activation)


def activation_forward(
    x: np.ndarray, activation: str, alpha: float | None = None, *, y: np.ndarray | None = None
) -> np.ndarray:
    """Activation y = act(x), elementwise.

    linear x · relu max(x, 0) · leaky_relu x or alpha·x · elu x or alpha·(eˣ − 1) · selu 1.0507·(x or 1.6733·(eˣ − 1)) ·
    sigmoid 1/(1 + e⁻ˣ) · tanh · softplus ln(1 + eˣ) · gelu x·Φ(x) · gelu_tanh x·(1 + tanh(√(2/π)(x + 0.044715x³)))/2 ·
    silu x·sigmoid(x) · hard_sigmoid clip(x/6 + 0.5, 0, 1) · exponential eˣ · step (1 if x > 0, else 0).
    NaN gives NaN in all of them.

    Parameters
    ----------
    x : array of any shape
    activation : str
    alpha : float, optional
        Slope below zero of leaky_relu (0.2) or scale of elu (1); at least 0.
    y : array of the shape of `x`, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, the name is unknown, `alpha` is negative or does not apply, or `y` does not fit.

    Examples
    --------
    >>> activation_forward([-1.0, 0.0, 2.0], "leaky_relu", 0.1)
    array([-0.1,  0. ,  2. ])
    """
    x, alpha = checks.real("x", x), _alpha(activation, alpha)
    y = checks.result("y", y, x.shape, x.dtype, x, elementwise=True)
    with np.errstate(all="ignore"):
        y[...] = _TABLE[activation][0](x, alpha)
    return y


def activation_backward(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    activation: str,
    alpha: float | None = None,
    *,
    dx: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient dx = dy · act′(x), elementwise.

    The derivative of relu, leaky_relu, elu and selu at 0 is the left one. Where relu, hard_sigmoid and step are flat,
    dx is 0 whatever dy is, so a NaN or infinity there is ignored.

    Parameters
    ----------
    dy, x, y : arrays of one shape
        The gradient of y, the input and the output of the forward kernel.
    activation : str
    alpha : float, optional
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, the name is unknown, or `dx` does not fit.

    Examples
    --------
    >>> activation_backward([5.0, 5.0], [-1.0, 2.0], [0.0, 2.0], "relu")
    array([0., 5.])
    """
    dy, x, y = checks.reals(dy=(dy, None), x=(x, None), y=(y, None))
    alpha = _alpha(activation, alpha)
    checks.shape("dy", dy, x.shape)
    checks.shape("y", y, x.shape)
    dx = checks.result("dx", dx, x.shape, x.dtype, dy, x, y, elementwise=True)
    with np.errstate(all="ignore"):
        dx[...] = _times(dy, _TABLE[activation][1](x, y, alpha), activation)
    return dx
