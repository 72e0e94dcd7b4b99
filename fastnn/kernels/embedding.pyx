"""Rows of a table looked up by id, and its gradient (C: src_c/embedding.c, twin: fastnn/reference/embedding.py)."""
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport (
    NPY_INT64, PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_EMPTY, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array,
    ndarray, npy_intp)

from fastnn.kernels._core cimport ANY, all_apart, apart, as_index, as_real, as_real_shaped, check, data, output, table

from fastnn import checks

import_array()

__all__ = ["embedding_backward", "embedding_forward"]

cdef extern from "fnn.h":
    enum: FNN_BAD_INDEX
    ctypedef struct embedding_kernels "const fnn_kernels":
        int (*embedding_forward)(void *y, const int64_t *ids, const void *w, Py_ssize_t count, Py_ssize_t vocabulary,
                                 Py_ssize_t D) noexcept nogil
        int (*embedding_backward)(void *dw, int64_t *rows, Py_ssize_t *row_count, const void *dy, const int64_t *ids,
                                  Py_ssize_t count, const int64_t *stale, Py_ssize_t stale_count, Py_ssize_t vocabulary,
                                  Py_ssize_t D) noexcept nogil

cdef enum:
    MAX_NDIM = 64


cdef int shape_of_rows(ndarray ids, Py_ssize_t D, npy_intp *shape) except -1:
    """Write the shape of one row of D numbers per id; return its rank."""
    cdef int ndim = PyArray_NDIM(ids), axis
    if ndim >= MAX_NDIM:
        raise ValueError(f"ids must have at most {MAX_NDIM - 1} axes. Received: {ndim} axes.")
    for axis in range(ndim):
        shape[axis] = PyArray_DIM(ids, axis)
    shape[ndim] = D
    return ndim + 1


def embedding_forward(ids, w, *, y=None):
    """Look ids up in a table, y[i] = w[ids[i]].

    Parameters
    ----------
    ids : array (…) of any integer dtype except uint64, each in [0, V)
    w : array (V, D), float32 or float64
    y : array (…, D), optional
        Where to write the result; must not share memory with the inputs.

    Returns
    -------
    array (…, D)

    Raises
    ------
    TypeError, ValueError
        If dtypes or ranks do not fit.
    IndexError
        If an id is not in the vocabulary; then nothing is written.

    References
    ----------
    Bengio et al., "A neural probabilistic language model", JMLR 3, 2003.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.embedding_forward([2, 0], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    array([[4., 5.],
           [0., 1.]])
    """
    cdef ndarray i = as_index(ids, "ids", ANY)
    cdef ndarray W = as_real(w, "w", 2)
    cdef npy_intp[MAX_NDIM] shape
    cdef Py_ssize_t V = PyArray_DIM(W, 0), D = PyArray_DIM(W, 1)
    cdef int dtype = PyArray_TYPE(W), ndim = shape_of_rows(i, D, shape), status
    cdef ndarray Y = output(y, "y", ndim, shape, dtype)
    if y is not None:
        apart(Y, i, "y", "ids")
        apart(Y, W, "y", "w")
    cdef embedding_kernels *kernels = <embedding_kernels *> table(dtype)
    with nogil:
        status = kernels.embedding_forward(PyArray_DATA(Y), <const int64_t *> PyArray_DATA(i), PyArray_DATA(W), PyArray_SIZE(i),
                                           V, D)
    if status == FNN_BAD_INDEX:
        checks.index("ids", i, V, PyArray_NDIM(i))  # names the first invalid id
    check(status)
    return Y


def embedding_backward(dy, ids, vocabulary, stale=None, *, dw=None):
    """Gradient of the table, dw[id] = Σ dy[i] over the positions i with ids[i] = id, added in the order of i.

    Parameters
    ----------
    dy : array (…, D), float32 or float64
    ids : array (…) of any integer dtype except uint64, each in [0, vocabulary)
    vocabulary : int
        V, the number of rows of the table.
    stale : array (S,) of integers, optional
        The rows of the given `dw` that may be nonzero: `rows` of the previous call.  Only these are cleared, so rows
        without ids cost nothing.  None clears all rows.
    dw : array (V, D), optional
        Where to write the result; must not share memory with the inputs.

    Returns
    -------
    dw : array (V, D)
    rows : int64 array
        The distinct ids, ascending: the only rows of `dw` that may be nonzero.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If an id or a stale row is not in the vocabulary; then nothing is written.

    Examples
    --------
    >>> from fastnn import kernels
    >>> dw, rows = kernels.embedding_backward([[1.0], [2.0], [4.0]], [2, 0, 2], 3)
    >>> dw.ravel(), rows
    (array([2., 0., 5.]), array([0, 2]))
    """
    cdef ndarray i = as_index(ids, "ids", ANY)
    cdef ndarray DY = as_real(dy, "dy", PyArray_NDIM(i) + 1)
    cdef int dtype = PyArray_TYPE(DY), axis, status
    cdef npy_intp[MAX_NDIM] shape
    cdef Py_ssize_t V = checks.count("vocabulary", vocabulary), D = PyArray_DIM(DY, PyArray_NDIM(i)), found = 0
    as_real_shaped(DY, "dy", shape_of_rows(i, D, shape), shape, dtype)
    cdef ndarray old = None if stale is None else as_index(stale, "stale", 1)
    if dw is None and old is not None:
        checks.index("stale", old, V)
        old = None  # a new array is cleared completely
    cdef npy_intp[2] table_shape = [V, D]
    cdef ndarray DW = output(dw, "dw", 2, table_shape, dtype)
    all_apart(((dw, DW, "dw"),), (("dy", DY), ("ids", i), ("stale", old)))
    cdef npy_intp count = PyArray_SIZE(i)
    cdef npy_intp most = min(count, V)
    cdef ndarray rows = PyArray_EMPTY(1, &most, NPY_INT64, 0)  # not from the workspace: the next call reads them as stale
    cdef embedding_kernels *kernels = <embedding_kernels *> table(dtype)
    cdef const int64_t *from_old = <const int64_t *> data(old)
    cdef Py_ssize_t old_count = 0 if old is None else PyArray_SIZE(old)
    with nogil:
        status = kernels.embedding_backward(
            PyArray_DATA(DW), <int64_t *> PyArray_DATA(rows), &found, PyArray_DATA(DY), <const int64_t *> PyArray_DATA(i), count,
            from_old, old_count, V, D)
    if status == FNN_BAD_INDEX:
        checks.index("ids", i, V, PyArray_NDIM(i))  # names the first invalid id
        if old is not None:
            checks.index("stale", old, V)
    check(status)
    return DW, rows[:found]
