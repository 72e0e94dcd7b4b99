"""The activations of layers, as functions: each runs on the kernel of its name."""

from __future__ import annotations

from typing import Any

from .. import activations
from ..activations import Activation, ClippedRelu, LogSoftmax, Softmax, Softsign, Sparsemax, formulas
from .axes import axes_of
from .function import Elementwise

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
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
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


class Activate(Elementwise):
    """An activation of ``fastnn.activations``; what its ``backward`` needs is its own matter.

    Parameters
    ----------
    activation : Activation
    """

    kind = "f"

    def __init__(self, activation: Any):
        self.activation, self.name = activation, activation.name

    def forward(self, x, training=False):
        return self.activation.forward(x)

    def backward(self, dy, ctx, need_dx=True):
        return self.activation.backward(dy, ctx)


class SoftmaxAlong(Activate):
    """softmax or log_softmax, whose axes must be there."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_of(self.name, self.activation.axis, input_shape)
        return input_shape


def relu(x: Any) -> Any:
    """``max(x, 0)``; the slope at 0 is 0.

    Examples
    --------
    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return Activate(Activation("relu"))(x)


def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``.

    Examples
    --------
    >>> relu6([-1.0, 2.0, 9.0]).tolist()
    [0.0, 2.0, 6.0]
    """
    return Activate(ClippedRelu(max_value=6.0))(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x above 0, ``negative_slope·x`` below.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], 0.25).tolist()
    [-0.25, 2.0]
    """
    return Activate(Activation("leaky_relu", negative_slope))(x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, ``alpha·(eˣ − 1)`` below.

    Examples
    --------
    >>> elu([-1.0, 2.0]).round(3).tolist()
    [-0.6320000290870667, 2.0]
    """
    return Activate(Activation("elu", alpha))(x)


def selu(x: Any) -> Any:
    """``1.0507009873554805·elu(x, 1.6732632423543772)``.

    Examples
    --------
    >>> selu([0.0]).tolist()
    [0.0]
    """
    return Activate(Activation("selu"))(x)


def gelu(x: Any, approximate: bool = True) -> Any:
    """``x·Φ(x)``, Φ the normal distribution function; by its tanh formula unless ``approximate`` is False.

    Examples
    --------
    >>> gelu([0.0]).tolist()
    [0.0]
    """
    return Activate(Activation("gelu_tanh" if approximate else "gelu"))(x)


def silu(x: Any) -> Any:
    """``x·sigmoid(x)``.

    Examples
    --------
    >>> silu([0.0]).tolist()
    [0.0]
    """
    return Activate(Activation("silu"))(x)


def swish(x: Any) -> Any:
    """Another word for ``silu``.

    Examples
    --------
    >>> swish([0.0]).tolist()
    [0.0]
    """
    return silu(x)


def softplus(x: Any) -> Any:
    """``log(1 + eˣ)``.

    Examples
    --------
    >>> softplus([0.0, 100.0]).round(3).tolist()
    [0.6930000185966492, 100.0]
    """
    return Activate(Activation("softplus"))(x)


def softsign(x: Any) -> Any:
    """``x / (1 + |x|)``.

    Examples
    --------
    >>> softsign([-1.0, 3.0]).tolist()
    [-0.5, 0.75]
    """
    return Activate(Softsign())(x)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + e⁻ˣ)``.

    Examples
    --------
    >>> sigmoid([0.0]).tolist()
    [0.5]
    """
    return Activate(Activation("sigmoid"))(x)


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x)) = −softplus(−x)``.

    Examples
    --------
    >>> log_sigmoid([0.0, -100.0]).round(3).tolist()
    [-0.6930000185966492, -100.0]
    """
    return Activate(formulas.LogSigmoid())(x)


def hard_sigmoid(x: Any) -> Any:
    """``x/6 + 0.5`` cut to [0, 1].

    Examples
    --------
    >>> hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return Activate(Activation("hard_sigmoid"))(x)


