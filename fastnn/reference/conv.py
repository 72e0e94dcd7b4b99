"""Twins of the two-dimensional convolution, and of the textbooks' im2col and col2im.

Legend: N = images, H W = height and width, C = channels, KH KW = window, F = filters, OH OW = height and width of the
output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import checks
from fastnn.reference._windows import add_windows, windows
from fastnn.reference.activations import fused, fused_gradient, fused_value
from fastnn.shapes import Padding, conv2d_output_shape, conv2d_padding, pair

__all__ = ["conv2d_forward", "conv2d_backward", "im2col", "col2im"]

_ALGORITHMS = ("auto", "direct", "im2col", "winograd")


def _check(
    x, w, strides, padding, dilation, groups, activation, algorithm
) -> tuple[tuple[int, ...], Any, tuple[int, int], tuple[int, int]]:
    """Return the shape of the output, the padding, and strides and dilation as pairs."""
    fused(activation)
    checks.choice("algorithm", algorithm, _ALGORITHMS)
    shape = conv2d_output_shape(x.shape, w.shape, strides, padding, dilation, groups)
    pads = conv2d_padding(x.shape, w.shape, strides, padding, dilation)
    strides, dilation = pair("strides", strides), pair("dilation", dilation)
    if algorithm == "winograd":
        checks.winograd(w.shape[:2], strides, dilation, groups)
    return shape, pads, strides, dilation


def _by_group(channels: int, groups: int) -> list[slice]:
    """Return the channels of each group: the first channels / groups, the next ones, …"""
    each = channels // groups
    return [slice(g * each, (g + 1) * each) for g in range(groups)]


def conv2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    dilation: int | Sequence[int] = (1, 1),
    groups: int = 1,
    activation: str = "linear",
    algorithm: str = "auto",
    *,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Two-dimensional convolution (cross-correlation) of NHWC images, with bias and activation.

    y[n, p, q, f] = act(b[f] + Σ_ijc x[n, p·sh + i·dh − top, q·sw + j·dw − left, c] · w[i, j, c, f]), with zeros
    outside the image. With groups, the filters of group g see the channels of group g only.

    Parameters
    ----------
    x : array (N, H, W, C)
    w : array (KH, KW, C / groups, F)
    b : array (F,), optional
    strides, dilation : int or two ints
    padding : "valid", "same", int, (rows, columns) or ((top, bottom), (left, right))
    groups : int
    activation : one whose derivative follows from its output
    algorithm : {"auto", "direct", "im2col", "winograd"}
        The method of the compiled kernel. The twin has only one.
    y : array (N, OH, OW, F), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> x = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], float).reshape(1, 4, 4, 1)
    >>> w = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]], float).reshape(3, 3, 1, 1)
    >>> conv2d_forward(x, w, [3.0])[0, :, :, 0]
    array([[18., 19.],
           [ 9., 18.]])
    """
    x, w, b = checks.reals(x=(x, 4), w=(w, 4), b=(b, 1))
    shape, pads, strides, dilation = _check(x, w, strides, padding, dilation, groups, activation, algorithm)
    if b is not None:
        checks.shape("b", b, w.shape[3:], "(F,)")
    y = checks.result("y", y, shape, x.dtype, x, w, b)
    cells = windows(x, w.shape[:2], strides, pads, dilation)
    z = np.empty(shape, x.dtype)
    with np.errstate(all="ignore"):
        for channels, filters in zip(_by_group(x.shape[3], groups), _by_group(w.shape[3], groups), strict=True):
            z[..., filters] = np.tensordot(cells[..., channels], w[..., filters], axes=3)
        if b is not None:
            z += b
    y[...] = fused_value(z, activation)
    return y


