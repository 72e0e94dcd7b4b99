"""One number per window and channel (C: src_c/pooling.c, twin: fastnn/reference/pooling.py).

Legend: N = images, H W = height and width, C = channels, PH PW = window, OH OW = height and width of the output.  The
cells of a window are numbered row by row; `strides` None means the size of the window.
"""
from libc.stdint cimport int32_t, uint64_t
from fastnn.kernels._numpy cimport NPY_INT32, PyArray_DATA, PyArray_DIMS, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport apart, as_real, as_real_shaped, check, output
from fastnn.kernels._pooling cimport (
    divide_equally, fnn_windows, kernels, max_forward, mean_forward, output_shape, pooling_kernels, read_image,
    read_input_shape, read_windows, scatter_to_selected, whole_image)

from fastnn import checks

import_array()

__all__ = [
    "max_pool2d_forward", "max_pool2d_backward", "average_pool2d_forward", "average_pool2d_backward", "stochastic_pool2d_forward",
    "stochastic_pool2d_backward", "stochastic_pool2d_mean_forward", "stochastic_pool2d_mean_backward", "global_max_pool2d_forward",
    "global_max_pool2d_backward", "global_average_pool2d_forward", "global_average_pool2d_backward",
]

# ---- max ----

def max_pool2d_forward(x, pool_size=(2, 2), strides=None, padding="valid", *, y=None, argmax=None):
    """Largest cell of each window, y[n, p, q, c] = max_ij x[n, p·sh + i − top, q·sw + j − left, c].

    Padding never wins. The first of equal cells wins; NaN wins over everything.

    Parameters
    ----------
    x : array (N, H, W, C)
    pool_size, strides : int or two ints
    padding : {"valid", "same"}
    y : array (N, OH, OW, C), optional
        Where to write the result.
    argmax : int32 array (N, OH, OW, C), optional
        Where to write the winning cell of each window.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> y, argmax = kernels.max_pool2d_forward(np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1))
    >>> y.ravel(), argmax.ravel()
    (array([4.]), array([1], dtype=int32))
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef fnn_windows g
    read_image(&g, PyArray_DIMS(a))
    read_windows(&g, pool_size, strides, padding)
    return max_forward(a, &g, 4, y, argmax)


def max_pool2d_backward(dy, argmax, input_shape, pool_size=(2, 2), strides=None, padding="valid", *, dx=None):
    """Gradient of max pooling: dy goes to the winning cell, and adds up where windows overlap.

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    argmax : int32 array (N, OH, OW, C)
        The winners of the forward kernel.
    input_shape : (N, H, W, C)
    pool_size, strides, padding
        Those of the forward kernel.
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.
    IndexError
        If a winner is not a cell of its window; then nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> argmax = np.array([1], np.int32).reshape(1, 1, 1, 1)
    >>> kernels.max_pool2d_backward(np.full((1, 1, 1, 1), 5.0), argmax, (1, 2, 2, 1)).ravel()
    array([0., 5., 0., 0.])
    """
    cdef fnn_windows g
    read_input_shape(&g, input_shape)
    read_windows(&g, pool_size, strides, padding)
    return scatter_to_selected(dy, argmax, "argmax", &g, 4, dx)


# ---- average ----

def average_pool2d_forward(x, pool_size=(2, 2), strides=None, padding="valid", *, y=None):
    """Mean of each window over its real cells: padding counts neither in the sum nor in the divisor.

    Parameters
    ----------
    x : array (N, H, W, C)
    pool_size, strides : int or two ints
    padding : {"valid", "same"}
    y : array (N, OH, OW, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.average_pool2d_forward(np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)).ravel()
    array([2.5])
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef fnn_windows g
    read_image(&g, PyArray_DIMS(a))
    read_windows(&g, pool_size, strides, padding)
    return mean_forward(a, &g, 4, False, y)


def average_pool2d_backward(dy, input_shape, pool_size=(2, 2), strides=None, padding="valid", *, dx=None):
    """Gradient of average pooling: each real cell of a window gets dy / (number of its real cells).

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    input_shape : (N, H, W, C)
    pool_size, strides, padding
        Those of the forward kernel.
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtype, ranks, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.average_pool2d_backward(np.full((1, 1, 1, 1), 2.0), (1, 2, 2, 1)).ravel()
    array([0.5, 0.5, 0.5, 0.5])
    """
    cdef fnn_windows g
    read_input_shape(&g, input_shape)
    read_windows(&g, pool_size, strides, padding)
    return divide_equally(dy, &g, 4, dx)


