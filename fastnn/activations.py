"""Activations: functions of arrays, and the small objects that layers use.

``relu(x)``, ``softmax(x)`` and the others act on arrays, through the kernels of the active backend.  A layer has an
``Activation``, which ``get`` finds: a name, ``forward(x) -> (y, ctx)`` and ``backward(dy, ctx) -> dx``.

An activation of your own is a function written in operators and ``fastnn.ops``, whose slope is found by tracing it::

    def square(x):
        return x * x

    Dense(10, activation=square)

or a function of arrays with its slope beside it: ``square.gradient = lambda dy, x, y: dy * 2 * x``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import absent, backend, custom
from fastnn.graph import Operation, Symbol, SymbolError, TracedFunction, record
from fastnn.lookup import check_takes, is_number, lookup

__all__ = [
    "FUSIBLE",
    "Activation",
    "ClippedRelu",
    "Custom",
    "LogSoftmax",
    "Softmax",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "identity",
    "leaky_relu",
    "linear",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "step",
    "swish",
    "tanh",
]  # fmt: skip

FUSIBLE = (
    "linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "exponential", "hard_sigmoid",
)  # fmt: skip
"""Kernels whose derivative follows from their output: dense and convolution fuse them into their final store."""

_DEFAULT_ALPHA = {"leaky_relu": 0.2, "elu": 1.0}
_KERNELS = (*FUSIBLE, "gelu", "gelu_tanh", "silu", "step")


class Activation:
    """An elementwise activation that one kernel computes.

    Parameters
    ----------
    name : str
        The name of the kernel: a member of ``FUSIBLE``, "gelu", "gelu_tanh", "silu" or "step".
    alpha : float, optional
        The slope of "leaky_relu" below 0 (default 0.2), the scale of "elu" (default 1).

    Attributes
    ----------
    fusible : bool
        True if ``dense_forward`` and ``conv2d_forward`` can compute it themselves, as ``activation=name``.

    Raises
    ------
    ValueError
        For an unknown name, or an alpha for an activation without one.

    Examples
    --------
    >>> Activation("leaky_relu", alpha=0.3).fusible, Activation("relu").fusible
    (False, True)
    """

    def __init__(self, name: str, alpha: float | None = None):
        if name not in _KERNELS:
            raise ValueError(f"There is no activation kernel named {name!r}. Known: {', '.join(_KERNELS)}.")
        if alpha is not None:
            if name not in _DEFAULT_ALPHA:
                raise ValueError(f"{name} has no alpha; only leaky_relu and elu do. Received: alpha={alpha!r}.")
            if not is_number(alpha) or alpha < 0:
                raise ValueError(f"alpha must be a number ≥ 0. Received: alpha={alpha!r}.")
            alpha = float(alpha)
        self.name = name
        self.alpha = _DEFAULT_ALPHA.get(name) if alpha is None else alpha
        self.fusible = name in FUSIBLE and self.alpha == _DEFAULT_ALPHA.get(name)

    def forward(self, x: np.ndarray, *, y: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """Return the output, and what ``backward`` needs."""
        y = backend.active().activation_forward(x, self.name, self.alpha, y=y)
        return y, (x, y)

    def backward(self, dy: np.ndarray, ctx: Any, *, dx: np.ndarray | None = None) -> np.ndarray:
        """Return the gradient with respect to the input."""
        x, y = ctx
        return backend.active().activation_backward(dy, x, y, self.name, self.alpha, dx=dx)

    def __call__(self, x: Any) -> Any:
        """The output alone; for a symbol the symbol of it."""
        if isinstance(x, Symbol):
            return record(ActivationOperation(self), [x], x.shape, x.dtype)
        return self.forward(x)[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal activation."""
        return {"name": self.name, "alpha": self.alpha}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Activation:
        """Create the activation that ``get_config`` described."""
        return cls(**config)

    @property
    def __name__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class ActivationOperation(Operation):
    """An activation as a node of a graph."""

    supports_masking = True

    def __init__(self, activation: Activation):
        self.activation, self.name = activation, activation.name

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return mask

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.activation.forward(x)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        return self.activation.backward(dy, ctx)


