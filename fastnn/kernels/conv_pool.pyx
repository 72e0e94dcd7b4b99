"""Convolution with bias, activation and max pooling, fused (C: src_c/conv_pool.c, twin: fastnn/reference/conv_pool.py)."""
from fastnn.kernels._numpy cimport NPY_UINT8, PyArray_DATA, PyArray_DIMS, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport FNN_LINEAR, FNN_RELU, all_apart, as_real, as_real_shaped, check, code_of, data, output, table
from fastnn.kernels._geometry cimport Geometry, conv_geometry, fnn_conv

import numpy as np

from fastnn.shapes import pair, pool2d_output_shape

import_array()

__all__ = ["conv2d_pool_forward", "conv2d_pool_backward"]

cdef extern from "fnn.h":
    ctypedef struct conv_pool_kernels "const fnn_kernels":
        int (*conv2d_pool_forward)(void *y, void *argmax, const void *x, const void *w, const void *b,
                                   const fnn_conv *shape, Py_ssize_t pool_h, Py_ssize_t pool_w,
                                   int activation) noexcept nogil
        int (*conv2d_pool_backward)(void *dx, void *dw, void *db, const void *dy, const void *x, const void *w,
                                    const void *y, const void *argmax, const fnn_conv *shape, Py_ssize_t pool_h,
                                    Py_ssize_t pool_w, int activation) noexcept nogil

cdef enum:
    MOST_CELLS = 256

cdef dict ACTIVATIONS = {"linear": FNN_LINEAR, "relu": FNN_RELU}


cdef int pool_window(object pool_size, Py_ssize_t *rows, Py_ssize_t *columns) except -1:
    rows[0], columns[0] = pair("pool_size", pool_size)
    if rows[0] * columns[0] > MOST_CELLS:
        raise ValueError(
            f"pool_size must have at most 256 cells, which argmax numbers in a byte. Received: pool_size={pool_size!r}."
        )
    return 0


cdef int pooled_shape(npy_intp *shape, fnn_conv *s, Py_ssize_t rows, Py_ssize_t columns) except -1:
    if s.OH < rows or s.OW < columns:  # the shared rule raises the error
        pool2d_output_shape((s.N, s.OH, s.OW, s.F), (rows, columns))
    shape[0], shape[1], shape[2], shape[3] = s.N, s.OH // rows, s.OW // columns, s.F
    return 0


