"""What every family wrapper cimports: the tables of kernels, and arrays in and out.

A wrapper has no loops.  It reads its inputs with ``as_real`` or ``as_index``, gets its outputs from ``output``, calls
``table(dtype).<kernel>`` without the GIL and hands the status to ``check``.
"""
from numpy cimport PyArray_DATA, PyArray_NBYTES, ndarray, npy_intp

cdef extern from "fnn.h":
    enum: FNN_OK, FNN_AUTO, FNN_DENSE, FNN_SPARSE, FNN_DIRECT, FNN_IM2COL, FNN_LINEAR, FNN_RELU
    ctypedef struct fnn_kernels:
        pass

cdef enum:
    ANY = -1

# The table of the chosen tier for NPY_FLOAT32 or NPY_FLOAT64.
cdef const fnn_kernels *table(int dtype) noexcept nogil

# x as a C-contiguous native real array of `ndim` dimensions (ANY: any) and dtype (ANY: float32 or float64).
cdef ndarray as_real(object x, str name, int ndim, int dtype=*)

# Like as_real, of exactly this shape.
cdef ndarray as_real_shaped(object x, str name, int ndim, const npy_intp *shape, int dtype)

# x as a C-contiguous int64 array of `ndim` dimensions.
cdef ndarray as_index(object x, str name, int ndim)

# The array to write a result into: `given` if the caller gave one (checked), else one of the active workspace, else new.
cdef ndarray output(object given, str name, int ndim, const npy_intp *shape, int dtype)

# Where the numbers of an array start; NULL for None.
cdef inline void *data(ndarray a) noexcept nogil:
    return NULL if a is None else PyArray_DATA(a)

# Whether two arrays share memory; None shares none.
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

# Refuse outputs (given, array, name) that share memory with an input (name, array).  What was not given, or is None, is apart.
cdef int all_apart(tuple outputs, tuple inputs) except -1

# A float in [low, high].
cdef double as_number(object value, str name, object low, object high) except? -1

# The C code of a name: the value of `codes` under it.
cdef int code_of(str what, object name, dict codes) except -1

# The C code of an activation's name.
cdef int activation_code(object name, bint fusible) except -1

# The same for the argument `what`, of an activation whose slope can be read off its output.
cdef int fusible_code(str what, object name) except -1

# Raise what a status says: MemoryError, IndexError.
cdef int check(int status) except -1
