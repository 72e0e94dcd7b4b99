"""Images of another height and width (C: src_c/resample.c, twin: fastnn/reference/resample.py)."""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport apart, as_real, as_real_shaped, check, code_of, output, table

from fastnn import checks
from fastnn.shapes import resize2d_output_shape

import_array()

__all__ = ["resize2d_backward", "resize2d_forward"]

cdef extern from "fnn.h":
    enum: FNN_NEAREST, FNN_BILINEAR
    ctypedef struct resample_kernels "const fnn_kernels":
        int (*resize2d_forward)(void *y, const void *x, Py_ssize_t N, Py_ssize_t H, Py_ssize_t W, Py_ssize_t C,
                                Py_ssize_t OH, Py_ssize_t OW, int interpolation) noexcept nogil
        int (*resize2d_backward)(void *dx, const void *dy, Py_ssize_t N, Py_ssize_t H, Py_ssize_t W, Py_ssize_t C,
                                 Py_ssize_t OH, Py_ssize_t OW, int interpolation) noexcept nogil

cdef dict INTERPOLATIONS = {"nearest": FNN_NEAREST, "bilinear": FNN_BILINEAR}


def resize2d_forward(x, size, interpolation="bilinear", *, y=None):
    """Images resized to ``size``: the nearest pixel, or the two nearest ones along each axis, weighted.

    Pixel q has its centre at q + ½ and looks at u = (q + ½) · n / out − ½, along the rows and along the columns.
    nearest: y[q] = x[⌊u + ½⌋].  bilinear: y[q] = (1 − a) · x[⌊u⌋] + a · x[⌊u⌋ + 1], a = u − ⌊u⌋, u kept within the
    image.

    Parameters
    ----------
    x : array (N, H, W, C), float32 or float64
    size : int or (OH, OW)
    interpolation : {"nearest", "bilinear"}
    y : array (N, OH, OW, C), optional
        Where to write the result; must not share memory with x.

    Returns
    -------
    array (N, OH, OW, C)

    Raises
    ------
    TypeError, ValueError
        If the dtype, the rank, the size or the name do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> kernels.resize2d_forward(x, (1, 4), "nearest").ravel(), kernels.resize2d_forward(x, (1, 4)).ravel()
    (array([0., 0., 4., 4.]), array([0., 1., 3., 4.]))
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int how = code_of("interpolation", interpolation, INTERPOLATIONS), status
    cdef tuple sizes = resize2d_output_shape((<object> X).shape, size)
    cdef npy_intp[4] shape = [sizes[0], sizes[1], sizes[2], sizes[3]]
    cdef Py_ssize_t H = (<object> X).shape[1], W = (<object> X).shape[2]
    cdef ndarray Y = output(y, "y", 4, shape, PyArray_TYPE(X))
    apart(Y, X, "y", "x")
    cdef resample_kernels *kernels = <resample_kernels *> table(PyArray_TYPE(X))
    with nogil:
        status = kernels.resize2d_forward(PyArray_DATA(Y), PyArray_DATA(X), shape[0], H, W, shape[3], shape[1], shape[2],
                                          how)
    check(status)
    return Y


def resize2d_backward(dy, input_shape, interpolation="bilinear", *, dx=None):
    """Gradient of resizing: dx[s] = Σ of weight · dy[q] over the outputs q that looked at pixel s.

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    input_shape : (N, H, W, C)
    interpolation : {"nearest", "bilinear"}
        That of the forward kernel.
    dx : array (N, H, W, C), optional
        Where to write the result.

    Returns
    -------
    array (N, H, W, C)

    Raises
    ------
    TypeError, ValueError
        If the dtype, a shape or the name do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> dy = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1)
    >>> kernels.resize2d_backward(dy, (1, 1, 2, 1), "nearest").ravel(), kernels.resize2d_backward(dy, (1, 1, 2, 1)).ravel()
    (array([3., 7.]), array([3.25, 6.75]))
    """
    cdef ndarray DY = as_real(dy, "dy", 4)
    cdef int how = code_of("interpolation", interpolation, INTERPOLATIONS), status
    cdef tuple sizes = checks.image_shape("input_shape", input_shape)
    checks.at_least_one("dy", DY, 1, 2)
    cdef tuple expected = resize2d_output_shape(sizes, (<object> DY).shape[1:3])
    cdef npy_intp[4] outputs = [expected[0], expected[1], expected[2], expected[3]]
    as_real_shaped(DY, "dy", 4, outputs, PyArray_TYPE(DY))
    cdef npy_intp[4] shape = [sizes[0], sizes[1], sizes[2], sizes[3]]
    cdef ndarray DX = output(dx, "dx", 4, shape, PyArray_TYPE(DY))
    apart(DX, DY, "dx", "dy")
    cdef resample_kernels *kernels = <resample_kernels *> table(PyArray_TYPE(DY))
    with nogil:
        status = kernels.resize2d_backward(PyArray_DATA(DX), PyArray_DATA(DY), shape[0], shape[1], shape[2], shape[3],
                                           outputs[1], outputs[2], how)
    check(status)
    return DX
