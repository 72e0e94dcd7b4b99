"""Whole models of Keras here, and ours there: graphs, nested models, compile, training that goes on."""

import numpy as np
import pytest

from fastnn import Model, Sequential, layers, losses, metrics, optimizers
from fastnn.interop import from_keras, to_keras
from fastnn.models import load_model
from tests.interop.test_keras_files import OPERATIONS, X, Y, classifier, of_operations, shared_and_nested

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")
L = keras.layers


def vary(model, seed=7):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(-0.6, 0.8, w.shape) if w.dtype.kind == "f" else w for w in model.get_weights()])


def assert_same(left, right):
    if isinstance(left, dict):
        assert set(left) == set(right)
        left, right = [left[name] for name in sorted(left)], [right[name] for name in sorted(left)]
    left, right = (list(y) if isinstance(y, (list, tuple)) else [y] for y in (left, right))
    assert len(left) == len(right)
    for one, two in zip(left, right, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), rtol=1e-5, atol=1e-5)


def encoder_decoder():
    source, target = L.Input((None,), dtype="int32", name="source"), L.Input((None,), dtype="int32", name="target")
    embed = L.Embedding(11, 4, mask_zero=True)
    encoded, *states = L.LSTM(5, return_sequences=True, return_state=True)(embed(source))
    decoded = L.LSTM(5, return_sequences=True)(embed(target), initial_state=states)
    seen = L.MultiHeadAttention(2, 3)(decoded, encoded, use_causal_mask=True)
    y = L.LayerNormalization()(L.Add()([decoded, seen]))
    y = L.TimeDistributed(L.Dense(7, "softmax"))(y)
    ids = [np.array([[1, 2, 3, 0], [4, 5, 0, 0]]), np.array([[3, 2, 1, 7], [6, 5, 4, 9]])]
    return keras.Model([source, target], y), ids


def residual():
    x = inputs = L.Input((8, 8, 3))
    for i, filters in enumerate((4, 6)):
        y = L.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        y = L.ReLU()(L.BatchNormalization()(y))
        y = L.SeparableConv2D(filters, 3, padding="same")(y)
        x = L.Add()([L.Conv2D(filters, 1)(x), y])
        x = L.MaxPooling2D()(x) if i else L.AveragePooling2D(2)(x)
    y = keras.ops.mean(x, axis=(1, 2)) * 2.0 - 1.0
    return keras.Model(inputs, [L.Dense(3, name="a")(y), keras.ops.sigmoid(L.Dense(2, name="b")(y))]), image()


def image():
    return np.random.default_rng(3).standard_normal((2, 8, 8, 3)).astype("float32")


def nested():
    inner = keras.Sequential([L.Dense(4, "gelu"), L.Dense(3)], name="inner")
    tower_in = L.Input((5,))
    tower = keras.Model(tower_in, [inner(tower_in), L.Dense(2, kernel_initializer="he_normal")(tower_in)], name="tower")
    one, two = L.Input((5,)), L.Input((5,))
    (a, b), (c, d) = tower(one), tower(two)
    return keras.Model({"one": one, "two": two}, {"y": L.Concatenate()([a, c]), "z": L.Subtract()([b, d])}), {
        "one": X,
        "two": X[::-1].copy(),
    }


def recurrent():
    cells = [L.LSTMCell(4), L.GRUCell(3, reset_after=False), L.SimpleRNNCell(2)]
    return keras.Sequential(
        [
            L.Input((6, 3)),
            L.Masking(),
            L.Bidirectional(L.GRU(4, return_sequences=True, recurrent_dropout=0.1), merge_mode="sum"),
            L.Bidirectional(
                L.LSTM(2, return_sequences=True), backward_layer=L.GRU(2, go_backwards=True, return_sequences=True)
            ),
            L.RNN(cells, return_sequences=True),
            L.GRU(3, go_backwards=True),
            L.PReLU(),
            L.UnitNormalization(),
            L.Rescaling([0.5, 2.0, 1.0], offset=-1),
        ]
    ), np.where(np.arange(6)[:, None] < 4, np.random.default_rng(5).standard_normal((2, 6, 3)), 0).astype("float32")


def listed():
    x = L.Input((5,))
    return keras.Model([x], [L.Dense(2)(x)]), X


MODELS = [encoder_decoder, residual, nested, recurrent, listed]


