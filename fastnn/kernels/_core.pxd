"""Cimported by every family wrapper: the kernel tables, and arrays in and out.

A wrapper has no loops.  It reads its inputs with ``as_real`` or ``as_index``, gets its outputs from ``output``, calls
``table(dtype).<kernel>`` without the GIL and passes the status to ``check``.
"""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_NBYTES, ndarray, npy_intp

cdef extern from "fnn.h":
    enum: FNN_OK, FNN_AUTO, FNN_DENSE, FNN_SPARSE, FNN_DIRECT, FNN_IM2COL, FNN_WINOGRAD, FNN_LINEAR, FNN_RELU
    ctypedef struct fnn_kernels:
        pass

cdef enum:
    ANY = -1

# The table of the chosen tier for NPY_FLOAT32 or NPY_FLOAT64.
cdef const fnn_kernels *table(int dtype) noexcept nogil

# x as a C-contiguous native real array with `ndim` dimensions (ANY: any) and dtype (ANY: float32 or float64).
cdef ndarray as_real(object x, str name, int ndim, int dtype=*)

# Like as_real, of exactly this shape.
cdef ndarray as_real_shaped(object x, str name, int ndim, const npy_intp *shape, int dtype)

# x as a C-contiguous int64 array with `ndim` dimensions.
cdef ndarray as_index(object x, str name, int ndim)

# A real array with a last axis of at least one entry.
cdef ndarray rows_with_channels(object x, str name)

# The array to write a result into: `given` if the caller passed one (checked), else one of the active workspace, else
# new.
cdef ndarray output(object given, str name, int ndim, const npy_intp *shape, int dtype)

# Address of the first element of an array; NULL for None.
cdef inline void *data(ndarray a) noexcept nogil:
    return NULL if a is None else PyArray_DATA(a)

# Where the numbers of several arrays start, as C reads it (NULL for None), and a size for each.
cdef class Pointers:
    cdef void **first
    cdef Py_ssize_t *sizes
    cdef Py_ssize_t count

# Whether two arrays share memory; None shares memory with nothing.
cdef inline bint overlap(ndarray x, ndarray y) noexcept:
    if x is None or y is None:
        return False
    cdef char *a = <char *> PyArray_DATA(x)
    cdef char *b = <char *> PyArray_DATA(y)
    return a < b + PyArray_NBYTES(y) and b < a + PyArray_NBYTES(x)

# Refuse an output that shares memory with an input.
cdef int apart(ndarray out, ndarray x, str out_name, str x_name) except -1

# The same for elementwise kernels, where the output may be the input itself.
cdef int same_or_apart(ndarray out, ndarray x, str out_name, str x_name) except -1

# Refuse outputs (given, array, name) that share memory with an input (name, array) or with one another.  Outputs that were not given, and
# None, never do.
cdef int all_apart(tuple outputs, tuple inputs) except -1

# A float in [low, high].
cdef double as_number(object value, str name, object low, object high) except? -1

# The C code of a name: its value in `codes`.
cdef int code_of(str what, object name, dict codes) except -1

# The C code of an activation's name.
cdef int activation_code(object name, bint fusible) except -1

# The same for the argument `what`, an activation whose derivative follows from its output.
cdef int fusible_code(str what, object name) except -1

# Raise the error that a status stands for: MemoryError or IndexError.
cdef int check(int status) except -1
