"""Activations as functions of arrays and symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.activations.activation import Activation
from fastnn.activations.along_axis import LogSoftmax, Softmax, Sparsemax
from fastnn.activations.formulas import (
    Celu,
    ClippedRelu,
    HardShrink,
    HardSilu,
    HardTanh,
    LogSigmoid,
    Mish,
    SoftShrink,
    Softsign,
    SparsePlus,
    SparseSigmoid,
    Squareplus,
    TanhShrink,
    Threshold,
)
from fastnn.graph import Symbol

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "step",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def _real(x: Any) -> Any:
    """An array of reals; integers and lists of numbers become ``floatx``; a symbol stays."""
    if isinstance(x, Symbol):
        return x
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(backend.floatx())


def linear(x: Any) -> np.ndarray:
    """``x`` itself."""
    return Activation("linear")(_real(x))


identity = linear


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> np.ndarray:
    """``max(x, 0)``; with options: capped at ``max_value``, ``negative_slope·(x − threshold)`` up to ``threshold``.

    Examples
    --------
    >>> relu(np.array([-2.0, 0.5, 9.0]), negative_slope=0.5, max_value=6)
    array([-1. ,  0.5,  6. ])
    """
    if max_value is None and threshold == 0:
        return (Activation("leaky_relu", negative_slope) if negative_slope else Activation("relu"))(_real(x))
    return ClippedRelu(negative_slope, max_value, threshold)(_real(x))


def relu6(x: Any) -> np.ndarray:
    """``min(max(x, 0), 6)``."""
    return relu(x, max_value=6.0)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> np.ndarray:
    """x above 0, ``negative_slope·x`` below."""
    return Activation("leaky_relu", negative_slope)(_real(x))


def elu(x: Any, alpha: float = 1.0) -> np.ndarray:
    """x above 0, ``alpha·(eˣ − 1)`` below."""
    return Activation("elu", alpha)(_real(x))


def selu(x: Any) -> np.ndarray:
    """``1.0507009873554805·elu(x, 1.6732632423543772)``."""
    return Activation("selu")(_real(x))


def sigmoid(x: Any) -> np.ndarray:
    """``1 / (1 + e⁻ˣ)``."""
    return Activation("sigmoid")(_real(x))


def tanh(x: Any) -> np.ndarray:
    """``(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)``."""
    return Activation("tanh")(_real(x))


def softplus(x: Any) -> np.ndarray:
    """``log(1 + eˣ)``."""
    return Activation("softplus")(_real(x))


def softsign(x: Any) -> np.ndarray:
    """``x / (1 + |x|)``."""
    return Softsign()(_real(x))


def gelu(x: Any, approximate: bool = False) -> np.ndarray:
    """``x·Φ(x)``, Φ the normal distribution function; ``approximate=True`` uses the tanh formula."""
    return Activation("gelu_tanh" if approximate else "gelu")(_real(x))


def silu(x: Any) -> np.ndarray:
    """``x·sigmoid(x)``, also called swish."""
    return Activation("silu")(_real(x))


swish = silu


def hard_sigmoid(x: Any) -> np.ndarray:
    """``x/6 + 0.5`` clipped to [0, 1]."""
    return Activation("hard_sigmoid")(_real(x))


def exponential(x: Any) -> np.ndarray:
    """``eˣ``."""
    return Activation("exponential")(_real(x))


def step(x: Any) -> np.ndarray:
    """1 above 0, else 0; its derivative is 0 everywhere, so no gradient passes through it."""
    return Activation("step")(_real(x))


def hard_silu(x: Any) -> np.ndarray:
    """``x·hard_sigmoid(x)``, also called hard_swish."""
    return HardSilu()(_real(x))


hard_swish = hard_silu


def mish(x: Any) -> np.ndarray:
    """``x·tanh(softplus(x))``."""
    return Mish()(_real(x))


def log_sigmoid(x: Any) -> np.ndarray:
    """``log(sigmoid(x))``."""
    return LogSigmoid()(_real(x))


def celu(x: Any, alpha: float = 1.0) -> np.ndarray:
    """x above 0, ``alpha·(exp(x/alpha) − 1)`` below."""
    return Celu(alpha)(_real(x))


def squareplus(x: Any, b: float = 4) -> np.ndarray:
    """``(x + √(x² + b)) / 2``."""
    return Squareplus(b)(_real(x))


def sparse_plus(x: Any) -> np.ndarray:
    """0 up to −1, ``(x + 1)² / 4`` up to 1, then x."""
    return SparsePlus()(_real(x))


def sparse_sigmoid(x: Any) -> np.ndarray:
    """``(x + 1) / 2``, from 0 to 1."""
    return SparseSigmoid()(_real(x))


def hard_tanh(x: Any) -> np.ndarray:
    """x, from −1 to 1."""
    return HardTanh()(_real(x))


def tanh_shrink(x: Any) -> np.ndarray:
    """``x − tanh(x)``."""
    return TanhShrink()(_real(x))


def soft_shrink(x: Any, threshold: float = 0.5) -> np.ndarray:
    """x, nearer to 0 by ``threshold``, and 0 within it."""
    return SoftShrink(threshold)(_real(x))


def hard_shrink(x: Any, threshold: float = 0.5) -> np.ndarray:
    """x, but 0 within ``threshold`` of 0."""
    return HardShrink(threshold)(_real(x))


def threshold(x: Any, threshold: float, default_value: float) -> np.ndarray:
    """x above ``threshold``, else ``default_value``."""
    return Threshold(threshold, default_value)(_real(x))


def glu(x: Any, axis: int = -1) -> Any:
    """``a·sigmoid(b)``, a and b the halves of x along ``axis``, which is half as long in the output.

    Raises
    ------
    ValueError
        If the length along the axis is odd or open.

    References
    ----------
    Dauphin et al.: Language Modeling with Gated Convolutional Networks, ICML 2017.

    Examples
    --------
    >>> glu(np.array([2.0, 4.0, 0.0, 0.0]))
    array([1., 2.])
    """
    x = _real(x)
    if not -x.ndim <= axis < x.ndim or not x.shape[axis] or x.shape[axis] % 2:
        raise ValueError(
            f"glu halves an axis of even length. Received: shape {tuple(x.shape)}, axis={axis}. Use a layer with twice "
            "as many units before it."
        )
    before, half = (slice(None),) * (axis % x.ndim), x.shape[axis] // 2
    return x[(*before, slice(half))] * sigmoid(x[(*before, slice(half, None))])


def softmax(x: Any, axis: int = -1) -> np.ndarray:
    """``exp(x) / Σ exp(x)`` along ``axis``; large values do not overflow.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return Softmax(axis)(_real(x))


def log_softmax(x: Any, axis: int = -1) -> np.ndarray:
    """``x − log Σ exp(x)`` along ``axis``."""
    return LogSoftmax(axis)(_real(x))


def sparsemax(x: Any, axis: int = -1) -> np.ndarray:
    """The nearest point whose entries are ≥ 0 and sum to 1, along ``axis``.

    Examples
    --------
    >>> sparsemax(np.array([1.0, 0.8, -1.0]))
    array([0.6, 0.4, 0. ])
    """
    return Sparsemax(axis)(_real(x))
