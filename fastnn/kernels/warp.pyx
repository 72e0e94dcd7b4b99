"""Images turned, shifted, stretched and sheared (C: src_c/warp.c, twin: fastnn/reference/warp.py)."""
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport apart, as_real, check, code_of, output, table

from fastnn import checks

import_array()

__all__ = ["warp2d_backward", "warp2d_forward"]

cdef extern from "fnn.h":
    enum: FNN_NEAREST, FNN_BILINEAR
    enum: FNN_FILL_CONSTANT, FNN_FILL_NEAREST, FNN_FILL_REFLECT, FNN_FILL_WRAP
    ctypedef struct warp_kernels "const fnn_kernels":
        int (*warp2d_forward)(void *y, const void *x, const int64_t *steps, Py_ssize_t N, Py_ssize_t H, Py_ssize_t W,
                              Py_ssize_t C, int interpolation, int fill_mode, double fill) noexcept nogil
        int (*warp2d_backward)(void *dx, const void *dy, const int64_t *steps, Py_ssize_t N, Py_ssize_t H, Py_ssize_t W,
                               Py_ssize_t C, int interpolation, int fill_mode) noexcept nogil

cdef dict INTERPOLATIONS = {"nearest": FNN_NEAREST, "bilinear": FNN_BILINEAR}
cdef dict FILL_MODES = {"constant": FNN_FILL_CONSTANT, "nearest": FNN_FILL_NEAREST, "reflect": FNN_FILL_REFLECT,
                        "wrap": FNN_FILL_WRAP}


def warp2d_forward(x, steps, interpolation="bilinear", fill_mode="reflect", fill_value=0.0, *, y=None):
    """Images whose pixel at row i, column j is that of x at row b0·j + b1·i + b2, column a0·j + a1·i + a2.

    Between pixels: the nearest one, or the two nearest ones along each axis, weighted.  Beyond the image:
    ``fill_value``; the nearest pixel; the image in a mirror (d c b a | a b c d | d c b a); the image again
    (a b c d | a b c d).

    Parameters
    ----------
    x : array (N, H, W, C), float32 or float64
    steps : int64 array (N, 6)
        a0, a1, a2, b0, b1, b2 for each image, in units of 2⁻³² pixels.
    interpolation : {"nearest", "bilinear"}
    fill_mode : {"constant", "nearest", "reflect", "wrap"}
    fill_value : float
        For "constant".
    y : array (N, H, W, C), optional
        Where to write the result; must not share memory with x.

    Returns
    -------
    array (N, H, W, C)

    Raises
    ------
    TypeError, ValueError
        If a dtype, the rank, a shape or a name does not fit, or a place is not below 2²⁸ pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> kernels.warp2d_forward(x, np.array([[2, 0, 1, 0, 2, 0]]) * 2**31).ravel()
    array([1.5, 2.5, 3. ])
    """
    cdef ndarray X = as_real(x, "x", 4)
    cdef int how = code_of("interpolation", interpolation, INTERPOLATIONS), status
    cdef int beyond = code_of("fill_mode", fill_mode, FILL_MODES)
    cdef double fill = checks.number("fill_value", fill_value)
    cdef tuple sizes = checks.image_shape("x.shape", (<object> X).shape)
    cdef ndarray STEPS = checks.steps("steps", steps, sizes)
    cdef npy_intp[4] shape = [sizes[0], sizes[1], sizes[2], sizes[3]]
    cdef ndarray Y = output(y, "y", 4, shape, PyArray_TYPE(X))
    apart(Y, X, "y", "x")
    apart(Y, STEPS, "y", "steps")
    cdef warp_kernels *kernels = <warp_kernels *> table(PyArray_TYPE(X))
    with nogil:
        status = kernels.warp2d_forward(PyArray_DATA(Y), PyArray_DATA(X), <int64_t *> PyArray_DATA(STEPS), shape[0],
                                        shape[1], shape[2], shape[3], how, beyond, fill)
    check(status)
    return Y


def warp2d_backward(dy, steps, interpolation="bilinear", fill_mode="reflect", *, dx=None):
    """Gradient of warping: dx[s] = Σ of weight · dy[q] over the pixels q that looked at pixel s.

    Parameters
    ----------
    dy : array (N, H, W, C)
    steps, interpolation, fill_mode : those of the forward kernel
    dx : array (N, H, W, C), optional
        Where to write the result.

    Returns
    -------
    array (N, H, W, C)

    Raises
    ------
    TypeError, ValueError
        If a dtype, the rank, a shape or a name does not fit, or a place is not below 2²⁸ pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> dy = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> kernels.warp2d_backward(dy, np.array([[2, 0, 1, 0, 2, 0]]) * 2**31).ravel()
    array([0.5, 1.5, 4. ])
    """
    cdef ndarray DY = as_real(dy, "dy", 4)
    cdef int how = code_of("interpolation", interpolation, INTERPOLATIONS), status
    cdef int beyond = code_of("fill_mode", fill_mode, FILL_MODES)
    cdef tuple sizes = checks.image_shape("dy.shape", (<object> DY).shape)
    cdef ndarray STEPS = checks.steps("steps", steps, sizes)
    cdef npy_intp[4] shape = [sizes[0], sizes[1], sizes[2], sizes[3]]
    cdef ndarray DX = output(dx, "dx", 4, shape, PyArray_TYPE(DY))
    apart(DX, DY, "dx", "dy")
    apart(DX, STEPS, "dx", "steps")
    cdef warp_kernels *kernels = <warp_kernels *> table(PyArray_TYPE(DY))
    with nogil:
        status = kernels.warp2d_backward(PyArray_DATA(DX), PyArray_DATA(DY), <int64_t *> PyArray_DATA(STEPS), shape[0],
                                         shape[1], shape[2], shape[3], how, beyond)
    check(status)
    return DX
