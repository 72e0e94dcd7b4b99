"""Normalization beside Keras and PyTorch, same weights: outputs, all gradients, settings; skipped without them."""

import inspect

import numpy as np
import pytest

from fastnn import layers

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
LAYERS = {
    "layer": (lambda k: k.LayerNormalization(), (3, 4, 7)),
    "layer axis 1": (lambda k: k.LayerNormalization(1, 0.1), (3, 4, 7)),
    "layer apart": (lambda k: k.LayerNormalization([1, 3], 1e-2), (2, 3, 4, 5)),
    "layer turned": (lambda k: k.LayerNormalization([3, 2]), (2, 3, 4, 5)),
    "layer whole": (lambda k: k.LayerNormalization(axis=(1, 2, 3)), (2, 3, 4, 5)),
    "layer without center": (lambda k: k.LayerNormalization(center=False), (3, 7)),
    "layer without scale": (lambda k: k.LayerNormalization(scale=False), (3, 7)),
    "layer bare": (lambda k: k.LayerNormalization([-2, -1], center=False, scale=False), (3, 4, 7)),
    "layer rms scaling": (lambda k: k.LayerNormalization(epsilon=0.1, rms_scaling=True), (3, 4, 7)),
    "rms": (lambda k: k.RMSNormalization(), (3, 4, 7)),
    "rms over two": (lambda k: k.RMSNormalization([1, 2], 0.1), (3, 4, 7)),
    "group": (lambda k: k.GroupNormalization(2), (2, 3, 4, 6)),
    "group axis 1": (lambda k: k.GroupNormalization(3, 1, 0.1), (2, 6, 4, 5)),
    "group axis -3": (lambda k: k.GroupNormalization(3, -3), (2, 6, 4, 5)),
    "group of series": (lambda k: k.GroupNormalization(4, center=False), (2, 9, 12)),
    "group of rows": (lambda k: k.GroupNormalization(4, scale=False), (5, 12)),
    "group of one": (lambda k: k.GroupNormalization(1), (2, 3, 4, 6)),
    "instance": (lambda k: k.GroupNormalization(-1), (2, 3, 4, 6)),
    "unit": (lambda k: k.UnitNormalization(), (3, 4, 7)),
    "unit axis 1": (lambda k: k.UnitNormalization(1), (3, 4, 7)),
    "unit over two": (lambda k: k.UnitNormalization([1, 2]), (3, 4, 7)),
}


