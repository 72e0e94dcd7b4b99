"""Conv2DTranspose: every pixel adds its multiple of a window to the output."""

from __future__ import annotations

from typing import Any

from ... import shapes
from ..base import Shape
from ..support.arguments import check_parts, extra_lengths, positive
from ..support.images import per_image
from .conv2d import BaseConv2D
from .convolving import Transposed

__all__ = ["Conv2DTranspose"]


class Conv2DTranspose(Transposed, BaseConv2D):
    """Transposed convolution of images: the gradient of a convolution, as a layer that makes images larger.

    x (N,H,W,C), W (KH,KW,filters,C), b (filters,) → y (N,OH,OW,filters).  Weights in order: kernel, bias.
    "valid": OH = (H − 1)·stride + max(KH, stride); "same": OH = H·stride.

    Parameters
    ----------
    filters : int
    kernel_size : int or (rows, columns)
    strides, dilation_rate : int or (rows, columns)
    padding : {"valid", "same"}
    output_padding : int or (rows, columns), optional
        Chooses among the sizes that the convolution would bring to that of x: "valid" gives
        (H − 1)·stride + KH + output_padding, "same" (H − 1)·stride + KH mod 2 + output_padding.
    data_format : {"channels_last", "channels_first"}
    activation, use_bias, *_initializer, *_regularizer, *_constraint
        As for ``Dense``.

    Raises
    ------
    ValueError
        If a size is not positive, or output_padding is not below the stride.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.

    Examples
    --------
    >>> import numpy as np
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.zeros((2, 14, 14, 8), "float32")).shape
    (2, 28, 28, 4)
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
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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

    def output_shape_last(self, input_shape: Shape) -> Shape:
        channels = input_shape[3]
        self.check_channels(channels)
        return per_image(
            shapes.conv2d_transpose_output_shape, input_shape, self.window_shape(channels), *self.geometry()
        )
