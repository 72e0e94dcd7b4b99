"""Every layer of examples.py beside its namesake in Keras, made from our config, with the same weights.

Outputs, the gradients of inputs and weights, statistics that a call moves, masks, and weights after steps of training;
in float64, so that a difference is a difference.  Skipped without Keras.
"""

import inspect

import numpy as np
import pytest

import fastnn
from fastnn.graph import take_back
from tests.layers.examples import EXAMPLES, data

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

CLOSE = {"rtol": 1e-6, "atol": 1e-8}  # a few thousand roundings, and Keras' constants, which are of float32 in places
WITHOUT = {
    "Lambda": "a function is not data",
    "InputLayer": "it computes nothing",
    "EinsumDense-1": "Keras cannot build a kernel over an axis that output_shape leaves open",
    "RMSNormalization-1": "Keras cannot multiply by a scale over axes that are not the last",
}
FLOAT32 = {name: {"rtol": 1e-4, "atol": 1e-5} for name in ("UpSampling2D", "GroupQueryAttention", "MultiHeadAttention")}
"""Layers with numbers of float32 in Keras: the weights of resizing, the scale of the scores."""
NAMES = [
    f"{name}-{i}"
    for name, examples in sorted(EXAMPLES.items())
    for i in range(len(examples))
    if hasattr(keras.layers, name) and not {name, f"{name}-{i}"} & set(WITHOUT)
]
DRAWS = ("dropout", "noise", "Dropout", "Noise")
"""What draws random numbers is compared out of training only; test_core_keras.py compares its moments."""


def of_keras(name, config):
    """Keras' layer of this name, with our settings; layers inside it likewise."""
    cls = getattr(keras.layers, name)
    own = inspect.signature(cls.__init__).parameters
    known = set(own)
    if any(p.kind is p.VAR_KEYWORD for p in own.values()):
        known |= {word for c in cls.__mro__ for word in inspect.signature(c.__init__).parameters} | {
            "dtype",
            "trainable",
        }
    settings = {word: plain(value) for word, value in config.items() if word in known and word != "name"}
    return cls(**settings)


def plain(value):
    if isinstance(value, dict) and hasattr(keras.layers, value.get("class_name", "")):
        return of_keras(value["class_name"], value["config"])
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def pair(name):
    """Our layer and Keras', with the same weights, an input, and the options of the call."""
    cls, number = name.rsplit("-", 1)
    make, shape, options = EXAMPLES[cls][int(number)]
    fastnn.utils.set_random_seed(3)
    ours = make(dtype="float64")
    x = data(ours, shape, "float64")
    run(ours, x, **options)
    theirs = of_keras(type(ours).__name__, ours.get_config())
    run(theirs, x, **options)
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    rng = np.random.default_rng(2)
    weights = [np.abs(rng.uniform(0.2, 0.7, w.shape)) * rng.choice([-1, 1], w.shape) for w in ours.weights]
    weights = [np.abs(w) if "variance" in p.name else w for w, p in zip(weights, ours.weights, strict=True)]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs, x, options


def run(layer, x, **options):
    """Call a layer on its inputs; attention with heads takes them one by one in Keras, and one of them twice."""
    if "value" not in inspect.signature(layer.call).parameters:
        return layer(x, **options)
    return layer(*(x * 2 if len(x) == 1 else x), **options)


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def draws(layer):
    """Whether a layer draws random numbers in training."""
    config = layer.get_config()
    words = repr({k: v for k, v in config.items() if v != 0.0 and k != "name"})
    return any(word in type(layer).__name__ for word in DRAWS) or "dropout': 0." in words.replace("dropout': 0.0", "")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_gradients_and_statistics(name, training):
    ours, theirs, x, options = pair(name)
    close = FLOAT32.get(name.split("-")[0], CLOSE)
    if training and (draws(ours) or any(draws(child) for child in ours.children)):
        pytest.skip("it draws")
    given = [tf.constant(a) for a in listed(x)]
    reals = [a for a in given if a.dtype.is_floating]
    named = {"training": training} if takes(theirs, "training") else {}
    with tf.GradientTape() as tape:
        tape.watch(reals)
        expected = listed(run(theirs, given if isinstance(x, list) else given[0], **named, **options))
        rng = np.random.default_rng(1)
        r = [rng.standard_normal(y.shape) for y in expected]
        total = sum(tf.reduce_sum(y * one) for y, one in zip(expected, r, strict=True))
    slopes = tape.gradient(total, [*reals, *(w.value for w in theirs.trainable_weights)])
    several = ours.takes_several and not isinstance(x, list)
    y, ctx = ours.checked_forward([x] if several else x, training, None, options)
    assert len(listed(y)) == len(expected)
    for one, other in zip(listed(y), expected, strict=True):
        assert one.shape == tuple(other.shape)
        np.testing.assert_allclose(one, other, **close)
    dx = take_back(ours, r if isinstance(y, list) else r[0], ctx, True)
    mine = [*(d for d, a in zip(listed(dx), listed(x), strict=True) if a.dtype.kind == "f")]
    mine += [w.grad for w in ours.trainable_weights]
    for got, wanted in zip(mine, slopes, strict=True):
        wanted = 0 if wanted is None else np.asarray(tf.convert_to_tensor(wanted))
        np.testing.assert_allclose(0 if got is None else got, wanted, **close)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(one.value, other, **close)


