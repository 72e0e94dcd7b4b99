"""The fully connected layer (C: src_c/dense.c, twin: fastnn/reference/dense.py)."""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_DIM, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport (
    FNN_AUTO, FNN_DENSE, FNN_LINEAR, FNN_SPARSE, Pointers, activation_code, all_apart, as_real, as_real_shaped, check, code_of, data,
    output, table)

from fastnn import checks

import_array()

__all__ = ["dense_backward", "dense_forward", "projections_backward", "projections_forward"]

cdef extern from "fnn.h":
    ctypedef struct dense_kernels "const fnn_kernels":
        int (*dense_forward)(void *y, const void *x, const void *w, const void *b, Py_ssize_t M, Py_ssize_t K,
                             Py_ssize_t N, int activation, int algorithm) noexcept nogil
        int (*dense_backward)(void *dx, void *dw, void *db, const void *dy, const void *x, const void *w, const void *y,
                              Py_ssize_t M, Py_ssize_t K, Py_ssize_t N, int activation, int algorithm) noexcept nogil
        int (*projections_forward)(void *const *y, const void *x, const void *const *w, const void *const *b,
                                   const Py_ssize_t *N, Py_ssize_t count, Py_ssize_t M, Py_ssize_t K) noexcept nogil
        int (*projections_backward)(void *dx, void *const *dw, void *const *db, const void *const *dy, const void *x,
                                    const void *const *w, const Py_ssize_t *N, Py_ssize_t count, Py_ssize_t M,
                                    Py_ssize_t K) noexcept nogil

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


# ---- several layers of one x ----

cdef dict NAMES = {name: [f"{name}[{i}]" for i in range(checks.MOST_PROJECTIONS)] for name in ("w", "b", "y", "dy", "dw", "db")}


cdef list entries(object given, str name, Py_ssize_t count):
    """A list with an entry for each of `count` layers."""
    if checks.how_many(name, given) != count:
        raise ValueError(f"{name} must have an entry for each of {count} arrays w. Received: {len(given)}.")
    return list(given)


cdef list read_weights(object w, ndarray x):
    """The arrays w, (K, Nᵢ) each."""
    cdef list read = [], names = <list> NAMES["w"]
    cdef Py_ssize_t i, count = checks.projections(w)
    for i in range(count):
        read.append(as_real(w[i], names[i], 2, PyArray_TYPE(x)))
    for i in range(count):
        rows_of_weights(x, read[i])
    return read


cdef list read_each(list given, str name, int ndim, npy_intp rows, Pointers w, int dtype):
    """The arrays (rows, Nᵢ), or (Nᵢ,), with w's Nᵢ."""
    cdef list read = [], names = <list> NAMES[name]
    cdef npy_intp[2] shape = [rows, 0]
    cdef Py_ssize_t i
    for i in range(w.count):
        shape[1] = w.sizes[i]
        read.append(as_real_shaped(given[i], names[i], ndim, shape + 2 - ndim, dtype))
    return read


cdef list places(object given, str name, Py_ssize_t count):
    """Where to write a list of results: None for each where none is given."""
    return [None] * count if given is None else entries(given, name, count)


cdef list output_each(list given, str name, int ndim, npy_intp rows, Pointers w, int dtype):
    """The arrays (rows, Nᵢ), or (Nᵢ,), to write results into."""
    cdef list made = [], names = <list> NAMES[name]
    cdef npy_intp[2] shape = [rows, 0]
    cdef Py_ssize_t i
    for i in range(w.count):
        shape[1] = w.sizes[i]
        made.append(output(given[i], names[i], ndim, shape + 2 - ndim, dtype))
    return made


cdef list named(str name, list given, list made):
    """(given, array, name) of each result of a list, as `all_apart` reads them."""
    return list(zip(given, made, <list> NAMES[name]))


