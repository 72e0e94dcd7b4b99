"""Shared by the pooling functions: window positions (formulas: fastnn/shapes.py), and calls that serve several."""
from libc.stdint cimport INT32_MAX, int32_t
from fastnn.kernels._numpy cimport (
    NPY_INT32, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY_RO, PyArray_ISNOTSWAPPED, PyArray_NDIM, PyArray_TYPE, import_array,
    ndarray, npy_intp)

from fastnn.kernels._core cimport apart, as_real, as_real_shaped, check, output, table

import numpy as np

from fastnn import checks, shapes

import_array()

cdef extern from "fnn.h":
    enum: FNN_BAD_INDEX


cdef pooling_kernels *kernels(ndarray x) noexcept:
    return <pooling_kernels *> table(PyArray_TYPE(x))


# ---- windows ----

cdef int read_image(fnn_windows *g, const npy_intp *shape) except -1:
    """Read the sizes of a batch of images."""
    g.n, g.h, g.w, g.c = shape[0], shape[1], shape[2], shape[3]
    if g.h < 1 or g.w < 1 or g.c < 1:
        checks.image_shape("the shape (N, H, W, C)", (g.n, g.h, g.w, g.c))
    return 0


cdef int read_input_shape(fnn_windows *g, object input_shape) except -1:
    """Read the same sizes as given by the caller of a backward kernel."""
    cdef tuple sizes = checks.image_shape("input_shape", input_shape)
    g.n, g.h, g.w, g.c = sizes[0], sizes[1], sizes[2], sizes[3]
    return 0


cdef bint is_pair(object value) noexcept:
    """Return whether value is a tuple of two plain ints, which needs no conversion."""
    return type(value) is tuple and len(<tuple> value) == 2 and type((<tuple> value)[0]) is int and type((<tuple> value)[1]) is int


cdef inline Py_ssize_t padding_before(Py_ssize_t length, Py_ssize_t window, Py_ssize_t stride, Py_ssize_t outputs) noexcept:
    return max((outputs - 1) * stride + window - length, 0) // 2


cdef int read_windows(fnn_windows *g, object pool_size, object strides, object padding) except -1:
    """Read window, strides and padding, and compute the sizes that follow from them (formulas: fastnn.shapes)."""
    cdef tuple size = pool_size if is_pair(pool_size) else shapes.pair("pool_size", pool_size)
    cdef tuple steps = size if strides is None else strides if is_pair(strides) else shapes.pair("strides", strides)
    cdef bint same = padding == "same"
    try:
        g.ph, g.pw = size[0], size[1]
        g.sh, g.sw = steps[0], steps[1]
    except OverflowError:
        raise ValueError(
            f"pool_size and strides must be sizes in an image. Received: {pool_size=}, {strides=}.") from None
    if (g.ph < 1 or g.pw < 1 or g.sh < 1 or g.sw < 1 or not (same or padding == "valid")
            or not same and (g.ph > g.h or g.pw > g.w)):
        shapes.pool2d_output_shape((g.n, g.h, g.w, g.c), pool_size, strides, padding)  # raises the error
    if g.ph > INT32_MAX // g.pw:
        raise ValueError(f"A window can have at most 2**31 - 1 cells, the range of int32. Received: {g.ph} x {g.pw}.")
    g.oh = (g.h - 1) // g.sh + 1 if same else (g.h - g.ph) // g.sh + 1
    g.ow = (g.w - 1) // g.sw + 1 if same else (g.w - g.pw) // g.sw + 1
    g.top = padding_before(g.h, g.ph, g.sh, g.oh) if same else 0
    g.left = padding_before(g.w, g.pw, g.sw, g.ow) if same else 0
    return 0


cdef int whole_image(fnn_windows *g) except -1:
    """Use one window as large as the image, for global pooling."""
    g.ph, g.pw, g.sh, g.sw, g.top, g.left, g.oh, g.ow = g.h, g.w, 1, 1, 0, 0, 1, 1
    if g.ph > INT32_MAX // g.pw:
        raise ValueError(f"An image can have at most 2**31 - 1 pixels, the range of int32. Received: {g.ph} x {g.pw}.")
    return 0


cdef void output_shape(const fnn_windows *g, int ndim, npy_intp *shape) noexcept:
    """Write (N, OH, OW, C), or (N, C) for global pooling."""
    if ndim == 2:
        shape[0], shape[1] = g.n, g.c
    else:
        shape[0], shape[1], shape[2], shape[3] = g.n, g.oh, g.ow, g.c


# ---- arguments ----

