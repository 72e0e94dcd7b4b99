"""Every layer's gradients against central differences in float64."""

import numpy as np
import pytest

from fastnn import layers
from fastnn.graph import take_back
from fastnn.inspect import gradient_check
from fastnn.utils import set_random_seed

IMAGE, ROWS, SERIES = (2, 7, 9, 4), (3, 5), (2, 9, 4)
FIRST = {"data_format": "channels_first"}
CASES = {
    "dense": (lambda **k: layers.Dense(4, **k), ROWS),
    "dense relu": (lambda **k: layers.Dense(4, activation="relu", **k), ROWS),
    "dense gelu": (lambda **k: layers.Dense(4, activation="gelu", **k), ROWS),
    "dense softmax": (lambda **k: layers.Dense(4, activation="softmax", **k), ROWS),
    "dense no bias": (lambda **k: layers.Dense(4, activation="tanh", use_bias=False, **k), ROWS),
    "dense on sequences": (lambda **k: layers.Dense(4, activation="silu", **k), (2, 3, 5)),
    "flatten": (lambda **k: layers.Flatten(**k), IMAGE),
    "flatten channels first": (lambda **k: layers.Flatten(**FIRST, **k), IMAGE),
    "reshape": (lambda **k: layers.Reshape((6, -1), **k), IMAGE),
    "activation": (lambda **k: layers.Activation("sigmoid", **k), ROWS),
    "relu": (lambda **k: layers.ReLU(**k), ROWS),
    "relu capped": (lambda **k: layers.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.2, **k), ROWS),
    "leaky relu": (lambda **k: layers.LeakyReLU(0.1, **k), ROWS),
    "elu": (lambda **k: layers.ELU(0.7, **k), ROWS),
    "softmax": (lambda **k: layers.Softmax(**k), ROWS),
    "softmax axis 1": (lambda **k: layers.Softmax(axis=1, **k), (2, 3, 4)),
    "dropout": (lambda **k: layers.Dropout(0.4, **k), ROWS),
    "conv2d": (lambda **k: layers.Conv2D(3, (3, 2), **k), IMAGE),
    "conv2d strided relu same": (
        lambda **k: layers.Conv2D(3, 3, strides=(2, 1), padding="same", activation="relu", **k),
        IMAGE,
    ),
    "conv2d dilated gelu": (lambda **k: layers.Conv2D(3, 2, dilation_rate=2, activation="gelu", **k), IMAGE),
    "conv2d groups": (lambda **k: layers.Conv2D(6, 3, groups=2, **k), IMAGE),
    "conv2d channels first": (lambda **k: layers.Conv2D(3, 3, use_bias=False, **FIRST, **k), (2, 4, 7, 9)),
    "conv2d im2col": (lambda **k: layers.Conv2D(3, 3, algorithm="im2col", **k), IMAGE),
    "depthwise": (lambda **k: layers.DepthwiseConv2D(3, depth_multiplier=2, activation="tanh", **k), IMAGE),
    "separable": (
        lambda **k: layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same", activation="elu", **k),
        IMAGE,
    ),
    "max": (lambda **k: layers.MaxPooling2D((3, 2), **k), IMAGE),
    "max same": (lambda **k: layers.MaxPooling2D(3, strides=2, padding="same", **k), IMAGE),
    "max channels first": (lambda **k: layers.MaxPooling2D(2, **FIRST, **k), (2, 4, 7, 9)),
    "average": (lambda **k: layers.AveragePooling2D((3, 2), strides=1, padding="same", **k), IMAGE),
    "stochastic": (lambda **k: layers.StochasticPooling2D(2, **k), IMAGE),
    "global max": (lambda **k: layers.GlobalMaxPooling2D(keepdims=True, **k), IMAGE),
    "global average": (lambda **k: layers.GlobalAveragePooling2D(**k), IMAGE),
    "global average channels first": (lambda **k: layers.GlobalAveragePooling2D(keepdims=True, **FIRST, **k), IMAGE),
    "conv1d": (lambda **k: layers.Conv1D(3, 3, **k), SERIES),
    "conv1d causal dilated tanh": (
        lambda **k: layers.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="tanh", **k),
        SERIES,
    ),
    "conv1d causal strided": (lambda **k: layers.Conv1D(3, 4, strides=2, padding="causal", **k), SERIES),
    "conv1d same strided gelu": (
        lambda **k: layers.Conv1D(3, 4, strides=3, padding="same", activation="gelu", use_bias=False, **k),
        SERIES,
    ),
    "conv1d groups": (lambda **k: layers.Conv1D(6, 2, groups=2, activation="relu", **k), SERIES),
    "conv1d channels first": (lambda **k: layers.Conv1D(3, 3, **FIRST, **k), (2, 4, 9)),
    "max 1d": (lambda **k: layers.MaxPooling1D(3, strides=2, **k), SERIES),
    "max 1d same": (lambda **k: layers.MaxPooling1D(4, padding="same", **k), SERIES),
    "average 1d": (lambda **k: layers.AveragePooling1D(3, strides=2, padding="same", **k), SERIES),
    "average 1d channels first": (lambda **k: layers.AveragePooling1D(2, **FIRST, **k), (2, 4, 9)),
    "global max 1d": (lambda **k: layers.GlobalMaxPooling1D(**k), SERIES),
    "global max 1d channels first": (lambda **k: layers.GlobalMaxPooling1D(keepdims=True, **FIRST, **k), (2, 4, 9)),
    "global average 1d": (lambda **k: layers.GlobalAveragePooling1D(keepdims=True, **k), SERIES),
    "global average 1d channels first": (lambda **k: layers.GlobalAveragePooling1D(**FIRST, **k), (2, 4, 9)),
    "zero padding 1d": (lambda **k: layers.ZeroPadding1D((1, 3), **k), SERIES),
    "zero padding 1d channels first": (lambda **k: layers.ZeroPadding1D((1, 3), **FIRST, **k), (2, 4, 9)),
    "cropping 1d": (lambda **k: layers.Cropping1D((1, 3), **k), SERIES),
    "up sampling 1d": (lambda **k: layers.UpSampling1D(3, **k), SERIES),
    "spatial dropout 1d": (lambda **k: layers.SpatialDropout1D(0.4, **k), SERIES),
    "dropout of time steps": (lambda **k: layers.Dropout(0.4, noise_shape=(None, None, 1), **k), SERIES),
    "masking": (lambda **k: layers.Masking(**k), SERIES),
    "zero padding": (lambda **k: layers.ZeroPadding2D(((1, 0), (2, 3)), **k), IMAGE),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_gradients(case, training):
    make, shape = CASES[case]
    set_random_seed(3)
    layer = make(dtype="float64", input_shape=shape[1:])
    x = np.random.default_rng(1).standard_normal(shape)
    result = gradient_check(layer, x, training=training, samples=40)
    assert result, f"\n{result}"
    assert "x" in result.arrays
    assert len(result.arrays) == 1 + len(layer.weights)


