"""Twins of the fused block convolution + bias + activation + max pooling: the two kernels, in sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn import checks
from fastnn.reference.activations import fused_gradient, fused_value
from fastnn.reference.conv import conv2d_backward, conv2d_forward
from fastnn.reference.pooling import max_pool2d_backward, max_pool2d_forward
from fastnn.shapes import Padding, conv2d_output_shape, pair, pool2d_output_shape

__all__ = ["conv2d_pool_forward", "conv2d_pool_backward"]

Size = int | Sequence[int]


def _check(x, w, pool_size, strides, padding, dilation, activation) -> tuple[tuple, tuple]:
    """Return the shapes (N, OH, OW, F) of the convolution and (N, PH, PW, F) of the pooling."""
    checks.choice("activation", activation, ("linear", "relu"))
    rows, columns = pair("pool_size", pool_size)
    if rows * columns > 256:
        raise ValueError(
            f"pool_size must have at most 256 cells, which argmax numbers in a byte. Received: pool_size={pool_size!r}."
        )
    conv_shape = conv2d_output_shape(x.shape, w.shape, strides, padding, dilation)
    return conv_shape, pool2d_output_shape(conv_shape, pool_size)


def conv2d_pool_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    pool_size: Size = (2, 2),
    strides: Size = (1, 1),
    padding: Padding = "valid",
    dilation: Size = (1, 1),
    activation: str = "relu",
    *,
    y: np.ndarray | None = None,
    argmax: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Convolution, bias, activation and max pooling in one pass, y = act(maxpool(conv2d(x, w) + b)).

    Both activations are monotonic, so they may follow the pooling; the winner is the largest sum before
    the activation.
    Windows do not overlap, and rows and columns of the convolution that do not fill a window are dropped.

    Parameters
    ----------
    x : array (N, H, W, C)
    w : array (KH, KW, C, F)
    b : array (F,), optional
    pool_size : int or two ints, at most 256 cells
    strides, padding, dilation
        Those of the convolution.
    activation : {"relu", "linear"}
    y : array (N, PH, PW, F), optional
        Where to write the result.
    argmax : uint8 array (N, PH, PW, F), optional
        Where to write the winning cell of each window, numbered row by row.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> x, w = np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> y, argmax = conv2d_pool_forward(x, w, [1.0])
    >>> y.ravel(), argmax.ravel()
    (array([41.]), array([1], dtype=uint8))
    """
    checks.distinct(y=y, argmax=argmax)
    x, w, b = checks.reals(x=(x, 4), w=(w, 4), b=(b, 1))
    _, shape = _check(x, w, pool_size, strides, padding, dilation, activation)
    y = checks.result("y", y, shape, x.dtype, x, w, b)
    argmax = checks.result("argmax", argmax, shape, np.uint8, x, w, b)
    z, winners = max_pool2d_forward(conv2d_forward(x, w, b, strides, padding, dilation), pool_size)
    y[...] = fused_value(z, activation)
    argmax[...] = winners
    return y, argmax


def conv2d_pool_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray,
    argmax: np.ndarray,
    pool_size: Size = (2, 2),
    strides: Size = (1, 1),
    padding: Padding = "valid",
    dilation: Size = (1, 1),
    activation: str = "relu",
    *,
    need_dx: bool = True,
    need_db: bool = True,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of the fused block: dy · act′, placed at the winner of each window, goes back through the convolution.

    Parameters
    ----------
    dy : array (N, PH, PW, F)
    x, w : arrays (N, H, W, C), (KH, KW, C, F)
    y, argmax : arrays (N, PH, PW, F), real and uint8
        The results of the forward kernel.
    pool_size, strides, padding, dilation, activation
        Those of the forward kernel.
    need_dx, need_db : bool
        Whether to compute dx and db; otherwise they are None.
    dx, dw, db : arrays of the shapes of x, w, (F,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.
    IndexError
        If a winner is not a cell of its window.

    Examples
    --------
    >>> x, w = np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> y, argmax = conv2d_pool_forward(x, w, [1.0])
    >>> dx, dw, db = conv2d_pool_backward(np.ones((1, 1, 1, 1)), x, w, y, argmax)
    >>> dx.ravel(), dw.ravel(), db
    (array([ 0., 10.,  0.,  0.]), array([4.]), array([1.]))
    """
    checks.distinct(dx=dx, dw=dw, db=db)
    checks.given(dy=dy, x=x, w=w, y=y)
    dy, x, w, y = checks.reals(dy=(dy, 4), x=(x, 4), w=(w, 4), y=(y, 4))
    conv_shape, shape = _check(x, w, pool_size, strides, padding, dilation, activation)
    checks.shape("dy", dy, shape, "(N, PH, PW, F)")
    checks.shape("y", y, shape, "(N, PH, PW, F)")
    if not isinstance(argmax, np.ndarray) or argmax.dtype != np.uint8:
        raise TypeError("argmax must be the uint8 array of the forward kernel. Received: another dtype.")
    inputs = (dy, x, w, y, argmax)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dw = checks.result("dw", dw, w.shape, x.dtype, *inputs)
    db = checks.result("db", db, w.shape[3:], x.dtype, *inputs) if need_db else None
    dpooled = fused_gradient(dy, y, activation)
    dz = max_pool2d_backward(dpooled, argmax.astype(np.int32), conv_shape, pool_size)
    return conv2d_backward(
        dz, x, w, None, strides, padding, dilation, need_dx=need_dx, need_db=need_db, dx=dx, dw=dw, db=db
    )
