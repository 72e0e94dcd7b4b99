"""Small layers beside Keras, same weights: outputs, all gradients, masks, settings, arguments; skipped without it."""

import inspect

import numpy as np
import pytest

import fastnn
from fastnn import layers
from tests.layers.examples import classes

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
LAYERS = {
    "permute": (lambda k: k.Permute((3, 1, 2)), (2, 3, 4, 5)),
    "identity": (lambda k: k.Identity(), (2, 3)),
    "prelu": (lambda k: k.PReLU(alpha_initializer="normal"), (3, 4, 5)),
    "prelu shared": (lambda k: k.PReLU(alpha_initializer="normal", shared_axes=[1, 2]), (3, 4, 5, 6)),
    "activity regularization": (lambda k: k.ActivityRegularization(0.1, 0.2), (3, 4)),
    "gaussian noise": (lambda k: k.GaussianNoise(0.3), (3, 4)),
    "gaussian dropout": (lambda k: k.GaussianDropout(0.3), (3, 4)),
    "alpha dropout": (lambda k: k.AlphaDropout(0.3), (3, 4)),
    "spatial dropout 2d": (lambda k: k.SpatialDropout2D(0.3), (3, 4, 5, 6)),
    "softmax": (lambda k: k.Softmax(), (3, 4)),
    "softmax axis 1": (lambda k: k.Softmax(1), (3, 4, 5)),
    "softmax over two": (lambda k: k.Softmax([1, 2]), (3, 4, 5)),
    "global average 1d": (lambda k: k.GlobalAveragePooling1D(), (3, 4, 5)),
    "einsum dense": (lambda k: k.EinsumDense("ab,bc->ac", 3, "relu", bias_axes="c"), (7, 5)),
    "einsum heads": (lambda k: k.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), (2, 4, 5)),
    "einsum heads back": (lambda k: k.EinsumDense("abcd,cde->abe", (None, 3), "tanh", bias_axes="e"), (2, 4, 5, 6)),
    "einsum half a bias": (lambda k: k.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="d"), (2, 4, 5)),
    "einsum shared": (lambda k: k.EinsumDense("abc,bcd->abd", (4, 3), bias_axes="d"), (2, 4, 5)),
    "einsum turned": (lambda k: k.EinsumDense("abc,bd->adc", (3, 5), bias_axes="d"), (2, 4, 5)),
    "einsum dots before": (lambda k: k.EinsumDense("...x,xy->...y", 3, "sigmoid", bias_axes="y"), (2, 4, 5)),
    "einsum dots behind": (lambda k: k.EinsumDense("ab...,bc->ac...", 3, bias_axes="c"), (2, 4, 5, 6)),
}