cdef ndarray as_cells(object cells, str name, int ndim, const npy_intp *shape):
    """Check the int32 array that a forward kernel wrote."""
    cdef ndarray a
    if not isinstance(cells, ndarray) or PyArray_TYPE(<ndarray> cells) != NPY_INT32 or not PyArray_ISNOTSWAPPED(<ndarray> cells):
        raise TypeError(f"{name} must be the int32 array of the forward kernel. "
                        f"Received: {getattr(cells, 'dtype', type(cells))}.")
    a = <ndarray> cells
    checked = PyArray_NDIM(a) == ndim
    for axis in range(ndim):
        checked = checked and PyArray_DIM(a, axis) == shape[axis]
    if not checked:
        raise ValueError(f"{name} must have shape {tuple([shape[i] for i in range(ndim)])}. "
                         f"Received: shape {cells.shape}.")
    return a if PyArray_ISCARRAY_RO(a) else np.array(a, order="C")


cdef int check_cells(int status, str name, ndarray cells, const fnn_windows *g) except -1:
    if status == FNN_BAD_INDEX:
        raise IndexError(
            f"{name} must hold window cells, 0 to {g.ph * g.pw - 1}, that are inside the image. "
            f"Received: {cells.min()} to {cells.max()}. Use the shapes and options of the forward call that returned it.")
    return check(status)


# ---- calls ----

cdef tuple max_forward(ndarray x, fnn_windows *g, int ndim, object y, object argmax):
    cdef npy_intp shape[4]
    cdef int status
    output_shape(g, ndim, shape)
    cdef ndarray values = output(y, "y", ndim, shape, PyArray_TYPE(x))
    cdef ndarray cells = output(argmax, "argmax", ndim, shape, NPY_INT32)
    apart(values, x, "y", "x")
    apart(cells, x, "argmax", "x")
    apart(cells, values, "argmax", "y")
    cdef pooling_kernels *k = kernels(x)
    with nogil:
        status = k.max_pool2d_forward(PyArray_DATA(values), <int32_t *> PyArray_DATA(cells), PyArray_DATA(x), g)
    check(status)
    return values, cells


cdef ndarray scatter_to_selected(object dy, object selected, str name, fnn_windows *g, int ndim, object dx):
    """Return dy at the selected cells, zero elsewhere."""
    cdef npy_intp shape[4]
    cdef int status
    cdef ndarray gradient = as_real(dy, "dy", ndim)
    output_shape(g, ndim, shape)
    as_real_shaped(gradient, "dy", ndim, shape, PyArray_TYPE(gradient))
    cdef ndarray cells = as_cells(selected, name, ndim, shape)
    shape[0], shape[1], shape[2], shape[3] = g.n, g.h, g.w, g.c
    cdef ndarray result = output(dx, "dx", 4, shape, PyArray_TYPE(gradient))
    apart(result, gradient, "dx", "dy")
    apart(result, cells, "dx", name)
    cdef pooling_kernels *k = kernels(gradient)
    with nogil:
        status = k.max_pool2d_backward(PyArray_DATA(result), PyArray_DATA(gradient), <const int32_t *> PyArray_DATA(cells), g)
    check_cells(status, name, cells, g)
    return result


cdef ndarray mean_forward(ndarray x, fnn_windows *g, int ndim, bint stochastic, object y):
    cdef npy_intp shape[4]
    cdef int status
    output_shape(g, ndim, shape)
    cdef ndarray values = output(y, "y", ndim, shape, PyArray_TYPE(x))
    apart(values, x, "y", "x")
    cdef pooling_kernels *k = kernels(x)
    with nogil:
        status = (k.stochastic_pool2d_mean_forward if stochastic else k.average_pool2d_forward)(
            PyArray_DATA(values), PyArray_DATA(x), g)
    check(status)
    return values


cdef ndarray divide_equally(object dy, fnn_windows *g, int ndim, object dx):
    """Divide each dy equally among the real cells of its window."""
    cdef npy_intp shape[4]
    cdef int status
    cdef ndarray gradient = as_real(dy, "dy", ndim)
    output_shape(g, ndim, shape)
    as_real_shaped(gradient, "dy", ndim, shape, PyArray_TYPE(gradient))
    shape[0], shape[1], shape[2], shape[3] = g.n, g.h, g.w, g.c
    cdef ndarray result = output(dx, "dx", 4, shape, PyArray_TYPE(gradient))
    apart(result, gradient, "dx", "dy")
    cdef pooling_kernels *k = kernels(gradient)
    with nogil:
        status = k.average_pool2d_backward(PyArray_DATA(result), PyArray_DATA(gradient), g)
    check(status)
    return result
