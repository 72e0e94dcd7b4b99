"""Layers on sequences: tables and their ids, masks of time steps, windows over time."""

import numpy as np
import pytest

from fastnn import Sequential, layers
from fastnn.inspect import gradient_check
from fastnn.layers.base import Layer
from tests.backends import each_backend  # noqa: F401

TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = np.array([[3, 1, 0], [2, 2, 3]])


def embedding(**settings):
    return layers.Embedding(4, 3, weights=TABLE, **settings)


# Embedding.


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, np.uint64, np.float32, bool])
def test_embedding_takes_rows_for_ids_of_any_dtype(each_backend, dtype):  # noqa: F811
    ids = IDS.astype(dtype)
    np.testing.assert_array_equal(embedding()(ids), TABLE[ids.astype(int)])


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 2)])
def test_embedding_takes_ids_of_any_rank(shape):
    ids = np.random.default_rng(0).integers(0, 4, shape)
    layer = embedding()
    np.testing.assert_array_equal(layer(ids), TABLE[ids])
    assert layer.output_shape == (None, *shape[1:], 3)


def test_embedding_starts_in_a_small_interval_or_from_given_weights():
    layer = layers.Embedding(100, 50)
    layer.ensure_built((None, None))
    (table,) = layer.get_weights()
    assert 0.049 < np.abs(table).max() <= 0.05
    for weights in (TABLE, [TABLE], TABLE.tolist()):
        given = layers.Embedding(4, 3, weights=weights)
        given.ensure_built((None, None))
        np.testing.assert_array_equal(given.get_weights()[0], TABLE)


def test_embedding_gradient_and_its_rows(each_backend):  # noqa: F811
    layer = embedding()
    rng = np.random.default_rng(0)
    for ids in (IDS, np.array([[1, 1]]), np.array([[0, 3]])):  # rows of the call before are cleared
        y = layer(ids)
        dy = rng.standard_normal(y.shape).astype(np.float32)
        dx = layer.backward(dy, layer.forward(ids)[1])
        expected = np.zeros_like(TABLE)
        np.add.at(expected, ids, dy)
        np.testing.assert_allclose(layer.embeddings.grad, expected, rtol=1e-6)
        np.testing.assert_array_equal(layer.embeddings.rows, np.unique(ids))
        assert dx.shape == ids.shape
        assert not dx.any()


def test_embedding_clears_all_rows_where_others_have_written():
    model = Sequential([layers.Embedding(6, 2, embeddings_regularizer="l2"), layers.GlobalAveragePooling1D()])
    model.compile("sgd", "mse")
    for ids in ([[1, 2]], [[3, 3]]):
        model.train_on_batch(np.array(ids), np.zeros((1, 2)))
        layer = model.layers[0]
        assert layer.embeddings.rows is None  # the penalty pulls every row
        assert layer.embeddings.grad.all()
    layer.embeddings.regularizer = None
    model.compile("sgd", "mse")
    model.train_on_batch(np.array([[4, 4]]), np.zeros((1, 2)))
    assert np.flatnonzero(layer.embeddings.grad.any(axis=1)).tolist() == [4]
    assert layer.embeddings.rows.tolist() == [4]


def test_accumulated_gradients_leave_no_stale_rows():
    from fastnn.optimizers import SGD

    tables = []
    for steps in (None, 2):
        model = Sequential([embedding(), layers.GlobalAveragePooling1D()])
        model.compile(SGD(0.5, gradient_accumulation_steps=steps), "mse")
        batches = [np.array([[0, 1]]), np.array([[2, 2]]), np.array([[3, 3]]), np.array([[1, 1]])]
        if steps is None:
            batches = [np.concatenate(batches[i : i + 2]) for i in (0, 2)]
        for ids in batches:
            model.train_on_batch(ids, np.ones((len(ids), 3)))
        tables.append(model.get_weights()[0])
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-6)


def test_embedding_behind_another_layer_takes_whole_floats():
    model = Sequential([layers.Input((6,)), layers.Reshape((2, 3)), embedding()])
    ids = np.random.default_rng(0).integers(0, 4, (5, 6))
    np.testing.assert_array_equal(model.predict(ids, verbose=0), TABLE[ids.reshape(5, 2, 3)])
    with pytest.raises(ValueError, match=r"Received: 0.5 at index \(0, 0, 0\)"):
        model.predict(np.full((2, 6), 0.5), verbose=0)


