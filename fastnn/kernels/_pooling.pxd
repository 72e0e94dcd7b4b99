"""Shared by the pooling functions: window positions, and the calls that serve several of them."""
from libc.stdint cimport int32_t, uint64_t
from fastnn.kernels._numpy cimport ndarray, npy_intp

cdef extern from "fnn.h":
    ctypedef struct fnn_windows:
        Py_ssize_t n, h, w, c, ph, pw, sh, sw, top, left, oh, ow
    ctypedef struct pooling_kernels "const fnn_kernels":
        int (*max_pool2d_forward)(void *y, int32_t *argmax, const void *x, const fnn_windows *g) noexcept nogil
        int (*max_pool2d_backward)(void *dx, const void *dy, const int32_t *argmax, const fnn_windows *g) noexcept nogil
        int (*average_pool2d_forward)(void *y, const void *x, const fnn_windows *g) noexcept nogil
        int (*average_pool2d_backward)(void *dx, const void *dy, const fnn_windows *g) noexcept nogil
        int (*stochastic_pool2d_forward)(void *y, int32_t *chosen, const void *x, const fnn_windows *g, uint64_t key,
                                         uint64_t call) noexcept nogil
        int (*stochastic_pool2d_mean_forward)(void *y, const void *x, const fnn_windows *g) noexcept nogil
        int (*stochastic_pool2d_mean_backward)(void *dx, const void *dy, const void *x, const void *y,
                                               const fnn_windows *g) noexcept nogil

cdef pooling_kernels *kernels(ndarray x) noexcept

# The sizes of a batch of images, from the shape of an array, or as given by the caller of a backward kernel.
cdef int read_image(fnn_windows *g, const npy_intp *shape) except -1
cdef int read_input_shape(fnn_windows *g, object input_shape) except -1

# Window, strides and padding, and the sizes that follow from them.  Refuses arguments that do not fit.
cdef int read_windows(fnn_windows *g, object pool_size, object strides, object padding) except -1

# Global pooling: one window, as large as the image.
cdef int whole_image(fnn_windows *g) except -1

# The shape of the output, of 4 dimensions, or of 2 for global pooling.
cdef void output_shape(const fnn_windows *g, int ndim, npy_intp *shape) noexcept

# Max forward; dy at the selected cells; the mean, plain or of stochastic pooling; dy divided equally.
cdef tuple max_forward(ndarray x, fnn_windows *g, int ndim, object y, object argmax)
cdef ndarray scatter_to_selected(object dy, object selected, str name, fnn_windows *g, int ndim, object dx)
cdef ndarray mean_forward(ndarray x, fnn_windows *g, int ndim, bint stochastic, object y)
cdef ndarray divide_equally(object dy, fnn_windows *g, int ndim, object dx)
