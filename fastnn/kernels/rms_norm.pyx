"""Normalization by the root mean square of the last axis (C: src_c/rms_norm.c, twin: fastnn/reference/rms_norm.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport (
    all_apart, as_number, as_real_shaped, check, data, output, rows_with_channels, table)

import_array()

__all__ = ["rms_norm_forward", "rms_norm_backward"]

cdef extern from "fnn.h":
    ctypedef struct rms_norm_kernels "const fnn_kernels":
        int (*rms_norm_forward)(void *y, void *total, void *scale, const void *x, const void *residual, const void *gamma,
                                Py_ssize_t rows, Py_ssize_t C, double epsilon) noexcept nogil
        int (*rms_norm_backward)(void *dx, void *dgamma, const void *dy, const void *x, const void *scale, const void *gamma,
                                 const void *dtotal, Py_ssize_t rows, Py_ssize_t C) noexcept nogil

cdef object INFINITY = float("inf")


def rms_norm_forward(x, gamma=None, residual=None, epsilon=1e-6, *, y=None, total=None, rrms=None):
    """Normalization by the root mean square of the last axis, y = s · rrms · γ with s = x + residual.

    rrms = 1 / √(mean s² + ε)

    Parameters
    ----------
    x : array (…, C), C at least 1
    gamma : array (C,), optional
    residual : array (…, C), optional
        Added to `x` before the squares are taken, in the same pass.
    epsilon : float, at least 0
    y, total, rrms : arrays (…, C), (…, C), (…), optional
        Where to write.

    Returns
    -------
    y : array (…, C)
    total : array (…, C), or None without a residual
        x + residual.
    rrms : array (…)

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or epsilon do not fit.

    References
    ----------
    Zhang and Sennrich: Root Mean Square Layer Normalization, 2019, arXiv 1910.07467.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, total, rrms = kernels.rms_norm_forward([[2.0, -2.0]], epsilon=0.0)
    >>> y, total, rrms
    (array([[ 1., -1.]]), None, array([0.5]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t C = PyArray_DIM(X, ndim - 1)
    cdef ndarray G = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray R = None if residual is None else as_real_shaped(residual, "residual", ndim, PyArray_DIMS(X), dtype)
    cdef double eps = as_number(epsilon, "epsilon", 0, INFINITY)
    cdef ndarray Y = output(y, "y", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray S = None if residual is None else output(total, "total", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray D = output(rrms, "rrms", ndim - 1, PyArray_DIMS(X), dtype)
    all_apart(((y, Y, "y"), (total, S, "total"), (rrms, D, "rrms")), (("x", X), ("gamma", G), ("residual", R)))
    cdef rms_norm_kernels *kernels = <rms_norm_kernels *> table(dtype)
    cdef void *to_total = data(S)
    cdef void *from_residual = data(R)
    cdef void *from_gamma = data(G)
    with nogil:
        status = kernels.rms_norm_forward(PyArray_DATA(Y), to_total, PyArray_DATA(D), PyArray_DATA(X), from_residual,
                                          from_gamma, PyArray_SIZE(X) // C, C, eps)
    check(status)
    return Y, S, D


def rms_norm_backward(dy, x, rrms, gamma=None, dtotal=None, *, need_dx=True, need_dgamma=True, dx=None, dgamma=None):
    """Gradients of normalization by the root mean square.

    t = dy · γ,  x̂ = x · rrms;  dx = rrms · (t − x̂ · mean (t·x̂)) + dtotal;  dgamma = Σ over rows of dy·x̂

    Parameters
    ----------
    dy : array (…, C)
    x : array (…, C)
        What was normalised: `total` of the forward kernel where there was a residual.
    rrms : array (…)
        As the forward kernel returned it.
    gamma : array (C,), optional
    dtotal : array (…, C), optional
        A gradient that reaches `x` by another way, such as a residual connection; it is added to dx.
    need_dx, need_dgamma : bool
        False leaves that gradient out, which is None.
    dx, dgamma : arrays (…, C), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.rms_norm_backward([[1.0, 0.0]], [[1.0, 1.0]], [1.0])
    (array([[ 0.5, -0.5]]), array([1., 0.]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t C = PyArray_DIM(X, ndim - 1)
    cdef ndarray DY = as_real_shaped(dy, "dy", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray D = as_real_shaped(rrms, "rrms", ndim - 1, PyArray_DIMS(X), dtype)
    cdef ndarray G = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray DS = None if dtotal is None else as_real_shaped(dtotal, "dtotal", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray DX = output(dx, "dx", ndim, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DG = output(dgamma, "dgamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype) if need_dgamma else None
    all_apart(((dx, DX, "dx"), (dgamma, DG, "dgamma")),
              (("dy", DY), ("x", X), ("rrms", D), ("gamma", G), ("dtotal", DS)))
    cdef rms_norm_kernels *kernels = <rms_norm_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_dgamma = data(DG)
    cdef void *from_gamma = data(G)
    cdef void *from_dtotal = data(DS)
    with nogil:
        status = kernels.rms_norm_backward(to_dx, to_dgamma, PyArray_DATA(DY), PyArray_DATA(X), PyArray_DATA(D), from_gamma,
                                           from_dtotal, PyArray_SIZE(X) // C, C)
    check(status)
    return DX, DG
