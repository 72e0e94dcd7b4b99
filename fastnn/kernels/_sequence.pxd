"""Shared by the recurrent wrappers: the arguments that all of them have, checked once, and the struct that C reads."""
from libc.stdint cimport uint8_t
from fastnn.kernels._numpy cimport ndarray, npy_intp

cdef extern from "fnn.h":
    ctypedef struct fnn_sequence "struct fnn_sequence":
        Py_ssize_t B, T, D, U, O
        int activation, other_activation, go_backwards, reset_after
        const uint8_t *mask
        const void *x_factors
        const void *h_factors
        Py_ssize_t x_sets

# Refuse a backward call that lacks results (name, array) of its forward kernel.
cdef int needed(str forward, tuple results) except -1

cdef class Sequence:
    cdef fnn_sequence s
    cdef int dtype
    cdef ndarray x, w, u, mask, x_factors, h_factors
    cdef npy_intp[2] w_shape, u_shape, state  # the state that is fed back: (B, U), or (B, O) of the output

    # x, w, u, and the arguments shared by both directions.  `other`: the activation of the gates or of the output, or
    # None, and its name.  `output_feeds_back`: u has one row per output instead of one per unit.
    cdef int read(self, object x, object w, object u, int gates, bint output_feeds_back, object mask, object activation,
                  object other, str other_name, object x_dropout, object h_dropout, bint go_backwards) except -1

    # An optional array with 1, 2 or 3 dimensions and the dtype of x.
    cdef ndarray vector(self, object b, str name, npy_intp n)
    cdef ndarray of_state(self, object a, str name)
    cdef ndarray of_steps(self, object a, str name, npy_intp width)

    # Outputs: n numbers, a state, `width` numbers at every step.  None if not needed.
    cdef ndarray vector_output(self, object given, str name, npy_intp n, bint needed)
    cdef ndarray state_output(self, object given, str name, bint needed)
    cdef ndarray steps_output(self, object given, str name, npy_intp width, bint needed)

    # Refuse outputs (given, array, name) that share memory with x, w, u, mask, the factors or further inputs (name,
    # array).
    cdef int outputs_apart(self, tuple outputs, tuple inputs) except -1