@pytest.mark.parametrize("case", CASES)
def test_output_shape_is_what_forward_gives_and_inputs_stay(case):
    make, shape = CASES[case]
    layer = make()
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    before = x.copy()
    assert layer.ensure_built((None, *shape[1:])) == layer.output_shape
    y, ctx = layer.forward(x, training=True)
    assert (None, *y.shape[1:]) == layer.output_shape
    assert y.dtype == np.float32
    dy = np.ones_like(y)
    dx = layer.backward(dy, ctx)
    assert dx.shape == x.shape
    assert dx.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(dy, np.ones_like(y))


@pytest.mark.parametrize("case", CASES)
def test_config_makes_the_same_layer(case):
    make, shape = CASES[case]
    set_random_seed(1)
    layer = make()
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.compute_output_shape((None, *shape[1:])) == layer.compute_output_shape((None, *shape[1:]))


@pytest.mark.parametrize("case", CASES)
def test_no_input_gradient_when_not_wanted(case):
    make, shape = CASES[case]
    set_random_seed(1)
    layer = make(dtype="float64")
    x = np.random.default_rng(1).standard_normal(shape)
    y, ctx = layer.forward(x) if layer.built else (layer(x), None)
    y, ctx = layer.forward(x)
    layer.backward(np.ones_like(y), ctx)
    wanted = [p.grad.copy() for p in layer.weights]
    for p in layer.weights:
        p.grad[...] = np.nan
    dx = take_back(layer, np.ones_like(y), ctx, need_dx=False)
    assert dx is None or not layer.weights
    for p, g in zip(layer.weights, wanted, strict=True):
        np.testing.assert_allclose(p.grad, g)
