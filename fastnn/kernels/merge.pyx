"""Several arrays in one pass: merged elementwise, or joined (C: src_c/merge.c, twin: fastnn/reference/merge.py)."""
from libc.string cimport memcpy

from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport (
    ANY, Pointers, apart, as_real, as_real_shaped, check, code_of, output, same_or_apart, table)

from fastnn import checks
from fastnn.shapes import axis_of, concatenated_shape, section_lengths

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

cdef int merge_mode(object mode, object arrays) except -1:
    cdef int code = code_of("mode", mode, MODES)
    cdef Py_ssize_t count = checks.how_many("arrays", arrays)
    if code == FNN_SUBTRACT and count != 2:
        raise ValueError(f"subtract takes two arrays. Received: {count}.")
    return code


cdef list INPUTS = [f"arrays[{i}]" for i in range(16)], RESULTS = [f"dx[{i}]" for i in range(16)]


cdef str name_of(list names, Py_ssize_t i):
    """arrays[i] or dx[i]; the usual names are ready-made."""
    return <str> names[i] if i < len(names) else f"{names[0][:-3]}[{i}]"


cdef list read_alike(object arrays, ndarray like):
    """The arrays, of the shape and dtype of `like`, or of the first one."""
    cdef list read = []
    cdef Py_ssize_t i = 0
    for array in arrays:
        if like is None:
            like = as_real(array, "arrays[0]", ANY)
            read.append(like)
        else:
            read.append(as_real_shaped(array, name_of(INPUTS, i), PyArray_NDIM(like), PyArray_DIMS(like), PyArray_TYPE(like)))
        i += 1
    return read


cdef list needed(object need_dx, Py_ssize_t count):
    return [True] * count if need_dx is True else checks.needed("need_dx", need_dx, count)


cdef list results(object given, ndarray like, int axis, tuple lengths, list wanted, list inputs):
    """The arrays to write dx into, of the shape of `like` but for the lengths on one axis (ANY: none); None if not wanted."""
    cdef list made = []
    cdef npy_intp shape[MAX_NDIM]
    cdef int ndim = PyArray_NDIM(like)
    cdef Py_ssize_t i, count = len(wanted)
    cdef ndarray out
    if ndim:  # else there are no dimensions to point at, and memcpy takes no NULL
        memcpy(shape, PyArray_DIMS(like), ndim * sizeof(npy_intp))
    if given is not None and checks.how_many("dx", given) != count:
        raise ValueError(f"dx must have an entry for each of {count} arrays. Received: {len(given)}.")
    for i in range(count):
        out = None
        if wanted[i]:
            if axis != ANY:
                shape[axis] = lengths[i]
            out = output(None if given is None else given[i], name_of(RESULTS, i), ndim, shape, PyArray_TYPE(like))
        if given is not None and out is not None:
            for other in inputs:
                apart(out, other, name_of(RESULTS, i), "an input")
            for other in made:
                apart(out, other, name_of(RESULTS, i), "another dx")
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
        for array in read:
            same_or_apart(out, array, "y", "one of the arrays")
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
    cdef list wanted = needed(need_dx, len(read))
    cdef list made = results(dx, gradient, ANY, None, wanted, None if dx is None else [gradient, *read])
    cdef Pointers x = Pointers(read), out = Pointers(made)
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(gradient))
    with nogil:
        status = tier.merge_backward(out.first, PyArray_DATA(gradient), <const void *const *> x.first, x.count,
                                     PyArray_SIZE(gradient), code)
    check(status)
    return made

# ---- joined ----

cdef Py_ssize_t product(const npy_intp *sizes, int count) noexcept:
    cdef Py_ssize_t total = 1
    cdef int i
    for i in range(count):
        total *= sizes[i]
    return total


cdef bint joinable(ndarray x, ndarray other, int at) noexcept:
    """Whether two arrays have one shape but for the axis."""
    cdef int i
    if PyArray_NDIM(x) != PyArray_NDIM(other):
        return False
    for i in range(PyArray_NDIM(x)):
        if i != at and PyArray_DIMS(x)[i] != PyArray_DIMS(other)[i]:
            return False
    return True


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
    cdef Py_ssize_t count = checks.how_many("arrays", arrays), i, rows, inner
    cdef ndarray first = as_real(arrays[0], "arrays[0]", ANY), out
    cdef list read = [first] + [as_real(arrays[i], name_of(INPUTS, i), ANY, PyArray_TYPE(first)) for i in range(1, count)]
    cdef int ndim = PyArray_NDIM(first), at = axis_of(axis, ndim)
    cdef Pointers x = Pointers(read)
    cdef npy_intp shape[MAX_NDIM]
    memcpy(shape, PyArray_DIMS(first), ndim * sizeof(npy_intp))
    inner, rows = product(shape + at + 1, ndim - at - 1), product(shape, at)
    for i in range(count):
        if not joinable(first, read[i], at):
            concatenated_shape([array.shape for array in read], axis)  # says which one
        x.sizes[i] = PyArray_DIMS(read[i])[at] * inner
        shape[at] += PyArray_DIMS(read[i])[at] if i else 0
    out = output(y, "y", ndim, shape, PyArray_TYPE(first))
    if y is not None:
        for i in range(count):
            apart(out, read[i], "y", name_of(INPUTS, i))
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
    cdef int at, ndim = PyArray_NDIM(gradient)
    cdef Py_ssize_t rows, inner, i
    cdef tuple lengths
    at, lengths = section_lengths((<object> gradient).shape, sizes, axis)
    cdef list wanted = needed(need_dx, len(lengths))
    cdef list made = results(dx, gradient, at, lengths, wanted, [gradient])
    cdef Pointers out = Pointers(made)
    rows, inner = product(PyArray_DIMS(gradient), at), product(PyArray_DIMS(gradient) + at + 1, ndim - at - 1)
    for i in range(out.count):
        out.sizes[i] = lengths[i] * inner
    cdef merge_kernels *tier = <merge_kernels *> table(PyArray_TYPE(gradient))
    cdef int status
    with nogil:
        status = tier.concatenate_backward(out.first, PyArray_DATA(gradient), out.sizes, out.count, rows)
    check(status)
    return made
