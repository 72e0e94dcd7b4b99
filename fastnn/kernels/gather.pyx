"""Rows of the user's array, gathered and cast in one pass (C: src_c/gather.c, twin: fastnn/reference/gather.py)."""
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport (
    NPY_BOOL, NPY_FLOAT32, NPY_FLOAT64, PyArray_DATA, PyArray_DIM, PyArray_ISALIGNED, PyArray_ISNOTSWAPPED,
    PyArray_IS_C_CONTIGUOUS, PyArray_ITEMSIZE, PyArray_NDIM, PyArray_STRIDE, PyArray_TYPE, PyTypeNum_ISSIGNED, PyTypeNum_ISUNSIGNED,
    import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport apart, as_index, check, output, table

import numpy as np

from fastnn import checks

import_array()

__all__ = ["gather_rows"]

cdef extern from "fnn.h":
    enum: FNN_BAD_INDEX, FNN_UINT8, FNN_INT8, FNN_FLOAT32, FNN_FLOAT64
    ctypedef struct gather_kernels "const fnn_kernels":
        int (*gather_rows)(void *out, const void *source, int kind, const int64_t *index, Py_ssize_t count, Py_ssize_t rows,
                           Py_ssize_t width, Py_ssize_t stride) noexcept nogil

cdef enum:
    MAX_NDIM = 64


cdef int real_type(object dtype) except -1:
    """Return the NumPy type number of "float32" or "float64", in any form of dtype."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None) or str(dtype)
    if name == "float32":
        return NPY_FLOAT32
    checks.choice("dtype", name, ("float32", "float64"))
    return NPY_FLOAT64


cdef int source_kind(ndarray source) except -1:
    """Return the C code for the dtype of the source."""
    cdef int kind = PyArray_TYPE(source)
    cdef int size = <int> PyArray_ITEMSIZE(source)
    cdef int widening = 0 if size == 1 else 1 if size == 2 else 2 if size == 4 else 3
    if PyArray_ISNOTSWAPPED(source):
        if kind == NPY_BOOL or PyTypeNum_ISUNSIGNED(kind):
            return FNN_UINT8 + widening
        if PyTypeNum_ISSIGNED(kind):
            return FNN_INT8 + widening
        if kind == NPY_FLOAT32:
            return FNN_FLOAT32
        if kind == NPY_FLOAT64:
            return FNN_FLOAT64
    raise TypeError(
        "source must be bool, integer, float32 or float64 in native byte order. "
        f"Received: {source.dtype.str!r} ({source.dtype}). Use source.astype(np.float32).")


cdef bint rows_are_contiguous(ndarray source) noexcept:
    """Return whether C can read each row in place; the rows may be any distance apart."""
    cdef npy_intp expected = PyArray_ITEMSIZE(source)
    cdef int axis
    if not PyArray_ISALIGNED(source):
        return False
    for axis in range(PyArray_NDIM(source) - 1, 0, -1):
        if PyArray_DIM(source, axis) != 1 and PyArray_STRIDE(source, axis) != expected:
            return False
        expected *= PyArray_DIM(source, axis)
    return True


cdef int apart_from_source(ndarray out, ndarray source) except -1:
    if PyArray_IS_C_CONTIGUOUS(source):
        return apart(out, source, "out", "source")
    if np.may_share_memory(out, source):
        raise ValueError(
            "out= must not share memory with source. Received: the same memory. Omit out= to get a new array.")
    return 0


def gather_rows(source, index, dtype="float32", *, out=None):
    """Copy rows and cast them in the same pass, out[m] = source[index[m]] as `dtype`.

    The source is left unchanged: 60,000 uint8 images are never copied or converted all together.  Rows are read in
    place if each row is contiguous (with any stride between rows); with other layouts, the gathered rows are copied
    first.

    Parameters
    ----------
    source : array (rows, …) of bool, any integer dtype, float32 or float64
    index : array (M,) of any integer dtype except uint64, each in [0, rows)
    dtype : {"float32", "float64"}
    out : array (M, …) of `dtype`, optional
        Where to write the result.

    Returns
    -------
    out : array (M, …) of `dtype`

    Raises
    ------
    TypeError, ValueError
        If dtypes or ranks do not fit.
    IndexError
        If an index is out of range; then nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.gather_rows(np.array([[1, 2], [3, 4]], np.uint8), [1, 1, 0])
    array([[3., 4.],
           [3., 4.],
           [1., 2.]], dtype=float32)
    """
    cdef ndarray a = source if isinstance(source, ndarray) else checks.real("source", source)
    cdef int out_type = real_type(dtype), kind = source_kind(a), ndim = PyArray_NDIM(a), axis, status
    cdef npy_intp shape[MAX_NDIM]
    cdef npy_intp rows, width = 1
    cdef ndarray i, y
    if ndim < 1:
        raise ValueError("source must have at least one axis. Received: a single number.")
    i = as_index(index, "index", 1)
    rows = PyArray_DIM(a, 0)
    shape[0] = PyArray_DIM(i, 0)
    for axis in range(1, ndim):
        shape[axis] = PyArray_DIM(a, axis)
        width *= shape[axis]
    y = output(out, "out", ndim, shape, out_type)
    if out is not None:
        apart_from_source(y, a)
        apart(y, i, "out", "index")
    if not rows_are_contiguous(a):  # NumPy gathers the rows, then casts them
        i = checks.index("index", i, rows)
        with np.errstate(all="ignore"):
            y[...] = a[i]
        return y
    with nogil:
        status = (<gather_kernels *> table(out_type)).gather_rows(
            PyArray_DATA(y), PyArray_DATA(a), kind, <const int64_t *> PyArray_DATA(i), shape[0], rows, width, PyArray_STRIDE(a, 0))
    if status == FNN_BAD_INDEX:
        checks.index("index", i, rows)  # names the first invalid index
    check(status)
    return y
