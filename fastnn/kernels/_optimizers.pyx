"""The arguments of an optimizer step: arrays that are updated in place, row numbers, and hyperparameters."""
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport (
    NPY_FLOAT32, NPY_FLOAT64, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_SIZE,
    PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport as_index, check, overlap

from fastnn import checks

import_array()

cdef extern from "fnn.h":
    enum: FNN_BAD_INDEX


cdef ndarray read_rows(fnn_rows *to, object rows, object table):
    cdef ndarray index = None, w
    to.index = NULL
    if rows is not None:
        index = as_index(rows, "rows", 1)
        to.index = <const int64_t *> PyArray_DATA(index)
        to.count = PyArray_SIZE(index)
        if not isinstance(table, ndarray):  # which `alike` refuses
            return index
        w = <ndarray> table
        to.total = PyArray_DIM(w, 0) if PyArray_NDIM(w) == 2 else 0
        to.width = PyArray_DIM(w, 1) if PyArray_NDIM(w) == 2 else 0
    return index


cdef bint fits(ndarray x, ndarray w, int ndim, bint writeable) noexcept:
    """Return whether x is an array like w, with ndim dimensions, that the kernels can read or update."""
    return x is None or (
        PyArray_NDIM(x) == ndim and PyArray_TYPE(x) == PyArray_TYPE(w) and PyArray_DIM(x, 0) == PyArray_DIM(w, 0)
        and (ndim == 1 or PyArray_DIM(x, 1) == PyArray_DIM(w, 1))
        and (PyArray_ISCARRAY(x) if writeable else PyArray_ISCARRAY_RO(x)))


cdef inline bint is_array(object x) noexcept:
    return x is None or isinstance(x, ndarray)


cdef bint alike(ndarray rows, object w, object g, object a=None, object b=None, object c=None) noexcept:
    return (
        isinstance(w, ndarray) and is_array(g) and is_array(a) and is_array(b) and is_array(c)
        and arrays_alike(rows, <ndarray> w, <ndarray> g, <ndarray> a, <ndarray> b, <ndarray> c))


cdef bint arrays_alike(ndarray rows, ndarray w, ndarray g, ndarray a, ndarray b, ndarray c) noexcept:
    cdef int ndim = 1 if rows is None else 2
    return (
        (PyArray_TYPE(w) == NPY_FLOAT32 or PyArray_TYPE(w) == NPY_FLOAT64)
        and fits(w, w, ndim, True) and fits(g, w, ndim, False) and fits(a, w, ndim, True) and fits(b, w, ndim, True)
        and fits(c, w, ndim, True)
        and not (overlap(w, g) or overlap(w, a) or overlap(w, b) or overlap(w, c) or overlap(g, a) or overlap(g, b)
                 or overlap(g, c) or overlap(a, b) or overlap(a, c) or overlap(b, c)
                 or overlap(rows, w) or overlap(rows, a) or overlap(rows, b) or overlap(rows, c)))


def refuse(rows, optional, **arrays):
    """Raise an error that says which array does not fit, and why."""
    checks.in_place(rows, optional=optional, **arrays)
    raise ValueError("The arrays of a step must be aligned and must not overlap rows. Received: an array at an odd "
                     "address, or one that overlaps rows. Use np.array(x) to copy it.")


cdef int check_rows(int status, object rows, ndarray w) except -1:
    if status == FNN_BAD_INDEX:
        checks.rows("rows", rows, PyArray_DIM(w, 0))  # names the first invalid row
    return check(status)


cdef int not_negative(str name, double value) except -1:
    if not value >= 0:
        checks.number(name, value, 0)
    return 0


cdef int rates(double learning_rate, double epsilon, double weight_decay) except -1:
    not_negative("learning_rate", learning_rate)
    not_negative("epsilon", epsilon)
    return not_negative("weight_decay", weight_decay)


cdef int betas(double beta_1, double beta_2) except -1:
    not_negative("beta_1", beta_1)
    return not_negative("beta_2", beta_2)


cdef Py_ssize_t step_number(object step) except -1:
    return checks.count("step", step, 1)
