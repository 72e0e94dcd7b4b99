"""What layers compute, against values worked out by hand."""

import numpy as np
import pytest

from fastnn import layers

IMAGE = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], np.float32)
WINDOW = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]], np.float32)


def conv(**settings):
    layer = layers.Conv2D(1, 3, **settings)
    layer.ensure_built((None, 4, 4, 1))
    return layer


def test_convolution_of_the_book():
    layer = conv()
    layer.set_weights([WINDOW.reshape(3, 3, 1, 1), [3]])
    np.testing.assert_array_equal(layer(IMAGE[None, ..., None])[0, ..., 0], [[18, 19], [9, 18]])


def test_convolution_of_the_book_with_zero_padding():
    expected = [[7, 12, 10, 2], [4, 15, 16, 10], [10, 6, 15, 6], [8, 10, 4, 3]]
    same = conv(padding="same", use_bias=False)
    same.set_weights([WINDOW.reshape(3, 3, 1, 1)])
    np.testing.assert_array_equal(same(IMAGE[None, ..., None])[0, ..., 0], expected)
    padded = layers.ZeroPadding2D(1)(IMAGE[None, ..., None])
    valid = layers.Conv2D(1, 3, use_bias=False)
    valid.ensure_built((None, 6, 6, 1))
    valid.set_weights([WINDOW.reshape(3, 3, 1, 1)])
    np.testing.assert_array_equal(valid(padded)[0, ..., 0], expected)


def test_dense_is_a_product_a_sum_and_an_activation():
    layer = layers.Dense(2, activation="relu")
    layer.ensure_built((None, 3))
    layer.set_weights([[[1, -1], [2, 0], [0, 1]], [0.5, -0.5]])
    np.testing.assert_array_equal(layer([[1, 1, 1], [-1, 0, 2]]), [[3.5, 0], [0, 2.5]])


def test_channels_first_is_channels_last_turned():
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 4)).astype(np.float32)
    last, first = layers.Conv2D(3, 3), layers.Conv2D(3, 3, data_format="channels_first")
    y = last(x)
    first.ensure_built((None, 4, 5, 6))
    first.set_weights(last.get_weights())
    np.testing.assert_array_equal(first(x.transpose(0, 3, 1, 2)), y.transpose(0, 3, 1, 2))
    assert first.output_shape == (None, 3, 3, 4)


def test_depthwise_is_one_convolution_a_channel():
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype(np.float32)
    layer = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    y = layer(x)
    for c in range(3):
        one = layers.Conv2D(2, 3, use_bias=False)
        one.ensure_built((None, 5, 6, 1))
        one.set_weights([layer.get_weights()[0][:, :, c : c + 1]])
        np.testing.assert_allclose(y[..., 2 * c : 2 * c + 2], one(x[..., c : c + 1]), rtol=1e-5, atol=1e-6)


def test_separable_is_depthwise_then_pointwise():
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype(np.float32)
    layer = layers.SeparableConv2D(4, 3, depth_multiplier=2)
    y = layer(x)
    depthwise_kernel, pointwise_kernel, bias = layer.get_weights()
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 3, 2), (1, 1, 6, 4), (4,)]
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    depthwise.ensure_built(layer.input_shape)
    depthwise.set_weights([depthwise_kernel])
    np.testing.assert_allclose(y, depthwise(x) @ pointwise_kernel[0, 0] + bias, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.MaxPooling2D(2), [[5, 7], [13, 15]]),
        (layers.MaxPooling2D(3, strides=2, padding="same"), [[10, 11], [14, 15]]),
        (layers.AveragePooling2D(2), [[2.5, 4.5], [10.5, 12.5]]),
        (layers.AveragePooling2D(3, strides=2, padding="same"), [[5, 6.5], [11, 12.5]]),
        (layers.GlobalMaxPooling2D(keepdims=True), [[15]]),
        (layers.GlobalAveragePooling2D(keepdims=True), [[7.5]]),
    ],
)
def test_pooling(layer, expected):
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(layer(x)[0, ..., 0], expected)


