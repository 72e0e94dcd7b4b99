"""The fused block against the kernels it fuses."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "conv_pool"


X = np.array([[1.0, 2, 3, 0, 5], [0, 1, 2, 3, 5], [3, 0, 1, 2, 5], [2, 3, 0, 1, 5]]).reshape(1, 4, 5, 1)
W = np.array([[2.0, 0, 1], [0, 1, 2], [1, 0, 2]]).reshape(3, 3, 1, 1)


def test_values_by_hand(backend, dtype):
    """The convolution of the first four columns is 15 16 / 6 15; the fifth does not fill a window."""
    y, argmax = backend.conv2d_pool_forward(X.astype(dtype), W.astype(dtype), np.array([3], dtype))
    np.testing.assert_array_equal(y.ravel(), np.array([19], dtype), strict=True)
    np.testing.assert_array_equal(argmax.ravel(), np.array([1], np.uint8), strict=True)
    y, argmax = backend.conv2d_pool_forward(X.astype(dtype), -W.astype(dtype))
    np.testing.assert_array_equal((y.ravel()[0], argmax.ravel()[0]), (0, 2))
    y, _ = backend.conv2d_pool_forward(X.astype(dtype), -W.astype(dtype), activation="linear")
    np.testing.assert_array_equal(y.ravel(), np.array([-6], dtype), strict=True)


OPTIONS = [
    {},
    {"activation": "linear"},
    {"padding": "same"},
    {"pool_size": (3, 2), "strides": (1, 2)},
    {"pool_size": (2, 3), "dilation": (2, 1), "padding": ((1, 0), (2, 1))},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_against_the_separate_kernels(backend, dtype, rng, options):
    """On small integers all orders of summation agree, even in ties."""
    x, w = rng.integers(-4, 5, (2, 9, 11, 5)).astype(dtype), rng.integers(-4, 5, (3, 3, 5, 17)).astype(dtype)
    b, conv = rng.integers(-4, 5, 17).astype(dtype), dict(options)
    pool_size, activation = conv.pop("pool_size", (2, 2)), conv.pop("activation", "relu")
    pooled, winners = backend.max_pool2d_forward(backend.conv2d_forward(x, w, b, **conv), pool_size)
    expected = backend.activation_forward(pooled, activation)
    y, argmax = backend.conv2d_pool_forward(x, w, b, **options)
    np.testing.assert_array_equal(y, expected, strict=True)
    np.testing.assert_array_equal(argmax, winners.astype(np.uint8), strict=True)

    dy = rng.integers(-4, 5, y.shape).astype(dtype)
    dpooled = backend.activation_backward(dy, pooled, expected, activation)
    shape = backend.conv2d_forward(x, w, b, **conv).shape
    dz = backend.max_pool2d_backward(dpooled, winners, shape, pool_size)
    got = backend.conv2d_pool_backward(dy, x, w, y, argmax, **options)
    for one, other in zip(got, backend.conv2d_backward(dz, x, w, **conv), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("options", OPTIONS)
def test_gradient(backend, rng, options):
    def backward(dy, results, a):
        return dict(zip("xwb", backend.conv2d_pool_backward(dy, a["x"], a["w"], *results, **options), strict=True))

    arrays = {
        "x": rng.standard_normal((2, 7, 8, 3)),
        "w": rng.standard_normal((3, 3, 3, 5)),
        "b": rng.standard_normal(5),
    }
    result = kernel_check(lambda x, w, b: backend.conv2d_pool_forward(x, w, b, **options), backward, arrays, samples=60)
    assert result, str(result)


def test_what_is_not_needed_is_none(backend):
    y, argmax = backend.conv2d_pool_forward(X, W)
    dx, dw, db = backend.conv2d_pool_backward(np.ones_like(y), X, W, y, argmax, need_dx=False, need_db=False)
    assert dx is None
    assert db is None
    np.testing.assert_array_equal(dw[:, :, 0, 0], X[0, :3, 1:4, 0])


def test_every_nan_in_a_window_propagates(backend, dtype, rng):
    x, w = rng.standard_normal((1, 6, 6, 3)).astype(dtype), rng.standard_normal((3, 3, 3, 9)).astype(dtype)
    for place in range(x.size):
        sick = x.copy()
        sick.flat[place] = np.nan
        z, _ = backend.max_pool2d_forward(backend.conv2d_forward(sick, w))
        np.testing.assert_array_equal(np.isnan(backend.conv2d_pool_forward(sick, w)[0]), np.isnan(z))


def test_bad_calls(backend):
    y, argmax = backend.conv2d_pool_forward(X, W)
    dy = np.ones_like(y)
    for error, call in (
        (ValueError, lambda: backend.conv2d_pool_forward(X, W, activation="tanh")),
        (ValueError, lambda: backend.conv2d_pool_forward(X, W, pool_size=3)),
        (ValueError, lambda: backend.conv2d_pool_forward(X, W, pool_size=0)),
        (ValueError, lambda: backend.conv2d_pool_forward(np.ones((1, 20, 20, 1)), W, pool_size=(1, 257))),
        (ValueError, lambda: backend.conv2d_pool_forward(np.ones((1, 40, 40, 1)), W, pool_size=17)),
        (ValueError, lambda: backend.conv2d_pool_forward(X, W, np.ones(2))),
        (TypeError, lambda: backend.conv2d_pool_backward(dy, X, W, y, argmax.astype(np.int32))),
        (ValueError, lambda: backend.conv2d_pool_backward(dy[..., None], X, W, y, argmax)),
        (ValueError, lambda: backend.conv2d_pool_backward(dy, X, W, y[:, :0], argmax)),
        (ValueError, lambda: backend.conv2d_pool_backward(dy, X, W, y, argmax[:, :0])),
        (IndexError, lambda: backend.conv2d_pool_backward(dy, X, W, y, np.full_like(argmax, 4))),
    ):
        with pytest.raises(error):
            call()