def projections_forward(x, w, b=None, *, y=None):
    """Linear layers of one x, yᵢ = x · wᵢ + bᵢ: x is read once for all of them.

    Parameters
    ----------
    x : array (M, K), float32 or float64
    w : list of arrays (K, Nᵢ), of the same dtype; at most 16
    b : list of arrays (Nᵢ,), optional
    y : list of arrays (M, Nᵢ), optional
        Where to write the results; they must not share memory with the inputs or each other.

    Returns
    -------
    list of arrays (M, Nᵢ)

    Raises
    ------
    TypeError
        For dtypes that are not float32 or float64, or that differ, and for what is not a list.
    ValueError
        For ranks, sizes or numbers of arrays that do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.projections_forward([[1.0, 2.0]], [[[1.0], [3.0]], [[0.0, 1.0], [1.0, 0.0]]], [[0.5], [0.0, 0.0]])
    [array([[7.5]]), array([[2., 1.]])]
    """
    cdef ndarray X = as_real(x, "x", 2)
    cdef int dtype = PyArray_TYPE(X), status
    cdef list W = read_weights(w, X)
    cdef Pointers from_w = Pointers(W)
    cdef Py_ssize_t i, count = len(W), M = PyArray_DIM(X, 0), K = PyArray_DIM(X, 1)
    for i in range(count):
        from_w.sizes[i] = PyArray_DIM(W[i], 1)
    cdef list B = [None] * count if b is None else read_each(entries(b, "b", count), "b", 1, 0, from_w, dtype)
    cdef list given = places(y, "y", count), Y = output_each(given, "y", 2, M, from_w, dtype)
    if y is not None:
        all_apart(tuple(named("y", given, Y)), tuple([("x", X), *[("w", a) for a in W], *[("b", a) for a in B]]))
    cdef Pointers from_b = Pointers(B), to_y = Pointers(Y)
    cdef dense_kernels *kernels = <dense_kernels *> table(dtype)
    with nogil:
        status = kernels.projections_forward(to_y.first, PyArray_DATA(X), <const void *const *> from_w.first,
                                             <const void *const *> from_b.first, from_w.sizes, count, M, K)
    check(status)
    return Y


def projections_backward(dy, x, w, *, need_dx=True, need_db=True, dx=None, dw=None, db=None):
    """Gradients of linear layers of one x.

    dx = Σᵢ dyᵢ · wᵢᵀ;  dwᵢ = xᵀ · dyᵢ;  dbᵢ = Σ_m dyᵢ[m]

    Parameters
    ----------
    dy : list of arrays (M, Nᵢ)
    x : array (M, K)
    w : list of arrays (K, Nᵢ); at most 16
    need_dx, need_db : bool
        If False, that gradient is not computed and None is returned for it.
    dx : array (M, K), optional
    dw, db : lists of arrays (K, Nᵢ) and (Nᵢ,), optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx : array (M, K) or None
    dw : list of arrays (K, Nᵢ)
    db : list of arrays (Nᵢ,) or None

    Raises
    ------
    TypeError, ValueError
        As in the forward kernel.

    Examples
    --------
    >>> from fastnn import kernels
    >>> dx, dw, db = kernels.projections_backward([[[1.0]], [[2.0]]], [[2.0, 3.0]], [[[4.0], [5.0]], [[1.0], [0.0]]])
    >>> dx, db
    (array([[6., 5.]]), [array([1.]), array([2.])])
    """
    cdef ndarray X = as_real(x, "x", 2)
    cdef int dtype = PyArray_TYPE(X), status
    cdef list W = read_weights(w, X)
    cdef Pointers from_w = Pointers(W)
    cdef Py_ssize_t i, count = len(W), M = PyArray_DIM(X, 0), K = PyArray_DIM(X, 1)
    for i in range(count):
        from_w.sizes[i] = PyArray_DIM(W[i], 1)
    cdef list DY = read_each(entries(dy, "dy", count), "dy", 2, M, from_w, dtype)
    cdef list given_dw = places(dw, "dw", count), given_db = places(db, "db", count)
    cdef npy_intp[2] shape = [M, K]
    cdef ndarray DX = output(dx, "dx", 2, shape, dtype) if need_dx else None
    cdef list DW = output_each(given_dw, "dw", 2, K, from_w, dtype)
    cdef list DB = output_each(given_db, "db", 1, 0, from_w, dtype) if need_db else [None] * count
    if dx is not None or dw is not None or db is not None:
        all_apart(tuple([(dx, DX, "dx"), *named("dw", given_dw, DW), *named("db", given_db, DB)]),
                  tuple([("x", X), *[("dy", a) for a in DY], *[("w", a) for a in W]]))
    cdef Pointers from_dy = Pointers(DY), to_dw = Pointers(DW), to_db = Pointers(DB)
    cdef dense_kernels *kernels = <dense_kernels *> table(dtype)
    cdef void *to_dx = data(DX)
    with nogil:
        status = kernels.projections_backward(to_dx, to_dw.first, to_db.first, <const void *const *> from_dy.first,
                                              PyArray_DATA(X), <const void *const *> from_w.first, from_w.sizes, count,
                                              M, K)
    check(status)
    return DX, DW, DB if need_db else None
