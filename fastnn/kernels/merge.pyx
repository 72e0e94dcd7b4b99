"""Several arrays in one pass: merged elementwise, or joined (C: src_c/merge.c, twin: fastnn/reference/merge.py)."""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from numpy cimport PyArray_DATA, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport ANY, apart, as_real, as_real_shaped, check, code_of, data, output, same_or_apart, table

from fastnn import checks
from fastnn.shapes import concatenated_shape, section_lengths

import_array()

__all__ = ["concatenate_backward", "concatenate_forward", "merge_backward", "merge_forward"]

cdef extern from "fnn.h":
    enum: FNN_ADD, FNN_SUBTRACT, FNN_MULTIPLY, FNN_AVERAGE, FNN_MAXIMUM, FNN_MINIMUM
    ctypedef struct merge_kernels "const fnn_kernels":
        int (*merge_forward)(void *y, const void *const *x, Py_ssize_t count, Py_ssize_t n, int mode) noexcept nogil
        int (*merge_backward)(void *const *dx, const void *dy, const void *const *x, Py_ssize_t count, Py_ssize_t n,
                              int mode) noexcept nogil
        int (*concatenate_forward)(void *y, const void *const *x, const Py_ssize_t *widths, Py_ssize_t count,
                                   Py_ssize_t rows) noexcept nogil
        int (*concatenate_backward)(void *const *dx, const void *dy, const Py_ssize_t *widths, Py_ssize_t count,
                                    Py_ssize_t rows) noexcept nogil

cdef dict MODES = {"add": FNN_ADD, "subtract": FNN_SUBTRACT, "multiply": FNN_MULTIPLY, "average": FNN_AVERAGE,
                   "maximum": FNN_MAXIMUM, "minimum": FNN_MINIMUM}
cdef enum:
    MAX_NDIM = 64

# ---- lists of arrays ----

cdef class Pointers:
    """Where the numbers of several arrays start, as C reads it, and a size for each."""
    cdef void **first
    cdef Py_ssize_t *sizes
    cdef Py_ssize_t count

    def __cinit__(self, list arrays):
        self.count = len(arrays)
        self.first = <void **> PyMem_Malloc(self.count * (sizeof(void *) + sizeof(Py_ssize_t)))
        if self.first == NULL:
            raise MemoryError()
        self.sizes = <Py_ssize_t *> (self.first + self.count)
        for i in range(self.count):
            self.first[i] = data(arrays[i])

    def __dealloc__(self):
        PyMem_Free(self.first)


cdef int merge_mode(object mode, object arrays) except -1:
    cdef int code = code_of("mode", mode, MODES)
    cdef Py_ssize_t count = checks.how_many("arrays", arrays)
    if code == FNN_SUBTRACT and count != 2:
        raise ValueError(f"subtract takes two arrays. Received: {count}.")
    return code


cdef list read_alike(object arrays, ndarray like):
    """The arrays, of the shape and dtype of `like`, or of the first one."""
    cdef list read = []
    for i, array in enumerate(arrays):
        if like is None:
            like = as_real(array, "arrays[0]", ANY)
            read.append(like)
        else:
            read.append(as_real_shaped(array, f"arrays[{i}]", PyArray_NDIM(like), PyArray_DIMS(like), PyArray_TYPE(like)))
    return read


cdef list results(object given, list shapes, int dtype, list wanted, list inputs):
    """The arrays to write dx into, None for those not wanted."""
    cdef list made = []
    cdef npy_intp shape[MAX_NDIM]
    cdef ndarray out
    if given is not None and checks.how_many("dx", given) != len(shapes):
        raise ValueError(f"dx has an entry for each of {len(shapes)} arrays. Received: {len(given)}.")
    for i in range(len(shapes)):
        if not wanted[i]:
            made.append(None)
            continue
        for axis, size in enumerate(shapes[i]):
            shape[axis] = size
        name = f"dx[{i}]"
        out = output(None if given is None else given[i], name, len(shapes[i]), shape, dtype)
        if given is not None:
            for other in inputs:
                apart(out, other, name, "an input")
            for j, other in enumerate(made):
                apart(out, other, name, f"dx[{j}]")
        made.append(out)
    return made

# ---- merged ----

def merge_forward(arrays, mode, *, y=None):
    """Merge arrays of one shape elementwise, from the first to the last.

    add Σ xᵢ · subtract x₀ − x₁ · multiply Π xᵢ · average Σ xᵢ / n · maximum max xᵢ · minimum min xᵢ.  A NaN in any of them
    is NaN in y.

    Parameters
    ----------
    arrays : list of n ≥ 1 arrays of one shape; two for subtract
    mode : {"add", "subtract", "multiply", "average", "maximum", "minimum"}
    y : array of that shape, optional
        Where to write; one of `arrays` is fine.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the number of arrays or the mode do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.merge_forward([[1.0, 5.0], [3.0, 2.0]], "add"), kernels.merge_forward([[1.0, 5.0], [3.0, 2.0]], "maximum")
    (array([4., 7.]), array([3., 5.]))
    """
    cdef int code = merge_mode(mode, arrays), status
    cdef list read = read_alike(arrays, None)
    cdef ndarray first = read[0], out
    out = output(y, "y", PyArray_NDIM(first), PyArray_DIMS(first), PyArray_TYPE(first))
    if y is not None:
        for i, array in enumerate(read):
            same_or_apart(out, array, "y", f"arrays[{i}]")
    cdef Pointers x = Pointers(read)
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(first))
    with nogil:
        status = tier.merge_forward(PyArray_DATA(out), <const void *const *> x.first, x.count, PyArray_SIZE(first), code)
    check(status)
    return out