class ClippedRelu(Activation):
    """ReLU with Keras' options: x above ``threshold``, at most ``max_value``; else negative_slope·(x − threshold).

    Its derivative is ``negative_slope`` at the threshold and 0 from ``max_value`` on.
    """

    def __init__(self, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0):
        for word, value in (("negative_slope", negative_slope), ("max_value", max_value), ("threshold", threshold)):
            if not (value is None and word == "max_value") and (not is_number(value) or value < 0):
                raise ValueError(f"{word} must be a number ≥ 0. Received: {word}={value!r}.")
        self.name, self.alpha, self.fusible = "relu", None, False
        self.negative_slope, self.max_value, self.threshold = negative_slope, max_value, threshold

    def forward(self, x, *, y=None):
        below = self.negative_slope * (x - self.threshold) if self.negative_slope else np.zeros_like(x)
        value = np.where((x > self.threshold) | np.isnan(x), x, below)
        if self.max_value is not None:
            value = np.minimum(value, self.max_value)
        return _into(y, value.astype(x.dtype, copy=False)), x

    def backward(self, dy, ctx, *, dx=None):
        slope = np.where(ctx > self.threshold, 1.0, self.negative_slope).astype(ctx.dtype)
        if self.max_value is not None:
            slope *= ctx < self.max_value
        return _into(dx, dy * slope)

    def get_config(self):
        return {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold,
        }


class Softsign(Activation):
    """``x / (1 + |x|)``, derivative ``1 / (1 + |x|)²``."""

    def __init__(self) -> None:
        self.name, self.alpha, self.fusible = "softsign", None, False

    def forward(self, x, *, y=None):
        return _into(y, x / (1 + np.abs(x))), x

    def backward(self, dy, ctx, *, dx=None):
        return _into(dx, dy / np.square(1 + np.abs(ctx)))

    def get_config(self):
        return {}


class Softmax(Activation):
    """``exp(x) / Σ exp(x)`` along ``axis`` (an int, or several)."""

    name = "softmax"

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1):
        self.alpha, self.fusible, self.axis = None, False, axis

    def forward(self, x, *, y=None):
        y = _along(getattr(backend.active(), f"{self.name}_forward"), self.axis, y, x)
        return y, y

    def backward(self, dy, ctx, *, dx=None):
        return _along(getattr(backend.active(), f"{self.name}_backward"), self.axis, dx, dy, ctx)

    def get_config(self):
        return {"axis": self.axis}


class LogSoftmax(Softmax):
    """``x − log Σ exp(x)`` along ``axis``."""

    name = "log_softmax"


class Custom(Activation):
    """An activation made of a function ``f(x)``: traced, or with its slope as ``f.gradient(dy, x, y) -> dx``."""

    def __init__(self, function: Callable[..., np.ndarray]):
        self.name = getattr(function, "__name__", type(function).__name__)
        self.alpha, self.fusible, self.function = None, False, function
        self._traced = TracedFunction(function)

    def forward(self, x, *, y=None):
        if not hasattr(self.function, "gradient"):
            try:
                value, ctx = self._traced.forward(x)
                return _into(y, np.asarray(value, dtype=x.dtype)), ctx
            except SymbolError as error:  # written in NumPy: it has values, but no gradient
                value = np.asarray(self.function(x), dtype=x.dtype)
                return _into(y, value), error
        value = np.asarray(self.function(x), dtype=x.dtype)
        return _into(y, value), (x, value)

    def backward(self, dy, ctx, *, dx=None):
        if isinstance(ctx, SymbolError):
            raise TypeError(
                f"The activation {self.name} has no gradient, because it cannot be traced. {ctx} Or write "
                f"{self.name}.gradient = lambda dy, x, y: ..., returning dy times the slope."
            )
        if not hasattr(self.function, "gradient"):
            slope = self._traced.backward(dy, ctx)
            return _into(dx, np.zeros_like(dy) if slope is None else slope)
        return _into(dx, np.asarray(self.function.gradient(dy, *ctx), dtype=dy.dtype))

    def get_config(self):
        return {"function": self.function}


