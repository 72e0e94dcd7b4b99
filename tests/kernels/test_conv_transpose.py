"""Transposed convolution against the loops that define it, and against the convolution that it transposes."""

import itertools

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "conv_transpose"


def loops(x, w, b, strides, crop, output_padding, dilation):
    """The definition, one multiplication at a time, on a canvas that is cut at the end."""
    (sh, sw), ((top, bottom), (left, right)), (eh, ew), (dh, dw) = strides, crop, output_padding, dilation
    n, h, width, _ = x.shape
    kh, kw, f, _ = w.shape
    height, broad = (h - 1) * sh + dh * (kh - 1) + 1 + eh, (width - 1) * sw + dw * (kw - 1) + 1 + ew
    canvas = np.zeros((n, height, broad, f)) + b
    for image, row, column in np.ndindex(n, h, width):
        for i, j, k in np.ndindex(kh, kw, f):
            canvas[image, row * sh + i * dh, column * sw + j * dw, k] += x[image, row, column] @ w[i, j, k]
    return canvas[:, top : height - bottom, left : broad - right]


GEOMETRY = [
    ((1, 1), ((0, 0), (0, 0)), (0, 0), (1, 1)),
    ((2, 1), ((1, 0), (2, 1)), (1, 0), (1, 1)),
    ((1, 3), ((0, 2), (1, 1)), (0, 2), (2, 1)),
    ((2, 2), ((1, 1), (0, 1)), (0, 1), (1, 2)),
    ((5, 4), ((1, 2), (1, 1)), (4, 0), (1, 1)),
]


@pytest.mark.parametrize(("strides", "crop", "extra", "dilation"), GEOMETRY)
def test_against_loops(backend, rng, strides, crop, extra, dilation):
    x = rng.integers(-3, 4, (2, 5, 4, 3)).astype(np.float64)
    w, b = rng.integers(-3, 4, (3, 2, 9, 3)).astype(np.float64), rng.integers(-3, 4, 9).astype(np.float64)
    y = backend.conv2d_transpose_forward(x, w, b, strides, crop, extra, dilation)
    np.testing.assert_array_equal(y, loops(x, w, b, strides, crop, extra, dilation), strict=True)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
@pytest.mark.parametrize(("strides", "crop", "extra", "dilation"), GEOMETRY)
def test_gradient(backend, rng, strides, crop, extra, dilation, activation):
    options = (strides, crop, extra, dilation, activation)

    def backward(dy, y, a):
        return dict(zip("xwb", backend.conv2d_transpose_backward(dy, a["x"], a["w"], y, *options), strict=True))

    arrays = {
        "x": rng.standard_normal((2, 4, 3, 4)),
        "w": rng.standard_normal((3, 2, 5, 4)),
        "b": rng.standard_normal(5),
    }
    result = kernel_check(
        lambda x, w, b: backend.conv2d_transpose_forward(x, w, b, *options), backward, arrays, samples=60
    )
    assert result, str(result)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_it_is_the_input_gradient_of_a_convolution(backend, rng, padding):
    """Of the one whose images have the shape of y: for each kernel size, stride and dilation that Keras knows."""
    for k, s, d in itertools.product((1, 2, 3, 4), (1, 2, 3, 5), (1, 2)):
        x = rng.integers(-3, 4, (2, 3, 4, 2)).astype(np.float64)
        w = rng.integers(-3, 4, (k, k, 3, 2)).astype(np.float64)
        y = backend.conv2d_transpose_forward(x, w, None, s, padding, None, d)
        z = backend.conv2d_forward(y, w, None, s, padding, d)
        assert z.shape == x.shape
        dy, _, _ = backend.conv2d_backward(x, y, w, None, s, padding, d)
        np.testing.assert_array_equal(y, dy)


def test_lengths(backend):
    """(stride, padding, output padding, dilation) of 5 pixels and a window of 3."""
    x, w = np.ones((1, 5, 1, 1)), np.ones((3, 1, 1, 1))
    for (stride, padding, extra, dilation), length in {
        (1, "valid", None, 1): 7,
        (2, "valid", None, 1): 11,
        (2, "valid", 1, 1): 12,
        (4, "valid", None, 1): 20,
        (4, "valid", 0, 1): 19,
        (1, "same", None, 1): 5,
        (2, "same", None, 1): 10,
        (2, "same", 0, 1): 9,
        (2, "same", 1, 1): 10,
        (1, "valid", None, 3): 11,
        (1, "same", None, 3): 5,
    }.items():
        pair = None if extra is None else (extra, 0)
        y = backend.conv2d_transpose_forward(x, w, None, (stride, 1), padding, pair, (dilation, 1))
        assert y.shape == (1, length, 1, 1), (stride, padding, extra, dilation)


def test_pixels_that_no_window_reaches_are_the_bias(backend, dtype):
    x, w, b = np.ones((1, 2, 2, 1), dtype), np.ones((1, 1, 1, 1), dtype), np.array([5], dtype)
    y = backend.conv2d_transpose_forward(x, w, b, 2)[0, :, :, 0]
    np.testing.assert_array_equal(y, [[6, 5, 6, 5], [5, 5, 5, 5], [6, 5, 6, 5], [5, 5, 5, 5]])


def test_what_is_not_needed_is_none(backend, rng):
    x, w, dy = rng.standard_normal((2, 3, 3, 4)), rng.standard_normal((3, 3, 5, 4)), rng.standard_normal((2, 5, 5, 5))
    full = backend.conv2d_transpose_backward(dy, x, w)
    dx, dw, db = backend.conv2d_transpose_backward(dy, x, w, need_dx=False, need_db=False)
    assert dx is None
    assert db is None
    np.testing.assert_array_equal(dw, full[1])


X, W = np.ones((1, 3, 4, 2)), np.ones((3, 3, 5, 2))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((X, np.ones((3, 3, 2, 5))), ValueError, r"\(KH, KW, F, C\) with C=2"),
        ((X[0], W), ValueError, "4 axes"),
        ((X[:, :0], W), ValueError, "The length of the height must be at least 1"),
        ((X, W, np.ones(2)), ValueError, "b must have shape"),
        ((X, W, None, 0), ValueError, "strides"),
        ((X, W, None, 1, "causal"), ValueError, "padding='causal'"),
        ((X, W, None, 2, "same", 2), ValueError, "output_padding must be from 0 to 1 along the height"),
        ((X, W, None, (2, 1), "valid", 1), ValueError, "from 0 to 0 along the width"),
        ((X, W, None, 2, "same", -1), ValueError, "output_padding"),
        ((X, W, None, 1, ((3, 2), (0, 0))), ValueError, "leaves nothing of the height"),
        ((X, W, None, 1, "valid", None, 0), ValueError, "dilation"),
        ((X, W, None, 1, "valid", None, 1, "gelu"), ValueError, "activation"),
    ],
)
def test_refused(backend, arguments, error, words):
    with pytest.raises(error, match=words):
        backend.conv2d_transpose_forward(*arguments)


def test_a_gradient_needs_the_output(backend):
    with pytest.raises(ValueError, match=r"Use y=conv2d_transpose_forward"):
        backend.conv2d_transpose_backward(np.ones((1, 5, 6, 5)), X, W, activation="relu")
