"""Matrix products in the three forms that a layer needs (C: src_c/gemm.c, twin: fastnn/reference/gemm.py)."""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_DIM, PyArray_TYPE, import_array, ndarray, npy_intp

from fastnn.kernels._core cimport apart, as_real, check, output, table

import_array()

__all__ = ["gemm_nn", "gemm_nt", "gemm_tn"]

ctypedef int (*gemm)(void *c, const void *a, const void *b, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept nogil

cdef extern from "fnn.h":
    ctypedef struct gemm_kernels "const fnn_kernels":
        gemm gemm_nn, gemm_nt, gemm_tn


cdef ndarray run(gemm kernel, ndarray a, ndarray b, object c, npy_intp rows, npy_intp columns,
                 Py_ssize_t M, Py_ssize_t N, Py_ssize_t K):
    cdef npy_intp[2] shape = [rows, columns]
    cdef ndarray out = output(c, "c", 2, shape, PyArray_TYPE(a))
    if c is not None:
        apart(out, a, "c", "a")
        apart(out, b, "c", "b")
    cdef int status
    with nogil:
        status = kernel(PyArray_DATA(out), PyArray_DATA(a), PyArray_DATA(b), M, N, K)
    check(status)
    return out


cdef int agree(ndarray a, int a_axis, ndarray b, int b_axis, str form) except -1:
    if PyArray_DIM(a, a_axis) != PyArray_DIM(b, b_axis):
        raise ValueError(f"{form} needs equal sizes along axis {a_axis} of a and axis {b_axis} of b. "
                         f"Received: shapes {(<object> a).shape} and {(<object> b).shape}.")
    return 0


def gemm_nn(a, b, *, c=None):
    """c = a · b, the form of X·W.

    Parameters
    ----------
    a : array (M, K), float32 or float64
    b : array (K, N), of the same dtype
    c : array (M, N), optional
        Where to write the result; must not share memory with ``a`` and ``b``.

    Returns
    -------
    array (M, N)

    Raises
    ------
    TypeError
        For dtypes that are not float32 or float64, or that differ.
    ValueError
        If the inner sizes differ.

    References
    ----------
    Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.gemm_nn(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    cdef ndarray x = as_real(a, "a", 2)
    cdef ndarray y = as_real(b, "b", 2, PyArray_TYPE(x))
    agree(x, 1, y, 0, "gemm_nn (a·b)")
    cdef npy_intp M = PyArray_DIM(x, 0), K = PyArray_DIM(x, 1), N = PyArray_DIM(y, 1)
    return run((<gemm_kernels *> table(PyArray_TYPE(x))).gemm_nn, x, y, c, M, N, M, N, K)


def gemm_nt(a, b, *, c=None):
    """c = a · bᵀ, the form of dY·Wᵀ; a (M, N), b (K, N) → c (M, K).

    Raises as ``gemm_nn`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.gemm_nt(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[11.]])
    """
    cdef ndarray x = as_real(a, "a", 2)
    cdef ndarray y = as_real(b, "b", 2, PyArray_TYPE(x))
    agree(x, 1, y, 1, "gemm_nt (a·bᵀ)")
    cdef npy_intp M = PyArray_DIM(x, 0), N = PyArray_DIM(x, 1), K = PyArray_DIM(y, 0)
    return run((<gemm_kernels *> table(PyArray_TYPE(x))).gemm_nt, x, y, c, M, K, M, N, K)


def gemm_tn(a, b, *, c=None):
    """c = aᵀ · b, the form of Xᵀ·dY; a (M, K), b (M, N) → c (K, N).

    Raises as ``gemm_nn`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.gemm_tn(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    cdef ndarray x = as_real(a, "a", 2)
    cdef ndarray y = as_real(b, "b", 2, PyArray_TYPE(x))
    agree(x, 0, y, 0, "gemm_tn (aᵀ·b)")
    cdef npy_intp M = PyArray_DIM(x, 0), K = PyArray_DIM(x, 1), N = PyArray_DIM(y, 1)
    return run((<gemm_kernels *> table(PyArray_TYPE(x))).gemm_tn, x, y, c, K, N, M, N, K)
