"""What convolutions of images and of sequences share: the weights, and the way through the kernels.

The kernels convolve images.  A sequence goes through them as an image of one row, and its window as one of height 1:
the classes for sequences and for images differ in these views and in nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Layer, Shape
from ..support.arguments import flag
from ..support.fused_activation import fused_activation

__all__ = ["Convolving", "Depthwise", "Separable", "Transposed"]

ONES = (1, 1)


class Convolving(Layer):
    """Base of ``BaseConv1D`` and ``BaseConv2D``, which comes before their base for sequences or images.

    A subclass says the views (``to_images``, ``from_images``), ``channels_of`` an input, the ``window`` (strides,
    padding and dilation as the kernels take them), and the ``window_shape`` of its weights.
    """

    groups: int = 1
    built_channels: int | None = None
    kernel: Any = None
    bias: Any = None
    kernel_size: tuple[int, ...]
    window: tuple[Any, ...]
    algorithm: str
    filters: int
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def set_output(
        self,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
    ) -> None:
        """Keep the arguments that say what happens to the products."""
        self.rule = fused_activation(activation)
        self.activation = self.rule.activation
        self.use_bias = flag("use_bias", use_bias, self)
        self.bias_initializer, self.bias_regularizer = bias_initializer, bias_regularizer
        self.bias_constraint = bias_constraint

    def to_images(self, x: np.ndarray) -> np.ndarray:
        """The input or output of the layer as images (N, H, W, C), a view."""
        return x

    def from_images(self, x: np.ndarray) -> np.ndarray:
        """Undo ``to_images``."""
        return x

    def channels_of(self, input_shape: Shape) -> int:
        """Channels of an input of this shape, or raise an error that says what is expected."""
        raise NotImplementedError

    def window_shape(self, channels: int) -> tuple[int, ...]:
        """Sizes of the window, C / groups and F for an input of this many channels."""
        raise NotImplementedError

    def check_channels(self, channels: int) -> None:
        """Raise the error of an input whose channels are not those of the weights."""
        if self.built_channels not in (None, channels):
            raise ValueError(f"Its weights were created for {self.built_channels} channels.")

    # The weights.

    def build(self, input_shape: Shape) -> None:
        channels = self.channels_of(input_shape)
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            self.window_shape(channels),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            name="kernel",
        )
        self.add_bias(self.filters, channels)

    def add_bias(self, n: int, channels: int) -> None:
        """Make the bias, if there is to be one, and keep the number of channels of the input."""
        self.built_channels = channels
        if self.use_bias:
            self.bias = self.add_weight(
                (n,), self.bias_initializer, self.bias_regularizer, self.bias_constraint, name="bias"
            )

    def as_window(self, array: np.ndarray, *last: int) -> np.ndarray:
        """A weight or its gradient as (KH, KW, two last axes), a view; ``last`` are other sizes for these."""
        height = (1,) * (2 - len(self.kernel_size))
        return array.reshape(*height, *self.kernel_size, *(last or array.shape[-2:]))

    def kernel_view(self) -> np.ndarray:
        """The weights as (KH, KW, C / groups, F)."""
        return self.as_window(self.kernel.value)

    def kernel_gradient(self) -> np.ndarray:
        """Their gradient likewise."""
        return self.as_window(self.kernel.grad)

    def weights_for_kernel(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Kernel (KH, KW, C / groups, F) and bias (None if there is none) as ``forward`` gives them to its kernel."""
        return self.kernel_view(), self.bias_value()

    def bias_value(self) -> np.ndarray | None:
        return self.bias.value if self.bias is not None else None

    def bias_gradient(self) -> dict[str, Any]:
        """Arguments of the kernels for the gradient of the bias."""
        return {"need_db": self.bias is not None, "db": self.bias.grad if self.bias is not None else None}

    # Running.

    def forward_last(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, Any]:
        return self.forward_as(x, self.rule)

    def backward_last(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.backward_as(dy, ctx, self.rule, need_dx)

    def forward_as(self, x: np.ndarray, rule: Any, weights: Any = None) -> tuple[np.ndarray, Any]:
        """``forward``, channels last, with another activation, and other weights if given; the fusion pass calls it."""
        x = self.to_images(x)
        z, between = self.products(x, rule.fused, weights)
        y, after = self.from_images(z), None
        if rule.separate:
            y, after = rule.forward(y)
        return y, (x, z, between, after)

    def backward_as(self, dy: np.ndarray, ctx: Any, rule: Any, need_dx: bool = True) -> np.ndarray | None:
        """``backward`` of ``forward_as``."""
        x, z, between, after = ctx
        if rule.separate:
            dy = rule.backward(dy, after)
        dx = self.gradients(self.to_images(dy), x, z, between, rule.fused, need_dx)
        return None if dx is None else self.from_images(dx)

    def products(self, x: np.ndarray, fused: str, weights: Any = None) -> tuple[np.ndarray, Any]:
        """The output for images, and what else ``gradients`` needs."""
        weights = weights or self.weights_for_kernel()
        return active().conv2d_forward(x, *weights, *self.window, self.groups, fused, self.algorithm), None

    def gradients(
        self, dy: np.ndarray, x: np.ndarray, z: np.ndarray, between: Any, fused: str, need_dx: bool
    ) -> np.ndarray | None:
        """The gradient of the images; those of the weights land in the parameters."""
        dx, _, _ = active().conv2d_backward(
            dy, x, self.kernel_view(), z, *self.window, self.groups, fused, self.algorithm,
            need_dx=need_dx, dw=self.kernel_gradient(), **self.bias_gradient(),
        )  # fmt: skip
        return dx


class Depthwise(Convolving):
    """Each channel is convolved separately, with ``depth_multiplier`` windows."""

    depth_multiplier: int
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any

    def window_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, 1, channels * self.depth_multiplier)

    def build(self, input_shape: Shape) -> None:
        channels = self.settle_groups(input_shape)
        self.kernel = self.add_depthwise(channels, "kernel")
        self.add_bias(channels * self.depth_multiplier, channels)

    def settle_groups(self, input_shape: Shape) -> int:
        """Let every channel be a group; gives how many there are."""
        self.groups = channels = self.channels_of(input_shape)
        self.compute_output_shape(input_shape)
        return channels

    def add_depthwise(self, channels: int, name: str) -> Any:
        """Make the windows, (…, C, depth multiplier)."""
        return self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            self.depthwise_regularizer,
            self.depthwise_constraint,
            name=name,
        )

    def kernel_view(self) -> np.ndarray:
        return self.as_window(self.kernel.value, 1, -1)

    def kernel_gradient(self) -> np.ndarray:
        return self.as_window(self.kernel.grad, 1, -1)


