"""Batch normalization (C: src_c/batch_norm.c, twin: fastnn/reference/batch_norm.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DIM, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport (
    FNN_RELU, all_apart, as_number, as_real, as_real_shaped, check, code_of, data, output, same_or_apart, table,
)

import math

from fastnn import checks

import_array()

__all__ = ["batch_norm_backward", "batch_norm_forward", "batch_norm_inference"]

cdef extern from "fnn.h":
    enum: FNN_LINEAR
    ctypedef struct batch_norm_kernels "const fnn_kernels":
        int (*batch_norm_forward)(void *y, void *mean, void *variance, const void *x, const void *gamma, const void *beta,
                                  const void *residual, const unsigned char *mask, Py_ssize_t rows, Py_ssize_t C,
                                  double epsilon, int activation) noexcept nogil
        int (*batch_norm_inference)(void *y, const void *x, const void *mean, const void *variance, const void *gamma,
                                    const void *beta, const void *residual, Py_ssize_t rows, Py_ssize_t C, double epsilon,
                                    int activation) noexcept nogil
        int (*batch_norm_backward)(void *dx, void *dgamma, void *dbeta, void *dresidual, const void *dy, const void *x,
                                   const void *mean, const void *variance, const void *gamma, const void *y,
                                   const unsigned char *mask, Py_ssize_t rows, Py_ssize_t C, double epsilon, int activation,
                                   int batch_statistics) noexcept nogil

cdef dict ACTIVATIONS = {"linear": FNN_LINEAR, "relu": FNN_RELU}


cdef batch_norm_kernels *kernels(ndarray x):
    return <batch_norm_kernels *> table(PyArray_TYPE(x))


cdef ndarray rows_of(object x):
    """x (M, C) with at least one channel."""
    cdef ndarray a = as_real(x, "x", 2)
    checks.at_least_one("x", a, 1)
    return a


cdef ndarray of_channels(object given, str name, ndarray x):
    """An array (C,), or None."""
    if given is None:
        return None
    return as_real_shaped(given, name, 1, PyArray_DIMS(x) + PyArray_NDIM(x) - 1, PyArray_TYPE(x))


cdef ndarray alike(object given, str name, ndarray x):
    """An array of the shape of x, or None."""
    return None if given is None else as_real_shaped(given, name, PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x))


cdef ndarray new_channels(object given, str name, ndarray x):
    return output(given, name, 1, PyArray_DIMS(x) + PyArray_NDIM(x) - 1, PyArray_TYPE(x))


cdef ndarray new_alike(object given, str name, ndarray x):
    return output(given, name, PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x))


def batch_norm_forward(x, gamma=None, beta=None, residual=None, mask=None, epsilon=0.001, activation="linear", *, y=None,
                       mean=None, variance=None):
    """Normalize each channel over the rows: y = act((x − mean) / √(variance + ε) · gamma + beta + residual).

    Parameters
    ----------
    x : array (M, C)
    gamma, beta : arrays (C,), optional
        Scale, 1 without; shift, 0 without.
    residual : array (M, C), optional
        Added before the activation.
    mask : array of bool (M,), optional
        True where a row counts in the statistics; all rows are normalized.
    epsilon : float
    activation : {"linear", "relu"}
    y, mean, variance : arrays, optional
        Where to write; y may be x or residual.

    Returns
    -------
    y : array (M, C)
    mean, variance : arrays (C,)
        Of the rows that count, the variance biased; 0 where no row counts.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the mask or the activation do not fit.

    References
    ----------
    Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift, 2015.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, mean, variance = kernels.batch_norm_forward([[1.0, 0.0], [3.0, 4.0]], epsilon=0.0)
    >>> y.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0, -1.0], [1.0, 1.0]], [2.0, 2.0], [1.0, 4.0])
    """
    cdef ndarray a = rows_of(x)
    cdef ndarray g = of_channels(gamma, "gamma", a), b = of_channels(beta, "beta", a), r = alike(residual, "residual", a)
    cdef double eps = as_number(epsilon, "epsilon", 0, math.inf)
    cdef int act = code_of("activation", activation, ACTIVATIONS)
    cdef ndarray m = None if mask is None else checks.mask("mask", mask, (<object> a).shape[:1], "(M,)")
    cdef ndarray out = new_alike(y, "y", a)
    cdef ndarray mu = new_channels(mean, "mean", a), var = new_channels(variance, "variance", a)
    same_or_apart(out, a, "y", "x")
    if r is not None:
        same_or_apart(out, r, "y", "residual")
    all_apart(((y, out, "y"),), (("gamma", g), ("beta", b)))
    all_apart(((mean, mu, "mean"), (variance, var, "variance")), (("x", a), ("gamma", g), ("beta", b), ("residual", r)))
    cdef Py_ssize_t C = PyArray_DIM(a, PyArray_NDIM(a) - 1)
    cdef batch_norm_kernels *k = kernels(a)
    cdef int status
    with nogil:
        status = k.batch_norm_forward(data(out), data(mu), data(var), data(a), data(g), data(b), data(r),
                                               <const unsigned char *> data(m), PyArray_SIZE(a) // C, C, eps, act)
    check(status)
    return out, mu, var


def batch_norm_inference(x, mean, variance, gamma=None, beta=None, residual=None, epsilon=0.001, activation="linear", *,
                         y=None):
    """Normalize with given statistics: y = act((x − mean) / √(variance + ε) · gamma + beta + residual).

    Parameters
    ----------
    x : array (M, C)
    mean, variance : arrays (C,)
    gamma, beta, residual, epsilon, activation, y
        As for `batch_norm_forward`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the activation do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.batch_norm_inference([[5.0], [-1.0]], [1.0], [4.0], epsilon=0.0, activation="relu").tolist()
    [[2.0], [0.0]]
    """
    cdef ndarray a = rows_of(x)
    cdef ndarray mu = of_channels(mean, "mean", a), var = of_channels(variance, "variance", a)
    cdef ndarray g = of_channels(gamma, "gamma", a), b = of_channels(beta, "beta", a), r = alike(residual, "residual", a)
    cdef double eps = as_number(epsilon, "epsilon", 0, math.inf)
    cdef int act = code_of("activation", activation, ACTIVATIONS)
    if mu is None or var is None:
        raise TypeError("batch_norm_inference needs mean and variance. Received: None.")
    cdef ndarray out = new_alike(y, "y", a)
    same_or_apart(out, a, "y", "x")
    if r is not None:
        same_or_apart(out, r, "y", "residual")
    all_apart(((y, out, "y"),), (("mean", mu), ("variance", var), ("gamma", g), ("beta", b)))
    cdef Py_ssize_t C = PyArray_DIM(a, PyArray_NDIM(a) - 1)
    cdef batch_norm_kernels *k = kernels(a)
    cdef int status
    with nogil:
        status = k.batch_norm_inference(data(out), data(a), data(mu), data(var), data(g), data(b), data(r),
                                                 PyArray_SIZE(a) // C, C, eps, act)
    check(status)
    return out


def batch_norm_backward(dy, x, mean, variance, gamma=None, y=None, mask=None, epsilon=0.001, activation="linear",
                        batch_statistics=True, *, need_dx=True, need_dresidual=False, dx=None, dgamma=None, dbeta=None,
                        dresidual=None):
    """Gradients of batch normalization, with g = dy·act'(y) and x̂ = (x − mean) / √(variance + ε).

    dbeta = Σ g, dgamma = Σ g·x̂, dresidual = g, dx = gamma / √(variance + ε) · (g − (dbeta + x̂·dgamma) / m) for the m
    rows that count; without the second term for the others, and with statistics that are not of the batch.

    Parameters
    ----------
    dy, x : arrays (M, C)
    mean, variance, gamma : arrays (C,)
    y : array (M, C)
        The output of forward; needed with relu.
    mask : array of bool (M,), optional
    batch_statistics : bool
        Whether mean and variance are those of x, and depend on it.
    need_dx, need_dresidual : bool
    dx, dgamma, dbeta, dresidual : arrays, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the mask or the activation do not fit, or relu lacks y.

    Examples
    --------
    >>> from fastnn import kernels
    >>> dx, dgamma, dbeta, _ = kernels.batch_norm_backward([[1.0], [0.0]], [[1.0], [3.0]], [2.0], [1.0], epsilon=0.0)
    >>> dx.tolist(), dgamma.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [-1.0], [1.0])
    """
    cdef ndarray a = rows_of(x), d = alike(dy, "dy", a)
    cdef ndarray mu = of_channels(mean, "mean", a), var = of_channels(variance, "variance", a)
    cdef ndarray g = of_channels(gamma, "gamma", a), out = alike(y, "y", a)
    cdef double eps = as_number(epsilon, "epsilon", 0, math.inf)
    cdef int act = code_of("activation", activation, ACTIVATIONS), batch = bool(batch_statistics)
    if act == FNN_RELU and out is None:
        raise ValueError("relu reads its slope off y. Received: y=None. Use y= with the output of forward.")
    if d is None or mu is None or var is None:
        raise TypeError("batch_norm_backward needs dy, mean and variance. Received: None.")
    cdef ndarray m = None if mask is None else checks.mask("mask", mask, (<object> a).shape[:1], "(M,)")
    cdef ndarray ga = new_alike(dx, "dx", a) if need_dx else None
    cdef ndarray gg = new_channels(dgamma, "dgamma", a), gb = new_channels(dbeta, "dbeta", a)
    cdef ndarray gr = new_alike(dresidual, "dresidual", a) if need_dresidual else None
    all_apart(((dx, ga, "dx"), (dgamma, gg, "dgamma"), (dbeta, gb, "dbeta"), (dresidual, gr, "dresidual")),
              (("dy", d), ("x", a), ("mean", mu), ("variance", var), ("gamma", g), ("y", out)))
    cdef Py_ssize_t C = PyArray_DIM(a, PyArray_NDIM(a) - 1)
    cdef batch_norm_kernels *k = kernels(a)
    cdef int status
    with nogil:
        status = k.batch_norm_backward(data(ga), data(gg), data(gb), data(gr), data(d), data(a), data(mu), data(var),
                                                data(g), data(out), <const unsigned char *> data(m),
                                                PyArray_SIZE(a) // C, C, eps, act, batch)
    check(status)
    return ga, gg, gb, gr
