"""``data_format="channels_first"``: every layer that has it gives what it gives channels last, forward and back."""

import inspect

import numpy as np
import pytest

from fastnn import Input, Model, layers
from fastnn.layers import Layer

X1 = np.random.default_rng(0).normal(size=(2, 9, 6)).astype(np.float32)
X2 = np.random.default_rng(1).normal(size=(2, 8, 9, 6)).astype(np.float32)
CASES = [
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "same", "strides": 2}),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2, "activation": "gelu"}),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 3}),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}),
    ("MaxPooling1D", {}),
    ("AveragePooling1D", {"pool_size": 3, "padding": "same", "strides": 2}),
    ("GlobalMaxPooling1D", {"keepdims": True}),
    ("GlobalAveragePooling1D", {}),
    ("ZeroPadding1D", {"padding": (1, 2)}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2, "groups": 2, "activation": "relu"}),
    ("Conv2D", {"filters": 3, "kernel_size": (2, 3), "dilation_rate": 2, "use_bias": False}),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 3, "strides": 2}),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": (2, 1), "padding": "same"}),
    ("MaxPooling2D", {"pool_size": (3, 2), "strides": 2, "padding": "same"}),
    ("AveragePooling2D", {"pool_size": 2}),
    ("GlobalMaxPooling2D", {}),
    ("GlobalAveragePooling2D", {"keepdims": True}),
    ("StochasticPooling2D", {}),
    ("ZeroPadding2D", {"padding": ((1, 2), (0, 1))}),
    ("Cropping2D", {"cropping": ((1, 2), (0, 1))}),
    ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}),
    ("SpatialDropout2D", {"rate": 0.4}),
    ("Flatten", {}),
]


def image_layers():
    """The layers of this package that have a ``data_format``, but for those that change images before a model."""
    for name in layers.__all__:
        cls = getattr(layers, name)
        of_images = inspect.isclass(cls) and issubclass(cls, Layer) and "preprocessing" not in cls.__module__
        if of_images and "data_format" in inspect.signature(cls).parameters:
            yield cls


def test_every_layer_that_has_it_is_here():
    here = {getattr(layers, name) for name, _ in CASES}
    assert {cls.__name__ for cls in image_layers()} <= {cls.__name__ for cls in here}


@pytest.mark.parametrize(("name", "options"), CASES)
def test_it_is_the_layer_with_axes_moved(name, options):
    x = X1 if "1D" in name else X2
    turned = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    last, first = (getattr(layers, name)(data_format=f"channels_{f}", **options) for f in ("last", "first"))
    assert first.get_config()["data_format"] == "channels_first"
    assert type(first).from_config(first.get_config()).data_format == "channels_first"
    for layer, array in ((last, x), (first, turned)):
        layer.ensure_built(array.shape)
        assert tuple(layer.compute_output_shape(array.shape)) == layer(array).shape
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
    first.set_weights(last.get_weights())
    y, ctx = last.forward(x, False)
    y_turned, ctx_turned = first.forward(turned, False)
    moved = (lambda a: np.moveaxis(a, -1, 1)) if y.ndim > 2 else (lambda a: a)
    np.testing.assert_allclose(y_turned, moved(y), atol=1e-5)
    dy = np.random.default_rng(2).normal(size=y.shape).astype(np.float32)
    dx = last.backward(dy, ctx)
    dx_turned = first.backward(np.ascontiguousarray(moved(dy)), ctx_turned)
    np.testing.assert_allclose(dx_turned, np.moveaxis(dx, -1, 1), atol=1e-5)
    for mine, other in zip(first.weights, last.weights, strict=True):
        np.testing.assert_allclose(mine.grad, other.grad, atol=1e-4)


@pytest.mark.parametrize("name", ["Cropping1D", "UpSampling1D"])
def test_these_have_none_as_in_keras(name):
    with pytest.raises(TypeError, match=f"{name} has no argument 'data_format'"):
        getattr(layers, name)(data_format="channels_first")


def network(data_format):
    """Convolutions, pooling and normalization by channel, in either order of axes."""
    first = data_format == "channels_first"
    inputs = Input((6, 8, 9) if first else (8, 9, 6))
    x = layers.Conv2D(4, 3, data_format=data_format, activation="relu")(inputs)
    x = layers.BatchNormalization(axis=1 if first else -1)(x)
    x = layers.MaxPooling2D(data_format=data_format)(x)
    x = layers.SeparableConv2D(5, 2, data_format=data_format)(x)
    x = layers.Flatten(data_format=data_format)(x)
    return Model(inputs, layers.Dense(2, activation="softmax")(x))


def test_a_model_trains_to_the_same_losses():
    y = np.array([0, 1] * 8)
    x = np.random.default_rng(3).normal(size=(16, 8, 9, 6)).astype(np.float32)
    one, other = network("channels_last"), network("channels_first")
    other.set_weights(one.get_weights())
    losses = []
    for model, data in ((one, x), (other, np.ascontiguousarray(np.moveaxis(x, -1, 1)))):
        model.compile("adam", "sparse_categorical_crossentropy")
        losses.append(model.fit(data, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    for a, b in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_beside_keras(name, options):
    keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")
    if not hasattr(keras.layers, name):
        pytest.skip(f"Keras has no {name}")
    shape = (9, 6) if "1D" in name else (8, 9, 6)
    ours = getattr(layers, name)(data_format="channels_first", **options)
    if name.startswith("SpatialDropout"):
        options = options | {"seed": 1}
    turned = (None, shape[-1], *shape[:-1])
    theirs = getattr(keras.layers, name)(data_format="channels_first", **options)
    assert tuple(theirs.compute_output_shape(turned)) == tuple(ours.compute_output_shape(turned))
    theirs.build(turned)
    ours.ensure_built(turned)
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
