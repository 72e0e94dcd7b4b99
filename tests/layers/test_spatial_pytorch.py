"""Transposed, depthwise and separable convolutions and resizing beside PyTorch, same weights; skipped without it."""

import itertools

import numpy as np
import pytest

from fastnn import backend, layers

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def some(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def channels_first(x):
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def channels_last(x):
    return np.moveaxis(x.detach().numpy(), 1, -1)


def gradients(y, dy, *inputs):
    return torch.autograd.grad(y, inputs, channels_first(dy))


@pytest.mark.parametrize(
    ("k", "stride", "pad", "extra", "dilation"),
    [
        (k, s, p, e, d)
        for k, s, p, e, d in itertools.product((1, 2, 3, 4), (1, 2, 3), (0, 1), (0, 1), (1, 2))
        if e < s and 2 * p < d * (k - 1) + 1
    ],
)
def test_transposed_convolution(k, stride, pad, extra, dilation):
    x, w, b = some(2, 5, 4, 3), some(k, k, 7, 3, seed=1), some(7, seed=2)
    xt, wt, bt = channels_first(x), torch.from_numpy(w.transpose(3, 2, 0, 1).copy()), torch.from_numpy(b)
    for t in (xt, wt, bt):
        t.requires_grad_()
    yt = torch.nn.functional.conv_transpose2d(xt, wt, bt, stride, pad, extra, 1, dilation)
    options = (stride, ((pad, pad), (pad, pad)), extra, dilation)
    y = backend.active().conv2d_transpose_forward(x, w, b, *options)
    np.testing.assert_allclose(y, channels_last(yt), **CLOSE)
    dy = some(*y.shape, seed=3)
    dx, dw, db = backend.active().conv2d_transpose_backward(dy, x, w, None, *options)
    dxt, dwt, dbt = gradients(yt, dy, xt, wt, bt)
    np.testing.assert_allclose(dx, channels_last(dxt), **CLOSE)
    np.testing.assert_allclose(dw, dwt.numpy().transpose(2, 3, 1, 0), **CLOSE)
    np.testing.assert_allclose(db, dbt, **CLOSE)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(10, 8), (3, 3), (5, 9), (12, 4), (1, 1), (7, 31)])
def test_resizing(interpolation, size):
    x = some(2, 5, 4, 3)
    xt = channels_first(x).requires_grad_()
    mode = {"mode": "nearest-exact"} if interpolation == "nearest" else {"mode": "bilinear", "align_corners": False}
    yt = torch.nn.functional.interpolate(xt, size, **mode)
    y = backend.active().resize2d_forward(x, size, interpolation)
    np.testing.assert_allclose(y, channels_last(yt), **CLOSE)
    dy = some(*y.shape, seed=1)
    dx = backend.active().resize2d_backward(dy, x.shape, interpolation)
    np.testing.assert_allclose(dx, channels_last(gradients(yt, dy, xt)[0]), **CLOSE)


def test_transposed_convolution_of_sequences():
    x = some(2, 6, 3)
    ours, theirs = layers.Conv1DTranspose(5, 4, strides=2), torch.nn.ConvTranspose1d(3, 5, 4, 2)
    ours.build((None, 6, 3))
    ours.set_weights([theirs.weight.detach().numpy().transpose(2, 1, 0), theirs.bias.detach().numpy()])
    np.testing.assert_allclose(ours(x), channels_last(theirs(channels_first(x))), **CLOSE)


def test_depthwise_convolution_of_sequences():
    x = some(2, 9, 3)
    ours = layers.DepthwiseConv1D(3, strides=2, depth_multiplier=2, dilation_rate=2)
    theirs = torch.nn.Conv1d(3, 6, 3, 2, dilation=2, groups=3)
    ours.build((None, 9, 3))
    ours.set_weights([theirs.weight.detach().numpy()[:, 0].T.reshape(3, 3, 2), theirs.bias.detach().numpy()])
    np.testing.assert_allclose(ours(x), channels_last(theirs(channels_first(x))), **CLOSE)
