"""Activations in NumPy, each by its value and its slope: those that are too rare for a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.activations.activation import Activation, into
from fastnn.lookup import is_number

__all__ = [
    "Celu",
    "ClippedRelu",
    "Formula",
    "HardShrink",
    "HardSilu",
    "HardTanh",
    "LogSigmoid",
    "Mish",
    "SoftShrink",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Squareplus",
    "TanhShrink",
    "Threshold",
]


class Formula(Activation):
    """Base: a subclass has ``value(x)`` and ``slope(x)``, and names its numbers in ``fields``.

    NaN stays NaN: comparisons are written so that it takes the branch of x itself.
    """

    fields: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.alpha, self.fusible = None, False

    def value(self, x: np.ndarray) -> np.ndarray:
        """The output."""
        raise NotImplementedError(f"{type(self).__name__} has no value(x).")

    def slope(self, x: np.ndarray) -> np.ndarray:
        """The derivative of the output with respect to x."""
        raise NotImplementedError(f"{type(self).__name__} has no slope(x).")

    def forward(self, x, *, y=None):
        return into(y, self.value(x).astype(x.dtype, copy=False)), x

    def backward(self, dy, ctx, *, dx=None):
        return into(dx, (dy * self.slope(ctx)).astype(dy.dtype, copy=False))

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fields}


def _number(name: str, value: Any, least: float = -np.inf, excluded: float | None = None) -> float:
    """A number in range, or the error that says so."""
    if not is_number(value) or not value >= least or value == excluded:
        sign = "" if least == -np.inf else f" {'>' if excluded == least else '≥'} {least:g}"
        raise ValueError(f"{name} must be a number{sign}. Received: {name}={value!r}.")
    return float(value)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-_softplus(-x))


class ClippedRelu(Formula):
    """ReLU with Keras' options: x above ``threshold``, at most ``max_value``; else negative_slope·(x − threshold).

    Its derivative is ``negative_slope`` at the threshold and 0 from ``max_value`` on.
    """

    name, fields = "relu", ("negative_slope", "max_value", "threshold")

    def __init__(self, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0):
        for word, value in (("negative_slope", negative_slope), ("max_value", max_value), ("threshold", threshold)):
            if value is None and word == "max_value":
                continue
            if value is None or not is_number(value) or value < 0:
                raise ValueError(f"{word} must be a number ≥ 0. Received: {word}={value!r}.")
        super().__init__()
        self.negative_slope, self.max_value, self.threshold = negative_slope, max_value, threshold

    def value(self, x):
        below = self.negative_slope * (x - self.threshold) if self.negative_slope else np.zeros_like(x)
        value = np.where((x > self.threshold) | np.isnan(x), x, below)
        return value if self.max_value is None else np.minimum(value, self.max_value)

    def slope(self, x):
        slope = np.where(x > self.threshold, 1.0, self.negative_slope)
        return slope if self.max_value is None else slope * (x < self.max_value)


class Softsign(Formula):
    """``x / (1 + |x|)``."""

    name = "softsign"

    def value(self, x):
        return x / (1 + np.abs(x))

    def slope(self, x):
        return np.square(1 / (1 + np.abs(x)))


class Mish(Formula):
    """``x·tanh(softplus(x))``.

    References
    ----------
    Misra: Mish: A Self Regularized Non-Monotonic Activation Function, 2019.
    """

    name = "mish"

    def value(self, x):
        return x * np.tanh(_softplus(x))

    def slope(self, x):
        t = np.tanh(_softplus(x))
        return t + x * (1 - t * t) * _sigmoid(x)


class HardSilu(Formula):
    """``x·hard_sigmoid(x)``, also called hard_swish.

    References
    ----------
    Howard et al.: Searching for MobileNetV3, 2019.
    """

    name = "hard_silu"

    def value(self, x):
        return x * np.clip(x / 6 + 0.5, 0, 1)

    def slope(self, x):
        return np.clip(x / 6 + 0.5, 0, 1) + np.where(np.abs(x) < 3, x / 6, 0)


class LogSigmoid(Formula):
    """``log(sigmoid(x)) = −softplus(−x)``."""

    name = "log_sigmoid"

    def value(self, x):
        return -_softplus(-x)

    def slope(self, x):
        return _sigmoid(-x)


class Celu(Formula):
    """x above 0, ``alpha·(exp(x/alpha) − 1)`` below: an elu whose slope is 1 at 0 for every alpha.

    References
    ----------
    Barron: Continuously Differentiable Exponential Linear Units, 2017.
    """

    name, fields = "celu", ("alpha",)

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = _number("alpha", alpha, 0, excluded=0)

    def value(self, x):
        return np.where(x <= 0, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha), x)

    def slope(self, x):
        return np.exp(np.minimum(x, 0) / self.alpha)


class Squareplus(Formula):
    """``(x + √(x² + b)) / 2``: a softplus without exponentials.

    References
    ----------
    Barron: Squareplus: A Softplus-Like Algebraic Rectifier, 2021.
    """

    name, fields = "squareplus", ("b",)

    def __init__(self, b: float = 4.0):
        super().__init__()
        self.b = _number("b", b, 0)

    def value(self, x):
        root = np.hypot(x, np.sqrt(self.b))
        with np.errstate(divide="ignore", invalid="ignore"):
            below = self.b / (root - x) / 2  # the same number, where x + root would cancel
        return np.where(x < 0, below, (x + root) / 2)

    def slope(self, x):
        root = np.hypot(x, np.sqrt(self.b))
        return (1 + np.divide(x, root, out=np.zeros_like(x), where=root != 0)) / 2


class SparsePlus(Formula):
    """0 up to −1, ``(x + 1)² / 4`` up to 1, then x."""

    name = "sparse_plus"

    def value(self, x):
        return np.where(x <= -1, 0, np.where(x < 1, np.square(np.clip(x, -1, 1) + 1) / 4, x))

    def slope(self, x):
        return np.clip((x + 1) / 2, 0, 1)


class SparseSigmoid(Formula):
    """``(x + 1) / 2``, from 0 to 1."""

    name = "sparse_sigmoid"

    def value(self, x):
        return np.clip((x + 1) / 2, 0, 1)

    def slope(self, x):
        return np.where(np.abs(x) <= 1, 0.5, 0.0)


class HardTanh(Formula):
    """x, from −1 to 1."""

    name = "hard_tanh"

    def value(self, x):
        return np.clip(x, -1, 1)

    def slope(self, x):
        return np.where(np.abs(x) <= 1, 1.0, 0.0)


class TanhShrink(Formula):
    """``x − tanh(x)``."""

    name = "tanh_shrink"

    def value(self, x):
        return x - np.tanh(x)

    def slope(self, x):
        return np.square(np.tanh(x))


class SoftShrink(Formula):
    """x, nearer to 0 by ``threshold``, and 0 within it."""

    name, fields = "soft_shrink", ("threshold",)

    def __init__(self, threshold: float = 0.5):
        super().__init__()
        self.threshold = _number("threshold", threshold, 0)

    def value(self, x):
        return x - np.clip(x, -self.threshold, self.threshold)

    def slope(self, x):
        return np.where(np.abs(x) <= self.threshold, 0.0, 1.0)


class HardShrink(SoftShrink):
    """x, but 0 within ``threshold`` of 0."""

    name = "hard_shrink"

    def value(self, x):
        return np.where(np.abs(x) <= self.threshold, 0, x)


class Threshold(Formula):
    """x above ``threshold``, else ``default_value``."""

    name, fields = "threshold", ("threshold", "default_value")

    def __init__(self, threshold: float, default_value: float):
        super().__init__()
        self.threshold = _number("threshold", threshold)
        self.default_value = _number("default_value", default_value)

    def value(self, x):
        return np.where(x <= self.threshold, self.default_value, x)

    def slope(self, x):
        return np.where(x <= self.threshold, 0.0, 1.0)
