"""Conv1DTranspose: every time step adds its multiple of a window to the output."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import shapes
from ...backend import active
from ..base import Shape
from ..support.arguments import check_parts, extra_lengths, positive
from ..support.series import as_images
from .conv1d import BaseConv1D

__all__ = ["Conv1DTranspose"]


class Conv1DTranspose(BaseConv1D):
    """Transposed convolution of sequences: the gradient of a convolution, as a layer that makes sequences longer.

    x (N,T,C), W (K,filters,C), b (filters,) → y (N,OT,filters).  Weights in order: kernel, bias.
    "valid": OT = (T − 1)·stride + max(K, stride); "same": OT = T·stride.

    Parameters
    ----------
    filters : int
    kernel_size, strides, dilation_rate : int
    padding : {"valid", "same"}
    output_padding : int, optional
        Chooses among the lengths that the convolution would bring to that of x: "valid" gives
        (T − 1)·stride + K + output_padding, "same" (T − 1)·stride + K mod 2 + output_padding.
    data_format : {"channels_last", "channels_first"}
    activation, use_bias, *_initializer, *_regularizer, *_constraint
        As for ``Dense``.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or output_padding is not below the stride.

    Examples
    --------
    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(np.zeros((2, 10, 5), "float32")).shape
    (2, 20, 4)
    """

    fields = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "output_padding",
        "data_format",
        "dilation_rate",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.output_padding = extra_lengths(output_padding, self.strides, self)
        self.kernel_initializer, self.kernel_regularizer = kernel_initializer, kernel_regularizer
        self.kernel_constraint = kernel_constraint
        check_parts(self)

    def window_shape(self, channels: int) -> tuple[int, int, int]:
        """(K, filters, C) for an input of so many channels."""
        return (*self.kernel_size, self.filters, channels)

    def output_length(self, length: int, channels: int) -> int:
        if self.built_channels not in (None, channels):
            raise ValueError(f"Its weights were made for {self.built_channels} channels.")
        window = (1, *self.window_shape(channels))
        return shapes.conv2d_transpose_output_shape((1, 1, length, channels), window, *self._geometry())[2]

    def output_channels(self, channels: int) -> int:
        return self.filters

    def _geometry(self) -> tuple:
        strides, padding, dilation = self.window
        return strides, padding, None if self.output_padding is None else (0, *self.output_padding), dilation

    def build(self, input_shape: Shape) -> None:
        channels = self.series_shape(input_shape)[2]
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            self.window_shape(channels),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            name="kernel",
        )
        self.add_bias(self.filters, channels)

    def forward_as(self, x: np.ndarray, rule: Any) -> tuple[np.ndarray, Any]:
        """``forward`` on (N, T, C) with another activation; the fusion pass calls it."""
        x = as_images(x)
        bias = self.bias.value if self.bias is not None else None
        z = active().conv2d_transpose_forward(x, self.kernel_view(), bias, *self._geometry(), rule.fused)
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
        dx, _, _ = active().conv2d_transpose_backward(
            as_images(dy),
            x,
            self.kernel_view(),
            z,
            *self._geometry(),
            rule.fused,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=self.kernel_gradient(),
            db=bias.grad if bias is not None else None,
        )
        return None if dx is None else dx[:, 0]
