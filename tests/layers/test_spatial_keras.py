"""Layers that move windows or change sizes, beside Keras, with the same weights; skipped without it."""

import inspect

import numpy as np
import pytest

from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
IMAGES, SERIES = (2, 7, 9, 4), (3, 11, 4)
LAYERS = {
    "cropping": (lambda k: k.Cropping2D(((1, 2), (0, 3))), IMAGES),
    "cropping both": (lambda k: k.Cropping2D((2, 1)), IMAGES),
    "cropping nothing": (lambda k: k.Cropping2D(), IMAGES),
    "cropping channels first": (lambda k: k.Cropping2D(1, data_format="channels_first"), IMAGES),
    "cropping 1d": (lambda k: k.Cropping1D((2, 1)), SERIES),
    "padding 1d": (lambda k: k.ZeroPadding1D((2, 0)), SERIES),
    "up sampling 1d": (lambda k: k.UpSampling1D(3), SERIES),
    "up sampling": (lambda k: k.UpSampling2D((2, 3)), IMAGES),
    "up sampling bilinear": (lambda k: k.UpSampling2D(2, interpolation="bilinear"), IMAGES),
    "up sampling bilinear odd": (lambda k: k.UpSampling2D((3, 5), interpolation="bilinear"), IMAGES),
    "up sampling channels first": (
        lambda k: k.UpSampling2D((1, 2), "channels_first", interpolation="bilinear"),
        IMAGES,
    ),
    "transposed": (lambda k: k.Conv2DTranspose(5, (3, 2), activation="relu"), IMAGES),
    "transposed strided": (lambda k: k.Conv2DTranspose(5, 3, strides=(2, 3), activation="tanh"), IMAGES),
    "transposed same": (lambda k: k.Conv2DTranspose(3, 3, strides=2, padding="same", use_bias=False), IMAGES),
    "transposed same even": (lambda k: k.Conv2DTranspose(3, 4, strides=2, padding="same"), IMAGES),
    "transposed far apart": (lambda k: k.Conv2DTranspose(3, 2, strides=(3, 5)), IMAGES),
    "transposed same far apart": (lambda k: k.Conv2DTranspose(3, 2, 3, "same", activation="gelu"), IMAGES),
    "transposed more": (lambda k: k.Conv2DTranspose(3, 3, 2, output_padding=(1, 0)), IMAGES),
    "transposed same more": (lambda k: k.Conv2DTranspose(3, 3, 3, "same", output_padding=1), IMAGES),
    "transposed same even more": (lambda k: k.Conv2DTranspose(3, 4, 3, "same", output_padding=(1, 2)), IMAGES),
    "transposed channels first": (
        lambda k: k.Conv2DTranspose(3, 3, 2, "same", data_format="channels_first"),
        IMAGES,
    ),
    "transposed 1d": (lambda k: k.Conv1DTranspose(5, 3, 2, activation="sigmoid"), SERIES),
    "transposed 1d same": (lambda k: k.Conv1DTranspose(5, 4, 3, "same"), SERIES),
    "transposed 1d more": (lambda k: k.Conv1DTranspose(2, 2, 3, output_padding=2), SERIES),
    "depthwise 1d": (lambda k: k.DepthwiseConv1D(3, depth_multiplier=2, activation="tanh"), SERIES),
    "depthwise 1d strided": (lambda k: k.DepthwiseConv1D(4, 3, "same", use_bias=False), SERIES),
    "depthwise 1d far apart": (lambda k: k.DepthwiseConv1D(2, 3), SERIES),
    "depthwise 1d dilated": (lambda k: k.DepthwiseConv1D(3, dilation_rate=2, padding="same"), SERIES),
    "separable 1d": (lambda k: k.SeparableConv1D(5, 3, depth_multiplier=2, activation="sigmoid"), SERIES),
    "separable 1d strided": (lambda k: k.SeparableConv1D(3, 4, 3, "same", activation="gelu"), SERIES),
    "separable 2d": (lambda k: k.SeparableConv2D(5, (3, 2), padding="same", depth_multiplier=2), IMAGES),
    "separable 2d strided": (lambda k: k.SeparableConv2D(3, 2, 3, activation="relu"), IMAGES),
}