def takes(layer, word):
    return word in inspect.signature(layer.call).parameters


def model_of(k, layer, x, masked=False):
    """A model of one layer, and a dense one behind it."""
    inputs = [k.Input(a.shape[1:], dtype="float64" if a.dtype.kind == "f" else "int64") for a in listed(x)]
    starts = [k.layers.Masking(0.0, dtype="float64")(i) for i in inputs] if masked else inputs
    y = listed(run(layer, starts if isinstance(x, list) else starts[0]))[0]
    y = k.layers.Dense(2, dtype="float64")(y)
    return k.Model(inputs if isinstance(x, list) else inputs[0], y)


NOT_TRAINED = {
    "ActivityRegularization-0": "Keras adds penalties of float64 to losses of float32",
    "GroupQueryAttention-0": "Keras foretells no shape where query and value differ in their last axis",
    "MultiHeadAttention-1 masked": "Keras cannot weigh an output with two axes behind the time by a mask",
    "Softmax-1 masked": "Keras wants a mask of the rank of the input",
    "BatchNormalization-1 masked": "refused here: each time step has statistics of its own",
    "RMSNormalization-0 masked": "Keras drops the mask, with a warning; here it goes on, as behind LayerNormalization",
}


def trains(name, masked=False):
    """Whether an example can be trained beside Keras: it draws nothing, and where masks are asked for it has steps."""
    if name in NOT_TRAINED or (masked and f"{name} masked" in NOT_TRAINED):
        return False
    cls, number = name.rsplit("-", 1)
    make, shape, _ = EXAMPLES[cls][int(number)]
    layer = make()
    shapes = shape if isinstance(shape, list) else [shape]
    series = all(len(one) == 3 for one in shapes) and not layer.takes_ids
    return not any(draws(one) for one in (layer, *layer.children)) and (series or not masked)


CASES = [(n, False) for n in NAMES if trains(n)] + [(n, True) for n in NAMES if trains(n, True)]


@pytest.mark.parametrize(("name", "masked"), CASES, ids=[f"{n} masked" if masked else n for n, masked in CASES])
def test_training(name, masked):
    """Losses and weights of three steps; the mask of what comes out weighs the loss."""
    ours, theirs, x, _ = pair(name)
    if masked:
        for a in listed(x):
            a[0, a.shape[1] - 3 :] = a[1, :2] = 0
    found, start = [], None
    for k, layer in ((fastnn, ours), (keras, theirs)):
        model = model_of(k, layer, x, masked)
        rng = np.random.default_rng(4)
        start = start or [*layer.get_weights(), *(rng.uniform(-0.5, 0.5, w.shape) for w in model.get_weights()[-2:])]
        model.set_weights(start)
        # Of an id that stands twice, Keras on TensorFlow squares the gradients one by one for Adam.
        model.compile(
            k.optimizers.SGD(0.05, momentum=0.9) if masked or ours.takes_ids else "adam", "mse", run_eagerly=True
        )
        y = np.random.default_rng(5).standard_normal(np.shape(model(x)))
        losses = [float(model.train_on_batch(x, y)) for _ in range(3)]
        predicted = [] if masked else [np.asarray(model(x))]  # what stands at masked steps counts for nothing
        found.append([np.array(losses), *model.get_weights(), *predicted])
    for one, other in zip(*found, strict=True):  # Keras adds up losses in float32
        np.testing.assert_allclose(one, other, **FLOAT32.get(name.split("-")[0], {"rtol": 1e-5, "atol": 1e-6}))
