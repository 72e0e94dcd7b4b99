"""Conv1D: y[n,t,f] = act(Σ x[n, t·s + k·d, c] · W[k,c,f] + b[f])."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import shapes
from ...backend import active
from ..base import Shape
from ..support.arguments import check_parts, flag, positive
from ..support.fused_activation import rule_of
from ..support.series import SeriesLayer, as_images, one_size

__all__ = ["Conv1D"]


class Conv1D(SeriesLayer):
    """Convolution of sequences with ``filters`` windows.

    x (N,T,C), W (K,C/groups,filters), b (filters,) → y (N,OT,filters).  Weights in order: kernel, bias.

    Parameters
    ----------
    filters : int
    kernel_size, strides, dilation_rate : int
    padding : {"valid", "same", "causal"}
        "causal" pads in front alone, so that y[t] sees nothing of x after t.
    data_format : {"channels_last", "channels_first"}
    groups : int
        Channels and filters are split into this many separate convolutions.
    activation, use_bias, *_initializer, *_regularizer, *_constraint
        As for ``Dense``.
    algorithm : {"auto", "direct", "im2col"}
        How to compute it; "auto" takes the fastest for the shape.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, filters or channels are not a multiple of groups, or the window does not fit.

    References
    ----------
    van den Oord et al.: WaveNet: A Generative Model for Raw Audio, 2016 (causal and dilated).

    Examples
    --------
    >>> Conv1D(4, 3, padding="causal")(np.zeros((2, 10, 5), "float32")).shape
    (2, 10, 4)
    """

    fields = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
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
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        super().__init__(data_format=data_format, **settings)
        self.kernel: Any = None
        self.bias: Any = None
        self.filters, self.groups = positive("filters", filters, self), positive("groups", groups, self)
        if self.filters % self.groups:
            raise ValueError(
                f"filters of Conv1D is a multiple of groups. Received: filters={filters}, groups={groups}."
            )
        k, s, d = (
            one_size(name, value, self)
            for name, value in (("kernel_size", kernel_size), ("strides", strides), ("dilation_rate", dilation_rate))
        )
        self.kernel_size, self.strides, self.dilation_rate = (k,), (s,), (d,)
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in ("valid", "same", "causal"):
            raise ValueError(f'padding of Conv1D is "valid", "same" or "causal". Received: padding={padding!r}.')
        if algorithm not in ("auto", "direct", "im2col"):
            raise ValueError(f'algorithm of Conv1D is "auto", "direct" or "im2col". Received: algorithm={algorithm!r}.')
        self.algorithm = algorithm
        self.window = (
            (1, s),
            ((0, 0), (d * (k - 1), 0)) if self.padding == "causal" else self.padding,
            (1, d),
            self.groups,
        )
        self.rule = rule_of(activation)
        self.activation = self.rule.activation
        self.use_bias = flag("use_bias", use_bias, self)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        check_parts(self)

    def _window_shape(self, channels: int) -> tuple[int, int, int]:
        """(K, C / groups, F)."""
        if channels % self.groups:
            raise ValueError(f"The channels, {channels}, must be a multiple of groups={self.groups}.")
        return (*self.kernel_size, channels // self.groups, self.filters)

    def output_length(self, length: int, channels: int) -> int:
        window = self._window_shape(channels)
        if self.kernel is not None and window != self.kernel.shape:
            raise ValueError(f"Its weights were made for {self.kernel.shape[1] * self.groups} channels.")
        return shapes.conv2d_output_shape((1, 1, length, channels), (1, *window), *self.window)[2]

    def output_channels(self, channels: int) -> int:
        return self.filters

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.bias = None
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            self._window_shape(self.series_shape(input_shape)[2]),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,), self.bias_initializer, self.bias_regularizer, self.bias_constraint, name="bias"
            )

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        return self.forward_as(x, self.rule)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.backward_as(dy, ctx, self.rule, need_dx)

    def forward_as(self, x: np.ndarray, rule: Any) -> tuple[np.ndarray, Any]:
        """``forward`` on (N, T, C) with another activation; the fusion pass calls it."""
        x = as_images(x)
        bias = self.bias.value if self.bias is not None else None
        z = active().conv2d_forward(x, self.kernel.value[None], bias, *self.window, rule.fused, self.algorithm)
        y, after = z[:, 0], None
        if rule.separate:
            y, after = rule.forward(y)
        return y, (x, z, after)

    def backward_as(self, dy: np.ndarray, ctx: Any, rule: Any, need_dx: bool = True) -> np.ndarray | None:
        """``backward`` of ``forward_as``."""
        x, z, after = ctx
        if rule.separate:
            dy = rule.backward(dy, after)
        bias = self.bias
        dx, _, _ = active().conv2d_backward(
            as_images(dy),
            x,
            self.kernel.value[None],
            z,
            *self.window,
            rule.fused,
            self.algorithm,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=self.kernel.grad[None],
            db=bias.grad if bias is not None else None,
        )
        return None if dx is None else dx[:, 0]