def conv2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray | None = None,
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    dilation: int | Sequence[int] = (1, 1),
    groups: int = 1,
    activation: str = "linear",
    algorithm: str = "auto",
    *,
    need_dx: bool = True,
    need_db: bool = True,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of the two-dimensional convolution.

    dz = dy · act′(z), with act′ computed from y
    dw[i, j, c, f] = Σ_npq x[n, p·sh + i·dh − top, q·sw + j·dw − left, c] · dz[n, p, q, f]
    dx = Σ_f dz[n, p, q, f] · w[i, j, c, f], added at each position that the forward kernel read
    db[f] = Σ_npq dz[n, p, q, f]

    Parameters
    ----------
    dy : array (N, OH, OW, F)
    x, w : arrays (N, H, W, C), (KH, KW, C / groups, F)
    y : array (N, OH, OW, F)
        The output of the forward kernel; needed unless the activation is linear.
    strides, padding, dilation, groups, activation, algorithm
        Those of the forward kernel.
    need_dx, need_db : bool
        Whether to compute dx and db; otherwise they are None.
    dx, dw, db : arrays of the shapes of x, w, (F,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` is missing.

    Examples
    --------
    >>> x, w = np.arange(4.0).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> dx, dw, db = conv2d_backward(np.ones((1, 2, 2, 1)), x, w)
    >>> dx.ravel(), dw.ravel(), db
    (array([10., 10., 10., 10.]), array([6.]), array([4.]))
    """
    checks.distinct(dx=dx, dw=dw, db=db)
    dy, x, w, y = checks.reals(dy=(dy, 4), x=(x, 4), w=(w, 4), y=(y, 4))
    shape, pads, strides, dilation = _check(x, w, strides, padding, dilation, groups, activation, algorithm)
    checks.shape("dy", dy, shape, "(N, OH, OW, F)")
    if y is not None:
        checks.shape("y", y, shape, "(N, OH, OW, F)")
    elif activation != "linear":
        raise ValueError(
            f"The gradient of {activation} is computed from y. Received: y=None. Use y=conv2d_forward(...)."
        )
    inputs = (dy, x, w, y)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dw = checks.result("dw", dw, w.shape, x.dtype, *inputs)
    db = checks.result("db", db, w.shape[3:], x.dtype, *inputs) if need_db else None
    dz = fused_gradient(dy, y, activation)
    cells = windows(x, w.shape[:2], strides, pads, dilation)
    with np.errstate(all="ignore"):
        for channels, filters in zip(_by_group(x.shape[3], groups), _by_group(w.shape[3], groups), strict=True):
            dw[..., filters] = np.tensordot(cells[..., channels], dz[..., filters], axes=([0, 1, 2], [0, 1, 2]))
            if dx is not None:
                dcells = np.tensordot(dz[..., filters], w[..., filters], axes=(3, 3))
                shape = (*x.shape[:3], channels.stop - channels.start)
                dx[..., channels] = add_windows(dcells, shape, strides, pads, dilation)
        if db is not None:
            db[...] = dz.sum(axis=(0, 1, 2), dtype=np.float64)
    return dx, dw, db


def _book(shape: Sequence[int], filter_h: int, filter_w: int, stride: int, pad: int) -> tuple:
    """Return the shapes of the images as NHWC and of their windows, and size, strides and padding as pairs."""
    n, c, h, w = checks.image_shape("the shape (N, C, H, W)", shape)
    size, strides = pair("(filter_h, filter_w)", (filter_h, filter_w)), pair("stride", stride)
    pads = (pair("pad", pad, least=0),) * 2 if np.ndim(pad) == 0 else None
    if pads is None:
        raise TypeError(f"pad must be an integer. Received: pad={pad!r}.")
    oh, ow = conv2d_output_shape((n, h, w, c), (*size, c, 1), strides, pads)[1:3]
    return (n, h, w, c), (n, oh, ow, c, *size), size, strides, pads


def im2col(input_data: np.ndarray, filter_h: int, filter_w: int, stride: int = 1, pad: int = 0) -> np.ndarray:
    """Copy the windows of NCHW images into the rows of a matrix.

    col[(n·OH + p)·OW + q, (c·FH + i)·FW + j] = input_data[n, c, p·stride + i − pad, q·stride + j − pad]

    Parameters
    ----------
    input_data : array (N, C, H, W)
    filter_h, filter_w, stride, pad : int

    Returns
    -------
    col : array (N·OH·OW, C·FH·FW)

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    Examples
    --------
    >>> im2col(np.arange(6.0).reshape(1, 1, 2, 3), 2, 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    x = checks.real("input_data", input_data, 4)
    _, (n, oh, ow, c, fh, fw), size, strides, pads = _book(x.shape, filter_h, filter_w, stride, pad)
    cells = windows(x.transpose(0, 2, 3, 1), size, strides, pads)
    return cells.transpose(0, 1, 2, 5, 3, 4).reshape(n * oh * ow, c * fh * fw)


def col2im(
    col: np.ndarray, input_shape: Sequence[int], filter_h: int, filter_w: int, stride: int = 1, pad: int = 0
) -> np.ndarray:
    """Add the rows of a matrix back to the windows of NCHW images: the adjoint of `im2col`.

    Parameters
    ----------
    col : array (N·OH·OW, C·FH·FW)
    input_shape : (N, C, H, W)
    filter_h, filter_w, stride, pad : int

    Returns
    -------
    images : array (N, C, H, W)

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    Examples
    --------
    >>> col2im(np.ones((2, 4)), (1, 1, 2, 3), 2, 2)
    array([[[[1., 2., 1.],
             [1., 2., 1.]]]])
    """
    col = checks.real("col", col, 2)
    shape, (n, oh, ow, c, fh, fw), _, strides, pads = _book(input_shape, filter_h, filter_w, stride, pad)
    checks.shape("col", col, (n * oh * ow, c * fh * fw), "(N·OH·OW, C·FH·FW)")
    cells = col.reshape(n, oh, ow, c, fh, fw).transpose(0, 1, 2, 4, 5, 3)
    return np.ascontiguousarray(add_windows(cells, shape, strides, pads).transpose(0, 3, 1, 2))