@pytest.fixture
def keras():
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the baseline is Keras on TensorFlow")
    return keras


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def drawn(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32") + 0.5


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients(name, keras):
    import tensorflow as tf

    make, shape = LAYERS[name]
    x, r = drawn(shape), drawn(shape, 1)
    theirs, ours = make(keras.layers), make(layers)
    theirs(x)
    ours(x)
    assert [(w.name, tuple(w.shape)) for w in theirs.weights] == [(w.name, w.shape) for w in ours.weights]
    weights = [drawn(w.shape, 2 + i) for i, w in enumerate(ours.weights)]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    xt = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(xt)
        expected = theirs(xt)
        total = tf.reduce_sum(expected * r)
    slopes = tape.gradient(total, [xt, *(w.value for w in theirs.trainable_weights)])
    y, ctx = ours.checked_forward(x)
    np.testing.assert_allclose(y, expected, **CLOSE)
    dx = ours.backward(r, ctx)
    for got, wanted in zip([dx, *(w.grad for w in ours.trainable_weights)], slopes, strict=True):
        np.testing.assert_allclose(got, wanted, **CLOSE)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", LAYERS)
def test_settings_have_the_same_names_and_values(name, keras):
    make, shape = LAYERS[name]
    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()
    for word, value in ours.items():
        assert word in theirs, word
        if word not in ("name", "dtype") and "initializer" not in word:
            assert value == (list(theirs[word]) if isinstance(theirs[word], tuple) else theirs[word]), word
    # A layer that Keras describes, built or not, is ours from the same words.
    other = make(keras.layers)
    other(drawn(shape))
    for config in (theirs, other.get_config()):
        words = {word: config[word] for word in ours if word not in ("name", "dtype") and "initializer" not in word}
        again = type(make(layers))(**words)
        again.build((None, *shape[1:]))
        assert [w.shape for w in again.weights] == [tuple(w.shape) for w in other.weights]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", LAYERS)
def test_arguments_stand_where_keras_has_them(name, keras):
    make, _ = LAYERS[name]
    theirs, ours = (
        [p.name for p in inspect.signature(type(make(k)).__init__).parameters.values() if p.kind is not p.VAR_KEYWORD]
        for k in (keras.layers, layers)
    )
    assert [word for word in ours if word != "rms_scaling"] == theirs


@pytest.mark.filterwarnings("default")
def test_rows_of_almost_nothing_have_keras_length(keras):
    x = np.array([[0, 0, 0], [1e-13, 0, 0], [3e-20, 4e-20, 0], [3e-11, 4e-11, 0], [np.nan, 1, 2]], "float32")
    np.testing.assert_allclose(
        layers.UnitNormalization()(x), keras.layers.UnitNormalization()(x), rtol=1e-5, atol=1e-12
    )


def test_a_model_trains_as_in_keras(keras):
    """The same weights before give the same weights after some steps."""
    import fastnn

    found, start = [], None
    x, t = drawn((24, 5, 8)), drawn((24, 5, 1), 1)
    for k, cls in ((keras.layers, keras.Sequential), (layers, fastnn.Sequential)):
        model = cls(
            [
                k.Input((5, 8)),
                k.LayerNormalization(gamma_regularizer="l2", beta_constraint="non_neg"),
                k.Dense(12, "tanh"),
                k.GroupNormalization(3),
                k.RMSNormalization(),
                k.UnitNormalization(),
                k.Dense(1),
            ]
        )
        start = start or [drawn(w.shape, i) for i, w in enumerate(model.get_weights())]
        model.set_weights(start)
        model.compile("sgd", "mse")  # Adam would turn gradients that are 0 but for rounding into whole steps
        model.fit(x, t, epochs=3, batch_size=8, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


TORCH = {
    "layer": (lambda: layers.LayerNormalization(epsilon=1e-5), lambda t: t.nn.LayerNorm(7), (3, 4, 7)),
    "layer over two": (
        lambda: layers.LayerNormalization([1, 2], epsilon=1e-5), lambda t: t.nn.LayerNorm((4, 7)), (3, 4, 7)
    ),
    "rms": (lambda: layers.RMSNormalization(epsilon=1e-6), lambda t: t.nn.RMSNorm(7, eps=1e-6), (3, 4, 7)),
    "group": (lambda: layers.GroupNormalization(3, 1, 1e-5), lambda t: t.nn.GroupNorm(3, 6), (2, 6, 4, 5)),
    "instance": (
        lambda: layers.GroupNormalization(-1, 1, 1e-5), lambda t: t.nn.InstanceNorm2d(6, affine=True), (2, 6, 4, 5)
    ),
    "unit": (lambda: layers.UnitNormalization(), lambda t: t.nn.functional.normalize, (3, 7)),
}  # fmt: skip


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", TORCH)
def test_outputs_and_gradients_beside_pytorch(name, torch):
    make, make_theirs, shape = TORCH[name]
    ours, theirs = make(), make_theirs(torch)
    x, r = drawn(shape), drawn(shape, 1)
    ours(x)
    weights = [drawn(w.shape, 2 + i) for i, w in enumerate(ours.weights)]
    ours.set_weights(weights)
    parameters = list(theirs.parameters()) if weights else []
    with torch.no_grad():
        for p, w in zip(parameters, weights, strict=True):
            p.copy_(torch.from_numpy(w))
    xt = torch.from_numpy(x).requires_grad_()
    kwargs = {} if weights else {"dim": -1}
    expected = theirs(xt, **kwargs)
    expected.backward(torch.from_numpy(r))
    y, ctx = ours.checked_forward(x)
    np.testing.assert_allclose(y, expected.detach().numpy(), **CLOSE)
    dx = ours.backward(r, ctx)
    for got, wanted in zip([dx, *(w.grad for w in ours.weights)], [xt, *parameters], strict=True):
        np.testing.assert_allclose(got, wanted.grad.numpy(), **CLOSE)