def hard_silu(x: Any) -> Any:
    """``x·hard_sigmoid(x)``.

    Examples
    --------
    >>> hard_silu([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """
    return Activate(formulas.HardSilu())(x)


def hard_swish(x: Any) -> Any:
    """Another word for ``hard_silu``.

    Examples
    --------
    >>> hard_swish([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """
    return hard_silu(x)


def hard_tanh(x: Any) -> Any:
    """x, from −1 to 1.

    Examples
    --------
    >>> hard_tanh([-3.0, 0.5]).tolist()
    [-1.0, 0.5]
    """
    return Activate(formulas.HardTanh())(x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, ``alpha·(exp(x/alpha) − 1)`` below.

    Examples
    --------
    >>> celu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return Activate(formulas.Celu(alpha))(x)


def squareplus(x: Any, b: float = 4) -> Any:
    """``(x + √(x² + b)) / 2``.

    Examples
    --------
    >>> squareplus([0.0]).tolist()
    [1.0]
    """
    return Activate(formulas.Squareplus(b))(x)


def sparse_plus(x: Any) -> Any:
    """0 up to −1, ``(x + 1)² / 4`` up to 1, then x.

    Examples
    --------
    >>> sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    return Activate(formulas.SparsePlus())(x)


def sparse_sigmoid(x: Any) -> Any:
    """``(x + 1) / 2``, from 0 to 1.

    Examples
    --------
    >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return Activate(formulas.SparseSigmoid())(x)


def tanh_shrink(x: Any) -> Any:
    """``x − tanh(x)``.

    Examples
    --------
    >>> tanh_shrink([0.0]).tolist()
    [0.0]
    """
    return Activate(formulas.TanhShrink())(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x, nearer to 0 by ``threshold``, and 0 within it.

    Examples
    --------
    >>> soft_shrink([-2.0, 0.25, 2.0]).tolist()
    [-1.5, 0.0, 1.5]
    """
    return Activate(formulas.SoftShrink(threshold))(x)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x, but 0 within ``threshold`` of 0.

    Examples
    --------
    >>> hard_shrink([-2.0, 0.25, 2.0]).tolist()
    [-2.0, 0.0, 2.0]
    """
    return Activate(formulas.HardShrink(threshold))(x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x above ``threshold``, else ``default_value``.

    Examples
    --------
    >>> threshold([-2.0, 2.0], 0.5, -1.0).tolist()
    [-1.0, 2.0]
    """
    return Activate(formulas.Threshold(threshold, default_value))(x)


def glu(x: Any, axis: int = -1) -> Any:
    """``a·sigmoid(b)``, a and b the halves of x along ``axis``.

    Examples
    --------
    >>> glu([2.0, 4.0, 0.0, 0.0]).tolist()
    [1.0, 2.0]
    """
    return activations.glu(x, axis)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point whose entries are ≥ 0 and sum to 1, along ``axis``.

    Examples
    --------
    >>> sparsemax([1.0, 0.0, -1.0]).tolist()
    [1.0, 0.0, 0.0]
    """
    return SoftmaxAlong(Sparsemax(axis))(x)


def tanh(x: Any) -> Any:
    """``(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)``.

    Examples
    --------
    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return Activate(Activation("tanh"))(x)


def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """``exp(x) / Σ exp(x)`` along an axis, or several taken as one; large values do not overflow.

    Examples
    --------
    >>> softmax([1000.0, 1000.0]).tolist()
    [0.5, 0.5]
    """
    return SoftmaxAlong(Softmax(axis))(x)


def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """``x − log Σ exp(x)`` along an axis, or several taken as one.

    Examples
    --------
    >>> log_softmax([0.0, 0.0]).round(3).tolist()
    [-0.6930000185966492, -0.6930000185966492]
    """
    return SoftmaxAlong(LogSoftmax(axis))(x)