def test_stochastic_pooling_draws_in_proportion_and_averages_at_inference():
    x = np.tile(np.array([[0, 1], [3, 0]], np.float32).reshape(1, 2, 2, 1), (4000, 1, 1, 1))
    layer = layers.StochasticPooling2D(2)
    np.testing.assert_array_equal(layer(x), 2.5)
    drawn = layer(x, training=True).ravel()
    assert set(drawn.tolist()) == {1, 3}
    assert abs((drawn == 3).mean() - 0.75) < 0.03
    assert (layer(x, training=True).ravel() != drawn).any()


def test_dropout_keeps_in_proportion_and_scales():
    x = np.ones((100, 200), np.float32)
    layer = layers.Dropout(0.25)
    np.testing.assert_array_equal(layer(x), x)
    y = layer(x, training=True)
    assert set(np.unique(y).tolist()) == {0, np.float32(1 / 0.75)}
    assert abs((y > 0).mean() - 0.75) < 0.01
    assert (layer(x, training=True) != y).any()
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), 0)


def test_dropout_with_a_seed_repeats():
    x = np.ones((10, 20), np.float32)
    np.testing.assert_array_equal(layers.Dropout(0.5, seed=7)(x, True), layers.Dropout(0.5, seed=7)(x, True))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.ReLU(), [0, 0, 0.5, 3]),
        (layers.ReLU(max_value=2, negative_slope=0.5), [-1, 0, 0.5, 2]),
        (layers.LeakyReLU(), [-0.6, 0, 0.5, 3]),
        (layers.LeakyReLU(alpha=0.1), [-0.2, 0, 0.5, 3]),
        (layers.ELU(), [np.exp(-2) - 1, 0, 0.5, 3]),
        (layers.Activation("hard_sigmoid"), [-2 / 6 + 0.5, 0.5, 0.5 / 6 + 0.5, 1]),
        (layers.Activation("leaky_relu"), [-0.4, 0, 0.5, 3]),
    ],
)
def test_activation_layers(layer, expected):
    np.testing.assert_allclose(layer([[-2, 0, 0.5, 3]]), [expected], rtol=1e-6)


def test_custom_activation_object_and_function():
    class Square:
        def forward(self, x):
            return x * x, x

        def backward(self, dy, ctx):
            return dy * 2 * ctx

    def cube(x):
        return x**3

    cube.gradient = lambda dy, x, y: dy * 3 * x * x
    for activation, expected in ((Square(), 4), (cube, 8)):
        layer = layers.Dense(1, activation=activation, kernel_initializer="ones", dtype="float64")
        x = np.array([[2.0]])
        assert layer(x).item() == expected
        y, ctx = layer.forward(x)
        assert layer.backward(np.ones_like(y), ctx).item() == {4: 4, 8: 12}[expected]


def test_weights_start_as_keras_starts_them():
    dense = layers.Dense(300)
    dense.ensure_built((None, 200))
    kernel, bias = dense.get_weights()
    limit = np.sqrt(6 / 500)
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert not bias.any()
    conv = layers.Conv2D(64, 3)
    conv.ensure_built((None, 9, 9, 32))
    limit = np.sqrt(6 / (9 * (32 + 64)))
    assert 0.99 * limit < np.abs(conv.get_weights()[0]).max() <= limit


def test_convolutions_of_sequences_are_those_of_images_of_one_row():
    x = np.random.default_rng(0).standard_normal((2, 9, 3)).astype(np.float32)
    for name, arguments in (("DepthwiseConv1D", ()), ("SeparableConv1D", (4,))):
        settings = {"depth_multiplier": 2, "activation": "tanh", "bias_initializer": "normal"}
        one = getattr(layers, name)(*arguments, 3, strides=2, **settings)
        two = getattr(layers, name.replace("1D", "2D"))(*arguments, (1, 3), strides=(1, 2), **settings)
        y = one(x)
        two.ensure_built((None, 1, 9, 3))
        two.set_weights([w.reshape(v.shape) for w, v in zip(one.get_weights(), two.weights, strict=True)])
        np.testing.assert_array_equal(two(x[:, None])[:, 0], y)


def test_cropping_is_padding_undone():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 2)).astype(np.float32)
    for sides in (0, 1, (2, 0), ((1, 2), (0, 3))):
        np.testing.assert_array_equal(layers.Cropping2D(sides)(layers.ZeroPadding2D(sides)(x)), x)
    np.testing.assert_array_equal(layers.Cropping2D(((1, 0), (0, 2)))(x), x[:, 1:, :2])