@pytest.mark.parametrize("make", MODELS)
def test_a_model_of_keras_predicts_the_same_here_and_back_again(make, tmp_path):
    theirs, x = make()
    vary(theirs)
    theirs.save(tmp_path / "theirs.keras")
    ours = load_model(tmp_path / "theirs.keras")
    expected = theirs.predict(x, verbose=0)
    assert_same(ours.predict(x, verbose=0), expected)
    assert ours.count_params() == theirs.count_params()
    assert [p.shape for p in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.save(tmp_path / "ours.keras")
    assert_same(keras.saving.load_model(tmp_path / "ours.keras").predict(x, verbose=0), expected)
    ours.save_weights(tmp_path / "ours.weights.h5")
    vary(theirs, 9)
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_same(theirs.predict(x, verbose=0), expected)


@pytest.mark.parametrize("make", [residual, nested, recurrent, listed])
def test_the_h5_of_keras_is_read(make, tmp_path):
    theirs, x = make()
    if any(type(one).__module__.startswith("keras.src.ops") for one in getattr(theirs, "operations", ())):
        pytest.skip("Keras writes no operations into .h5")
    vary(theirs)
    theirs.save(tmp_path / "theirs.h5")
    assert_same(load_model(tmp_path / "theirs.h5").predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_our_functional_model_predicts_the_same_in_keras(tmp_path):
    ours = shared_and_nested()
    vary(ours)
    x = {"left": X[:, :4], "right": X[:, 1:]}
    assert_same(to_keras(ours).predict(x, verbose=0), ours.predict(x, verbose=0))


@pytest.mark.parametrize("name", OPERATIONS)
def test_our_operations_predict_the_same_in_keras_and_back_again(name):
    ours, x = of_operations(name)
    theirs = to_keras(ours)
    assert_same(theirs(x), ours(x))
    assert_same(from_keras(theirs)(x), ours(x))


def branches():
    """Two branches of layers of one class and shape, so that a wrong order is a wrong answer."""
    x, y = layers.Input((5,)), layers.Input((5,))
    a, b = layers.Dense(5), layers.Dense(5)
    one = layers.Dense(5)(b(a(x)))
    two = layers.add([layers.Dense(5)(y), a(layers.Dense(5)(y))])
    return Model([x, y], [layers.Dense(5)(two), layers.multiply([one, two])]), [X, X[::-1].copy()]


def masked_branches():
    x, y = layers.Input((4, 3)), layers.Input((4, 3))
    one = layers.LSTM(3)(layers.Masking()(layers.Dense(3)(x)))
    two = layers.Dense(3)(layers.Dense(3)(layers.GlobalAveragePooling1D()(layers.Dense(3)(y))))
    return Model([x, y], layers.add([one, two])), [image()[0, :4].transpose(1, 0, 2)[:, :4] for _ in range(2)]


@pytest.mark.parametrize("make", [branches, masked_branches])
def test_layers_of_one_class_keep_apart(make):
    ours, x = make()
    vary(ours)
    theirs = to_keras(ours)
    assert_same(theirs.predict(x, verbose=0), ours.predict(x, verbose=0))
    assert_same(from_keras(theirs).predict(x, verbose=0), ours.predict(x, verbose=0))


OPTIMIZERS = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {}),
    ("Adam", {"amsgrad": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("AdamW", {}),
    ("Adagrad", {}),
    ("Adadelta", {"learning_rate": 0.5}),
    ("Adamax", {"clipnorm": 1.0}),
    ("Nadam", {}),
    ("Adam", {"use_ema": True, "global_clipnorm": 2.0}),
    ("Adam", {"gradient_accumulation_steps": 3}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_training_goes_on_where_the_other_stopped(name, options, tmp_path):
    ours = classifier(optimizer=getattr(optimizers, name)(**options))
    fit = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    ours.fit(X, Y, **fit)
    theirs = to_keras(ours)
    assert int(theirs.optimizer.iterations) == ours.optimizer.iterations
    again = from_keras(theirs)
    left, right, third = (model.fit(X, Y, **fit).history["loss"] for model in (ours, theirs, again))
    np.testing.assert_allclose(left, right, rtol=1e-4)
    np.testing.assert_allclose(left, third, rtol=1e-4)


def test_the_state_of_each_weight_stays_with_it_where_masks_change_the_order():
    ours, x = masked_branches()
    ours.compile("adam", "mse")
    target = np.linspace(-1, 1, 24).reshape(8, 3)
    ours.fit(x, target, epochs=3, shuffle=False, verbose=0)
    theirs = to_keras(ours)
    again = from_keras(theirs)
    fit = {"epochs": 4, "shuffle": False, "verbose": 0}
    left, right, third = (model.fit(x, target, **fit).history["loss"] for model in (ours, theirs, again))
    np.testing.assert_allclose(left, right, rtol=1e-4)
    np.testing.assert_allclose(left, third, rtol=1e-4)


def test_what_compile_was_given_comes_along():
    ours = classifier(optimizer=optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)))
    ours.compile(
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)),
        losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(k=2, name="top2")],
    )
    ours.fit(X, Y, epochs=2, verbose=0)
    theirs = to_keras(ours)
    ours_again = from_keras(theirs)
    expected = ours.evaluate(X, Y, verbose=0, return_dict=True)
    for other in (theirs, ours_again):
        found = other.evaluate(X, Y, verbose=0, return_dict=True)
        assert set(found) == {"loss", "accuracy", "top2"}
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, rel=1e-5)
    assert ours_again.optimizer.get_config() == ours.optimizer.get_config()


def test_what_only_keras_has_is_said(tmp_path):
    model = keras.Sequential([L.Input((5,)), L.Dense(2)])
    model.compile(keras.optimizers.ScheduleFreeAdamW(), "mse")
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"ScheduleFreeAdamW.*compile=False"):
        load_model(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras", compile=False).count_params() == 12
    keras.Sequential([L.Input((2, 5, 5, 1)), L.ConvLSTM2D(2, 3)]).save(tmp_path / "n.keras")
    with pytest.raises(ValueError, match=r'Layer "conv_lstm2d" \(ConvLSTM2D\) has an unknown class'):
        load_model(tmp_path / "n.keras")
    lambdas = keras.Sequential([L.Input((5,)), L.Lambda(lambda x: x + 1, name="odd")])
    lambdas.save(tmp_path / "l.keras")
    with pytest.raises(ValueError, match=r'"odd" \(Lambda\) holds a Python function as code'):
        load_model(tmp_path / "l.keras", safe_mode=False)


def test_mixed_precision_is_computed_in_float32(tmp_path):
    theirs = keras.Sequential([L.Input((5,)), L.Dense(2, dtype="mixed_float16")])
    theirs.save(tmp_path / "m.keras")
    ours = load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(ours(X), np.asarray(theirs(X)), atol=0.02)


def test_a_sequential_built_by_its_data_goes_both_ways():
    ours = Sequential([layers.Dense(3), layers.Dense(2)])
    ours(X)
    theirs = to_keras(ours)
    assert_same(theirs(X), ours(X))
    assert_same(from_keras(theirs)(X), ours(X))
