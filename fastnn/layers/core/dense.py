"""Dense: a fully connected layer, y = act(x·W + b)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Layer, Shape
from ..support.arguments import check_parts, flag, positive
from ..support.fused_activation import fused_activation

__all__ = ["Dense"]


class Dense(Layer):
    """Fully connected layer: y = act(x·W + b).

    x (N, …, K), W (K, units), b (units,) → y (N, …, units).  Weights in order: kernel W, bias b.

    Parameters
    ----------
    units : int
    activation : str, function or object, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or object
    kernel_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, bias_constraint : optional
    algorithm : {"auto", "dense", "sparse"}
        "sparse" skips the zeros of x; "auto" chooses by their share.

    Raises
    ------
    ValueError
        If units is not a positive integer, or the input has no last axis of known size.

    Examples
    --------
    >>> layer = Dense(3, kernel_initializer="ones")
    >>> layer(np.array([[1.0, 2.0]])).tolist()
    [[3.0, 3.0, 3.0]]
    """

    supports_masking = True
    fields = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "algorithm",
    )

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        algorithm: str = "auto",
        **settings: Any,
    ):
        super().__init__(**settings)
        self.kernel: Any = None
        self.bias: Any = None
        self.units = positive("units", units, self)
        self.rule = fused_activation(activation)
        self.activation = self.rule.activation
        self.use_bias = flag("use_bias", use_bias, self)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        check_parts(self)
        if algorithm not in ("auto", "dense", "sparse"):
            raise ValueError(
                f'algorithm of Dense must be "auto", "dense" or "sparse". Received: algorithm={algorithm!r}.'
            )
        self.algorithm = algorithm

    def build(self, input_shape: Shape) -> None:
        self._check(input_shape)
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, self.bias_regularizer, self.bias_constraint, name="bias"
            )

    def _check(self, input_shape: Shape) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            self.refuse_shape(
                "rows of known length, (batch, features)", input_shape, "For one number per example use x[:, None]."
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check(input_shape)
        if self.kernel is not None and input_shape[-1] != self.kernel.shape[0]:
            self.refuse_shape(f"{self.kernel.shape[0]} features on the last axis", input_shape)
        return (*input_shape[:-1], self.units)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.forward_as(x, self.rule)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.backward_as(dy, ctx, self.rule, need_dx)

    def weights_for_kernel(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Kernel and bias (None if there is none) as ``forward`` gives them to its kernel."""
        return self.kernel.value, self.bias.value if self.bias is not None else None

    def forward_as(self, x: np.ndarray, rule: Any, weights: Any = None) -> tuple[np.ndarray, Any]:
        """``forward`` with another activation, and other weights if they are given; the fusion pass calls it."""
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        kernel, bias = weights or self.weights_for_kernel()
        y = z = active().dense_forward(rows, kernel, bias, rule.fused, self.algorithm)
        after = None
        if x.ndim != 2:
            y = y.reshape(*x.shape[:-1], self.units)
        if rule.separate:
            y, after = rule.forward(y)
        return y, (x.shape, rows, z, after)

    def backward_as(self, dy: np.ndarray, ctx: Any, rule: Any, need_dx: bool = True) -> np.ndarray | None:
        """``backward`` of ``forward_as``."""
        shape, rows, z, after = ctx
        if rule.separate:
            dy = rule.backward(dy, after)
        if dy.ndim != 2:
            dy = dy.reshape(-1, self.units)
        bias = self.bias
        dx, _, _ = active().dense_backward(
            dy,
            rows,
            self.kernel.value,
            z,
            rule.fused,
            self.algorithm,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=self.kernel.grad,
            db=bias.grad if bias is not None else None,
        )
        return dx.reshape(shape) if dx is not None and len(shape) != 2 else dx