# ---- stochastic ----

def stochastic_pool2d_forward(x, key, call, pool_size=(2, 2), strides=None, padding="valid", *, y=None, chosen=None):
    """One cell of each window, drawn with probability p[i] = max(x[i], 0) / Σ_j max(x[j], 0).

    u = bits(o)·2⁻³² for the output element o (counted in C order); the cell is the first whose running sum of
    max(x, 0) exceeds u · total, summed in double, row by row. A window without a positive cell draws uniformly among
    its real cells. A window with a NaN chooses the first NaN, otherwise one with +∞ chooses the first +∞.

    Parameters
    ----------
    x : array (N, H, W, C)
    key, call : int in [0, 2⁶⁴)
        The stream of `random_bits`.
    pool_size, strides : int or two ints
    padding : {"valid", "same"}
    y : array (N, OH, OW, C), optional
        Where to write the result.
    chosen : int32 array (N, OH, OW, C), optional
        Where to write the drawn cell of each window.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank, sizes, numbers or names do not fit.

    References
    ----------
    M. D. Zeiler, R. Fergus, "Stochastic pooling for regularization of deep convolutional neural networks", ICLR 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> y, chosen = kernels.stochastic_pool2d_forward(np.array([[0.0, 4.0], [0.0, -2.0]]).reshape(1, 2, 2, 1), 0, 0)
    >>> y.ravel(), chosen.ravel()
    (array([4.]), array([1], dtype=int32))
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef uint64_t key_word = checks.word64("key", key), call_word = checks.word64("call", call)
    cdef npy_intp shape[4]
    cdef fnn_windows g
    cdef int status
    read_image(&g, PyArray_DIMS(a))
    read_windows(&g, pool_size, strides, padding)
    output_shape(&g, 4, shape)
    cdef ndarray values = output(y, "y", 4, shape, PyArray_TYPE(a))
    cdef ndarray cells = output(chosen, "chosen", 4, shape, NPY_INT32)
    apart(values, a, "y", "x")
    apart(cells, a, "chosen", "x")
    apart(cells, values, "chosen", "y")
    cdef pooling_kernels *k = kernels(a)
    with nogil:
        status = k.stochastic_pool2d_forward(
            PyArray_DATA(values), <int32_t *> PyArray_DATA(cells), PyArray_DATA(a), &g, key_word, call_word)
    check(status)
    return values, cells


def stochastic_pool2d_backward(dy, chosen, input_shape, pool_size=(2, 2), strides=None, padding="valid", *, dx=None):
    """Gradient of stochastic pooling: dy goes to the drawn cell, and adds up where windows overlap.

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    chosen : int32 array (N, OH, OW, C)
        The cells that the forward kernel drew.
    input_shape : (N, H, W, C)
    pool_size, strides, padding
        Those of the forward kernel.
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.
    IndexError
        If a drawn cell is not a cell of its window; then nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> chosen = np.array([1], np.int32).reshape(1, 1, 1, 1)
    >>> kernels.stochastic_pool2d_backward(np.full((1, 1, 1, 1), 5.0), chosen, (1, 2, 2, 1)).ravel()
    array([0., 5., 0., 0.])
    """
    cdef fnn_windows g
    read_input_shape(&g, input_shape)
    read_windows(&g, pool_size, strides, padding)
    return scatter_to_selected(dy, chosen, "chosen", &g, 4, dx)


def stochastic_pool2d_mean_forward(x, pool_size=(2, 2), strides=None, padding="valid", *, y=None):
    """Expectation of stochastic pooling, y = Σ_i p[i]·x[i] = Σ max(x, 0)² / Σ max(x, 0).

    If no cell of a window is positive, the result is the plain mean of its real cells.

    Parameters
    ----------
    x : array (N, H, W, C)
    pool_size, strides : int or two ints
    padding : {"valid", "same"}
    y : array (N, OH, OW, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.stochastic_pool2d_mean_forward(np.array([[1.0, 3.0], [0.0, -2.0]]).reshape(1, 2, 2, 1)).ravel()
    array([2.5])
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef fnn_windows g
    read_image(&g, PyArray_DIMS(a))
    read_windows(&g, pool_size, strides, padding)
    return mean_forward(a, &g, 4, True, y)


def stochastic_pool2d_mean_backward(dy, x, y, pool_size=(2, 2), strides=None, padding="valid", *, dx=None):
    """Gradient of the expectation, dx[i] = dy · (2·x[i] − y) / Σ max(x, 0) where x[i] > 0, else 0.

    If no cell of a window is positive, each real cell gets dy / (number of real cells).

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    x, y : arrays (N, H, W, C), (N, OH, OW, C)
        The input and the output of the forward kernel.
    pool_size, strides, padding
        Those of the forward kernel.
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x = np.array([[1.0, 3.0], [0.0, -2.0]]).reshape(1, 2, 2, 1)
    >>> kernels.stochastic_pool2d_mean_backward(np.ones((1, 1, 1, 1)), x, np.full((1, 1, 1, 1), 2.5)).ravel()
    array([-0.125,  0.875,  0.   ,  0.   ])
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef npy_intp shape[4]
    cdef fnn_windows g
    cdef int status
    read_image(&g, PyArray_DIMS(a))
    read_windows(&g, pool_size, strides, padding)
    output_shape(&g, 4, shape)
    cdef ndarray gradient = as_real_shaped(dy, "dy", 4, shape, PyArray_TYPE(a))
    cdef ndarray values = as_real_shaped(y, "y", 4, shape, PyArray_TYPE(a))
    cdef ndarray result = output(dx, "dx", 4, PyArray_DIMS(a), PyArray_TYPE(a))
    apart(result, gradient, "dx", "dy")
    apart(result, a, "dx", "x")
    apart(result, values, "dx", "y")
    cdef pooling_kernels *k = kernels(a)
    with nogil:
        status = k.stochastic_pool2d_mean_backward(
            PyArray_DATA(result), PyArray_DATA(gradient), PyArray_DATA(a), PyArray_DATA(values), &g)
    check(status)
    return result


# ---- global ----

def global_max_pool2d_forward(x, *, y=None, argmax=None):
    """Largest pixel of each channel, y[n, c] = max_hw x[n, h, w, c]; the first of equal ones; NaN wins over everything.

    Parameters
    ----------
    x : array (N, H, W, C)
    y : array (N, C), optional
        Where to write the result.
    argmax : int32 array (N, C), optional
        Where to write the winner's position, row · W + column.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> y, argmax = kernels.global_max_pool2d_forward(np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1))
    >>> y, argmax
    (array([[4.]]), array([[1]], dtype=int32))
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef fnn_windows g
    read_image(&g, PyArray_DIMS(a))
    whole_image(&g)
    return max_forward(a, &g, 2, y, argmax)


def global_max_pool2d_backward(dy, argmax, input_shape, *, dx=None):
    """Gradient of global max pooling: dy goes to the winning pixel; the others get 0.

    Parameters
    ----------
    dy : array (N, C)
    argmax : int32 array (N, C)
        The winners of the forward kernel.
    input_shape : (N, H, W, C)
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or sizes do not fit.
    IndexError
        If a winner is not a pixel of the image; then nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.global_max_pool2d_backward([[5.0]], np.array([[1]], np.int32), (1, 2, 2, 1)).ravel()
    array([0., 5., 0., 0.])
    """
    cdef fnn_windows g
    read_input_shape(&g, input_shape)
    whole_image(&g)
    return scatter_to_selected(dy, argmax, "argmax", &g, 2, dx)


def global_average_pool2d_forward(x, *, y=None):
    """Mean pixel of each channel, y[n, c] = Σ_hw x[n, h, w, c] / (H·W).

    Parameters
    ----------
    x : array (N, H, W, C)
    y : array (N, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtype, rank or sizes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.global_average_pool2d_forward(np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1))
    array([[2.5]])
    """
    cdef ndarray a = as_real(x, "x", 4)
    cdef fnn_windows g
    read_image(&g, PyArray_DIMS(a))
    whole_image(&g)
    return mean_forward(a, &g, 2, False, y)


def global_average_pool2d_backward(dy, input_shape, *, dx=None):
    """Gradient of global average pooling: each pixel gets dy / (H·W).

    Parameters
    ----------
    dy : array (N, C)
    input_shape : (N, H, W, C)
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtype, ranks or sizes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.global_average_pool2d_backward([[2.0]], (1, 2, 2, 1)).ravel()
    array([0.5, 0.5, 0.5, 0.5])
    """
    cdef fnn_windows g
    read_input_shape(&g, input_shape)
    whole_image(&g)
    return divide_equally(dy, &g, 2, dx)
