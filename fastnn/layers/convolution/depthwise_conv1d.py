"""DepthwiseConv1D: every channel convolved separately.  SeparableConv1D: that, then a product over the channels."""

from __future__ import annotations

from typing import Any

from ..support.arguments import check_parts, positive
from .conv1d import BaseConv1D
from .convolving import Depthwise, Separable

__all__ = ["DepthwiseConv1D", "SeparableConv1D"]


class DepthwiseConv1D(Depthwise, BaseConv1D):
    """Convolution of each channel of sequences with ``depth_multiplier`` windows of its own.

    x (N,T,C), W (K,C,depth_multiplier) → y (N,OT,C·depth_multiplier).  Weights in order: kernel, bias.

    Parameters
    ----------
    kernel_size, strides, dilation_rate : int
    padding : {"valid", "same"}
    depth_multiplier : int
    data_format, activation, use_bias
        As for ``Conv1D``.
    depthwise_initializer, depthwise_regularizer, depthwise_constraint : optional

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or the window does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> DepthwiseConv1D(3, depth_multiplier=2)(np.zeros((2, 10, 5), "float32")).shape
    (2, 8, 10)
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
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
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
            activity_regularizer=activity_regularizer,
            **settings,
        )
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier, self)
        self.depthwise_initializer, self.depthwise_regularizer = depthwise_initializer, depthwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        check_parts(self)


class SeparableConv1D(Separable, BaseConv1D):
    """A depthwise convolution without activation, then a product at each step that mixes the channels.

    x (N,T,C) → y (N,OT,filters).  Weights in order: depthwise kernel (K,C,depth_multiplier), pointwise kernel
    (1,C·depth_multiplier,filters), bias.

    Parameters
    ----------
    filters : int
    kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias
        As for ``DepthwiseConv1D``.
    depthwise_initializer, pointwise_initializer, *_regularizer, *_constraint : optional

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or the window does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> SeparableConv1D(4, 3)(np.zeros((2, 10, 5), "float32")).shape
    (2, 8, 4)
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
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
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
            activity_regularizer=activity_regularizer,
            **settings,
        )
        self.filters = positive("filters", filters, self)
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier, self)
        self.depthwise_initializer, self.pointwise_initializer = depthwise_initializer, pointwise_initializer
        self.depthwise_regularizer, self.pointwise_regularizer = depthwise_regularizer, pointwise_regularizer
        self.depthwise_constraint, self.pointwise_constraint = depthwise_constraint, pointwise_constraint
        check_parts(self)

    def output_channels(self, channels: int) -> int:
        return self.filters