@pytest.mark.parametrize(
    ("ids", "kind", "words"),
    [
        (
            [[1, 4]],
            ValueError,
            r"vocabulary of 4: ids from 0 to 3. Received: 4 at index \(0, 1\). Use Embedding\(5, 3\)",
        ),
        ([[1], [-1]], ValueError, r"Received: -1 at index \(1, 0\)\.$"),
        ([[1.5]], ValueError, r"whole numbers. Received: 1.5"),
        ([[np.nan]], ValueError, r"whole numbers. Received: nan"),
        ([[1e300]], ValueError, r"whole numbers. Received: 1e\+300"),
        (np.array([[2**63]], np.uint64), ValueError, r"below 2\*\*63"),
        ([[1, 2], [3]], ValueError, "pad_sequences"),
        ([["word"]], TypeError, "TextVectorization"),
    ],
)
def test_ids_that_are_refused(each_backend, ids, kind, words):  # noqa: F811
    layer = embedding(name="words")
    with pytest.raises(kind, match=words) as error:
        layer(ids)
    assert 'Layer "words"' in str(error.value)


def test_input_length_is_accepted_with_a_warning():
    with pytest.warns(UserWarning, match="input_length"):
        layer = layers.Embedding(4, 3, input_length=7)
    assert layer.first_shape is None


# Masks.


def test_masks_that_layers_make():
    np.testing.assert_array_equal(embedding(mask_zero=True).compute_mask(IDS), IDS != 0)
    assert embedding().compute_mask(IDS) is None
    x = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 2]]], np.float32)
    layer = layers.Masking()
    np.testing.assert_array_equal(layer.compute_mask(x), [[True, False], [False, True]])
    x[0, 1] = [5, 5]
    layer = layers.Masking(5)
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, np.where(x == 5, 0, x))
    np.testing.assert_array_equal(layer.backward(np.ones_like(x), ctx)[:, :, 0], [[1, 0], [1, 1]])


def test_which_layers_carry_masks():
    mask = np.array([[True, False]])
    x = np.ones((1, 2, 3), np.float32)
    carriers = [
        layers.Dense(2),
        layers.Dropout(0.5),
        layers.SpatialDropout1D(0.5),
        layers.Activation("relu"),
        layers.ReLU(),
        layers.LeakyReLU(),
        layers.ELU(),
        layers.Softmax(),
    ]
    for layer in carriers:
        assert layer.compute_mask(x, mask) is mask, layer
    for layer in (
        layers.Flatten(),
        layers.Conv1D(2, 1),
        layers.MaxPooling1D(),
        layers.GlobalAveragePooling1D(),
        Layer(),
    ):
        assert layer.compute_mask(x, mask) is None, layer


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_mean_is_the_mean_of_what_counts(first, keepdims):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6, 3)).astype(np.float32)
    mask = rng.random((4, 6)) < 0.5
    mask[1] = False
    x[0, ~mask[0]] = np.nan  # does not count
    expected = [row[m].mean(axis=0) if m.any() else np.zeros(3) for row, m in zip(x, mask, strict=True)]
    layer = layers.GlobalAveragePooling1D("channels_first" if first else None, keepdims)
    given = np.ascontiguousarray(x.transpose(0, 2, 1)) if first else x
    y = layer(given, mask=mask)
    assert (None, *y.shape[1:]) == layer.output_shape
    np.testing.assert_allclose(y.reshape(4, 3), expected, rtol=1e-5)
    dx = layer.backward(np.ones_like(y), layer.forward(given, False, mask)[1])
    assert dx.shape == given.shape
    shares = mask / np.maximum(mask.sum(1, keepdims=True), 1)
    np.testing.assert_allclose(dx.sum(axis=1 if first else 2), 3 * shares, rtol=1e-6)


@pytest.mark.parametrize(
    ("mask", "kind", "words"),
    [
        (np.full((2, 3), "yes"), TypeError, r"array of bool.*or of numbers.*Received: dtype <U3. Use x != 0"),
        (np.ones((2, 3), complex), TypeError, "complex128"),
        ([[1.0, np.nan, 0.0]] * 2, ValueError, r"Received: NaN at index \(0, 1\)"),
        (
            np.ones((2, 4), bool),
            ValueError,
            r"shape \(2, 3\) for an input of shape \(2, 3, 5\). Received: shape \(2, 4\)",
        ),
        (np.ones((2, 3, 5), bool), ValueError, r"Received: shape \(2, 3, 5\)"),
        (np.ones(3, bool), ValueError, r"Received: shape \(3,\)"),
    ],
)
def test_masks_that_are_refused(mask, kind, words):
    x = np.ones((2, 3, 5), np.float32)
    for callee in (layers.GlobalAveragePooling1D(), Sequential([layers.GlobalAveragePooling1D()])):
        with pytest.raises(kind, match=words):
            callee(x, mask=mask)


def test_gradients_through_masks():
    model = Sequential(
        [
            layers.Embedding(7, 4, mask_zero=True, dtype="float64"),
            layers.Dense(5, activation="tanh", dtype="float64"),
            layers.GlobalAveragePooling1D(dtype="float64"),
        ]
    )
    ids = np.random.default_rng(0).integers(0, 7, (3, 6))
    result = gradient_check(model, ids)
    assert result, f"\n{result}"
    assert set(result.arrays) == {f"{layer.name}/{p.name}" for layer in model.layers for p in layer.weights}


