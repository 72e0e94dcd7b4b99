"""The activations that a kernel computes, each an object with ``forward`` and ``backward``; and any one as a node."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.graph import Operation, Symbol, given_out, record
from fastnn.lookup import is_number

__all__ = ["FUSIBLE", "KERNELS", "Activation", "ActivationOperation", "into"]

FUSIBLE = (
    "linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "exponential", "hard_sigmoid",
)  # fmt: skip
"""Kernels whose derivative follows from their output: dense and convolution fuse them into their final store."""

_DEFAULT_ALPHA = {"leaky_relu": 0.2, "elu": 1.0}
KERNELS = (*FUSIBLE, "gelu", "gelu_tanh", "silu", "step")


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
        if name not in KERNELS:
            raise ValueError(f"There is no activation kernel named {name!r}. Known: {', '.join(KERNELS)}.")
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
        out = backend.active().activation_forward(x, self.name, self.alpha, y=y)
        return out, (x, out)

    def backward(self, dy: np.ndarray, ctx: Any, *, dx: np.ndarray | None = None) -> np.ndarray:
        """Return the gradient with respect to the input."""
        x, y = ctx
        return backend.active().activation_backward(dy, x, y, self.name, self.alpha, dx=dx)

    def __call__(self, x: Any) -> Any:
        """The output alone; for a symbol the symbol of it."""
        if isinstance(x, Symbol):
            return record(ActivationOperation(self), [x], x.shape, x.dtype)
        y, ctx = self.forward(np.asarray(x))
        return given_out(ActivationOperation(self), [x], y, ctx, False)

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
        return isinstance(other, Activation) and type(self) is type(other) and self.get_config() == other.get_config()

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


def into(out: np.ndarray | None, value: np.ndarray) -> np.ndarray:
    """The value, written into ``out`` if it is given."""
    if out is None:
        return value
    np.copyto(out, value)
    return out
