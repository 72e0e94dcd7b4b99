"""exp, log, tanh and sigmoid, vectorised (C: src_c/vmath.h, twin: fastnn/reference/vmath.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport ANY, as_real, check, output, same_or_apart, table

import_array()

__all__ = ["exp", "log", "tanh", "sigmoid"]

ctypedef int (*elementwise)(void *y, const void *x, Py_ssize_t n) noexcept nogil

cdef extern from "fnn.h":
    ctypedef struct vmath_kernels "const fnn_kernels":
        elementwise exp, log, tanh, sigmoid


cdef vmath_kernels *kernels(ndarray x):
    return <vmath_kernels *> table(PyArray_TYPE(x))


cdef ndarray run(elementwise kernel, ndarray x, object y):
    cdef ndarray out = output(y, "y", PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x))
    cdef int status
    same_or_apart(out, x, "y", "x")
    with nogil:
        status = kernel(PyArray_DATA(out), PyArray_DATA(x), PyArray_SIZE(x))
    check(status)
    return out


def exp(x, *, y=None):
    """y = exp(x), any shape; within 2 units in the last place.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.exp(np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """
    cdef ndarray a = as_real(x, "x", ANY)
    return run(kernels(a).exp, a, y)


def log(x, *, y=None):
    """y = ln(x), any shape; −inf at 0, NaN below; within 2 units in the last place."""
    cdef ndarray a = as_real(x, "x", ANY)
    return run(kernels(a).log, a, y)


def tanh(x, *, y=None):
    """y = tanh(x), any shape; within 4 units in the last place."""
    cdef ndarray a = as_real(x, "x", ANY)
    return run(kernels(a).tanh, a, y)


def sigmoid(x, *, y=None):
    """y = 1 / (1 + exp(−x)), any shape, without overflow; within 4 units in the last place."""
    cdef ndarray a = as_real(x, "x", ANY)
    return run(kernels(a).sigmoid, a, y)
