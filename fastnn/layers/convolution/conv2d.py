"""Conv2D: y[n,i,j,f] = act(Σ x[n, i·s + k·d, j·s + l·d, c] · W[k,l,c,f] + b[f])."""

from __future__ import annotations

from typing import Any

from ... import checks, shapes
from ..base import Shape
from ..support.arguments import check_parts, positive, sizes
from ..support.images import ImageLayer, per_image
from .convolving import Convolving

__all__ = ["BaseConv2D", "Conv2D"]


class BaseConv2D(Convolving, ImageLayer):
    """What convolutions of images share: sizes and settings of the windows; subclasses say the weights."""

    algorithms: tuple[str, ...] = ("auto", "direct", "im2col")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        algorithm: str = "auto",
        **settings: Any,
    ):
        super().__init__(data_format=data_format, **settings)
        self.kernel_size = sizes("kernel_size", kernel_size, self)
        self.strides = sizes("strides", strides, self)
        self.dilation_rate = sizes("dilation_rate", dilation_rate, self)
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f'padding of {type(self).__name__} must be "valid" or "same". Received: padding={padding!r}.'
            )
        if algorithm not in self.algorithms:
            *most, last = (f'"{name}"' for name in self.algorithms)
            raise ValueError(
                f"algorithm of {type(self).__name__} must be {', '.join(most)} or {last}. Received: "
                f"algorithm={algorithm!r}."
            )
        self.algorithm = algorithm
        self.window = self.strides, self.padding, self.dilation_rate
        self.set_output(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def channels_of(self, input_shape: Shape) -> int:
        return self.image_shape(input_shape)[3]

    def output_shape_last(self, input_shape: Shape) -> Shape:
        channels = input_shape[3]
        self.check_channels(channels)
        window = self.window_shape(channels)
        return per_image(shapes.conv2d_output_shape, input_shape, window, *self.window, channels // window[2])


class Conv2D(BaseConv2D):
    """Convolution of images with ``filters`` windows.

    x (N,H,W,C), W (KH,KW,C/groups,filters), b (filters,) → y (N,OH,OW,filters).  Weights in order: kernel, bias.

    Parameters
    ----------
    filters : int
    kernel_size : int or (rows, columns)
    strides, dilation_rate : int or (rows, columns)
    padding : {"valid", "same"}
    data_format : {"channels_last", "channels_first"}
    groups : int
        Channels and filters are split into this many separate convolutions.
    activation, use_bias, *_initializer, *_regularizer, *_constraint
        As for ``Dense``.
    algorithm : {"auto", "direct", "im2col", "winograd"}
        How to compute it; "auto" takes the fastest for the shape. "winograd" is for windows of 3 × 3 with strides 1.

    Raises
    ------
    ValueError
        If a size is not positive, filters or channels are not a multiple of groups, or the window does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> Conv2D(4, 3, activation="relu")(np.zeros((2, 28, 28, 1), "float32")).shape
    (2, 26, 26, 4)
    """

    algorithms = ("auto", "direct", "im2col", "winograd")
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
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
                f"filters of Conv2D must be a multiple of groups. Received: filters={filters}, groups={groups}."
            )
        if algorithm == "winograd":
            checks.winograd(self.kernel_size, self.strides, self.dilation_rate, self.groups)
        self.kernel_initializer, self.kernel_regularizer = kernel_initializer, kernel_regularizer
        self.kernel_constraint = kernel_constraint
        check_parts(self)

    def window_shape(self, channels: int) -> tuple[int, ...]:
        if channels % self.groups:
            raise ValueError(f"The channels, {channels}, must be a multiple of groups={self.groups}.")
        return (*self.kernel_size, channels // self.groups, self.filters)
