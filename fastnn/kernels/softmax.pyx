"""Softmax and log-softmax over the last axis (C: src_c/softmax.c, twin: fastnn/reference/softmax.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport as_real_shaped, check, output, rows_with_channels, same_or_apart, table

import_array()

__all__ = ["softmax_forward", "softmax_backward", "log_softmax_forward", "log_softmax_backward"]

ctypedef int (*values)(void *y, const void *x, Py_ssize_t rows, Py_ssize_t C) noexcept nogil
ctypedef int (*gradients)(void *dx, const void *dy, const void *y, Py_ssize_t rows, Py_ssize_t C) noexcept nogil

cdef extern from "fnn.h":
    ctypedef struct softmax_kernels "const fnn_kernels":
        values softmax_forward, log_softmax_forward
        gradients softmax_backward, log_softmax_backward


cdef softmax_kernels *kernels(ndarray x):
    return <softmax_kernels *> table(PyArray_TYPE(x))


cdef ndarray run(values kernel, ndarray x, object y):
    cdef ndarray out = output(y, "y", PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x))
    same_or_apart(out, x, "y", "x")
    cdef Py_ssize_t C = PyArray_DIM(x, PyArray_NDIM(x) - 1)
    cdef int status
    with nogil:
        status = kernel(PyArray_DATA(out), PyArray_DATA(x), PyArray_SIZE(x) // C, C)
    check(status)
    return out


cdef ndarray run_gradient(gradients kernel, object dy, ndarray y, object dx):
    cdef ndarray grad = as_real_shaped(dy, "dy", PyArray_NDIM(y), PyArray_DIMS(y), PyArray_TYPE(y))
    cdef ndarray out = output(dx, "dx", PyArray_NDIM(y), PyArray_DIMS(y), PyArray_TYPE(y))
    same_or_apart(out, grad, "dx", "dy")
    same_or_apart(out, y, "dx", "y")
    cdef Py_ssize_t C = PyArray_DIM(y, PyArray_NDIM(y) - 1)
    cdef int status
    with nogil:
        status = kernel(PyArray_DATA(out), PyArray_DATA(grad), PyArray_DATA(y), PyArray_SIZE(y) // C, C)
    check(status)
    return out


def softmax_forward(x, *, y=None):
    """Softmax over the last axis, y[i] = e^(x[i] − max x) / Σ_j e^(x[j] − max x).

    A row that is all −∞, or contains +∞ or NaN, gives NaN.

    Parameters
    ----------
    x : array (…, C), C at least 1
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real or has no column, or `y` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.softmax_forward([[1000.0, 1000.0], [0.0, np.log(3)]])
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    cdef ndarray a = rows_with_channels(x, "x")
    return run(kernels(a).softmax_forward, a, y)


def softmax_backward(dy, y, *, dx=None):
    """Gradient of softmax, dx[i] = y[i] · (dy[i] − Σ_j dy[j]·y[j]).

    Parameters
    ----------
    dy, y : arrays (…, C)
        The gradient of y, and the output of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, or `dx` does not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.softmax_backward([1.0, 0.0], [0.25, 0.75])
    array([ 0.1875, -0.1875])
    """
    cdef ndarray a = rows_with_channels(y, "y")
    return run_gradient(kernels(a).softmax_backward, dy, a, dx)


def log_softmax_forward(x, *, y=None):
    """Logarithm of softmax over the last axis, y[i] = x[i] − max x − ln Σ_j e^(x[j] − max x).

    A row that is all −∞, or contains +∞ or NaN, gives NaN.

    Parameters
    ----------
    x : array (…, C), C at least 1
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real or has no column, or `y` does not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.log_softmax_forward([1000.0, 1000.0])
    array([-0.69314718, -0.69314718])
    """
    cdef ndarray a = rows_with_channels(x, "x")
    return run(kernels(a).log_softmax_forward, a, y)


def log_softmax_backward(dy, y, *, dx=None):
    """Gradient of log-softmax, dx[i] = dy[i] − e^y[i] · Σ_j dy[j].

    Parameters
    ----------
    dy, y : arrays (…, C)
        The gradient of y, and the output of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, or `dx` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.log_softmax_backward([1.0, 0.0], np.log([0.25, 0.75]))
    array([ 0.75, -0.75])
    """
    cdef ndarray a = rows_with_channels(y, "y")
    return run_gradient(kernels(a).log_softmax_backward, dy, a, dx)
