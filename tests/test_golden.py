"""The worked examples of the books and notes, number for number, on both backends."""

import numpy as np
import pytest

from fastnn import backend as switch

BACKENDS = ["compiled", "reference"]


@pytest.fixture(params=BACKENDS)
def kernels(request):
    with switch.use(request.param):
        yield switch.active()


def test_three_layers_by_hand(kernels):
    """sigmoid, sigmoid, identity; no biases."""
    w1, w2, w3 = [[1, 3, 5], [2, 4, 6]], [[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4]]
    hidden = kernels.dense_forward([[1, 2]], w1, activation="sigmoid")
    hidden = kernels.dense_forward(hidden, w2, activation="sigmoid")
    y = kernels.dense_forward(hidden, w3)
    np.testing.assert_allclose(y, [[3.9998570884804567, 5.9997266317381985]], rtol=1e-15)
    assert y.dtype == np.float64


def test_three_layers_of_separate_kernels(kernels):
    """The same with gemm and sigmoid, as the lesson writes it."""
    a = np.array([[1.0, 2.0]])
    for w in ([[1, 3, 5], [2, 4, 6]], [[1, 2], [3, 4], [5, 6]]):
        a = kernels.sigmoid(kernels.gemm_nn(a, np.array(w, float)))
    y = kernels.gemm_nn(a, np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(y, [[3.9998570884804567, 5.9997266317381985]], rtol=1e-15)


X = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])
W = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]])
VALID = [[18, 19], [9, 18]]
PADDED = [[7, 12, 10, 2], [4, 15, 16, 10], [10, 6, 15, 6], [8, 10, 4, 3]]


@pytest.mark.parametrize("algorithm", ["auto", "direct", "im2col"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolution(kernels, dtype, algorithm):
    x, w = X.reshape(1, 4, 4, 1).astype(dtype), W.reshape(3, 3, 1, 1).astype(dtype)
    y = kernels.conv2d_forward(x, w, np.array([3], dtype), algorithm=algorithm)
    np.testing.assert_array_equal(y[0, :, :, 0], np.array(VALID, dtype), strict=True)
    for padding in ("same", ((1, 1), (1, 1))):
        y = kernels.conv2d_forward(x, w, padding=padding, algorithm=algorithm)
        np.testing.assert_array_equal(y[0, :, :, 0], np.array(PADDED, dtype), strict=True)


def test_convolution_as_im2col_and_a_product(kernels):
    """The book's way: columns of windows, one matrix product."""
    images = X.reshape(1, 1, 4, 4).astype(float)
    y = kernels.gemm_nt(kernels.im2col(images, 3, 3, stride=1, pad=0), W.reshape(1, 9).astype(float)) + 3
    np.testing.assert_array_equal(y.reshape(2, 2), VALID)
    y = kernels.gemm_nt(kernels.im2col(images, 3, 3, stride=1, pad=1), W.reshape(1, 9).astype(float))
    np.testing.assert_array_equal(y.reshape(4, 4), PADDED)


def test_im2col_row_order(kernels):
    """Row (n·OH + p)·OW + q is window (p, q) of image n; its columns are channel, row, column."""
    n, c, h, w, fh, fw, stride, pad = 2, 3, 5, 6, 3, 2, 2, 1
    x = np.arange(n * c * h * w, dtype=float).reshape(n, c, h, w) + 1
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    oh, ow = (h + 2 * pad - fh) // stride + 1, (w + 2 * pad - fw) // stride + 1
    rows = [
        padded[i, :, p * stride : p * stride + fh, q * stride : q * stride + fw].ravel()
        for i in range(n)
        for p in range(oh)
        for q in range(ow)
    ]
    np.testing.assert_array_equal(kernels.im2col(x, fh, fw, stride, pad), np.array(rows), strict=True)


def test_col2im_adds_overlapping_windows(kernels):
    """Ones back from 3 × 3 windows of stride 1: each pixel counts the windows over it."""
    images = kernels.col2im(np.ones((4, 9)), (1, 1, 4, 4), 3, 3)
    np.testing.assert_array_equal(images[0, 0], [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]])


def test_softmax_guards_against_overflow(kernels):
    y = kernels.softmax_forward([1010.0, 1000.0, 990.0])
    np.testing.assert_allclose(y, [9.99954600e-01, 4.53978686e-05, 2.06106005e-09], rtol=1e-8)


@pytest.mark.parametrize(
    ("w", "b", "outputs"),
    [([0.5, 0.5], -0.7, [0, 0, 0, 1]), ([-0.5, -0.5], 0.7, [1, 1, 1, 0]), ([0.5, 0.5], -0.2, [0, 1, 1, 1])],
    ids=["AND", "NAND", "OR"],
)
def test_perceptron_gates(kernels, w, b, outputs):
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    y = kernels.activation_forward(kernels.dense_forward(x, np.array(w)[:, None], np.array([b])), "step")
    np.testing.assert_array_equal(y.ravel(), outputs)