def pair(name):
    """Our layer and Keras', with the same weights, and an input."""
    make, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    theirs, ours = make(keras.layers), make(layers)
    theirs(x)
    ours(x)
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    weights = [rng.standard_normal(w.shape).astype("float32") for w in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return ours, theirs, x


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients(name):
    ours, theirs, x = pair(name)
    xt = tf.constant(x)
    r = np.random.default_rng(1).standard_normal(np.shape(theirs(x))).astype("float32")
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
    assert (
        ours.output_shape == (None, *theirs.compute_output_shape((None, *x.shape[1:]))[1:])
        or None in (theirs.compute_output_shape((None, *x.shape[1:]))[1:])
    )


@pytest.mark.parametrize("name", LAYERS)
def test_settings_have_the_same_names_and_values(name):
    make, _ = LAYERS[name]
    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()
    for word, value in ours.items():
        assert word in theirs or word == "trainable", word  # which Keras forgets in spatial dropout
        if (
            isinstance(value, (int, float, str, list))
            and word not in ("name", "dtype", "trainable")
            and "initializer" not in word
        ):
            other = list(theirs[word]) if isinstance(theirs[word], tuple) else theirs[word]
            assert value == other, word


MASKS = {
    "softmax": [(3, 4), (1, 4), (3, 1)],
    "softmax axis 1": [(3, 4, 5), (3, 4, 1), (1, 4, 5), (1, 1, 5)],
    "softmax over two": [(3, 4, 5), (3, 1, 5)],
    "global average 1d": [(3, 4)],
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_masks(name, dtype):
    ours, theirs, x = pair(name)
    for shape in MASKS[name]:
        mask = np.random.default_rng(len(shape)).random(shape) < 0.7
        if name.startswith("softmax"):
            mask[0] = False  # all of an example is masked, which a mean has no answer to in Keras
        else:
            mask[:, 0] = True
        mask = mask.astype(dtype)
        xt = tf.constant(x)
        r = np.random.default_rng(1).standard_normal(np.shape(theirs(x))).astype("float32")
        with tf.GradientTape() as tape:
            tape.watch(xt)
            expected = theirs(xt, tf.constant(mask))  # by its place, as ours
            total = tf.reduce_sum(expected * r)
        np.testing.assert_allclose(ours(x, mask), expected, **CLOSE)
        _, ctx = ours.checked_forward(x, False, mask.astype(bool))
        np.testing.assert_allclose(ours.backward(r, ctx), tape.gradient(total, xt), **CLOSE)


def test_alpha_dropout_computes_the_same_from_the_same_mask():
    x = np.random.default_rng(0).standard_normal((50, 40)).astype("float32")
    for rate in (0.1, 0.5, 0.8):
        ours = layers.AlphaDropout(rate, seed=1)(x, training=True)
        theirs = np.asarray(keras.layers.AlphaDropout(rate, seed=1)(x, training=True))
        dropped = [np.unique(y, return_counts=True) for y in (ours, theirs)]
        values = [found[counts.argmax()] for found, counts in dropped]
        assert values[0] == pytest.approx(values[1], rel=1e-5)
        both = (ours != values[0]) & (theirs != values[1])
        np.testing.assert_allclose(ours[both], theirs[both], **CLOSE)


def test_what_is_drawn_has_keras_moments():
    x = np.full((400, 500), 2.0, "float32")
    for make in (
        lambda k: k.GaussianNoise(0.5), lambda k: k.GaussianDropout(0.4), lambda k: k.AlphaDropout(0.4),
    ):  # fmt: skip
        ours, theirs = make(layers)(x, training=True), np.asarray(make(keras.layers)(x, training=True))
        # Means and deviations of 200,000 draws of deviation up to 2.2: six standard errors of both together.
        assert abs(ours.mean() - theirs.mean()) < 6 * theirs.std() * np.sqrt(2 / x.size)
        assert abs(ours.std() / theirs.std() - 1) < 0.02


@pytest.mark.parametrize(
    ("equation", "wanted", "shape"),
    [("abc,cde->abde", (None, 8, 16), (2, 3, 128)), ("abcd,cde->abe", (None, 64), (2, 3, 8, 32))],
)
def test_kernels_start_within_the_same_limits(equation, wanted, shape):
    ours, theirs = (k.EinsumDense(equation, wanted) for k in (layers, keras.layers))
    ours.build((None, *shape[1:]))
    theirs.build((None, *shape[1:]))
    limit = [np.abs(np.asarray(layer.get_weights()[0])).max() for layer in (ours, theirs)]
    assert limit[0] == pytest.approx(limit[1], rel=0.01)  # of some 16,000 uniform draws, the largest is at the limit


def test_a_penalty_on_activity_is_the_same_loss():
    x = np.random.default_rng(0).standard_normal((8, 5)).astype("float32")
    found = []
    for k, model in ((layers, fastnn.Sequential), (keras.layers, keras.Sequential)):
        model = model([k.Input((5,)), k.ActivityRegularization(0.1, 0.2)])
        model.compile("sgd", "mse")
        found.append(model.evaluate(x, x + 1, verbose=0))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.parametrize("name", sorted(name for name in classes() if hasattr(keras.layers, name)))
def test_arguments_of_a_call_stand_where_keras_has_them(name):
    """``layer(x, mask)`` means the same in both."""
    theirs = [p for p in inspect.signature(getattr(keras.layers, name).call).parameters if p != "self"]
    cls = classes()[name]
    call = cls.call if cls._traced else cls.__call__
    ours = [
        p.name for p in inspect.signature(call).parameters.values() if p.name != "self" and p.kind is not p.VAR_KEYWORD
    ]
    for place in range(1, min(len(theirs), len(ours))):
        if "args" not in (theirs[place], ours[place]) and theirs[place] != "kwargs":
            assert ours[place] == theirs[place], f"argument {place} is {theirs[place]} in Keras, {ours[place]} here"


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_of_the_constructor_stand_where_keras_has_them(name):
    make, _ = LAYERS[name]
    theirs, ours = (
        [p.name for p in inspect.signature(type(make(k)).__init__).parameters.values()] for k in (keras.layers, layers)
    )
    for one, other in zip(ours, theirs, strict=False):
        assert one == other or "settings" in (one, other) or other in ("kwargs", "name")
