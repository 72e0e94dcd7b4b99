"""Normalization of groups of channels (C: src_c/group_norm.c, twin: fastnn/reference/group_norm.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_NDIM, PyArray_TYPE, import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport (
    all_apart, as_number, as_real, as_real_shaped, check, data, output, rows_with_channels, table)

from fastnn.shapes import channels_of_group

import_array()

__all__ = ["group_norm_forward", "group_norm_backward"]

cdef extern from "fnn.h":
    ctypedef struct group_norm_kernels "const fnn_kernels":
        int (*group_norm_forward)(void *y, void *mean, void *scale, const void *x, const void *gamma, const void *beta,
                                  Py_ssize_t N, Py_ssize_t S, Py_ssize_t C, Py_ssize_t groups,
                                  double epsilon) noexcept nogil
        int (*group_norm_backward)(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x, const void *mean,
                                   const void *scale, const void *gamma, Py_ssize_t N, Py_ssize_t S, Py_ssize_t C,
                                   Py_ssize_t groups) noexcept nogil

cdef object INFINITY = float("inf")


cdef Py_ssize_t positions_of(ndarray x) noexcept:
    """The product of the axes between the first and the last."""
    cdef Py_ssize_t S = 1
    cdef int axis
    for axis in range(1, PyArray_NDIM(x) - 1):
        S *= PyArray_DIM(x, axis)
    return S


def group_norm_forward(x, groups, gamma=None, beta=None, epsilon=1e-3, *, y=None, mean=None, rstd=None):
    """Normalization of each example's groups of channels, y = (x − mean) · rstd · γ + β.

    mean and rstd = 1 / √(mean (x − mean)² + ε) over all positions and the C / groups channels of a group

    Parameters
    ----------
    x : array (N, …, C), C at least 1
    groups : int
        A divisor of C: 1 for all channels together, C for each alone (instance normalization).
    gamma, beta : arrays (C,), optional
    epsilon : float, at least 0
    y, mean, rstd : arrays (N, …, C), (N, groups), (N, groups), optional
        Where to write.

    Returns
    -------
    y : array (N, …, C)
    mean, rstd : arrays (N, groups)
        Without a position, of mean 0 and variance 0.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, groups or epsilon do not fit.

    References
    ----------
    Wu and He: Group Normalization, 2018, arXiv 1803.08494.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, mean, rstd = kernels.group_norm_forward([[1.0, 3.0, 5.0, 9.0]], 2, epsilon=0.0)
    >>> y, mean, rstd
    (array([[-1.,  1., -1.,  1.]]), array([[2., 7.]]), array([[1. , 0.5]]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t N = PyArray_DIM(X, 0), C = PyArray_DIM(X, ndim - 1), S = positions_of(X)
    cdef Py_ssize_t G = C // channels_of_group((<object> X).shape, groups)
    cdef npy_intp[2] by_group = [N, G]
    cdef ndarray GAMMA = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray BETA = None if beta is None else as_real_shaped(beta, "beta", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef double eps = as_number(epsilon, "epsilon", 0, INFINITY)
    cdef ndarray Y = output(y, "y", ndim, PyArray_DIMS(X), dtype)
    cdef ndarray M = output(mean, "mean", 2, by_group, dtype)
    cdef ndarray D = output(rstd, "rstd", 2, by_group, dtype)
    all_apart(((y, Y, "y"), (mean, M, "mean"), (rstd, D, "rstd")), (("x", X), ("gamma", GAMMA), ("beta", BETA)))
    cdef group_norm_kernels *kernels = <group_norm_kernels *> table(dtype)
    cdef void *from_gamma = data(GAMMA)
    cdef void *from_beta = data(BETA)
    with nogil:
        status = kernels.group_norm_forward(PyArray_DATA(Y), PyArray_DATA(M), PyArray_DATA(D), PyArray_DATA(X), from_gamma,
                                            from_beta, N, S, C, G, eps)
    check(status)
    return Y, M, D


def group_norm_backward(dy, x, mean, rstd, gamma=None, *, need_dx=True, need_dgamma=True, need_dbeta=True, dx=None,
                        dgamma=None, dbeta=None):
    """Gradients of group normalization.

    t = dy · γ,  x̂ = (x − mean) · rstd;  dx = rstd · (t − mean t − x̂ · mean (t·x̂)), means over a group;
    dgamma = Σ over examples and positions of dy·x̂;  dbeta = Σ over them of dy

    Parameters
    ----------
    dy, x : arrays (N, …, C)
    mean, rstd : arrays (N, groups)
        As the forward kernel returned them.
    gamma : array (C,), optional
    need_dx, need_dgamma, need_dbeta : bool
        False leaves that gradient out, which is None.
    dx, dgamma, dbeta : arrays (N, …, C), (C,), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.group_norm_backward([[1.0, 0.0, 0.0]], [[-1.0, 0.0, 1.0]], [[0.0]], [[1.0]])[1:]
    (array([-1.,  0.,  0.]), array([1., 0., 0.]))
    """
    cdef ndarray X = rows_with_channels(x, "x")
    cdef int dtype = PyArray_TYPE(X), ndim = PyArray_NDIM(X), status
    cdef Py_ssize_t N = PyArray_DIM(X, 0), C = PyArray_DIM(X, ndim - 1), S = positions_of(X)
    cdef ndarray M = as_real(mean, "mean", 2)
    cdef Py_ssize_t G = C // channels_of_group((<object> X).shape, PyArray_DIM(M, 1))
    cdef npy_intp[2] by_group = [N, G]
    cdef ndarray DY = as_real_shaped(dy, "dy", ndim, PyArray_DIMS(X), dtype)
    M = as_real_shaped(M, "mean", 2, by_group, dtype)
    cdef ndarray D = as_real_shaped(rstd, "rstd", 2, by_group, dtype)
    cdef ndarray GAMMA = None if gamma is None else as_real_shaped(gamma, "gamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype)
    cdef ndarray DX = output(dx, "dx", ndim, PyArray_DIMS(X), dtype) if need_dx else None
    cdef ndarray DG = output(dgamma, "dgamma", 1, &PyArray_DIMS(X)[ndim - 1], dtype) if need_dgamma else None
    cdef ndarray DB = output(dbeta, "dbeta", 1, &PyArray_DIMS(X)[ndim - 1], dtype) if need_dbeta else None
    all_apart(((dx, DX, "dx"), (dgamma, DG, "dgamma"), (dbeta, DB, "dbeta")),
              (("dy", DY), ("x", X), ("mean", M), ("rstd", D), ("gamma", GAMMA)))
    cdef group_norm_kernels *kernels = <group_norm_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    cdef void *to_dgamma = data(DG)
    cdef void *to_dbeta = data(DB)
    cdef void *from_gamma = data(GAMMA)
    with nogil:
        status = kernels.group_norm_backward(to_dx, to_dgamma, to_dbeta, PyArray_DATA(DY), PyArray_DATA(X), PyArray_DATA(M),
                                             PyArray_DATA(D), from_gamma, N, S, C, G)
    check(status)
    return DX, DG, DB
