"""The arguments of an optimizer step: arrays that are updated in place, row numbers, and hyperparameters."""
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport ndarray

cdef extern from "fnn.h":
    ctypedef struct fnn_rows "struct fnn_rows":
        const int64_t *index
        Py_ssize_t count, total, width

# The rows of the table w that a step updates, for C; None: all.  The returned array owns the memory.
cdef ndarray read_rows(fnn_rows *to, object rows, object table)

# Whether all are flat arrays (tables, if there are rows) of one shape and one real dtype that do not overlap, and all
# but g are writeable.
cdef bint alike(ndarray rows, object w, object g, object a=*, object b=*, object c=*) noexcept

# Raise the error that a status stands for.
cdef int check_rows(int status, object rows, ndarray w) except -1

cdef int not_negative(str name, double value) except -1
cdef int rates(double learning_rate, double epsilon, double weight_decay) except -1
cdef int betas(double beta_1, double beta_2) except -1
cdef Py_ssize_t step_number(object step) except -1
