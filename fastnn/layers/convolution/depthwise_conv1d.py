"""DepthwiseConv1D: every channel convolved by itself.  SeparableConv1D: that, then a product over the channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.arguments import check_parts, positive
from ..support.series import as_images
from .conv1d import BaseConv1D

__all__ = ["DepthwiseConv1D", "SeparableConv1D"]


class DepthwiseConv1D(BaseConv1D):
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

    def window_shape(self, channels: int) -> tuple[int, int, int]:
        return (*self.kernel_size, 1, channels * self.depth_multiplier)

    def build(self, input_shape: Shape) -> None:
        self.groups = channels = self.series_shape(input_shape)[2]
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            self.depthwise_regularizer,
            self.depthwise_constraint,
            name="kernel",
        )
        self.add_bias(channels * self.depth_multiplier, channels)

    def kernel_view(self) -> np.ndarray:
        return _windows(self.kernel.value)

    def kernel_gradient(self) -> np.ndarray:
        return _windows(self.kernel.grad)


class SeparableConv1D(BaseConv1D):
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

    def window_shape(self, channels: int) -> tuple[int, int, int]:
        return (*self.kernel_size, 1, channels * self.depth_multiplier)

    def output_channels(self, channels: int) -> int:
        return self.filters

    def build(self, input_shape: Shape) -> None:
        self.groups = channels = self.series_shape(input_shape)[2]
        self.compute_output_shape(input_shape)
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            self.depthwise_regularizer,
            self.depthwise_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            (1, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            self.pointwise_regularizer,
            self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self.add_bias(self.filters, channels)

    def _depthwise(self) -> tuple:
        return *self.window, self.groups, "linear", self.algorithm

    def forward_as(self, x: np.ndarray, rule: Any) -> tuple[np.ndarray, Any]:
        """``forward`` on (N, T, C) with another activation."""
        kernels, ones, x = active(), (1, 1), as_images(x)
        bias = self.bias.value if self.bias is not None else None
        h = kernels.conv2d_forward(x, _windows(self.depthwise_kernel.value), None, *self._depthwise())
        z = kernels.conv2d_forward(
            h, self.pointwise_kernel.value[None], bias, ones, "valid", ones, 1, rule.fused, self.algorithm
        )
        y, after = z[:, 0], None
        if rule.separate:
            y, after = rule.forward(y)
        return y, (x, h, z, after)

    def backward_as(self, dy: np.ndarray, ctx: Any, rule: Any, need_dx: bool = True) -> np.ndarray | None:
        """``backward`` of ``forward_as``."""
        x, h, z, after = ctx
        if rule.separate:
            dy = rule.backward(dy, after)
        kernels, ones, bias = active(), (1, 1), self.bias
        dh, _, _ = kernels.conv2d_backward(
            as_images(dy), h, self.pointwise_kernel.value[None], z, ones, "valid", ones, 1, rule.fused, self.algorithm,
            need_db=bias is not None, dw=self.pointwise_kernel.grad[None], db=bias.grad if bias is not None else None,
        )  # fmt: skip
        dx, _, _ = kernels.conv2d_backward(
            dh, x, _windows(self.depthwise_kernel.value), None, *self._depthwise(),
            need_dx=need_dx, need_db=False, dw=_windows(self.depthwise_kernel.grad),
        )  # fmt: skip
        return None if dx is None else dx[:, 0]


def _windows(kernel: np.ndarray) -> np.ndarray:
    """(K, C, depth multiplier) → (1, K, 1, C·depth multiplier), a view."""
    return kernel.reshape(1, len(kernel), 1, -1)
