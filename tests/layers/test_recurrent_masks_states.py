"""Masks and states of recurrent layers, what is random in them, and what can be seen of them."""

import numpy as np
import pytest

from fastnn import layers
from fastnn.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Input,
    LSTMCell,
    Masking,
    RepeatVector,
    SimpleRNN,
    TimeDistributed,
)
from fastnn.models import Sequential
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401
from tests.layers.recurrent import EXACT, KINDS, D, N, T, U, holes, make, randomize, sequences


@pytest.fixture
def x():
    return sequences()


@pytest.fixture
def mask():
    return holes()


# Masks.


@pytest.mark.parametrize("kind", KINDS)
def test_masked_steps_hold_the_state(each_backend, kind, x, mask):  # noqa: F811
    layer = randomize(make(kind, return_sequences=True, return_state=True), x)
    states = [np.random.default_rng(4).standard_normal(s.shape) for s in layer.zero_states(N)]
    y, *final = layer(x, initial_state=states, mask=mask)
    for row in range(N):
        steps = np.flatnonzero(mask[row])
        alone = [s[row : row + 1] for s in states]
        last = alone[0]
        expected = np.repeat(last, T, axis=0)
        if len(steps):
            short, *end = layer(x[row : row + 1, steps], initial_state=alone)
            for k, t in enumerate(steps):
                expected[t:] = short[0, k]
            alone = end
        np.testing.assert_allclose(y[row], expected, **EXACT)
        for got, wanted in zip(final, alone, strict=True):
            np.testing.assert_allclose(got[row : row + 1], wanted, **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_at_masked_steps_do_not_matter(kind, x, mask):
    other = np.where(mask[..., None], x, 9.0)
    for settings in ({}, {"return_sequences": True}, {"activation": "gelu"}):
        layer = make(kind, **settings)
        results = []
        for v in (x, other):
            y, ctx = layer.forward(v, True, mask) if layer.built else (layer(v, mask=mask), None)
            y, ctx = layer.forward(v, True, mask)
            dx = layer.backward(np.ones_like(y), ctx)
            assert not dx[~mask].any()
            results.append([y, dx, *(p.grad.copy() for p in layer.weights)])
        for a, b in zip(*results, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backwards", [False, True])
def test_zero_output_for_mask(x, mask, backwards):
    settings = {"go_backwards": backwards, "return_sequences": True}
    plain, zero = (randomize(make("gru", zero_output_for_mask=z, **settings), x) for z in (False, True))
    valid = mask[:, ::-1] if backwards else mask
    np.testing.assert_array_equal(zero(x, mask=mask), plain(x, mask=mask) * valid[..., None])
    last = randomize(make("gru", zero_output_for_mask=True, go_backwards=backwards), x)(x, mask=mask)
    np.testing.assert_array_equal(last.any(axis=1), valid[:, -1])


def test_masks_travel_through_a_model(x):
    set_random_seed(0)
    ids = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0], [1, 2, 3, 4, 1]])
    model = Sequential(
        [Embedding(5, 3, mask_zero=True), Bidirectional(GRU(4, return_sequences=True)), LSTM(2), Dense(1)]
    )
    y = model(ids)
    for row, n in enumerate((3, 1, 5)):
        np.testing.assert_allclose(model(ids[row : row + 1, :n]), y[row : row + 1], rtol=1e-5, atol=1e-6)