# Windows over time.


def test_conv1d_is_conv2d_of_one_row():
    x = np.random.default_rng(0).standard_normal((2, 9, 4)).astype(np.float32)
    for padding, strides, dilation in (("valid", 1, 2), ("same", 2, 1), ("same", 1, 1)):
        one = layers.Conv1D(3, 3, strides=strides, padding=padding, dilation_rate=dilation)
        two = layers.Conv2D(3, (1, 3), strides=(1, strides), padding=padding, dilation_rate=(1, dilation))
        one.ensure_built((None, 9, 4))
        two.ensure_built((None, 1, 9, 4))
        two.set_weights([one.kernel.value[None], one.bias.value])
        np.testing.assert_array_equal(one(x), two(x[:, None])[:, 0])


@pytest.mark.parametrize(("kernel", "dilation", "strides"), [(3, 1, 1), (2, 4, 1), (4, 1, 3)])
def test_causal_convolution_does_not_look_ahead(each_backend, kernel, dilation, strides):  # noqa: F811
    x = np.random.default_rng(0).standard_normal((1, 12, 2)).astype(np.float32)
    layer = layers.Conv1D(3, kernel, strides=strides, dilation_rate=dilation, padding="causal")
    before = layer(x)
    assert before.shape == (1, -(-12 // strides), 3)
    for t in range(12):
        changed = x.copy()
        changed[:, t:] += 1
        same = (layer(changed) == before).all(axis=(0, 2))
        assert same[: -(-t // strides)].all()
        assert not same[-(-t // strides) :].any() or strides > 1


def test_convolution_of_a_sequence_by_hand():
    layer = layers.Conv1D(1, 3, padding="causal", bias_initializer="ones")
    layer.ensure_built((None, 4, 1))
    layer.set_weights([np.array([100, 10, 1]).reshape(3, 1, 1), [0]])
    assert layer(np.array([[[1], [2], [3], [4]]])).ravel().tolist() == [1, 12, 123, 234]


def test_lengths():
    x = np.arange(4.0, dtype=np.float32).reshape(1, 4, 1)
    assert layers.ZeroPadding1D(2)(x).ravel().tolist() == [0, 0, 0, 1, 2, 3, 0, 0]
    assert layers.Cropping1D((2, 1))(x).ravel().tolist() == [2]
    assert layers.UpSampling1D(2)(x).ravel().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert layers.MaxPooling1D(3, padding="same")(x).ravel().tolist() == [1, 3]
    assert layers.AveragePooling1D(3, padding="same")(x).ravel().tolist() == [0.5, 2.5]


@pytest.mark.parametrize("length", [None, 11])
def test_lengths_that_are_not_known(length):
    shape = (None, length, 4)
    known = lambda n: n if length else None  # noqa: E731
    assert layers.Conv1D(3, 3).compute_output_shape(shape) == (None, known(9), 3)
    assert layers.MaxPooling1D(2).compute_output_shape(shape) == (None, known(5), 4)
    assert layers.ZeroPadding1D(1).compute_output_shape(shape) == (None, known(13), 4)
    assert layers.GlobalMaxPooling1D(keepdims=True).compute_output_shape(shape) == (None, 1, 4)
    first = layers.GlobalMaxPooling1D("channels_first", keepdims=True)
    assert first.compute_output_shape((None, 4, length)) == (None, 4, 1)


def test_spatial_dropout_drops_whole_channels():
    x = np.ones((3, 5, 40), np.float32)
    y = layers.SpatialDropout1D(0.25, seed=3)(x, training=True)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert not (y[0] == y[1]).all()
    np.testing.assert_array_equal(layers.SpatialDropout1D(0.25)(x), x)
    steps = layers.Dropout(0.5, noise_shape=(3, 5, 1), seed=1)(x, training=True)
    np.testing.assert_array_equal(steps, np.broadcast_to(steps[..., :1], steps.shape))


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Embedding(7, 3, "normal", "l2", mask_zero=True),
        lambda: layers.Masking(2),
        lambda: layers.Conv1D(4, 3, padding="causal", groups=2, activation="relu"),
        lambda: layers.SpatialDropout1D(0.3, seed=4),
        lambda: layers.Dropout(0.3, noise_shape=(None, 1, None)),
        lambda: layers.ZeroPadding1D((1, 2)),
    ],
)
def test_config_makes_the_same_layer(make):
    layer = make()
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.makes_mask == layer.makes_mask
    model = Sequential([layers.Input((6, 4) if not layer.takes_ids else (6,)), layer])
    copy = Sequential.from_config(model.get_config())
    assert copy.output_shape == model.output_shape
    assert copy.get_config() == model.get_config()
