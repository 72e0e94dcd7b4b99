"""Windows over images, and their adjoint, shared by convolution and pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn.shapes import window_span

Pair = tuple[int, int]


def windows(
    x: np.ndarray, size: Pair, strides: Pair, pads: tuple[Pair, Pair], dilation: Pair = (1, 1), fill: float = 0
) -> np.ndarray:
    """Return all windows of images (N, H, W, C), as (N, OH, OW, KH, KW, C); padding cells contain `fill`."""
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    span = window_span(size[0], dilation[0]), window_span(size[1], dilation[1])
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=(1, 2))
    view = view[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return view.transpose(0, 1, 2, 4, 5, 3)


def add_windows(
    cells: np.ndarray,
    shape: Sequence[int],
    strides: Pair,
    pads: tuple[Pair, Pair],
    dilation: Pair = (1, 1),
) -> np.ndarray:
    """Adjoint of `windows`: add each cell (N, OH, OW, KH, KW, C) to the position in the image it comes from."""
    n, h, w, c = shape
    (top, bottom), (left, right) = pads
    oh, ow, kh, kw = cells.shape[1:5]
    x = np.zeros((n, h + top + bottom, w + left + right, c), cells.dtype)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dilation[0], i * dilation[0] + (oh - 1) * strides[0] + 1, strides[0])
            columns = slice(j * dilation[1], j * dilation[1] + (ow - 1) * strides[1] + 1, strides[1])
            x[:, rows, columns] += cells[:, :, :, i, j]
    return x[:, top : top + h, left : left + w]