def _into(out: np.ndarray | None, value: np.ndarray) -> np.ndarray:
    if out is None:
        return value
    np.copyto(out, value)
    return out


def _along(kernel: Callable[..., np.ndarray], axis: Any, out: np.ndarray | None, *arrays: np.ndarray) -> np.ndarray:
    """Run a last-axis kernel along ``axis``: move the axis (or axes, merged) to the end and back again."""
    ndim = np.ndim(arrays[-1])
    axes = tuple(a % ndim for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    if axes == (ndim - 1,):
        named = {} if out is None else {"y" if len(arrays) == 1 else "dx": out}
        return kernel(*arrays, **named)
    last = tuple(range(ndim - len(axes), ndim))
    moved = [np.moveaxis(a, axes, last) for a in arrays]
    shape = moved[0].shape
    flat = kernel(*(m.reshape(*shape[: last[0]], math.prod(shape[last[0] :])) for m in moved))
    return _into(out, np.ascontiguousarray(np.moveaxis(flat.reshape(shape), last, axes)))


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


_TABLE: dict[str, Callable[..., Activation]] = {
    **{name: (lambda name=name, alpha=None: Activation(name, alpha)) for name in _KERNELS},
    "identity": lambda: Activation("linear"),
    "swish": lambda: Activation("silu"),
    "relu6": lambda: ClippedRelu(max_value=6.0),
    "softsign": Softsign,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
}
_CLASSES = {cls.__name__: cls for cls in (Activation, ClippedRelu, Softsign, Softmax, LogSoftmax)}
_FUNCTIONS = {
    function: name
    for name, function in list(globals().items())
    if name in _TABLE and callable(function) and not isinstance(function, type)
}


def get(identifier: Any = None) -> Activation:
    """Return the activation for a name, a function, a config or an object; None is "linear".

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else that is not a function.

    Examples
    --------
    >>> get("relu")
    Activation(name='relu', alpha=None)
    >>> get(None).name, get(softmax).name, get("swish").name
    ('linear', 'softmax', 'silu')
    """
    if identifier is None:
        return Activation("linear")
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict):
        return lookup("activation", identifier, _CLASSES)
    found = lookup("activation", identifier, _TABLE)
    if isinstance(found, Activation):
        return found
    if isinstance(identifier, str) and custom.find(identifier) is None:
        return found()
    if found in _FUNCTIONS:
        return _TABLE[_FUNCTIONS[found]]()
    if (getattr(found, "__module__", None) or "").startswith("fastnn.ops"):
        name = "gelu_tanh" if found.__name__ == "gelu" else found.__name__  # ops.gelu approximates unless told
        if name in _TABLE:
            return _TABLE[name]()
    check_takes("activation", found, "x")
    return Custom(found)


def serialize(activation: Any) -> Any:
    """Return a name if it is enough, else ``{"class_name", "config"}``; ``get`` converts both back.

    Examples
    --------
    >>> serialize(get("relu")), serialize(Activation("elu", 0.5))
    ('relu', {'class_name': 'Activation', 'config': {'name': 'elu', 'alpha': 0.5}})
    """
    activation = get(activation)
    if isinstance(activation, Custom):
        return custom.name_of(activation.function)
    if activation.name in _TABLE and _TABLE[activation.name]() == activation:
        return activation.name
    return {"class_name": custom.name_of(type(activation)), "config": activation.get_config()}


deserialize = get
if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)
