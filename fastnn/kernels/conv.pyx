"""Two-dimensional convolution, im2col and col2im (C: src_c/conv.c, twin: fastnn/reference/conv.py)."""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_DIMS, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport (
    FNN_AUTO, FNN_DIRECT, FNN_IM2COL, FNN_LINEAR, FNN_WINOGRAD, activation_code, all_apart, as_real, as_real_shaped, check, code_of,
    data, output, table)
from fastnn.kernels._geometry cimport Geometry, conv_geometry, fnn_conv

import numpy as np

from fastnn import checks
from fastnn.shapes import conv2d_output_shape, pair

import_array()

__all__ = ["conv2d_forward", "conv2d_backward", "im2col", "col2im"]

cdef extern from "fnn.h":
    ctypedef struct conv_kernels "const fnn_kernels":
        int (*conv2d_forward)(void *y, const void *x, const void *w, const void *b, const fnn_conv *shape,
                              int activation, int algorithm) noexcept nogil
        int (*conv2d_backward)(void *dx, void *dw, void *db, const void *dy, const void *x, const void *w,
                               const void *y, const fnn_conv *shape, int activation, int algorithm) noexcept nogil
        int (*im2col)(void *col, const void *x, const fnn_conv *shape) noexcept nogil
        int (*col2im)(void *x, const void *col, const fnn_conv *shape) noexcept nogil

cdef dict ALGORITHMS = {"auto": FNN_AUTO, "direct": FNN_DIRECT, "im2col": FNN_IM2COL, "winograd": FNN_WINOGRAD}


cdef int algorithm_code(object algorithm, fnn_conv *s) except -1:
    cdef int code = code_of("algorithm", algorithm, ALGORITHMS)
    if code == FNN_WINOGRAD:
        checks.winograd((s.KH, s.KW), (s.stride_h, s.stride_w), (s.dilation_h, s.dilation_w), s.groups)
    return code


def conv2d_forward(x, w, b=None, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, activation="linear",
                   algorithm="auto", *, y=None):
    """Two-dimensional convolution (cross-correlation) of NHWC images, with bias and activation.

    y[n, p, q, f] = act(b[f] + Σ_ijc x[n, p·sh + i·dh − top, q·sw + j·dw − left, c] · w[i, j, c, f]), with zeros
    outside the image.  With groups, the filters of group g see the channels of group g only.

    Parameters
    ----------
    x : array (N, H, W, C), float32 or float64
    w : array (KH, KW, C / groups, F), of the same dtype
    b : array (F,), optional
    strides, dilation : int or two ints
    padding : "valid", "same", int, (rows, columns) or ((top, bottom), (left, right))
    groups : int
    activation : str
        One whose derivative follows from its output, as in ``dense_forward``.
    algorithm : {"auto", "direct", "im2col", "winograd"}
        "direct" reads windows in place; "im2col" first copies them into a matrix, as in the textbooks; "winograd",
        for windows of 3 × 3, multiplies less.
    y : array (N, OH, OW, F), optional
        Where to write the result; must not share memory with the inputs.

    Returns
    -------
    array (N, OH, OW, F)

    Raises
    ------
    TypeError
        For dtypes that are not float32 or float64, or that differ.
    ValueError
        For ranks, sizes or names that do not fit.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], float).reshape(1, 4, 4, 1)
    >>> w = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]], float).reshape(3, 3, 1, 1)
    >>> kernels.conv2d_forward(x, w, [3.0])[0, :, :, 0]
    array([[18., 19.],
           [ 9., 18.]])
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = conv_geometry(X, W, strides, padding, dilation, groups)
    cdef fnn_conv *s = &geometry.shape
    cdef npy_intp[4] shape = [s.N, s.OH, s.OW, s.F]
    cdef ndarray B = None if b is None else as_real_shaped(b, "b", 1, &shape[3], dtype)
    cdef int act = activation_code(activation, True), how = algorithm_code(algorithm, s), status
    cdef ndarray Y = output(y, "y", 4, shape, dtype)
    if y is not None:
        all_apart(((y, Y, "y"),), (("x", X), ("w", W), ("b", B)))
    cdef conv_kernels *kernels = <conv_kernels *> table(dtype)
    cdef void *bias = data(B)
    with nogil:
        status = kernels.conv2d_forward(PyArray_DATA(Y), PyArray_DATA(X), PyArray_DATA(W), bias, s, act, how)
    check(status)
    return Y


def conv2d_backward(dy, x, w, y=None, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, activation="linear",
                    algorithm="auto", *, need_dx=True, need_db=True, dx=None, dw=None, db=None):
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
        The output of the forward kernel; not needed for a linear activation.
    strides, padding, dilation, groups, activation, algorithm
        Those of the forward kernel.
    need_dx, need_db : bool
        If False, that gradient is not computed and None is returned for it.
    dx, dw, db : arrays of the shapes of x, w, (F,), optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx, dw, db

    Raises
    ------
    TypeError, ValueError
        As in the forward kernel; also if ``y`` is missing and the activation needs it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w = np.arange(4.0).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> dx, dw, db = kernels.conv2d_backward(np.ones((1, 2, 2, 1)), x, w)
    >>> dx.ravel(), dw.ravel(), db
    (array([10., 10., 10., 10.]), array([6.]), array([4.]))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = conv_geometry(X, W, strides, padding, dilation, groups)
    cdef fnn_conv *s = &geometry.shape
    cdef npy_intp[4] shape = [s.N, s.OH, s.OW, s.F]
    cdef ndarray DY = as_real_shaped(dy, "dy", 4, shape, dtype)
    cdef int act = activation_code(activation, True), how = algorithm_code(algorithm, s), status
    if y is None and act != FNN_LINEAR:
        raise ValueError(f"The gradient of {activation} is computed from y. Received: y=None. "
                         f"Use y=conv2d_forward(...).")
    cdef ndarray Y = None if y is None else as_real_shaped(y, "y", 4, shape, dtype)
    cdef ndarray DX = output(dx, "dx", 4, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DW = output(dw, "dw", 4, PyArray_DIMS(W), dtype)
    cdef ndarray DB = output(db, "db", 1, &shape[3], dtype) if need_db else None
    all_apart(((dx, DX, "dx"), (dw, DW, "dw"), (db, DB, "db")), (("dy", DY), ("x", X), ("w", W), ("y", Y)))
    cdef conv_kernels *kernels = <conv_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_db = data(DB)
    cdef void *from_y = data(Y)
    with nogil:
        status = kernels.conv2d_backward(to_dx, PyArray_DATA(DW), to_db, PyArray_DATA(DY), PyArray_DATA(X),
                                         PyArray_DATA(W), from_y, s, act, how)
    check(status)
    return DX, DW, DB


cdef fnn_conv book_shape(object input_shape, object filter_h, object filter_w, object stride, object pad) except *:
    """Read the textbooks' arguments: images (N, C, H, W), one stride and one padding for both axes."""
    cdef fnn_conv s
    s.N, s.C, s.H, s.W = checks.image_shape("the shape (N, C, H, W)", input_shape)
    s.KH, s.KW = pair("(filter_h, filter_w)", (filter_h, filter_w))
    s.stride_h, s.stride_w = pair("stride", stride)
    if np.ndim(pad) != 0:
        raise TypeError(f"pad must be an integer. Received: pad={pad!r}.")
    s.top, s.left = pair("pad", pad, least=0)
    s.bottom, s.right = s.top, s.left
    s.dilation_h = s.dilation_w = s.groups = s.F = 1
    pads = ((s.top, s.top), (s.left, s.left))
    _, s.OH, s.OW, _ = conv2d_output_shape((s.N, s.H, s.W, s.C), (s.KH, s.KW, s.C, 1), (s.stride_h, s.stride_w), pads)
    return s


