"""Activation functions and their gradients (C: src_c/activations.{h,c}, twin: fastnn/reference/activations.py)."""
from fastnn.kernels._numpy cimport (
    PyArray_DATA, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray)

from fastnn.kernels._core cimport ANY, activation_code, as_real, as_real_shaped, check, output, same_or_apart, table

from fastnn import checks

import_array()

__all__ = ["activation_forward", "activation_backward"]

cdef extern from "fnn.h":
    enum: FNN_LEAKY_RELU, FNN_ELU
    ctypedef struct kernels "const fnn_kernels":
        int (*activation_forward)(void *y, const void *x, Py_ssize_t n, int activation, double alpha) noexcept nogil
        int (*activation_backward)(void *dx, const void *dy, const void *x, const void *y, Py_ssize_t n, int activation,
                                   double alpha) noexcept nogil


cdef double read_alpha(object alpha, int activation, object name) except? -1:
    """Return the parameter of the activation, its default for None."""
    if alpha is None:
        return 0.2 if activation == FNN_LEAKY_RELU else 1.0
    if activation != FNN_LEAKY_RELU and activation != FNN_ELU:
        raise ValueError(f"Only leaky_relu and elu have alpha. Received: {name!r}, alpha={alpha!r}.")
    return checks.number("alpha", alpha, 0.0)


def activation_forward(x, activation, alpha=None, *, y=None):
    """Activation y = act(x), elementwise.

    linear x · relu max(x, 0) · leaky_relu x or alpha·x · elu x or alpha·(eˣ − 1) · selu 1.0507·(x or 1.6733·(eˣ − 1)) ·
    sigmoid 1/(1 + e⁻ˣ) · tanh · softplus ln(1 + eˣ) · gelu x·Φ(x) · gelu_tanh x·(1 + tanh(√(2/π)(x + 0.044715x³)))/2 ·
    silu x·sigmoid(x) · hard_sigmoid clip(x/6 + 0.5, 0, 1) · exponential eˣ · step (1 if x > 0, else 0).
    NaN gives NaN in all of them.

    Parameters
    ----------
    x : array of any shape
    activation : str
    alpha : float, optional
        Slope below zero of leaky_relu (0.2) or scale of elu (1); at least 0.
    y : array of the shape of `x`, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real, the name is unknown, `alpha` is negative or does not apply, or `y` does not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.activation_forward([-1.0, 0.0, 2.0], "leaky_relu", 0.1)
    array([-0.1,  0. ,  2. ])
    """
    cdef ndarray a = as_real(x, "x", ANY)
    cdef int code = activation_code(activation, False)
    cdef double parameter = read_alpha(alpha, code, activation)
    cdef ndarray out = output(y, "y", PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a))
    same_or_apart(out, a, "y", "x")
    cdef int status
    with nogil:
        status = (<kernels *> table(PyArray_TYPE(a))).activation_forward(
            PyArray_DATA(out), PyArray_DATA(a), PyArray_SIZE(a), code, parameter)
    check(status)
    return out


def activation_backward(dy, x, y, activation, alpha=None, *, dx=None):
    """Gradient dx = dy · act′(x), elementwise.

    The derivative of relu, leaky_relu, elu and selu at 0 is the left one. Where relu, hard_sigmoid and step are flat,
    dx is 0 whatever dy is, so a NaN or infinity there is ignored.

    Parameters
    ----------
    dy, x, y : arrays of one shape
        The gradient of y, the input and the output of the forward kernel.
    activation : str
    alpha : float, optional
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes differ, the name is unknown, or `dx` does not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.activation_backward([5.0, 5.0], [-1.0, 2.0], [0.0, 2.0], "relu")
    array([0., 5.])
    """
    cdef ndarray a = as_real(x, "x", ANY)
    cdef ndarray grad = as_real_shaped(dy, "dy", PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a))
    cdef ndarray value = as_real_shaped(y, "y", PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a))
    cdef int code = activation_code(activation, False)
    cdef double parameter = read_alpha(alpha, code, activation)
    cdef ndarray out = output(dx, "dx", PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a))
    same_or_apart(out, grad, "dx", "dy")
    same_or_apart(out, a, "dx", "x")
    same_or_apart(out, value, "dx", "y")
    cdef int status
    with nogil:
        status = (<kernels *> table(PyArray_TYPE(a))).activation_backward(
            PyArray_DATA(out), PyArray_DATA(grad), PyArray_DATA(a), PyArray_DATA(value), PyArray_SIZE(a), code, parameter)
    check(status)
    return out
