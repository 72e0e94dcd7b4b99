"""Conv1D: y[n,t,f] = act(Σ x[n, t·s + k·d, c] · W[k,c,f] + b[f])."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import shapes
from ..base import Shape
from ..support.arguments import check_parts, positive
from ..support.series import SeriesLayer, as_images, one_size
from .convolving import Convolving

__all__ = ["BaseConv1D", "Conv1D"]


class BaseConv1D(Convolving, SeriesLayer):
    """What convolutions of sequences share: sizes and settings of the windows; subclasses say the weights."""

    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        algorithm: str = "auto",
        **settings: Any,
    ):
        super().__init__(data_format=data_format, **settings)
        k, s, d = (
            one_size(name, value, self)
            for name, value in (("kernel_size", kernel_size), ("strides", strides), ("dilation_rate", dilation_rate))
        )
        self.kernel_size, self.strides, self.dilation_rate = (k,), (s,), (d,)
        kind = type(self).__name__
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in self.paddings:
            *others, last = (f'"{word}"' for word in self.paddings)
            raise ValueError(f"padding of {kind} must be {', '.join(others)} or {last}. Received: padding={padding!r}.")
        if algorithm not in ("auto", "direct", "im2col"):
            raise ValueError(
                f'algorithm of {kind} must be "auto", "direct" or "im2col". Received: algorithm={algorithm!r}.'
            )
        self.algorithm = algorithm
        pads = ((0, 0), (d * (k - 1), 0)) if self.padding == "causal" else self.padding
        self.window: tuple[Any, Any, Any] = (1, s), pads, (1, d)
        self.set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def to_images(self, x: np.ndarray) -> np.ndarray:
        return as_images(x)

    def from_images(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0]

    def channels_of(self, input_shape: Shape) -> int:
        return self.series_shape(input_shape)[2]

    def output_length(self, length: int, channels: int) -> int:
        self.check_channels(channels)
        window = self.window_shape(channels)
        groups = channels // window[1]
        return shapes.conv2d_output_shape((1, 1, length, channels), (1, *window), *self.window, groups)[2]

    def output_channels(self, channels: int) -> int:
        return self.window_shape(channels)[2]


class Conv1D(BaseConv1D):
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
        If a size is not a positive integer, groups do not divide filters or channels, or the window does not fit.

    References
    ----------
    van den Oord et al.: WaveNet: A Generative Model for Raw Audio, 2016 (causal and dilated).

    Examples
    --------
    >>> Conv1D(4, 3, padding="causal")(np.zeros((2, 10, 5), "float32")).shape
    (2, 10, 4)
    """

    paddings = ("valid", "same", "causal")
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
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            algorithm,
            **settings,
        )
        self.filters, self.groups = positive("filters", filters, self), positive("groups", groups, self)
        if self.filters % self.groups:
            raise ValueError(
                f"filters of Conv1D must be a multiple of groups. Received: filters={filters}, groups={groups}."
            )
        self.kernel_initializer, self.kernel_regularizer = kernel_initializer, kernel_regularizer
        self.kernel_constraint = kernel_constraint
        check_parts(self)

    def window_shape(self, channels: int) -> tuple[int, ...]:
        if channels % self.groups:
            raise ValueError(f"The channels, {channels}, must be a multiple of groups={self.groups}.")
        return (*self.kernel_size, channels // self.groups, self.filters)