def im2col(input_data, filter_h, filter_w, stride=1, pad=0):
    """Copy the windows of NCHW images into the rows of a matrix.

    col[(n·OH + p)·OW + q, (c·FH + i)·FW + j] = input_data[n, c, p·stride + i − pad, q·stride + j − pad]

    Parameters
    ----------
    input_data : array (N, C, H, W), float32 or float64
    filter_h, filter_w, stride, pad : int

    Returns
    -------
    array (N·OH·OW, C·FH·FW)

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    References
    ----------
    Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.im2col(np.arange(6.0).reshape(1, 1, 2, 3), 2, 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    cdef ndarray X = as_real(input_data, "input_data", 4)
    cdef fnn_conv s = book_shape((<object> X).shape, filter_h, filter_w, stride, pad)
    cdef npy_intp[2] shape = [s.N * s.OH * s.OW, s.C * s.KH * s.KW]
    cdef ndarray col = output(None, "col", 2, shape, PyArray_TYPE(X))
    cdef conv_kernels *kernels = <conv_kernels *> table(PyArray_TYPE(X))
    cdef int status
    with nogil:
        status = kernels.im2col(PyArray_DATA(col), PyArray_DATA(X), &s)
    check(status)
    return col


def col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    """Add the rows of a matrix back to the windows of NCHW images: the adjoint of ``im2col``.

    Parameters
    ----------
    col : array (N·OH·OW, C·FH·FW), float32 or float64
    input_shape : (N, C, H, W)
    filter_h, filter_w, stride, pad : int

    Returns
    -------
    array (N, C, H, W)

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.col2im(np.ones((2, 4)), (1, 1, 2, 3), 2, 2)
    array([[[[1., 2., 1.],
             [1., 2., 1.]]]])
    """
    cdef ndarray COL = as_real(col, "col", 2)
    cdef fnn_conv s = book_shape(input_shape, filter_h, filter_w, stride, pad)
    cdef npy_intp[2] rows = [s.N * s.OH * s.OW, s.C * s.KH * s.KW]
    as_real_shaped(COL, "col", 2, rows, PyArray_TYPE(COL))
    cdef npy_intp[4] shape = [s.N, s.C, s.H, s.W]
    cdef ndarray images = output(None, "images", 4, shape, PyArray_TYPE(COL))
    cdef conv_kernels *kernels = <conv_kernels *> table(PyArray_TYPE(COL))
    cdef int status
    with nogil:
        status = kernels.col2im(PyArray_DATA(images), PyArray_DATA(COL), &s)
    check(status)
    return images
