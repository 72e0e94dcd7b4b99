"""Models of symbols: several inputs and outputs, shared layers, models inside models, copies and configs."""

import copy
import json
import pickle

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, data, layers, ops, optimizers, random, utils
from fastnn.inspect import gradient_check

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((24, 4)), RNG.standard_normal((24, 3))
TARGET, LABELS = RNG.standard_normal((24, 1)), RNG.integers(0, 3, 24)


def two_by_two(**settings):
    utils.set_random_seed(3)
    a, b = Input((4,), name="a"), Input((3,), name="b")
    h = layers.Dense(5, activation="tanh")(a) + layers.Dense(5)(b)
    model = Model([a, b], [layers.Dense(1, name="value")(h), layers.Dense(3, "softmax", name="kind")(h)])
    losses = {"value": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile(optimizers.SGD(0.1), losses, metrics={"kind": ["accuracy"]}, **settings)
    return model


def test_two_inputs_and_two_outputs_train_under_keras_names():
    model = two_by_two(loss_weights={"value": 0.5})
    history = model.fit([A, B], [TARGET, LABELS], epochs=3, verbose=0, validation_split=0.25).history
    names = ["kind_accuracy", "kind_loss", "loss", "value_loss"]
    assert sorted(history) == sorted(names + [f"val_{name}" for name in names])
    np.testing.assert_allclose(
        history["loss"], 0.5 * np.array(history["value_loss"]) + np.array(history["kind_loss"]), rtol=1e-6
    )
    assert history["loss"][2] < history["loss"][0]
    loss, value_loss, kind_loss, accuracy = model.evaluate([A, B], [TARGET, LABELS], verbose=0)
    np.testing.assert_allclose(loss, 0.5 * value_loss + kind_loss, rtol=1e-6)
    value, kind = model.predict([A, B], verbose=0)
    np.testing.assert_allclose(np.mean((value - TARGET) ** 2), value_loss, rtol=1e-5)
    assert accuracy == (kind.argmax(1) == LABELS).mean()


def test_dicts_lists_and_data_sets_are_the_same_data():
    runs = []
    for x, y in (
        ([A, B], [TARGET, LABELS]),
        ({"b": B, "a": A}, {"kind": LABELS, "value": TARGET}),
        (data.Dataset.from_tensor_slices((({"a": A, "b": B}), (TARGET, LABELS))).batch(8), None),
    ):
        model = two_by_two()
        arrays = y is not None
        given = {"batch_size": 8, "shuffle": False} if arrays else {}
        runs.append(model.fit(x, y, epochs=2, verbose=0, **given).history)
    assert runs[0] == runs[1] == runs[2]


def test_sample_weights_for_each_output():
    weight = RNG.random(24)
    model = two_by_two()
    got = model.test_on_batch([A, B], [TARGET, LABELS], sample_weight={"value": weight}, return_dict=True)
    value = model.predict([A, B], verbose=0)[0]
    np.testing.assert_allclose(got["value_loss"], (weight * ((value - TARGET) ** 2)[:, 0]).mean(), rtol=1e-5)


def test_an_output_without_a_loss_gets_no_gradient():
    a = Input((4,))
    hidden = layers.Dense(3, name="hidden")
    free = layers.Dense(2, name="free")
    model = Model(a, [free(a), layers.Dense(1, name="value")(hidden(a))])
    model.compile(optimizers.SGD(0.1), [None, "mse"])
    before = free.get_weights(), hidden.get_weights()
    model.fit(A, [None, TARGET], verbose=0)
    for old, new in zip(before[0], free.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert (hidden.get_weights()[0] != before[1][0]).any()


@pytest.mark.parametrize("shared", ["twice in a row", "two branches", "in two models", "in two wrappers"])
def test_a_shared_layer_counts_once_and_gets_the_sum_of_its_gradients(shared):
    d = layers.Dense(4, activation="tanh", dtype="float64")
    x = Input((4,), dtype="float64")
    steps = Input((2, 4), dtype="float64")
    model = {
        "twice in a row": lambda: Model(x, d(d(x))),
        "two branches": lambda: Model(x, d(x) * d(2 * x)),
        "in two models": lambda: Sequential([Input((4,)), Sequential([d]), Sequential([d])]),
        "in two wrappers": lambda: Model(steps, layers.TimeDistributed(d)(layers.TimeDistributed(d)(steps))),
    }[shared]()
    assert model.count_params() == 20
    assert len(model.weights) == 2
    shape = (3, 2, 4) if shared == "in two wrappers" else (3, 4)
    result = gradient_check(model, RNG.standard_normal(shape))
    assert result, str(result)
    assert len(result.arrays) == 3


def test_a_shared_embedding_adds_rows():
    utils.set_random_seed(1)
    table = layers.Embedding(9, 3)
    first, second = Input((2,), dtype="int32"), Input((4,), dtype="int32")
    y = ops.sum(table(first), axis=1) * ops.sum(table(second), axis=1)
    model = Model([first, second], y)
    model.compile(optimizers.SGD(1.0), "mse")
    for step in range(3):  # rows that were live in one step are clean in the next
        i, j = np.random.default_rng(step).integers(0, 9, (2, 5, 4))
        w = table.get_weights()[0].astype(np.float64)
        one, two = w[i[:, :2]].sum(1), w[j].sum(1)
        slope = 2 * one * two / one.size
        expected = np.zeros_like(w)
        np.add.at(expected, i[:, :2], (slope * two)[:, None])
        np.add.at(expected, j, (slope * one)[:, None])
        model.train_on_batch([i[:, :2], j], np.zeros((5, 3)))
        np.testing.assert_allclose(w - table.get_weights()[0], expected, rtol=1e-4, atol=1e-6)


def test_gradients_where_branches_meet_do_not_overwrite_what_layers_hand_through():
    """Dropout out of training and merges hand on the very array that they were given."""
    x = Input((4,), dtype="float64")
    h = layers.Dense(4, dtype="float64")(x)
    through = layers.Dropout(0.5, dtype="float64")(h)
    y = (through + h) + layers.Activation("linear", dtype="float64")(through) + h
    result = gradient_check(Model(x, y), RNG.standard_normal((3, 4)))
    assert result, str(result)


def test_a_chain_has_symbols_too():
    model = Sequential([Input((4,)), layers.Dense(3, name="first"), layers.Dense(2)])
    assert model.output.shape == (None, 2)
    assert model.get_layer("first").input is model.inputs[0]
    features = Model(model.inputs, model.get_layer("first").output)
    np.testing.assert_array_equal(features.predict(A, verbose=0), model.get_layer("first")(A.astype("float32")))
    late = Sequential([layers.Dense(2)])
    with pytest.raises(AttributeError, match="not built"):
        _ = late.output
    late.predict(A, verbose=0)
    assert late.output.shape == (None, 2)


def test_inner_models_are_fused_and_masked_like_their_layers():
    ids = RNG.integers(1, 7, (5, 6))
    ids[:, 4:] = 0
    utils.set_random_seed(0)
    stack = [layers.Embedding(7, 3, mask_zero=True), layers.LSTM(4, return_sequences=True), layers.GRU(2)]
    flat = Sequential(stack)
    expected = flat.predict(ids, verbose=0)
    inner = Sequential(stack[:2])
    outer = Sequential([inner, stack[2]])
    np.testing.assert_array_equal(outer.predict(ids, verbose=0), expected)
    symbol = Input((6,), dtype="int32")
    np.testing.assert_array_equal(Model(symbol, stack[2](inner(symbol))).predict(ids, verbose=0), expected)


def test_a_mask_given_at_the_call_is_an_edge():
    x, mask = Input((6, 3)), Input((6,))
    lstm = layers.LSTM(4)
    model = Model([x, mask], lstm(x, mask=mask > 0))
    values, keep = RNG.standard_normal((5, 6, 3)).astype("float32"), RNG.integers(0, 2, (5, 6))
    keep[:, 0] = 1
    np.testing.assert_allclose(
        model.predict([values, keep], verbose=0), lstm(values, mask=keep.astype(bool)), rtol=1e-6
    )


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), lambda m: Model.from_config(m.get_config())],
)
def test_copies_compute_the_same_and_train_apart(copied):
    model = two_by_two()
    model.fit([A, B], [TARGET, LABELS], verbose=0)
    twin = copied(model)
    twin.set_weights(model.get_weights())
    for one, other in zip(model.predict([A, B], verbose=0), twin.predict([A, B], verbose=0), strict=True):
        np.testing.assert_array_equal(one, other)
    before = model.get_weights()
    twin.compile(optimizers.SGD(0.1), ["mse", "sparse_categorical_crossentropy"])
    twin.fit([A, B], [TARGET, LABELS], verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_deep_graph_is_copied():
    x = y = Input((2,))
    for _ in range(400):
        y = layers.Activation("tanh")(y)
    twin = copy.deepcopy(Model(x, y))
    assert twin.predict(A[:, :2], verbose=0).shape == (24, 2)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: Model(Input((2,)), layers.Dense(1)(Input((3,)))), ValueError, r"not among the inputs.*\(None, 3\) → "),
        (lambda: Model(layers.Dense(1), layers.Dense(1)), TypeError, "must be symbols"),
        (lambda: Model(Input((2,)), None), ValueError, "one of the two"),
        (lambda: layers.LSTM(2)(layers.Dense(4)(Input((3,)))), ValueError, r"input_layer\S* \(None, 3\) → dense"),
        (lambda: Sequential([Input((2,)), layers.Dense(2)])(Input((3,))), ValueError, r"\(None, 2\).*\(None, 3\)"),
        (lambda: two_by_two().fit(A, TARGET), ValueError, r"2 inputs, \['a', 'b'\].*Received: one ndarray"),
        (lambda: two_by_two().fit([A, B], TARGET), ValueError, r"2 outputs, \['value', 'kind'\]"),
        (lambda: two_by_two().fit({"a": A}, [TARGET, LABELS]), ValueError, r"\['b'\] is missing"),
        (lambda: two_by_two().fit([A, B], {"kid": LABELS}), ValueError, r"must name the outputs"),
        (lambda: two_by_two().fit([A, B], [TARGET, LABELS], class_weight={0: 2.0}), ValueError, "one output"),
        (lambda: two_by_two().fit([A, B[:5]], [TARGET, LABELS]), ValueError, "number of examples"),
        (lambda: Model(x := Input((2,)), x + Input((3,))), ValueError, r"\(None, 2\).*\(None, 3\)"),
    ],
)
def test_wrong_graphs_and_data_teach(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_a_model_with_nothing_to_run_says_so():
    class Empty(Model):
        pass

    with pytest.raises(NotImplementedError, match=r"Model\(inputs, outputs\).*def call"):
        Empty().compile("sgd", "mse")


def test_statistics_wait_until_the_loss_is_known():
    class Mean(layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False, name="mean")

        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training=False):
            if training:
                self.update_later(self.mean, x.mean(axis=0))
            return x, None

        def backward(self, dy, ctx):
            return dy

    layer = Mean()
    model = Sequential([Input((3,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    bad = B.astype("float32").copy()
    bad[0, 0] = np.nan
    with pytest.raises(FloatingPointError):
        model.train_on_batch(bad, TARGET)
    assert not layer.mean.value.any()
    model.train_on_batch(B, TARGET)
    np.testing.assert_allclose(layer.mean.value, B.mean(axis=0), rtol=1e-5)


def test_the_last_update_of_a_fit_is_checked():
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile(optimizers.SGD(1e308), "mse")
    with pytest.raises(FloatingPointError, match="last update"):
        model.fit(A, TARGET, batch_size=24, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize(
    "layer",
    [
        layers.SimpleRNN(4, dropout=0.5),
        layers.LSTM(4, recurrent_dropout=0.5),
        layers.Bidirectional(layers.GRU(4, dropout=0.5)),
    ],
)
def test_a_layer_on_symbols_trains_when_the_model_does(layer):
    model = Sequential([Input((5, 3)), layer])
    x = RNG.standard_normal((6, 5, 3)).astype("float32")
    assert (model(x, training=True) != model(x)).any()


def test_layers_and_weights_come_in_the_order_of_keras():
    """As Keras 3.16 gives them: by distance from the outputs, then as a search from the outputs meets them."""
    image, extra = Input((4, 4, 3), name="image"), Input((5,), name="extra")
    y = layers.BatchNormalization(name="norm_1")(layers.Conv2D(3, 3, padding="same", name="conv_1")(image))
    y = layers.BatchNormalization(name="norm_2")(layers.Conv2D(3, 3, padding="same", name="conv_2")(y))
    x = layers.BatchNormalization(name="norm_x")(layers.Conv2D(3, 1, name="conv_x")(image))
    top = layers.GlobalAveragePooling2D(name="mean")(layers.Add(name="add")([y, x]))
    shared = layers.Dense(3, activity_regularizer="l2", name="shared")
    side = shared(layers.Dense(3, name="side")(extra))
    model = Model([image, extra], layers.Concatenate(name="both")([shared(top), side]))
    assert " ".join(layer.name for layer in model.layers) == (
        "image conv_1 norm_1 conv_2 conv_x norm_2 norm_x add extra mean side shared both"
    )
    assert [w.name for w in model.weights[6:10]] == ["kernel", "bias", "kernel", "bias"]
    inner = Model(image, x)
    assert [layer.name for layer in inner.layers] == ["image", "conv_x", "norm_x"]


def test_operators_and_calls_with_several_arguments_are_plain_data():
    class Mix(layers.Layer):
        def call(self, x, others, scale=1.0):
            return scale * x + others["a"] * others["b"]

    x, h = Input((4, 6)), Input((4, 6))
    y = Mix()(
        ops.tanh(x)[:, ::2], {"a": ops.gelu(h)[:, 1:3], "b": ops.pad(x, ((0, 0), (1, 1), (0, 0)))[..., :2, :]}, 0.5
    )
    model = Model([x, h], ops.softmax(ops.transpose(y, (0, 2, 1)) @ ops.convert_to_tensor([[1.0], [-1.0]]), axis=1))
    again = Model.from_config(json.loads(json.dumps(model.get_config())), {"Mix": Mix})
    arrays = [RNG.standard_normal((3, 4, 6)) for _ in range(2)]
    np.testing.assert_array_equal(again.predict(arrays, verbose=0), model.predict(arrays, verbose=0))


@pytest.mark.parametrize("seed", [7, random.SeedGenerator(7)], ids=["number", "stream"])
def test_draws_are_plain_data(seed):
    x = Input((4,))
    model = Model(x, x + random.normal((1, 4), seed=seed))
    again = Model.from_config(json.loads(json.dumps(model.get_config())))
    np.testing.assert_array_equal(again.predict(A[:, :4], verbose=0), model.predict(A[:, :4], verbose=0))


@pytest.mark.parametrize(
    "path", ["fastnn.layers.core.dense:Dense", "fastnn.backend:use", "os:system", "fastnn.ops:cast"]
)
def test_a_config_makes_no_other_settings_and_operations(path):
    x = Input((4,))
    config = Model(x, ops.gelu(x)).get_config()
    (node,) = config["nodes"]
    setting = next(name for name, value in node["settings"].items() if isinstance(value, dict))
    kept = node["settings"][setting]
    node["settings"][setting] = {"class": path, "config": {}}
    with pytest.raises(ValueError, match="A config must name settings of fastnn"):
        Model.from_config(config)
    node["settings"][setting], node["operation"] = kept, path
    with pytest.raises(ValueError, match="A config must name operations of fastnn"):
        Model.from_config(config)


def test_a_model_without_weights_computes_in_the_dtype_of_its_layers():
    x = Input((3,), dtype="float64")
    for y in (layers.Activation("tanh", dtype="float64")(x), ops.tanh(x)):
        assert Model(x, y).predict(A[:, :3], verbose=0).dtype == np.float64
