"""Layers, models, losses and activations whose ``call`` is written in layers, operators and ``fastnn.ops``."""

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, losses, ops, optimizers, utils
from fastnn.graph import SymbolError
from fastnn.inspect import gradient_check

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 4)), RNG.standard_normal((20, 1))


class Gated(layers.Layer):
    """A layer as tutorials write it: weights of its own, a layer inside, an added loss."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units
        self.gate = layers.Dense(units, activation="sigmoid", dtype=self.dtype)

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs, training=None):
        y = ops.tanh(inputs @ self.w + self.b) * self.gate(inputs)
        if training:
            self.add_loss(0.01 * ops.sum(ops.square(self.w)))
        return y + ops.mean(inputs, axis=-1, keepdims=True)


@pytest.mark.parametrize("training", [False, True])
def test_a_custom_layer_needs_no_backward(training):
    layer = Gated(3, dtype="float64")
    result = gradient_check(layer, RNG.standard_normal((5, 4)), training=training)
    assert result, str(result)
    assert set(result.arrays) == {"x", f"{layer.name}/w", f"{layer.name}/b", f"{layer.name}/{layer.gate.name}/kernel",
                                  f"{layer.name}/{layer.gate.name}/bias"}  # fmt: skip
    assert [p.name for p in layer.weights] == ["w", "b", "kernel", "bias"]


def test_added_losses_are_part_of_the_loss():
    utils.set_random_seed(0)
    layer = Gated(1)
    model = Sequential([Input((4,)), layer])
    model.compile(optimizers.SGD(0.1), "mse")
    penalty = 0.01 * np.square(layer.get_weights()[0]).sum()
    plain = model.test_on_batch(X, Y)
    np.testing.assert_allclose(model.train_on_batch(X, Y), plain + penalty, rtol=1e-5)


def test_monte_carlo_dropout():
    class MCDropout(layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=True)

    model = Sequential([Input((4,)), layers.Dense(16), MCDropout(0.5), layers.Dense(1)])
    assert (model.predict(X, verbose=0) != model.predict(X, verbose=0)).any()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert MCDropout(0.5)(np.ones((1, 100), "float32")).min() == 0


def test_a_sequential_inside_a_call_takes_any_length():
    """Its layers one by one are the comparison: the same numbers at every length, in training too."""

    class Block(layers.Layer):
        def __init__(self, whole):
            super().__init__()
            self.parts = [layers.Dense(6, activation="relu"), layers.Dense(4)]
            self.chain = Sequential(self.parts) if whole else None

        def call(self, x):
            return self.chain(x) if self.chain else self.parts[1](self.parts[0](x))

    models = [Sequential([Block(whole), layers.GlobalMaxPooling1D(), layers.Dense(1)]) for whole in (True, False)]
    for model in models:
        model.compile("sgd", "mse")
        model.predict(np.ones((2, 4, 4)), verbose=0)
    models[1].set_weights(models[0].get_weights())
    for length in (5, 3, 9, 1, 5):
        x, y = RNG.normal(size=(2, length, 4)), RNG.normal(size=(2, 1))
        one, other = ([model.train_on_batch(x, y), model.predict(x, verbose=0)] for model in models)
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])


def test_a_length_that_a_sequential_inside_a_call_depends_on_stays():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.chain = Sequential([layers.Flatten(), layers.Dense(4)])

        def call(self, x):
            return self.chain(x)

    block = Block()
    assert block(np.ones((2, 5, 4))).shape == (2, 4)
    with pytest.raises(ValueError, match=r'takes ".*_input" of shape \(2, 5, 4\).*Received: shape'):
        block(np.ones((2, 3, 4)))
    assert block(np.ones((3, 5, 4))).shape == (3, 4)


def test_a_fixed_training_argument_on_symbols():
    x = Input((100,))
    on = Model(x, layers.Dropout(0.5)(x, training=True))
    off = Model(x, layers.Dropout(0.5)(x, training=False))
    ones = np.ones((1, 100), "float32")
    assert on.predict(ones, verbose=0).min() == 0
    assert off(ones, training=True).min() == 1


class Classifier(Model):
    def __init__(self, dtype="float32"):
        super().__init__(dtype=dtype)
        self.body = [layers.Dense(8, activation="relu", dtype=dtype), layers.Dropout(0.3, dtype=dtype)]
        self.head = layers.Dense(3, activation="softmax", dtype=dtype)

    def call(self, x, training=None):
        for layer in self.body:
            x = layer(x, training=training)
        return self.head(x)


def test_a_subclassed_model_is_its_functional_twin():
    labels = RNG.integers(0, 3, 20)
    utils.set_random_seed(5)
    model = Classifier()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, labels, batch_size=8, epochs=3, verbose=0, shuffle=False).history
    utils.set_random_seed(5)
    twin = Sequential([layers.Dense(8, activation="relu"), layers.Dropout(0.3), layers.Dense(3, activation="softmax")])
    twin.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert history == twin.fit(X, labels, batch_size=8, epochs=3, verbose=0, shuffle=False).history
    np.testing.assert_array_equal(model.predict(X, verbose=0), twin.predict(X, verbose=0))
    assert model.count_params() == twin.count_params()
    assert model.program([X[:8].astype("float32")], True).from_logits == [True]  # saturated predictions keep learning


def test_ids_and_positions_in_a_subclassed_model():
    class Positions(Model):
        def __init__(self):
            super().__init__()
            self.words, self.places = layers.Embedding(20, 4), layers.Embedding(10, 4)
            self.end = layers.Dense(1, activation="sigmoid")

        def call(self, x):
            places = ops.arange(0, ops.shape(x)[-1])
            return self.end(ops.mean(self.words(x) + self.places(places), axis=1))

    model = Positions()
    model.compile(optimizers.SGD(0.5), "binary_crossentropy")
    ids, labels = RNG.integers(0, 20, (30, 7)), RNG.integers(0, 2, 30)
    model.predict(ids, verbose=0)
    before = model.places.get_weights()[0].copy()
    model.fit(ids, labels, verbose=0)
    changed = (model.places.get_weights()[0] != before).any(axis=1)
    assert changed.tolist() == [True] * 7 + [False] * 3
    assert model.predict(ids[:, :5], verbose=0).shape == (30, 1)  # another length


def test_dicts_in_and_out():
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(3), layers.Dense(3)

        def call(self, inputs):
            return {"sum": self.a(inputs["u"]) + self.b(inputs["v"]), "first": self.a(inputs["u"])}

    model = Two()
    model.compile("adam", {"sum": "mse", "first": "mse"})
    x, zeros = {"u": X, "v": X[:, :2]}, np.zeros((20, 3))
    history = model.fit(x, {"sum": zeros, "first": zeros}, epochs=2, verbose=0).history
    assert sorted(history) == ["first_loss", "loss", "sum_loss"]
    assert set(model.predict(x, verbose=0)) == {"sum", "first"}


def test_several_arguments_and_results():
    class Attend(layers.Layer):
        def call(self, query, value, scale=1.0):
            weights = ops.softmax(scale * query @ ops.transpose(value, (0, 2, 1)))
            return weights @ value, weights

    q, v = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 5, 4))
    layer = Attend(dtype="float64")
    y, weights = layer(q, v, scale=2.0)
    assert (y.shape, weights.shape) == ((2, 3, 4), (2, 3, 5))
    query, value = Input((3, 4)), Input((5, 4))
    model = Model([query, value], Attend()(query, value, scale=2.0)[0])
    np.testing.assert_allclose(model.predict([q, v], verbose=0), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("loss", "reference"),
    [
        (lambda t, y: ops.mean(ops.square(t - y), axis=-1), "mse"),
        (lambda t, y: ops.square(t - y), "mse"),
        (lambda t, y: ops.mean(ops.square(t - y)), "mse"),
        (lambda t, y: losses.mean_squared_error(t, y), "mse"),
        (lambda t, y: ops.where(abs(t - y) < 1, 0.5 * (t - y) ** 2, abs(t - y) - 0.5), "huber"),
    ],
)
def test_a_custom_loss_in_ops_trains_like_the_built_in_one(loss, reference):
    rows = []
    for one in (loss, reference):
        utils.set_random_seed(2)
        model = Sequential([Input((4,)), layers.Dense(2)])
        model.compile(optimizers.SGD(0.05), one)
        rows.append(model.fit(X, np.repeat(Y, 2, 1), epochs=3, verbose=0, shuffle=False).history["loss"])
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-5)


def test_a_loss_class_and_an_activation_in_ops():
    class Quartic(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean((y_pred - y_true) ** 4, axis=-1)

    def bent(x):
        return x * ops.sigmoid(x)

    model = Sequential([Input((4,)), layers.Dense(5, activation=bent), layers.Dense(1)])
    model.compile(optimizers.SGD(0.001), Quartic())
    history = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    result = gradient_check(layers.Dense(3, activation=bent, dtype="float64"), RNG.standard_normal((2, 4)))
    assert result, str(result)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda self, x: x if x.sum_of_all > 0 else -x, "sum_of_all"),
        (lambda self, x: x if ops.sum(x) > 0 else -x, r"condition.*ops\.where.*test_traced\.py:\d+"),
        (lambda self, x: np.tanh(x), r"numpy\.tanh.*fastnn\.ops\.tanh"),
        (lambda self, x: np.mean(x, axis=1), r"numpy\.mean.*fastnn\.ops\.mean"),
        (lambda self, x: float(ops.sum(x)), "float"),
        (lambda self, x: None, "must return its output"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_line(call, words):
    layer = type("Odd", (layers.Layer,), {"call": call})()
    with pytest.raises((SymbolError, TypeError, AttributeError), match=words):
        layer(X)


def test_a_loss_in_numpy_is_measured_but_not_trained():
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile("sgd", lambda t, y: np.mean((t - y) ** 2, axis=-1))
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    before = model.get_weights()
    with pytest.raises(TypeError, match=r"cannot be traced.*gradient = lambda"):
        model.fit(X, Y, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.Dense(2), (None, 3)),
        (lambda: layers.Embedding(7, 2), (None, 3)),
        (lambda: layers.Conv2D(2, 2), (None, 4, 4, 1)),
        (lambda: layers.DepthwiseConv2D(2), (None, 4, 4, 1)),
        (lambda: layers.LSTM(2), (None, 4, 3)),
    ],
)
def test_build_then_weights_then_call(make, shape):
    layer = make()
    layer.build(shape)
    assert layer.built
    ones = [np.ones_like(w) for w in layer.get_weights()]
    layer.set_weights(ones)
    x = np.ones([2, *shape[1:]], int if layer.takes_ids else "float32")
    layer(x)
    for got, one in zip(layer.get_weights(), ones, strict=True):
        np.testing.assert_array_equal(got, one)
    model = Sequential([Input(shape[1:]), layer])
    assert model.count_params() == sum(w.size for w in ones)


def test_one_model_trains_in_each_thread_while_another_traces():
    import threading

    errors = []

    def run(seed):
        try:
            model = Classifier()
            model.compile("sgd", "sparse_categorical_crossentropy")
            model.fit(X, np.zeros(20, int), batch_size=4 + seed, epochs=3, verbose=0)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