def merge_backward(dy, arrays, mode, *, need_dx=True, dx=None):
    """Gradients of ``merge_forward``, one for each array.

    add dy · subtract dy, −dy · multiply dxᵢ = dy · Π_{j≠i} xⱼ · average dy / n · maximum and minimum: dy goes to the first of
    the arrays that holds the extreme (a NaN counts as one), 0 to the others.

    Parameters
    ----------
    dy : array of the shape of y
    arrays, mode
        Those of the forward kernel.  Of add, subtract and average the values are not read.
    need_dx : bool, or a bool for each array
        Which gradients to compute; the others are None.
    dx : list of arrays of that shape, or None where not needed; optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, numbers of arrays or the mode do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.merge_backward([1.0, 1.0], [[1.0, 5.0], [3.0, 2.0]], "multiply")
    [array([3., 2.]), array([1., 5.])]
    """
    cdef int code = merge_mode(mode, arrays), status
    cdef ndarray gradient = as_real(dy, "dy", ANY)
    cdef list read = read_alike(arrays, gradient)
    cdef list wanted = checks.needed("need_dx", need_dx, len(read))
    cdef list made = results(dx, [(<object> gradient).shape] * len(read), PyArray_TYPE(gradient), wanted, [gradient, *read])
    cdef Pointers x = Pointers(read), out = Pointers(made)
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(gradient))
    with nogil:
        status = tier.merge_backward(out.first, PyArray_DATA(gradient), <const void *const *> x.first, x.count,
                                     PyArray_SIZE(gradient), code)
    check(status)
    return made

# ---- joined ----

cdef Py_ssize_t product(tuple sizes) noexcept:
    cdef Py_ssize_t total = 1
    for size in sizes:
        total *= size
    return total


def concatenate_forward(arrays, axis=-1, *, y=None):
    """Join arrays end to end along one axis.

    Parameters
    ----------
    arrays : list of n ≥ 1 arrays, of one shape but for `axis`
    axis : int
    y : array, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the axis do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.concatenate_forward([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]])
    """
    cdef Py_ssize_t count = checks.how_many("arrays", arrays), i, rows
    cdef ndarray first = as_real(arrays[0], "arrays[0]", ANY), out
    cdef list read = [first] + [as_real(arrays[i], f"arrays[{i}]", ANY, PyArray_TYPE(first)) for i in range(1, count)]
    cdef tuple whole = concatenated_shape([array.shape for array in read], axis)
    cdef Py_ssize_t at = axis % len(whole), inner = product(whole[at + 1:])
    cdef npy_intp shape[MAX_NDIM]
    for i in range(len(whole)):
        shape[i] = whole[i]
    out = output(y, "y", len(whole), shape, PyArray_TYPE(first))
    if y is not None:
        for i in range(count):
            apart(out, read[i], "y", f"arrays[{i}]")
    cdef Pointers x = Pointers(read)
    for i in range(count):
        x.sizes[i] = PyArray_DIMS(read[i])[at] * inner
    rows = product(whole[:at])
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(first))
    cdef int status
    with nogil:
        status = tier.concatenate_forward(PyArray_DATA(out), <const void *const *> x.first, x.sizes, x.count, rows)
    check(status)
    return out


def concatenate_backward(dy, sizes, axis=-1, *, need_dx=True, dx=None):
    """Cut an array into pieces along one axis: the gradients of ``concatenate_forward``.

    Parameters
    ----------
    dy : array
    sizes : list of int
        Length of each piece on `axis`; together that of dy.
    axis : int
    need_dx : bool, or a bool for each piece
        Which pieces to make; the others are None.
    dx : list of arrays, or None where not needed; optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, sizes or the axis do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.concatenate_backward([[1.0, 2.0, 3.0]], [2, 1])
    [array([[1., 2.]]), array([[3.]])]
    """
    cdef ndarray gradient = as_real(dy, "dy", ANY)
    cdef tuple whole = (<object> gradient).shape, lengths
    cdef Py_ssize_t at, rows, inner, i
    at, lengths = section_lengths(whole, sizes, axis)
    cdef list wanted = checks.needed("need_dx", need_dx, len(lengths))
    cdef list shapes = [(*whole[:at], length, *whole[at + 1:]) for length in lengths]
    cdef list made = results(dx, shapes, PyArray_TYPE(gradient), wanted, [gradient])
    cdef Pointers out = Pointers(made)
    rows, inner = product(whole[:at]), product(whole[at + 1:])
    for i in range(out.count):
        out.sizes[i] = lengths[i] * inner
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(gradient))
    cdef int status
    with nogil:
        status = tier.concatenate_backward(out.first, PyArray_DATA(gradient), out.sizes, out.count, rows)
    check(status)
    return made
