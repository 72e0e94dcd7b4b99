"""Sequential: how it is put together, built, named and read."""

import numpy as np
import pytest

from fastnn import Input, Sequential, layers


def image_models():
    """The three image models of the notes and how many weights they have."""
    flatten = {"input_shape": (28, 28)}
    return [
        (
            [layers.Flatten(**flatten), layers.Dense(256, activation="relu"), layers.Dense(10, activation="softmax")],
            203_530,
        ),
        (
            [
                layers.Flatten(**flatten),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.2),
                layers.Dense(10, activation="softmax"),
            ],
            101_770,
        ),
        (
            [
                layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
                layers.MaxPooling2D((2, 2)),
                layers.Conv2D(64, (3, 3), activation="relu"),
                layers.MaxPooling2D((2, 2)),
                layers.Conv2D(64, (3, 3), activation="relu"),
                layers.MaxPooling2D((2, 2)),
                layers.Flatten(),
                layers.Dense(64, activation="relu"),
                layers.Dense(10, activation="softmax"),
            ],
            60_554,
        ),
    ]


@pytest.mark.parametrize("i", range(3))
def test_parameter_counts_of_the_notes(i):
    parts, count = image_models()[i]
    model = Sequential(parts)
    assert model.count_params() == count
    assert sum(w.size for w in model.get_weights()) == count
    assert model.output_shape == (None, 10)


def test_sizes_of_the_cnn():
    model = Sequential(image_models()[2][0])
    assert [layer.output_shape[1] for layer in model.layers] == [26, 13, 11, 5, 3, 1, 64, 64, 10]


def test_input_in_all_its_ways():
    makers = [
        lambda: Sequential([Input(shape=(4,)), layers.Dense(3)]),
        lambda: Sequential([layers.InputLayer(shape=(4,)), layers.Dense(3)]),
        lambda: Sequential([layers.Dense(3, input_shape=(4,))]),
        lambda: Sequential([layers.Dense(3, input_dim=4)]),
    ]
    for make in makers:
        model = make()
        assert model.built
        assert model.input_shape == (None, 4)
        assert [type(layer) for layer in model.layers] == [layers.Dense]
        assert model.count_params() == 15


def test_without_input_shape_it_is_built_at_the_first_call():
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    with pytest.raises(ValueError, match="no weights yet"):
        model.count_params()
    assert model(np.ones((5, 4))).shape == (5, 2)
    assert model.built
    assert model.count_params() == 15 + 8
    other = Sequential([layers.Dense(3)])
    other.build((None, 7))
    assert other.count_params() == 24


def test_add_and_pop():
    model = Sequential()
    model.add(Input(shape=(4,)))
    assert not model.built
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    assert model(np.ones((1, 4))).shape == (1, 2)
    assert model.pop().units == 2
    assert model.output_shape == (None, 3)
    assert model(np.ones((1, 4))).shape == (1, 3)
    model.add(layers.Dense(5))
    assert model.predict(np.ones((2, 4)), verbose=0).shape == (2, 5)
    assert model.count_params() == 15 + 20


def test_a_layer_that_does_not_fit_is_not_added():
    model = Sequential([Input(shape=(8, 8, 1)), layers.Conv2D(2, 3)])
    bad = layers.Conv2D(2, 9)
    with pytest.raises(ValueError, match="does not fit"):
        model.add(bad)
    assert not bad.built
    assert len(model.layers) == 1
    assert model(np.ones((1, 8, 8, 1))).shape == (1, 6, 6, 2)


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        (lambda: Sequential(layers.Dense(2)), TypeError, r"Sequential\(\[...\]\)"),
        (lambda: Sequential([layers.Dense]), TypeError, "parentheses"),
        (lambda: Sequential([np.tanh]), TypeError, "takes only layers"),
        (lambda: Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")]), ValueError, "different names"),
        (lambda: Sequential([layers.Dense(2), Input(shape=(2,))]), ValueError, "must come first"),
        (lambda: Sequential().pop(), ValueError, "no layer"),
        (lambda: Sequential()(np.ones((1, 2))), ValueError, "no layers yet"),
        (lambda: Sequential([layers.Dense(1)]).build(), ValueError, r"model.build\(\(None, 28, 28\)\)"),
    ],
)
def test_errors(act, kind, words):
    with pytest.raises(kind, match=words):
        act()


