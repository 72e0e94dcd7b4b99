"""What the wrappers use of NumPy's C interface.

NumPy's own declarations import all of its classes into each module that reads them: a tenth of a wrapper's size.
"""
from cpython.ref cimport PyObject

cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef Py_ssize_t npy_intp  # as NumPy has it on every platform
    ctypedef unsigned char npy_bool

    ctypedef class numpy.ndarray [object PyArrayObject, check_size ignore]:
        pass

    ctypedef struct PyArray_Descr:
        pass

    enum: NPY_BOOL, NPY_UINT8, NPY_INT32, NPY_UINT32, NPY_INT64, NPY_FLOAT32, NPY_FLOAT64

    int import_array "_import_array"() except -1

    bint PyArray_IS_C_CONTIGUOUS(ndarray a)
    bint PyArray_ISALIGNED(ndarray a)
    bint PyArray_ISNOTSWAPPED(ndarray a)
    bint PyArray_ISCARRAY(ndarray a)
    bint PyArray_ISCARRAY_RO(ndarray a)

    bint PyTypeNum_ISSIGNED(int dtype)
    bint PyTypeNum_ISUNSIGNED(int dtype)

    int PyArray_NDIM(ndarray a)
    int PyArray_TYPE(ndarray a)
    void *PyArray_DATA(ndarray a)
    npy_intp *PyArray_DIMS(ndarray a)
    npy_intp PyArray_DIM(ndarray a, size_t i)
    npy_intp PyArray_STRIDE(ndarray a, size_t i)
    npy_intp PyArray_ITEMSIZE(ndarray a)
    npy_intp PyArray_SIZE(ndarray a)
    npy_intp PyArray_NBYTES(ndarray a)

    PyObject *PyArray_BASE(ndarray a)  # borrowed

    npy_intp PyDataType_ELSIZE(const PyArray_Descr *description)

cdef extern from "numpy/arrayobject.h":
    int PyArray_SetBaseObject(ndarray a, PyObject *base) except -1  # steals the reference
    object PyArray_EMPTY(int ndim, npy_intp *shape, int dtype, int fortran)
    object PyArray_SimpleNewFromData(int ndim, npy_intp *shape, int dtype, void *data)
    object PyArray_DescrFromType "(PyObject *) PyArray_DescrFromType"(int dtype)
