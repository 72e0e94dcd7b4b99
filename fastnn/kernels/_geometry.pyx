"""The geometry of a convolution for C, computed once per set of arguments (rules: fastnn/shapes.py)."""
from fastnn.kernels._numpy cimport import_array, ndarray

from fastnn.shapes import (
    conv2d_output_shape, conv2d_padding, conv2d_transpose_cropping, conv2d_transpose_output_shape, pair)

import_array()

cdef dict known = {}
cdef enum:
    MOST_KNOWN = 1024


cdef Geometry compute_geometry(tuple x_shape, tuple w_shape, object strides, object padding, object dilation, object groups):
    cdef Geometry geometry = Geometry()
    cdef fnn_conv *s = &geometry.shape
    s.N, s.OH, s.OW, s.F = conv2d_output_shape(x_shape, w_shape, strides, padding, dilation, groups)
    _, s.H, s.W, s.C = x_shape
    s.KH, s.KW, _, _ = w_shape
    s.stride_h, s.stride_w = pair("strides", strides)
    s.dilation_h, s.dilation_w = pair("dilation", dilation)
    (s.top, s.bottom), (s.left, s.right) = conv2d_padding(x_shape, w_shape, strides, padding, dilation)
    s.groups = groups
    return geometry


cdef Geometry compute_transposed(tuple x_shape, tuple w_shape, object strides, object padding, object output_padding,
                                 object dilation):
    cdef Geometry geometry = Geometry()
    cdef fnn_conv *s = &geometry.shape
    s.N, s.H, s.W, s.C = conv2d_transpose_output_shape(x_shape, w_shape, strides, padding, output_padding, dilation)
    _, s.OH, s.OW, s.F = x_shape
    s.KH, s.KW, _, _ = w_shape
    s.stride_h, s.stride_w = pair("strides", strides)
    s.dilation_h, s.dilation_w = pair("dilation", dilation)
    (s.top, s.bottom), (s.left, s.right) = conv2d_transpose_cropping(
        x_shape, w_shape, strides, padding, output_padding, dilation)
    s.groups = 1
    return geometry


cdef bint is_plain(object value) noexcept:
    """Whether it is made of integers and names: 1.0 and True are equal to 1, but must not be taken for it."""
    if type(value) is tuple:
        for entry in <tuple> value:
            if not is_plain(entry):
                return False
        return True
    return type(value) is int or type(value) is str or value is None


cdef Geometry remember(tuple key, Geometry geometry):
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = geometry
    return geometry


cdef Geometry conv_geometry(ndarray x, ndarray w, object strides, object padding, object dilation, object groups):
    cdef tuple x_shape = (<object> x).shape, w_shape = (<object> w).shape
    if not (is_plain(strides) and is_plain(padding) and is_plain(dilation) and is_plain(groups)):
        return compute_geometry(x_shape, w_shape, strides, padding, dilation, groups)
    cdef tuple key = (x_shape, w_shape, strides, padding, dilation, groups)
    found = known.get(key)
    if found is not None:
        return <Geometry> found
    return remember(key, compute_geometry(x_shape, w_shape, strides, padding, dilation, groups))


cdef Geometry transposed_geometry(ndarray x, ndarray w, object strides, object padding, object output_padding, object dilation):
    cdef tuple x_shape = (<object> x).shape, w_shape = (<object> w).shape
    if not (is_plain(strides) and is_plain(padding) and is_plain(output_padding) and is_plain(dilation)):
        return compute_transposed(x_shape, w_shape, strides, padding, output_padding, dilation)
    cdef tuple key = ("transposed", x_shape, w_shape, strides, padding, output_padding, dilation)
    found = known.get(key)
    if found is not None:
        return <Geometry> found
    return remember(key, compute_transposed(x_shape, w_shape, strides, padding, output_padding, dilation))