def test_words_within_sentences():
    """The mask of the words goes into TimeDistributed; sentences without words are skipped behind it."""
    ids = np.random.default_rng(4).integers(1, 9, (2, 3, 5))
    ids[:, :, 3:], ids[0, 1, 2], ids[0, 2:] = 0, 0, 0
    words, sentences = LSTM(3), GRU(2)
    model = Sequential([Embedding(9, 4, mask_zero=True), TimeDistributed(words), sentences])
    seen = model.predict(ids, verbose=0)
    table = model.layers[0]
    each = np.stack([words(table(row), mask=row != 0) for row in ids])
    np.testing.assert_allclose(seen, sentences(each, mask=(ids != 0).any(2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen[:1], sentences(each[:1, :2]), rtol=1e-5, atol=1e-6)

    pooled = Sequential([table, TimeDistributed(Dense(2)), TimeDistributed(layers.GlobalAveragePooling1D())])
    short = pooled.predict(ids[1:, :, :3], verbose=0)
    np.testing.assert_allclose(pooled.predict(ids, verbose=0)[1:], short, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(ids, seen + 1, verbose=0).history["loss"]).all()


def test_masking_in_front_of_step_by_step(x):
    x = x.copy()
    x[0, 4:] = 0
    model = Sequential(
        [Masking(), LSTM(3, activation="gelu", dtype="float64", return_sequences=True), GRU(2, dtype="float64")]
    )
    np.testing.assert_allclose(model(x)[:1], model(x[:1, :4]), **EXACT)


# States that are carried.


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_batches_are_one_long_sequence(each_backend, kind, x):  # noqa: F811
    whole = randomize(make(kind, return_sequences=True), x)
    parts = randomize(make(kind, return_sequences=True, stateful=True), x)
    y = np.concatenate([parts(x[:, :3]), parts(x[:, 3:4]), parts(x[:, 4:])], axis=1)
    np.testing.assert_allclose(y, whole(x), **EXACT)
    parts.reset_state()
    np.testing.assert_allclose(parts(x[:, :3]), whole(x[:, :3]), **EXACT)


def test_stateful_model_in_predict_fit_and_evaluate(x):
    model = Sequential(
        [Input(batch_shape=(N, T, D)), LSTM(U, stateful=True, return_sequences=True), GRU(2, stateful=True), Dense(1)]
    )
    assert model.output_shape == (N, 1)
    long = np.concatenate([x, x])
    first = model.predict(long, batch_size=N, verbose=0)
    assert (np.abs(first[:N] - first[N:]) > 1e-6).all()
    carried = model.predict(long, batch_size=N, verbose=0)
    assert (carried[:N] != first[:N]).any()
    model.reset_states()
    np.testing.assert_array_equal(model.predict(long, batch_size=N, verbose=0), first)
    model.compile("sgd", "mse")
    model.fit(long, np.zeros((2 * N, 1)), batch_size=N, epochs=2, shuffle=False, verbose=0)
    before = [s.copy() for s in model.layers[0].states]
    model.evaluate(long, np.zeros((2 * N, 1)), batch_size=N, verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.layers[0].states, strict=True))


def test_stateful_layers_start_from_states_that_are_given(x):
    layer = make("lstm", stateful=True)
    states = [np.full((N, U), 0.5), np.full((N, U), -0.25)]
    once = make("lstm")
    once(x)
    layer(x)
    layer.set_weights(once.get_weights())
    layer.reset_state(states)
    np.testing.assert_array_equal(layer(x), once(x, initial_state=states))


def test_a_stateful_layer_without_a_declared_batch_changes_size_after_a_reset(x):
    model = Sequential([Input((T, D)), SimpleRNN(U, stateful=True)])
    model.predict(x, verbose=0)
    with pytest.raises(ValueError, match=r"every batch must have 3 rows.*Received: a batch of 2 rows.*reset_state\(\)"):
        model.predict(x[:2], verbose=0)
    model.reset_state()
    assert model.predict(x[:2], verbose=0).shape == (2, U)


def test_states_of_a_lost_run_are_forgotten(x):
    model = Sequential([Input((T, D)), SimpleRNN(U, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match="batch itself holds NaN"):
        model.fit(np.concatenate([x, x * np.nan]), np.zeros((2 * N, 1)), batch_size=N, shuffle=False, verbose=0)
    assert np.isfinite(model.predict(x, verbose=0)).all()


# Randomness.


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_the_same_at_every_step_and_repeats_from_its_seed(kind):
    x = np.ones((N, T, D))
    settings = {
        "dropout": 0.5,
        "seed": 3,
        "return_sequences": True,
        "activation": "linear",
        "recurrent_initializer": "zeros",
    }
    first, second = make(kind, **settings), make(kind, **settings)
    for layer in (first, second):
        layer.ensure_built((None, T, D))
    second.set_weights(first.get_weights())
    y = first(x, training=True)
    np.testing.assert_array_equal(second(x, training=True), y)
    assert (first(x, training=True) != y).any()
    assert (first(x) != y).any()
    if kind == "simple_rnn":
        np.testing.assert_array_equal(y, np.repeat(y[:, :1], T, axis=1))


def test_recurrent_dropout_has_a_mask_a_gate():
    cell = LSTMCell(50, dropout=0.5, recurrent_dropout=0.5)
    cell.ensure_built((None, 40))
    x_dropout, h_dropout = cell.draw(N, True)
    assert (x_dropout.shape, h_dropout.shape) == ((4, N, 40), (4, N, 50))
    assert set(np.unique(x_dropout)) == {0, 2}
    for a, b in ((0, 1), (1, 2), (2, 3)):
        assert (h_dropout[a] != h_dropout[b]).any()
        assert (x_dropout[a] != x_dropout[b]).any()
    only = LSTMCell(5, dropout=0.5)
    only.ensure_built((None, 4))
    assert only.draw(N, True)[0].shape == (1, N, 4)
    assert only.draw(N, False) == (None, None)


# Looking inside.


def test_trace_of_lstm(each_backend, x, mask):  # noqa: F811
    layer = randomize(make("lstm"), x)
    seen = layer.trace(x, mask)
    assert set(seen) == {"input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden"}
    before = np.zeros((N, U))
    for t in range(T):
        kept = seen["forget_gate"][:, t] * before + seen["input_gate"][:, t] * seen["candidate"][:, t]
        before = np.where(mask[:, t, None], kept, before)
        np.testing.assert_allclose(seen["cell"][:, t], before, **EXACT)
    np.testing.assert_allclose(seen["hidden"][:, -1], layer(x, mask=mask), **EXACT)
    assert not seen["forget_gate"][~mask].any()


def test_trace_of_the_others(each_backend, x):  # noqa: F811
    assert set(make("gru").trace(x)) == {"update_gate", "reset_gate", "candidate", "hidden"}
    assert {k: v.shape for k, v in make("output").trace(x).items()} == {"hidden": (N, T, U), "output": (N, T, 2)}
    layer = make("simple_rnn", return_sequences=True)
    np.testing.assert_array_equal(layer.trace(x)["hidden"], layer(x))


# Small things.


def test_repeat_vector_and_time_distributed(x):
    np.testing.assert_array_equal(RepeatVector(3)(x[:, 0])[:, 2], x[:, 0].astype(np.float32))
    inner = Dense(2, dtype="float64")
    layer = TimeDistributed(inner)
    np.testing.assert_allclose(layer(x)[:, 3], inner(x[:, 3]), **EXACT)
    images = TimeDistributed(layers.Conv2D(2, 3))
    assert images(np.zeros((2, 3, 8, 8, 1))).shape == (2, 3, 6, 6, 2)
    model = TimeDistributed(Sequential([Dense(4), Dense(2)]))
    assert model(x).shape == (N, T, 2)
    assert model.count_params() == 4 * D + 4 + 10


def test_time_distributed_softmax_starts_from_logits(x):
    rows = []
    for last in (Dense(3, activation="softmax"), TimeDistributed(Dense(3, activation="softmax"))):
        set_random_seed(1)
        model = Sequential([Input((T, D)), SimpleRNN(U, return_sequences=True), last])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        rows.append(model.fit(x, np.ones((N, T), int), epochs=3, verbose=0).history)
        assert model.program([x], True).from_logits == [True]
    assert rows[0] == rows[1]


def test_keras_words_that_have_no_effect_here():
    layer = LSTM(3, unroll=True, implementation=1, use_cudnn=False, input_dim=2, input_length=5)
    assert layer.first_shape == (5, 2)
    assert layer.get_config()["unroll"]
    assert Sequential([LSTM(3, batch_input_shape=(4, 5, 2), stateful=True)]).input_shape == (4, 5, 2)


def test_weights_that_are_frozen_and_regularized(x):
    model = Sequential([Input((T, D)), LSTM(U, recurrent_regularizer="l2", kernel_constraint="unit_norm"), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((N, 1)), verbose=0)
    np.testing.assert_allclose(np.linalg.norm(model.layers[0].kernel.value, axis=0), 1, rtol=1e-5)
    recurrent = model.layers[0].recurrent_kernel.value
    data = float(np.mean(model.predict(x, verbose=0) ** 2))
    assert model.evaluate(x, np.zeros((N, 1)), verbose=0) == pytest.approx(data + 0.01 * (recurrent**2).sum(), rel=1e-4)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.layers[0].get_weights()
    model.fit(x, np.zeros((N, 1)), verbose=0)
    for a, b in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_penalty_on_the_outputs_of_a_bidirectional(x):
    layer = Bidirectional(GRU(U, activity_regularizer="l2", return_sequences=True))
    model = Sequential([Input((T, D)), layer])
    model.compile("sgd", "mse")
    y = model.predict(x, verbose=0)
    expected = np.mean(y**2) + 0.01 * np.sum(y**2) / N
    assert model.evaluate(x, np.zeros_like(y), verbose=0) == pytest.approx(float(expected), rel=1e-4)
