"""Twins of the transposed two-dimensional convolution.

Legend: N = images, H W = height and width, C = channels, KH KW = window, F = filters, OH OW = height and width of the
output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn import checks
from fastnn.reference._windows import add_windows, windows
from fastnn.reference.activations import fused, fused_gradient, fused_value
from fastnn.shapes import Padding, conv2d_transpose_cropping, conv2d_transpose_output_shape, pair

__all__ = ["conv2d_transpose_backward", "conv2d_transpose_forward"]


def _check(x, w, strides, padding, output_padding, dilation, activation) -> tuple:
    """Return the shape of the output; strides, cropping and dilation as `windows` takes them."""
    fused(activation)
    shape = conv2d_transpose_output_shape(x.shape, w.shape, strides, padding, output_padding, dilation)
    crop = conv2d_transpose_cropping(x.shape, w.shape, strides, padding, output_padding, dilation)
    return shape, (pair("strides", strides), crop, pair("dilation", dilation))


def conv2d_transpose_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = (1, 1),
    activation: str = "linear",
    *,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Transposed convolution of NHWC images: each pixel adds its multiple of the window to the output.

    z[n, h·sh + i·dh − top, w·sw + j·dw − left, f] += Σ_c x[n, h, w, c] · w[i, j, f, c], from z = b; y = act(z). It is
    the input gradient of the convolution with the same arguments.

    Parameters
    ----------
    x : array (N, H, W, C)
    w : array (KH, KW, F, C)
    b : array (F,), optional
    strides, dilation : int or two ints
    padding : "valid", "same" or ((top, bottom), (left, right)), the rows and columns that are cut off
    output_padding : int or two ints, optional
        Rows and columns added below and on the right, fewer than the stride.
    activation : one whose derivative follows from its output
    y : array (N, OH, OW, F), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    References
    ----------
    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks", CVPR 2010.

    Examples
    --------
    >>> x, w = np.array([1.0, 10.0]).reshape(1, 1, 2, 1), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> conv2d_transpose_forward(x, w).ravel(), conv2d_transpose_forward(x, w, strides=(1, 2)).ravel()
    (array([ 1., 12., 23., 30.]), array([ 1.,  2., 13., 20., 30.]))
    """
    x, w, b = checks.reals(x=(x, 4), w=(w, 4), b=(b, 1))
    shape, geometry = _check(x, w, strides, padding, output_padding, dilation, activation)
    if b is not None:
        checks.shape("b", b, w.shape[2:3], "(F,)")
    y = checks.result("y", y, shape, x.dtype, x, w, b)
    with np.errstate(all="ignore"):
        z = add_windows(np.tensordot(x, w, axes=([3], [3])), shape, *geometry)
        if b is not None:
            z = z + b
    y[...] = fused_value(z, activation)
    return y


def conv2d_transpose_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray | None = None,
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = (1, 1),
    activation: str = "linear",
    *,
    need_dx: bool = True,
    need_db: bool = True,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of the transposed convolution.

    dz = dy · act′(z), with act′ computed from y
    dx = the convolution of dz with w, at the positions that the forward kernel added to
    dw[i, j, f, c] = Σ_nhw dz[n, h·sh + i·dh − top, w·sw + j·dw − left, f] · x[n, h, w, c]
    db[f] = Σ_npq dz[n, p, q, f]

    Parameters
    ----------
    dy : array (N, OH, OW, F)
    x, w : arrays (N, H, W, C), (KH, KW, F, C)
    y : array (N, OH, OW, F)
        The output of the forward kernel; needed unless the activation is linear.
    strides, padding, output_padding, dilation, activation
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
    >>> x, w = np.array([1.0, 10.0]).reshape(1, 1, 2, 1), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> dx, dw, db = conv2d_transpose_backward(np.ones((1, 1, 4, 1)), x, w)
    >>> dx.ravel(), dw.ravel(), db
    (array([6., 6.]), array([11., 11., 11.]), array([4.]))
    """
    dy, x, w, y = checks.reals(dy=(dy, 4), x=(x, 4), w=(w, 4), y=(y, 4))
    shape, geometry = _check(x, w, strides, padding, output_padding, dilation, activation)
    checks.shape("dy", dy, shape, "(N, OH, OW, F)")
    if y is not None:
        checks.shape("y", y, shape, "(N, OH, OW, F)")
    elif activation != "linear":
        raise ValueError(
            f"The gradient of {activation} is computed from y. Received: y=None. Use y=conv2d_transpose_forward(...)."
        )
    inputs = (dy, x, w, y)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dw = checks.result("dw", dw, w.shape, x.dtype, *inputs)
    db = checks.result("db", db, shape[3:], x.dtype, *inputs) if need_db else None
    with np.errstate(all="ignore"):
        dz = fused_gradient(dy, y, activation)
        cells = windows(dz, w.shape[:2], *geometry)
        if dx is not None:
            dx[...] = np.tensordot(cells, w, axes=([3, 4, 5], [0, 1, 2]))
        dw[...] = np.tensordot(cells, x, axes=([0, 1, 2], [0, 1, 2]))
        if db is not None:
            db[...] = dz.sum(axis=(0, 1, 2), dtype=np.float64)
    return dx, dw, db