def pair(name):
    """Our layer and Keras', with the same weights, and an input."""
    make, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    theirs, ours = make(keras.layers), make(layers)
    theirs.build((None, *shape[1:]))
    ours.build((None, *shape[1:]))
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    assert [w.name for w in theirs.weights] == [w.name for w in ours.weights]
    weights = [rng.standard_normal(w.shape).astype("float32") for w in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return ours, theirs, x


def results_of_keras(layer, x):
    """The output of Keras' layer, a gradient to start from, and those of the input and the weights.

    TensorFlow has some of these on a CPU in channels-last order only: a channels-first one runs turned.
    """
    first = getattr(layer, "data_format", None) == "channels_first"
    if first:
        layer.data_format = "channels_last"
        x = np.moveaxis(x, 1, -1)
    xt = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        y = layer.call(xt)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
        total = tf.reduce_sum(y * dy)
    dx, *dw = (np.asarray(d) for d in tape.gradient(total, [xt, *(w.value for w in layer.trainable_weights)]))
    turned = [np.moveaxis(a, -1, 1) if first else a for a in (np.asarray(y), dy, dx)]
    if first:
        layer.data_format = "channels_first"
    return (*turned, dw)


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients(name):
    ours, theirs, x = pair(name)
    expected, dy, dx, dw = results_of_keras(theirs, x)
    y, ctx = ours.checked_forward(x)
    np.testing.assert_allclose(y, expected, **CLOSE)
    got = [ours.backward(np.ascontiguousarray(dy), ctx, True), *(w.grad for w in ours.trainable_weights)]
    for one, wanted in zip(got, [dx, *dw], strict=True):
        np.testing.assert_allclose(one, wanted, **CLOSE)


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_foretold(name):
    make, shape = LAYERS[name]
    open_sizes = (None, shape[1], None, shape[3]) if len(shape) == 4 else (None, None, shape[2])
    if "first" in name:
        open_sizes = (None, shape[1], None, shape[3])
    for input_shape in ((None, *shape[1:]), open_sizes):
        expected = make(keras.layers).compute_output_shape(input_shape)
        assert make(layers).compute_output_shape(input_shape) == tuple(expected)


@pytest.mark.parametrize("name", LAYERS)
def test_settings_have_the_same_names_and_values(name):
    make, _ = LAYERS[name]
    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()

    def plain(value):
        return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value

    for word, value in ours.items():
        if word == "algorithm":  # which kernel computes it: ours alone
            continue
        assert word in theirs, word
        if word not in ("name", "dtype", "activation") and not word.endswith("initializer"):
            assert plain(value) == plain(theirs[word]), word


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_of_the_constructor_stand_where_keras_has_them(name):
    make, _ = LAYERS[name]
    theirs, ours = (
        [p.name for p in inspect.signature(type(make(k)).__init__).parameters.values()] for k in (keras.layers, layers)
    )
    theirs = [word for word in theirs if word in ours or word != "activity_regularizer"]  # some take it by name alone
    for one, other in zip(ours, theirs, strict=False):
        assert one == other or "settings" in (one, other) or other in ("kwargs", "name")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(7, 9), (4, 3), (14, 27), (9, 5), (1, 1), (11, 20)])
def test_the_resizing_kernel_is_tensorflows(interpolation, size):
    from fastnn import backend

    x = np.random.default_rng(0).standard_normal(IMAGES).astype("float32")
    xt = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        y = tf.image.resize(xt, size, interpolation)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
        total = tf.reduce_sum(y * dy)
    K = backend.active()
    np.testing.assert_allclose(K.resize2d_forward(x, size, interpolation), y, **CLOSE)
    np.testing.assert_allclose(K.resize2d_backward(dy, x.shape, interpolation), tape.gradient(total, xt), **CLOSE)
