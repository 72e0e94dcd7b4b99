"""Transposed two-dimensional convolution (C: src_c/conv_transpose.c, twin: fastnn/reference/conv_transpose.py)."""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_DIMS, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport (
    FNN_LINEAR, activation_code, all_apart, as_real, as_real_shaped, check, data, output, table)
from fastnn.kernels._geometry cimport Geometry, fnn_conv, transposed_geometry

import_array()

__all__ = ["conv2d_transpose_backward", "conv2d_transpose_forward"]

cdef extern from "fnn.h":
    ctypedef struct conv_transpose_kernels "const fnn_kernels":
        int (*conv2d_transpose_forward)(void *y, const void *x, const void *w, const void *b, const fnn_conv *shape,
                                        int activation) noexcept nogil
        int (*conv2d_transpose_backward)(void *dx, void *dw, void *db, const void *dy, const void *x, const void *w,
                                         const void *y, const fnn_conv *shape, int activation) noexcept nogil


def conv2d_transpose_forward(x, w, b=None, strides=(1, 1), padding="valid", output_padding=None, dilation=(1, 1),
                             activation="linear", *, y=None):
    """Transposed convolution of NHWC images: each pixel adds its multiple of the window to the output.

    z[n, h·sh + i·dh − top, w·sw + j·dw − left, f] += Σ_c x[n, h, w, c] · w[i, j, f, c], from z = b; y = act(z).  It is
    the input gradient of the convolution with the same arguments.

    Parameters
    ----------
    x : array (N, H, W, C), float32 or float64
    w : array (KH, KW, F, C), of the same dtype
    b : array (F,), optional
    strides, dilation : int or two ints
    padding : "valid", "same" or ((top, bottom), (left, right)), the rows and columns that are cut off
    output_padding : int or two ints, optional
        Rows and columns added below and on the right, fewer than the stride.
    activation : str
        One whose derivative follows from its output, as in ``dense_forward``.
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
    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks", CVPR 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w = np.array([1.0, 10.0]).reshape(1, 1, 2, 1), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> kernels.conv2d_transpose_forward(x, w).ravel(), kernels.conv2d_transpose_forward(x, w, strides=(1, 2)).ravel()
    (array([ 1., 12., 23., 30.]), array([ 1.,  2., 13., 20., 30.]))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = transposed_geometry(X, W, strides, padding, output_padding, dilation)
    cdef fnn_conv *s = &geometry.shape
    cdef npy_intp[4] shape = [s.N, s.H, s.W, s.C]
    cdef ndarray B = None if b is None else as_real_shaped(b, "b", 1, &shape[3], dtype)
    cdef int act = activation_code(activation, True), status
    cdef ndarray Y = output(y, "y", 4, shape, dtype)
    if y is not None:
        all_apart(((y, Y, "y"),), (("x", X), ("w", W), ("b", B)))
    cdef conv_transpose_kernels *kernels = <conv_transpose_kernels *> table(dtype)
    cdef void *bias = data(B)
    with nogil:
        status = kernels.conv2d_transpose_forward(PyArray_DATA(Y), PyArray_DATA(X), PyArray_DATA(W), bias, s, act)
    check(status)
    return Y


def conv2d_transpose_backward(dy, x, w, y=None, strides=(1, 1), padding="valid", output_padding=None, dilation=(1, 1),
                              activation="linear", *, need_dx=True, need_db=True, dx=None, dw=None, db=None):
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
        The output of the forward kernel; not needed for a linear activation.
    strides, padding, output_padding, dilation, activation
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
    >>> x, w = np.array([1.0, 10.0]).reshape(1, 1, 2, 1), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> dx, dw, db = kernels.conv2d_transpose_backward(np.ones((1, 1, 4, 1)), x, w)
    >>> dx.ravel(), dw.ravel(), db
    (array([6., 6.]), array([11., 11., 11.]), array([4.]))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = transposed_geometry(X, W, strides, padding, output_padding, dilation)
    cdef fnn_conv *s = &geometry.shape
    cdef npy_intp[4] shape = [s.N, s.H, s.W, s.C]
    cdef ndarray DY = as_real_shaped(dy, "dy", 4, shape, dtype)
    cdef int act = activation_code(activation, True), status
    if y is None and act != FNN_LINEAR:
        raise ValueError(f"The gradient of {activation} is computed from y. Received: y=None. "
                         f"Use y=conv2d_transpose_forward(...).")
    cdef ndarray Y = None if y is None else as_real_shaped(y, "y", 4, shape, dtype)
    cdef ndarray DX = output(dx, "dx", 4, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DW = output(dw, "dw", 4, PyArray_DIMS(W), dtype)
    cdef ndarray DB = output(db, "db", 1, &shape[3], dtype) if need_db else None
    all_apart(((dx, DX, "dx"), (dw, DW, "dw"), (db, DB, "db")), (("dy", DY), ("x", X), ("w", W), ("y", Y)))
    cdef conv_transpose_kernels *kernels = <conv_transpose_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_db = data(DB)
    cdef void *from_y = data(Y)
    with nogil:
        status = kernels.conv2d_transpose_backward(to_dx, PyArray_DATA(DW), to_db, PyArray_DATA(DY), PyArray_DATA(X),
                                                   PyArray_DATA(W), from_y, s, act)
    check(status)
    return DX, DW, DB