def conv2d_pool_forward(x, w, b=None, pool_size=(2, 2), strides=(1, 1), padding="valid", dilation=(1, 1),
                        activation="relu", *, y=None, argmax=None):
    """Convolution, bias, activation and max pooling in one pass, y = act(maxpool(conv2d(x, w) + b)).

    Both activations are monotonic, so they may follow the pooling; the winner is the largest sum before the activation.
    Windows do not overlap; rows and columns of the convolution that do not fill a window are never computed.

    Parameters
    ----------
    x : array (N, H, W, C), float32 or float64
    w : array (KH, KW, C, F), of the same dtype
    b : array (F,), optional
    pool_size : int or two ints
        At most 256 cells.
    strides, padding, dilation
        Those of the convolution.
    activation : {"relu", "linear"}
    y : array (N, P, Q, F), optional
        Where to write the result.
    argmax : uint8 array (N, P, Q, F), optional
        Where to write the winning cell of each window, numbered row by row.

    Returns
    -------
    y, argmax

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w = np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> y, argmax = kernels.conv2d_pool_forward(x, w, [1.0])
    >>> y.ravel(), argmax.ravel()
    (array([41.]), array([1], dtype=uint8))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = conv_geometry(X, W, strides, padding, dilation, 1)
    cdef fnn_conv *s = &geometry.shape
    cdef Py_ssize_t rows, columns
    cdef npy_intp[4] shape
    pool_window(pool_size, &rows, &columns)
    pooled_shape(shape, s, rows, columns)
    cdef ndarray B = None if b is None else as_real_shaped(b, "b", 1, &shape[3], dtype)
    cdef int act = code_of("activation", activation, ACTIVATIONS), status
    cdef ndarray Y = output(y, "y", 4, shape, dtype)
    cdef ndarray A = output(argmax, "argmax", 4, shape, NPY_UINT8)
    all_apart(((y, Y, "y"), (argmax, A, "argmax")), (("x", X), ("w", W), ("b", B)))
    cdef conv_pool_kernels *kernels = <conv_pool_kernels *> table(dtype)
    cdef void *bias = data(B)
    with nogil:
        status = kernels.conv2d_pool_forward(PyArray_DATA(Y), PyArray_DATA(A), PyArray_DATA(X), PyArray_DATA(W), bias,
                                             s, rows, columns, act)
    check(status)
    return Y, A


cdef ndarray winners(object argmax, npy_intp *shape):
    if not isinstance(argmax, np.ndarray) or argmax.dtype != np.uint8:
        raise TypeError(f"argmax must be the uint8 array that conv2d_pool_forward returned. "
                        f"Received: {getattr(argmax, 'dtype', type(argmax).__name__)}.")
    if argmax.shape != (shape[0], shape[1], shape[2], shape[3]):
        raise ValueError(f"argmax must have shape {(shape[0], shape[1], shape[2], shape[3])}. "
                         f"Received: shape {argmax.shape}.")
    return np.ascontiguousarray(argmax)


def conv2d_pool_backward(dy, x, w, y, argmax, pool_size=(2, 2), strides=(1, 1), padding="valid", dilation=(1, 1),
                         activation="relu", *, need_dx=True, need_db=True, dx=None, dw=None, db=None):
    """Gradients of the fused block: dy · act′, placed at the winner of each window, goes back through the convolution.

    Parameters
    ----------
    dy : array (N, P, Q, F)
    x, w : arrays (N, H, W, C), (KH, KW, C, F)
    y, argmax : arrays (N, P, Q, F), real and uint8
        The results of the forward kernel.
    pool_size, strides, padding, dilation, activation
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
        If dtypes, ranks, sizes or names do not fit.
    IndexError
        If a winner is not a cell of its window.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w = np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 10.0)
    >>> y, argmax = kernels.conv2d_pool_forward(x, w, [1.0])
    >>> dx, dw, db = kernels.conv2d_pool_backward(np.ones((1, 1, 1, 1)), x, w, y, argmax)
    >>> dx.ravel(), dw.ravel(), db
    (array([ 0., 10.,  0.,  0.]), array([4.]), array([1.]))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 4, dtype)
    cdef Geometry geometry = conv_geometry(X, W, strides, padding, dilation, 1)
    cdef fnn_conv *s = &geometry.shape
    cdef Py_ssize_t rows, columns
    cdef npy_intp[4] shape
    pool_window(pool_size, &rows, &columns)
    pooled_shape(shape, s, rows, columns)
    cdef ndarray DY = as_real_shaped(dy, "dy", 4, shape, dtype)
    cdef ndarray Y = as_real_shaped(y, "y", 4, shape, dtype)
    cdef ndarray A = winners(argmax, shape)
    cdef int act = code_of("activation", activation, ACTIVATIONS), status
    cdef ndarray DX = output(dx, "dx", 4, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DW = output(dw, "dw", 4, PyArray_DIMS(W), dtype)
    cdef ndarray DB = output(db, "db", 1, &shape[3], dtype) if need_db else None
    all_apart(((dx, DX, "dx"), (dw, DW, "dw"), (db, DB, "db")), (("dy", DY), ("x", X), ("w", W), ("y", Y), ("argmax", A)))
    cdef conv_pool_kernels *kernels = <conv_pool_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_db = data(DB)
    with nogil:
        status = kernels.conv2d_pool_backward(to_dx, PyArray_DATA(DW), to_db, PyArray_DATA(DY), PyArray_DATA(X),
                                              PyArray_DATA(W), PyArray_DATA(Y), PyArray_DATA(A), s, rows, columns, act)
    check(status)
    return DX, DW, DB
