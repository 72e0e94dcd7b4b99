"""Conv1DTranspose: every time step adds its multiple of a window to the output."""

from __future__ import annotations

from typing import Any

from ... import shapes
from ..support.arguments import check_parts, extra_lengths, positive
from .conv1d import BaseConv1D
from .convolving import Transposed

__all__ = ["Conv1DTranspose"]


class Conv1DTranspose(Transposed, BaseConv1D):
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
    >>> import numpy as np
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

    def output_length(self, length: int, channels: int) -> int:
        self.check_channels(channels)
        window = (1, *self.window_shape(channels))
        return shapes.conv2d_transpose_output_shape((1, 1, length, channels), window, *self.geometry())[2]

    def output_channels(self, channels: int) -> int:
        return self.filters