class Separable(Depthwise):
    """A depthwise convolution without bias and activation, then a product at each place that mixes the channels."""

    pointwise_initializer: Any
    pointwise_regularizer: Any
    pointwise_constraint: Any

    def build(self, input_shape: Shape) -> None:
        channels = self.settle_groups(input_shape)
        self.depthwise_kernel = self.add_depthwise(channels, "depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            (*ONES[: len(self.kernel_size)], channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            self.pointwise_regularizer,
            self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self.add_bias(self.filters, channels)

    def products(self, x: np.ndarray, fused: str, weights: Any = None) -> tuple[np.ndarray, Any]:
        kernels = active()
        windows = self.as_window(self.depthwise_kernel.value, 1, -1)
        h = kernels.conv2d_forward(x, windows, None, *self.window, self.groups, "linear", self.algorithm)
        pointwise = _as_pixel(self.pointwise_kernel.value)
        bias = self.bias_value()
        return kernels.conv2d_forward(h, pointwise, bias, ONES, "valid", ONES, 1, fused, self.algorithm), h

    def gradients(
        self, dy: np.ndarray, x: np.ndarray, z: np.ndarray, between: Any, fused: str, need_dx: bool
    ) -> np.ndarray | None:
        kernels = active()
        dh, _, _ = kernels.conv2d_backward(
            dy, between, _as_pixel(self.pointwise_kernel.value), z, ONES, "valid", ONES, 1, fused, self.algorithm,
            dw=_as_pixel(self.pointwise_kernel.grad), **self.bias_gradient(),
        )  # fmt: skip
        windows, gradient = (
            self.as_window(a, 1, -1) for a in (self.depthwise_kernel.value, self.depthwise_kernel.grad)
        )
        dx, _, _ = kernels.conv2d_backward(
            dh, x, windows, None, *self.window, self.groups, "linear", self.algorithm,
            need_dx=need_dx, need_db=False, dw=gradient,
        )  # fmt: skip
        return dx


class Transposed(Convolving):
    """The gradient of a convolution, as a layer: ``window_shape`` is the window's sizes, filters and channels."""

    output_padding: tuple[int, ...] | None

    def window_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def geometry(self) -> tuple[Any, ...]:
        """Strides, padding, output padding and dilation as the kernels take them."""
        strides, padding, dilation = self.window
        extra = self.output_padding
        return strides, padding, None if extra is None else (*(0,) * (2 - len(extra)), *extra), dilation

    def products(self, x: np.ndarray, fused: str, weights: Any = None) -> tuple[np.ndarray, Any]:
        weights = weights or self.weights_for_kernel()
        return active().conv2d_transpose_forward(x, *weights, *self.geometry(), fused), None

    def gradients(
        self, dy: np.ndarray, x: np.ndarray, z: np.ndarray, between: Any, fused: str, need_dx: bool
    ) -> np.ndarray | None:
        dx, _, _ = active().conv2d_transpose_backward(
            dy, x, self.kernel_view(), z, *self.geometry(), fused,
            need_dx=need_dx, dw=self.kernel_gradient(), **self.bias_gradient(),
        )  # fmt: skip
        return dx


def _as_pixel(pointwise: np.ndarray) -> np.ndarray:
    """Weights of single places as those of a window of 1×1, a view."""
    return pointwise.reshape(*ONES, *pointwise.shape[-2:])