def test_a_failed_build_leaves_nothing_built():
    model = Sequential([layers.Dense(3), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="images"):
        model(np.ones((2, 5)))
    assert not model.built
    assert not any(layer.built for layer in model.layers)
    assert model.weights == []


def test_names_count():
    model = Sequential([layers.Dense(2), layers.Dense(2), layers.MaxPooling2D(), layers.Conv2D(1, 1, name="mine")])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "max_pooling2d", "mine"]
    assert model.name == "sequential"
    assert Sequential().name == "sequential_1"
    assert model.get_layer("mine") is model.layers[3]
    assert model.get_layer(index=-1) is model.layers[3]
    with pytest.raises(ValueError, match="dense_1"):
        model.get_layer("dense_2")
    with pytest.raises(ValueError, match="index=4"):
        model.get_layer(index=4)
    with pytest.raises(ValueError, match="name or index"):
        model.get_layer()


def test_weights_round_trip_in_keras_order():
    model = Sequential([Input(shape=(4,)), layers.Dense(3), layers.Dense(2, use_bias=False)])
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,), (3, 2)]
    new = [np.full(w.shape, i + 1.0) for i, w in enumerate(model.get_weights())]
    model.set_weights(new)
    for a, b in zip(model.get_weights(), new, strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(model(x), [[(4 + 2) * 3 * 3] * 2])
    model.get_weights()[0][...] = 7
    assert model.layers[0].kernel.value[0, 0] == 1


def test_a_model_inside_a_model():
    base = Sequential([Input(shape=(6,)), layers.Dense(4, activation="relu")], name="base")
    model = Sequential([base, layers.Dense(2)])
    assert model.built
    assert model.count_params() == 28 + 10
    x = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    np.testing.assert_array_equal(model(x), model.layers[1](base(x)))
    model.compile("sgd", "mse")
    before = base.get_weights()[0]
    model.fit(x, np.ones((5, 2)), verbose=0)
    assert (base.get_weights()[0] != before).any()
    np.testing.assert_allclose(model(x), model.layers[1](base(x)), rtol=1e-6)


def test_a_layer_of_ones_own():
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

        def forward(self, x, training=False):
            return x * self.factor.value, x

        def backward(self, dy, ctx):
            self.factor.grad[...] = (dy * ctx).sum(axis=0)
            return dy * self.factor.value

    model = Sequential([Input(shape=(3,)), Scale(), layers.Dense(1, use_bias=False)])
    assert model.count_params() == 6
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((64, 3))
    history = model.fit(x, x @ [[1.0], [2.0], [3.0]], epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]
    assert (model.layers[0].factor.value != 1).all()


def test_config_makes_the_same_model():
    parts = image_models()[2][0]
    model = Sequential(
        [*parts, layers.Dense(2, activation=layers.LeakyReLU().rule.activation, kernel_regularizer="l2")]
    )
    again = Sequential.from_config(model.get_config())
    assert again.count_params() == model.count_params()
    again.set_weights(model.get_weights())
    x = np.random.default_rng(0).random((3, 28, 28, 1))
    np.testing.assert_array_equal(again(x), model(x))


def test_layers_of_two_dtypes_are_refused():
    model = Sequential([Input(shape=(3,)), layers.Dense(3, dtype="float64"), layers.Dense(2)])
    with pytest.raises(ValueError, match="the same dtype"):
        model(np.ones((1, 3)))


def test_float64_model():
    model = Sequential([Input(shape=(3,)), layers.Dense(3, dtype="float64"), layers.Dense(2, dtype="float64")])
    assert model(np.ones((1, 3), np.float32)).dtype == np.float64
    assert model.dtype == "float64"
