"""The machine's measured limits: peak multiply-add rate and copy bandwidth (C: src_c/machine.c)."""
from fastnn.kernels._numpy cimport NPY_FLOAT32, PyArray_DATA, PyArray_TYPE, import_array, ndarray

from fastnn.kernels._core cimport check, table

import time

import numpy as np

from fastnn.kernels._core import get_num_threads, set_num_threads

import_array()

__all__ = ["peak_gflops", "stream_bandwidth"]

cdef extern from "fnn.h":
    ctypedef struct machine_kernels "const fnn_kernels":
        int (*machine_fma)(void *sink, const void *coefficients, Py_ssize_t turns, Py_ssize_t parts, double *flops) noexcept nogil
        int (*machine_copy)(void *sink, const void *source, Py_ssize_t count, Py_ssize_t parts) noexcept nogil


def _best_of(run, threads, repeat=40):
    before = get_num_threads()
    set_num_threads(threads or before)
    try:
        return max(run(get_num_threads()) for _ in range(repeat))
    finally:
        set_num_threads(before)


def peak_gflops(dtype="float32", threads: int | None = None) -> float:
    """Return the peak rate of multiply-adds in registers, in 10⁹ operations per second, the best of several short runs.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    threads : int, optional
        By default all threads of the pool.
    """
    cdef ndarray coefficients = np.array([0.999, 0.01], dtype=dtype)
    cdef ndarray sink = np.empty(256, dtype=dtype)

    def run(parts):
        cdef double flops = 0
        cdef Py_ssize_t count = parts
        start = time.perf_counter()
        check((<machine_kernels *> table(PyArray_TYPE(sink))).machine_fma(
            PyArray_DATA(sink), PyArray_DATA(coefficients), 400_000, count, &flops))
        return flops / (time.perf_counter() - start) / 1e9

    return _best_of(run, threads)


def stream_bandwidth(threads: int | None = None, count: int = 1 << 23) -> float:
    """Bytes read and written by a copy, in 10⁹ a second, best of several runs.

    Parameters
    ----------
    threads : int, optional
        All threads of the pool if not given.
    count : int
        Float32 numbers to copy: as many as no cache holds if not given, or as many as the caches in question hold.
    """
    cdef ndarray source = np.ones(count, dtype=np.float32)
    cdef ndarray sink = np.zeros(count, dtype=np.float32)

    def run(parts):
        cdef Py_ssize_t part = count // parts // 64 * 64
        cdef Py_ssize_t n = parts
        start = time.perf_counter()
        check((<machine_kernels *> table(NPY_FLOAT32)).machine_copy(PyArray_DATA(sink), PyArray_DATA(source), part, n))
        return 2 * 4 * part * parts / (time.perf_counter() - start) / 1e9

    return _best_of(run, threads)
