"""DepthwiseConv2D: every channel convolved separately.  SeparableConv2D: that, then a 1×1 convolution over channels."""

from __future__ import annotations

from typing import Any

from ..base import Shape
from ..support.arguments import check_parts, positive
from .conv2d import BaseConv2D
from .convolving import Depthwise, Separable

__all__ = ["DepthwiseConv2D", "SeparableConv2D"]


class DepthwiseConv2D(Depthwise, BaseConv2D):
    """Convolution of each channel with ``depth_multiplier`` windows of its own.

    x (N,H,W,C), W (KH,KW,C,depth_multiplier) → y (N,OH,OW,C·depth_multiplier).  Weights in order: kernel, bias.

    Parameters
    ----------
    kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, algorithm
        As for ``Conv2D``.
    depth_multiplier : int
    depthwise_initializer, depthwise_regularizer, depthwise_constraint : optional

    Examples
    --------
    >>> import numpy as np
    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.zeros((1, 8, 8, 3), "float32")).shape
    (1, 6, 6, 6)
    """

    fields = (
        "kernel_size",
        "strides",
        "padding",
        "depth_multiplier",
        "data_format",
        "dilation_rate",
        "activation",
        "use_bias",
        "depthwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "bias_constraint",
        "algorithm",
    )

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
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
            **settings,
        )
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier, self)
        self.depthwise_initializer, self.depthwise_regularizer = depthwise_initializer, depthwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        check_parts(self)


class SeparableConv2D(Separable, BaseConv2D):
    """A depthwise convolution without activation, then a 1×1 convolution that mixes the channels.

    x (N,H,W,C) → y (N,OH,OW,filters).  Weights in order: depthwise kernel (KH,KW,C,depth_multiplier), pointwise kernel
    (1,1,C·depth_multiplier,filters), bias.

    Parameters
    ----------
    filters : int
    kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias, algorithm
        As for ``DepthwiseConv2D``.
    depthwise_initializer, pointwise_initializer, *_regularizer, *_constraint : optional

    Examples
    --------
    >>> import numpy as np
    >>> SeparableConv2D(5, 3)(np.zeros((1, 8, 8, 3), "float32")).shape
    (1, 6, 6, 5)
    """

    fields = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "depth_multiplier",
        "activation",
        "use_bias",
        "depthwise_initializer",
        "pointwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
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
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
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
            **settings,
        )
        self.filters = positive("filters", filters, self)
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier, self)
        self.depthwise_initializer, self.pointwise_initializer = depthwise_initializer, pointwise_initializer
        self.depthwise_regularizer, self.pointwise_regularizer = depthwise_regularizer, pointwise_regularizer
        self.depthwise_constraint, self.pointwise_constraint = depthwise_constraint, pointwise_constraint
        check_parts(self)

    def output_shape_last(self, input_shape: Shape) -> Shape:
        return (*super().output_shape_last(input_shape)[:3], self.filters)
