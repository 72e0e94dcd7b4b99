"""Dropout and its counter-based random numbers (C: src_c/{dropout.c,rng.h}, twin: fastnn/reference/dropout.py)."""
from libc.stdint cimport uint32_t, uint64_t
from fastnn.kernels._numpy cimport (
    NPY_FLOAT32, NPY_FLOAT64, NPY_UINT32, PyArray_DATA, PyArray_DIMS, PyArray_NDIM, PyArray_SIZE, PyArray_TYPE, import_array, ndarray,
    npy_intp,
)

from fastnn.kernels._core cimport ANY, as_number, as_real, check, output, same_or_apart, table

from fastnn import checks

import_array()

__all__ = ["dropout_forward", "dropout_backward", "random_bits", "random_normal"]

cdef extern from "fnn.h":
    ctypedef struct kernels "const fnn_kernels":
        int (*dropout)(void *y, const void *x, Py_ssize_t n, double rate, uint64_t key, uint64_t call) noexcept nogil
        int (*random_bits)(uint32_t *bits, Py_ssize_t n, uint64_t key, uint64_t call) noexcept nogil
        int (*random_normal)(void *z, Py_ssize_t n, uint64_t key, uint64_t call) noexcept nogil


cdef uint64_t read_word(object value, str name) except? 0:
    """Return an integer in [0, 2⁶⁴)."""
    if type(value) is int:
        try:
            return value
        except OverflowError:
            pass
    return checks.word64(name, value)


cdef ndarray run(object x, str name, object rate, object key, object call, object y, str out_name):
    cdef ndarray a = as_real(x, name, ANY)
    cdef double r = as_number(rate, "rate", 0, 1)
    cdef uint64_t k = read_word(key, "key"), c = read_word(call, "call")
    cdef ndarray out = output(y, out_name, PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a))
    same_or_apart(out, a, out_name, name)
    cdef int status
    with nogil:
        status = (<kernels *> table(PyArray_TYPE(a))).dropout(PyArray_DATA(out), PyArray_DATA(a), PyArray_SIZE(a), r, k, c)
    check(status)
    return out


def dropout_forward(x, rate, key, call, *, y=None):
    """Dropout: element i is kept and scaled by 1 / (1 − rate) if bits(i) < (1 − rate)·2³², else it is 0.

    `bits` are those of `random_bits` for the same key and call; i counts the elements in C order. A dropped NaN becomes
    0.

    Parameters
    ----------
    x : array of any shape
    rate : float in [0, 1]
    key, call : int in [0, 2⁶⁴)
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or numbers do not fit.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.dropout_forward([1.0, 2.0, 3.0, 4.0], 0.5, 0, 0)
    array([2., 0., 0., 0.])
    """
    return run(x, "x", rate, key, call, y, "y")


def dropout_backward(dy, rate, key, call, *, dx=None):
    """Gradient of dropout: the same mask and scale on dy.

    Parameters
    ----------
    dy : array of any shape
    rate, key, call
        Those of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or numbers do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.dropout_backward([1.0, 1.0, 1.0, 1.0], 0.5, 0, 0)
    array([2., 0., 0., 0.])
    """
    return run(dy, "dy", rate, key, call, dx, "dx")


def random_bits(n, key, call, *, bits=None):
    """Random 32-bit words that depend only on (key, call, index).

    bits[i] = word i % 4 of Philox4x32-10 with key (key low, key high) and counter (i/4 low, i/4 high, call low, call
    high).

    Parameters
    ----------
    n : int
    key, call : int in [0, 2⁶⁴)
    bits : uint32 array (n,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or is out of range, or `bits` does not fit.

    References
    ----------
    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

    Examples
    --------
    >>> from fastnn import kernels
    >>> [hex(word) for word in kernels.random_bits(4, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    cdef npy_intp count = checks.count("n", n)
    cdef uint64_t k = read_word(key, "key"), c = read_word(call, "call")
    cdef ndarray out = output(bits, "bits", 1, &count, NPY_UINT32)
    cdef int status
    with nogil:
        status = (<kernels *> table(NPY_FLOAT32)).random_bits(<uint32_t *> PyArray_DATA(out), count, k, c)
    check(status)
    return out


def random_normal(n, key, call, dtype="float32", *, z=None):
    """Normal numbers of mean 0 and deviation 1 that depend on (key, call, index) alone.

    z[2k] = r·cos 2πv, z[2k + 1] = r·sin 2πv with r = √(−2 ln(1 − u)), u = bits(2k)·2⁻³², v = bits(2k + 1)·2⁻³², and the
    bits of `random_bits` for the same key and call.  |z| is at most 6.66, √(64 ln 2).

    Parameters
    ----------
    n : int
    key, call : int in [0, 2⁶⁴)
    dtype : {"float32", "float64"}
        Both hold the same numbers, rounded.
    z : array (n,) of `dtype`, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range, or `z` does not fit.

    References
    ----------
    G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", Annals of Mathematical
    Statistics 29, 1958.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.random_normal(4, 0, 0, "float64").round(4)
    array([ 0.7379, -0.6884, -1.286 , -1.0038])
    """
    cdef npy_intp count = checks.count("n", n)
    cdef uint64_t k = read_word(key, "key"), c = read_word(call, "call")
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None) or str(dtype)
    checks.choice("dtype", name, ("float32", "float64"))
    cdef int kind = NPY_FLOAT32 if name == "float32" else NPY_FLOAT64
    cdef ndarray out = output(z, "z", 1, &count, kind)
    cdef int status
    with nogil:
        status = (<kernels *> table(kind)).random_normal(PyArray_DATA(out), count, k, c)
    check(status)
    return out
