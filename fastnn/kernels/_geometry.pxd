"""The geometry of a convolution for C, computed once per set of arguments."""
from fastnn.kernels._numpy cimport ndarray

cdef extern from "fnn.h":
    struct fnn_conv:
        Py_ssize_t N, H, W, C, KH, KW, F, OH, OW
        Py_ssize_t stride_h, stride_w, dilation_h, dilation_w, top, bottom, left, right, groups


cdef class Geometry:
    cdef fnn_conv shape


cdef Geometry conv_geometry(ndarray x, ndarray w, object strides, object padding, object dilation, object groups)

# That of the convolution which a transposed one is the gradient of: H, W, C are those of y, and F, OH, OW those of x.
cdef Geometry transposed_geometry(ndarray x, ndarray w, object strides, object padding, object output_padding, object dilation)
