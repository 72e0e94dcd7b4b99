"""Shared by the recurrent wrappers: the arguments that all of them have, checked once, and the struct that C reads."""
from libc.stdint cimport uint8_t
from fastnn.kernels._numpy cimport (
    NPY_BOOL, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_TYPE, import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport all_apart, as_real, as_real_shaped, data, fusible_code, output

from fastnn import checks

import_array()


cdef ndarray as_mask(object mask, Py_ssize_t B, Py_ssize_t T):
    """Return mask as a C-contiguous bool array (B, T), whose bytes are 0 and 1."""
    cdef ndarray a
    if type(mask) is ndarray:
        a = <ndarray> mask
        if (PyArray_TYPE(a) == NPY_BOOL and PyArray_ISCARRAY_RO(a) and PyArray_NDIM(a) == 2 and PyArray_DIM(a, 0) == B
                and PyArray_DIM(a, 1) == T):
            return a
    return checks.mask("mask", mask, (B, T))


cdef ndarray as_factors(object factors, str name, int gates, bint one_will_do, Py_ssize_t B, Py_ssize_t width, int dtype):
    """Return dropout factors as a contiguous array (sets, B, width), with one set per gate, or one for all gates."""
    cdef ndarray a = as_real(factors, name, 3, dtype)
    cdef Py_ssize_t sets = PyArray_DIM(a, 0)
    if not (sets == gates or (one_will_do and sets == 1)) or PyArray_DIM(a, 1) != B or PyArray_DIM(a, 2) != width:
        either = f"{(1, B, width)} or " if one_will_do and gates > 1 else ""
        raise ValueError(f"{name} must hold the factors of each row for all steps, shape {either}{(gates, B, width)}. "
                         f"Received: shape {(<object> a).shape}.")
    return a


cdef int needed(str forward, tuple results) except -1:
    for name, array in results:
        if array is None:
            raise ValueError(f"The gradients are computed from {name}. Received: {name}=None. Use {name} of {forward}.")
    return 0


cdef class Sequence:
    """The checked arguments of one call; it owns the arrays that the struct points to."""

    cdef int read(self, object x, object w, object u, int gates, bint output_feeds_back, object mask, object activation,
                  object other, str other_name, object x_dropout, object h_dropout, bint go_backwards) except -1:
        cdef fnn_sequence *s = &self.s
        self.x = as_real(x, "x", 3)
        self.dtype = PyArray_TYPE(self.x)
        self.w = as_real(w, "w", 2, self.dtype)
        self.u = as_real(u, "u", 2, self.dtype)
        cdef Py_ssize_t width = PyArray_DIM(self.u, 1), fed = PyArray_DIM(self.u, 0)
        s.B, s.T, s.D = PyArray_DIM(self.x, 0), PyArray_DIM(self.x, 1), PyArray_DIM(self.x, 2)
        s.U = width if output_feeds_back else fed
        s.O = fed
        if width != gates * s.U:
            raise ValueError(f"u must have one row and {gates} columns per unit, (U, {gates}·U). "
                             f"Received: shape {(<object> self.u).shape}.")
        if PyArray_DIM(self.w, 0) != s.D or PyArray_DIM(self.w, 1) != width:
            raise ValueError(f"w must have one row per feature of x and the columns of u, "
                             f"(D, {'' if gates == 1 else f'{gates}·'}U) = "
                             f"{(s.D, width)}. Received: x {(<object> self.x).shape}, w {(<object> self.w).shape}, "
                             f"u {(<object> self.u).shape}.")
        self.w_shape = [s.D, width]
        self.u_shape = [fed, width]
        self.state = [s.B, fed]
        self.mask = None if mask is None else as_mask(mask, s.B, s.T)
        self.x_factors = None if x_dropout is None else as_factors(x_dropout, "x_dropout", gates, True, s.B, s.D, self.dtype)
        self.h_factors = None if h_dropout is None else as_factors(h_dropout, "h_dropout", gates, False, s.B, fed, self.dtype)
        s.mask = <const uint8_t *> data(self.mask)
        s.x_factors = data(self.x_factors)
        s.h_factors = data(self.h_factors)
        s.x_sets = 0 if self.x_factors is None else PyArray_DIM(self.x_factors, 0)
        s.activation = fusible_code("activation", activation)
        s.other_activation = 0 if not other_name else fusible_code(other_name, other)
        s.go_backwards = go_backwards
        s.reset_after = 0
        return 0

    cdef ndarray vector(self, object b, str name, npy_intp n):
        return None if b is None else as_real_shaped(b, name, 1, &n, self.dtype)

    cdef ndarray of_state(self, object a, str name):
        return None if a is None else as_real_shaped(a, name, 2, self.state, self.dtype)

    cdef ndarray of_steps(self, object a, str name, npy_intp width):
        cdef npy_intp[3] shape = [self.s.B, self.s.T, width]
        return None if a is None else as_real_shaped(a, name, 3, shape, self.dtype)

    cdef ndarray vector_output(self, object given, str name, npy_intp n, bint needed):
        return output(given, name, 1, &n, self.dtype) if needed else None

    cdef ndarray state_output(self, object given, str name, bint needed):
        return output(given, name, 2, self.state, self.dtype) if needed else None

    cdef ndarray steps_output(self, object given, str name, npy_intp width, bint needed):
        cdef npy_intp[3] shape = [self.s.B, self.s.T, width]
        return output(given, name, 3, shape, self.dtype) if needed else None

    cdef int outputs_apart(self, tuple outputs, tuple inputs) except -1:
        all_apart(outputs, (("x", self.x), ("w", self.w), ("u", self.u), ("mask", self.mask), ("x_dropout", self.x_factors),
                            ("h_dropout", self.h_factors)))
        return all_apart(outputs, inputs)
