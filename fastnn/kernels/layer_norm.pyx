"""Layer normalization over the last axis (C: src_c/layer_norm.c, twin: fastnn/reference/layer_norm.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport (
    all_apart, as_number, as_real_shaped, check, data, output, rows_with_channels, table)

import_array()

__all__ = ["layer_norm_forward", "layer_norm_backward"]

cdef extern from "fnn.h":
    ctypedef struct layer_norm_kernels "const fnn_kernels":
        int (*layer_norm_forward)(void *y, void *total, void *mean, void *scale, const void *x, const void *residual,
                                  const void *gamma, const void *beta, Py_ssize_t rows, Py_ssize_t C,
                                  double epsilon) noexcept nogil
        int (*layer_norm_backward)(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x, const void *mean,
                                   const void *scale, const void *gamma, const void *dtotal, Py_ssize_t rows,
                                   Py_ssize_t C) noexcept nogil

cdef object INFINITY = float("inf")


def layer_norm_forward(x, gamma=None, beta=None, residual=None, epsilon=1e-3, *, y=None, total=None, mean=None, rstd=None):
    """Layer normalization over the last axis, y = (s − mean s) · rstd · γ + β with s = x + residual.

    rstd = 1 / √(mean (s − mean s)² + ε)

    Parameters
    ----------
    x : array (…, C), C at least 1
    gamma, beta : arrays (C,), optional
    residual : array (…, C), optional
        Added to `x` before the statistics are taken, in the same pass.
    epsilon : float, at least 0
    y, total, mean, rstd : arrays (…, C), (…, C), (…), (…), optional
        Where to write.

    Returns
    -------
    y : array (…, C)
    total : array (…, C), or None without a residual
        x + residual.
    mean, rstd : arrays (…)

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or epsilon do not fit.

    References
    ----------
    Ba, Kiros and Hinton: Layer Normalization, 2016, arXiv 1607.06450.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, total, mean, rstd = kernels.layer_norm_forward([[1.0, 3.0]], epsilon=0.0)
    >>> y, total, mean, rstd
    (array([[-1.,  1.]]), None, array([2.]), array([1.]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t C = PyArray_DIM(X, ndim - 1)
    cdef ndarray G = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray B = None if beta is None else as_real_shaped(beta, "beta", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray R = None if residual is None else as_real_shaped(residual, "residual", ndim, PyArray_DIMS(X), dtype)
    cdef double eps = as_number(epsilon, "epsilon", 0, INFINITY)
    cdef ndarray Y = output(y, "y", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray S = None if residual is None else output(total, "total", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray M = output(mean, "mean", ndim - 1, PyArray_DIMS(X), dtype)
    cdef ndarray D = output(rstd, "rstd", ndim - 1, PyArray_DIMS(X), dtype)
    all_apart(((y, Y, "y"), (total, S, "total"), (mean, M, "mean"), (rstd, D, "rstd")),
              (("x", X), ("gamma", G), ("beta", B), ("residual", R)))
    cdef layer_norm_kernels *kernels = <layer_norm_kernels *> table(dtype)
    cdef void *to_total = data(S)
    cdef void *from_residual = data(R)
    cdef void *from_gamma = data(G)
    cdef void *from_beta = data(B)
    with nogil:
        status = kernels.layer_norm_forward(PyArray_DATA(Y), to_total, PyArray_DATA(M), PyArray_DATA(D), PyArray_DATA(X),
                                            from_residual, from_gamma, from_beta, PyArray_SIZE(X) // C, C, eps)
    check(status)
    return Y, S, M, D


def layer_norm_backward(dy, x, mean, rstd, gamma=None, dtotal=None, *, need_dx=True, need_dgamma=True, need_dbeta=True,
                        dx=None, dgamma=None, dbeta=None):
    """Gradients of layer normalization.

    t = dy · γ,  x̂ = (x − mean) · rstd;  dx = rstd · (t − mean t − x̂ · mean (t·x̂)) + dtotal;
    dgamma = Σ over rows of dy·x̂;  dbeta = Σ over rows of dy

    Parameters
    ----------
    dy : array (…, C)
    x : array (…, C)
        What was normalised: `total` of the forward kernel where there was a residual.
    mean, rstd : arrays (…)
        As the forward kernel returned them.
    gamma : array (C,), optional
    dtotal : array (…, C), optional
        A gradient that reaches `x` by another way, such as a residual connection; it is added to dx.
    need_dx, need_dgamma, need_dbeta : bool
        False leaves that gradient out, which is None.
    dx, dgamma, dbeta : arrays (…, C), (C,), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.layer_norm_backward([[1.0, 0.0, 0.0]], [[-1.0, 0.0, 1.0]], [0.0], [1.0])[1:]
    (array([-1.,  0.,  0.]), array([1., 0., 0.]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t C = PyArray_DIM(X, ndim - 1)
    cdef ndarray DY = as_real_shaped(dy, "dy", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray M = as_real_shaped(mean, "mean", ndim - 1, PyArray_DIMS(X), dtype)
    cdef ndarray D = as_real_shaped(rstd, "rstd", ndim - 1, PyArray_DIMS(X), dtype)
    cdef ndarray G = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray DS = None if dtotal is None else as_real_shaped(dtotal, "dtotal", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray DX = output(dx, "dx", ndim, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DG = output(dgamma, "dgamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype) if need_dgamma else None
    cdef ndarray DB = output(dbeta, "dbeta", 1, &PyArray_DIMS(X)[ndim - 1], dtype) if need_dbeta else None
    all_apart(((dx, DX, "dx"), (dgamma, DG, "dgamma"), (dbeta, DB, "dbeta")),
              (("dy", DY), ("x", X), ("mean", M), ("rstd", D), ("gamma", G), ("dtotal", DS)))
    cdef layer_norm_kernels *kernels = <layer_norm_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_dgamma = data(DG)
    cdef void *to_dbeta = data(DB)
    cdef void *from_gamma = data(G)
    cdef void *from_dtotal = data(DS)
    with nogil:
        status = kernels.layer_norm_backward(to_dx, to_dgamma, to_dbeta, PyArray_DATA(DY), PyArray_DATA(X), PyArray_DATA(M),
                                             PyArray_DATA(D), from_gamma, from_dtotal, PyArray_SIZE(X) // C, C)
    check(status)
    return DX, DG, DB
