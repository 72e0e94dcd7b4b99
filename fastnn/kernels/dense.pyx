"""The fully connected layer (C: src_c/dense.c, twin: fastnn/reference/dense.py)."""
from numpy cimport PyArray_DATA, PyArray_DIM, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport (
    FNN_AUTO, FNN_DENSE, FNN_LINEAR, FNN_SPARSE, activation_code, all_apart, as_real, as_real_shaped, check, code_of, data, output,
    table)

import_array()

__all__ = ["dense_forward", "dense_backward"]

cdef extern from "fnn.h":
    ctypedef struct dense_kernels "const fnn_kernels":
        int (*dense_forward)(void *y, const void *x, const void *w, const void *b, Py_ssize_t M, Py_ssize_t K,
                             Py_ssize_t N, int activation, int algorithm) noexcept nogil
        int (*dense_backward)(void *dx, void *dw, void *db, const void *dy, const void *x, const void *w, const void *y,
                              Py_ssize_t M, Py_ssize_t K, Py_ssize_t N, int activation, int algorithm) noexcept nogil

cdef dict ALGORITHMS = {"auto": FNN_AUTO, "dense": FNN_DENSE, "sparse": FNN_SPARSE}


cdef int rows_of_weights(ndarray x, ndarray w) except -1:
    if PyArray_DIM(x, 1) != PyArray_DIM(w, 0):
        raise ValueError(f"w must be (K, N) with K={PyArray_DIM(x, 1)}, the columns of x. "
                         f"Received: x {(<object> x).shape}, w {(<object> w).shape}.")
    return 0


def dense_forward(x, w, b=None, activation="linear", algorithm="auto", *, y=None):
    """Fully connected layer, y = act(x · w + b).

    y[m, n] = act(Σ_k x[m, k] · w[k, n] + b[n])

    Parameters
    ----------
    x : array (M, K), float32 or float64
    w : array (K, N), of the same dtype
    b : array (N,), optional
    activation : str
        One whose derivative follows from its output: linear, relu, leaky_relu, elu, selu, sigmoid, tanh, softplus,
        exponential, hard_sigmoid.
    algorithm : {"auto", "dense", "sparse"}
        "sparse" skips zeros in ``x`` (and so ignores a NaN or infinity of ``w`` that they would multiply); "auto"
        counts the zeros and chooses.
    y : array (M, N), optional
        Where to write the result; must not share memory with the inputs.

    Returns
    -------
    array (M, N)

    Raises
    ------
    TypeError
        For dtypes that are not float32 or float64, or that differ.
    ValueError
        For ranks, sizes or names that do not fit.

    References
    ----------
    Goodfellow, Bengio and Courville, *Deep Learning*, section 6.1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.dense_forward([[1.0, 2.0]], [[1.0, -1.0], [3.0, -1.0]], [0.5, 0.5], "relu")
    array([[7.5, 0. ]])
    """
    cdef ndarray X = as_real(x, "x", 2)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 2, dtype)
    rows_of_weights(X, W)
    cdef npy_intp[2] shape = [PyArray_DIM(X, 0), PyArray_DIM(W, 1)]
    cdef ndarray B = None if b is None else as_real_shaped(b, "b", 1, &shape[1], dtype)
    cdef int act = activation_code(activation, True), how = code_of("algorithm", algorithm, ALGORITHMS), status
    cdef ndarray Y = output(y, "y", 2, shape, dtype)
    if y is not None:
        all_apart(((y, Y, "y"),), (("x", X), ("w", W), ("b", B)))
    cdef dense_kernels *kernels = <dense_kernels *> table(dtype)
    cdef Py_ssize_t M = shape[0], K = PyArray_DIM(X, 1), N = shape[1]
    cdef void *bias = data(B)
    with nogil:
        status = kernels.dense_forward(PyArray_DATA(Y), PyArray_DATA(X), PyArray_DATA(W), bias, M, K, N, act, how)
    check(status)
    return Y


def dense_backward(dy, x, w, y=None, activation="linear", algorithm="auto", *, need_dx=True, need_db=True, dx=None,
                   dw=None, db=None):
    """Gradients of the fully connected layer.

    dz = dy · act′(z), act′ from y;  dx = dz · wᵀ;  dw = xᵀ · dz;  db = Σ_m dz[m]

    Parameters
    ----------
    dy : array (M, N)
    x, w : arrays (M, K), (K, N)
    y : array (M, N)
        The output of the forward kernel; not needed for a linear activation.
    activation, algorithm : str
        As in the forward kernel.
    need_dx, need_db : bool
        If False, that gradient is not computed and None is returned for it.
    dx, dw, db : arrays, optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx : array (M, K) or None
    dw : array (K, N)
    db : array (N,) or None

    Raises
    ------
    TypeError, ValueError
        As in the forward kernel; also if ``y`` is missing and the activation needs it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> dx, dw, db = kernels.dense_backward([[1.0]], [[2.0, 3.0]], [[4.0], [5.0]])
    >>> dx, db
    (array([[4., 5.]]), array([1.]))
    """
    cdef ndarray X = as_real(x, "x", 2)
    cdef int dtype = PyArray_TYPE(X)
    cdef ndarray W = as_real(w, "w", 2, dtype)
    rows_of_weights(X, W)
    cdef npy_intp[2] shape = [PyArray_DIM(X, 0), PyArray_DIM(W, 1)]
    cdef ndarray DY = as_real_shaped(dy, "dy", 2, shape, dtype)
    cdef int act = activation_code(activation, True), how = code_of("algorithm", algorithm, ALGORITHMS), status
    if y is None and act != FNN_LINEAR:
        raise ValueError(f"The gradient of {activation} is computed from y. Received: y=None. "
                         f"Use y=dense_forward(...).")
    cdef ndarray Y = None if y is None else as_real_shaped(y, "y", 2, shape, dtype)
    cdef npy_intp[2] x_shape = [PyArray_DIM(X, 0), PyArray_DIM(X, 1)]
    cdef npy_intp[2] w_shape = [PyArray_DIM(W, 0), PyArray_DIM(W, 1)]
    cdef ndarray DX = output(dx, "dx", 2, x_shape, dtype) if need_dx else None
    cdef ndarray DW = output(dw, "dw", 2, w_shape, dtype)
    cdef ndarray DB = output(db, "db", 1, &shape[1], dtype) if need_db else None
    all_apart(((dx, DX, "dx"), (dw, DW, "dw"), (db, DB, "db")), (("dy", DY), ("x", X), ("w", W), ("y", Y)))
    cdef dense_kernels *kernels = <dense_kernels *> table(dtype)
    cdef Py_ssize_t M = shape[0], K = x_shape[1], N = shape[1]
    cdef void *to_dx = data(DX)
    cdef void *to_db = data(DB)
    cdef void *from_y = data(Y)
    with nogil:
        status = kernels.dense_backward(to_dx, PyArray_DATA(DW), to_db, PyArray_DATA(DY), PyArray_DATA(X),
                                        PyArray_DATA(W), from_y, M, K, N, act, how)
    check(status)
    return DX, DW, DB
