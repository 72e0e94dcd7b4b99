"""What recurrent layers compute: by hand, against each other, with masks, states and directions."""

import numpy as np
import pytest

from fastnn import activations, layers
from fastnn.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Embedding,
    GRUCell,
    Input,
    LSTMCell,
    Masking,
    OutputRNNCell,
    RepeatVector,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from fastnn.models import Sequential
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401

N, T, D, U = 3, 7, 4, 5
EXACT = {"rtol": 1e-12, "atol": 1e-12}
KINDS = {
    "simple_rnn": (SimpleRNN, SimpleRNNCell, {}),
    "output": (SimpleRNN, OutputRNNCell, {"recurrence": "output", "output_units": 2, "output_activation": "sigmoid"}),
    "lstm": (LSTM, LSTMCell, {}),
    "gru": (GRU, GRUCell, {}),
    "gru reset before": (GRU, GRUCell, {"reset_after": False}),
}


@pytest.fixture
def x():
    return np.random.default_rng(1).standard_normal((N, T, D))


@pytest.fixture
def mask():
    found = np.random.default_rng(2).random((N, T)) < 0.6
    found[0], found[1] = [True] * 4 + [False] * 3, False
    return found


def make(kind, **settings):
    cls, _, own = KINDS[kind]
    return cls(U, dtype="float64", **own | settings)


def randomize(layer, x):
    """A built layer with weights that leave nothing at zero."""
    layer.ensure_built((None, *x.shape[1:]))
    rng = np.random.default_rng(3)
    layer.set_weights([rng.uniform(-0.7, 0.7, w.shape) for w in layer.get_weights()])
    return layer


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# By hand.


def test_simple_rnn_of_three_steps(each_backend):  # noqa: F811
    layer = SimpleRNN(1, activation="linear", return_sequences=True)
    layer.ensure_built((None, 3, 1))
    layer.set_weights([[[1.0]], [[0.5]], [0.0]])
    np.testing.assert_array_equal(layer([[[1.0], [1.0], [1.0]]]).ravel(), [1, 1.5, 1.75])


def test_the_output_feeds_back(each_backend):  # noqa: F811
    layer = SimpleRNN(1, activation="linear", recurrence="output", return_sequences=True)
    layer.ensure_built((None, 2, 1))
    layer.set_weights([[[1.0]], [[1.0]], [0.0], [[2.0]], [1.0]])
    np.testing.assert_array_equal(layer([[[1.0], [0.0]]]).ravel(), [3, 7])


def test_lstm_is_its_equations(each_backend, x):  # noqa: F811
    layer = randomize(make("lstm", return_state=True), x)
    w, u, b = layer.get_weights()
    h = c = np.zeros((N, U))
    for t in range(T):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    for got, expected in zip(layer(x), (h, h, c), strict=True):
        np.testing.assert_allclose(got, expected, **EXACT)


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_is_its_equations(each_backend, x, reset_after):  # noqa: F811
    layer = randomize(make("gru", reset_after=reset_after), x)
    w, u, b = layer.get_weights()
    assert b.shape == ((2, 3 * U) if reset_after else (3 * U,))
    given, carried = b if reset_after else (b, np.zeros(3 * U))
    h = np.zeros((N, U))
    for t in range(T):
        xz, xr, xh = np.split(x[:, t] @ w + given, 3, axis=1)
        hz, hr, hh = np.split(h @ u + carried, 3, axis=1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        candidate = np.tanh(xh + (r * hh if reset_after else (r * h) @ u[:, 2 * U :]))
        h = z * h + (1 - z) * candidate
    np.testing.assert_allclose(layer(x), h, **EXACT)


def test_parameters_of_the_bilstm_of_the_notes():
    """Embedding 64, BiLSTM 64 with sequences, BiLSTM 32, Dense 64, Dropout, Dense 1."""
    model = Sequential(
        [
            Embedding(1000, 64, mask_zero=True),
            Bidirectional(LSTM(64, return_sequences=True)),
            Bidirectional(LSTM(32)),
            Dense(64, activation="relu"),
            layers.Dropout(0.2),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.build((None, None))
    assert [layer.count_params() for layer in model.layers] == [64000, 66048, 41216, 4160, 0, 65]
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize(
    ("layer", "count"), [(SimpleRNN(64), 6208), (GRU(64), 18816), (LSTM(64), 24832), (SimpleRNN(32), 2080)]
)
def test_parameters_of_text_classifiers(layer, count):
    layer.ensure_built((None, None, 32))
    assert layer.count_params() == count


def test_first_weights():
    set_random_seed(0)
    layer = LSTM(U)
    layer.ensure_built((None, T, D))
    kernel, recurrent, bias = layer.get_weights()
    limit = np.sqrt(6 / (D + 4 * U))
    assert 0.8 * limit < np.abs(kernel).max() <= limit
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(U), atol=1e-5)
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], U))
    flat = LSTM(U, unit_forget_bias=False, bias_initializer="ones")
    flat.ensure_built((None, T, D))
    np.testing.assert_array_equal(flat.get_weights()[2], 1)


# One way against another.


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_no_activation_is_the_linear_one(kind, x):
    none, linear = kind(U, activation=None, dtype="float64"), kind(U, activation="linear", dtype="float64")
    seen = none(x)
    linear(x)
    linear.set_weights(none.get_weights())
    np.testing.assert_array_equal(seen, linear(x))


@pytest.mark.parametrize("kind", KINDS)
def test_backends_agree(kind, x, mask):
    from fastnn import backend

    results = []
    for name in ("compiled", "reference"):
        with backend.use(name):
            set_random_seed(5)
            layer = randomize(make(kind, return_sequences=True, dropout=0.3, recurrent_dropout=0.4), x)
            y, ctx = layer.forward(x, True, mask)
            dx = layer.backward(np.cos(y), ctx)
            results.append([y, dx, *(p.grad for p in layer.weights), layer(x, mask=mask)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, **EXACT)


class StepByStep:
    """The same activation under a name that no kernel knows: the layer then runs its cell step by step."""

    def __init__(self, name):
        self.activation = activations.Activation(name)
        self.forward, self.backward = self.activation.forward, self.activation.backward


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_is_the_whole_sequence(each_backend, kind, backwards, x, mask):  # noqa: F811
    settings = {
        "return_sequences": True,
        "go_backwards": backwards,
        "dropout": 0.2,
        "recurrent_dropout": 0.3,
        "seed": 7,
    }
    whole = randomize(make(kind, **settings), x)
    stepwise = randomize(make(kind, activation=StepByStep("tanh"), **settings), x)
    assert whole.cell.fusible
    assert not stepwise.cell.fusible
    states = [np.random.default_rng(4).standard_normal(s.shape) for s in whole.zero_states(N)]
    results = []
    for layer in (whole, stepwise):
        y, final, ctx = layer.forward_states(x, states, True, mask)
        dx, dstates = layer.backward_states(np.cos(y), [np.sin(s) for s in final], ctx, need_dstates=True)
        seen = layer.trace(x, mask, states)
        results.append([y, *final, dx, *dstates, *(p.grad for p in layer.weights), *(seen[k] for k in sorted(seen))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_an_rnn_over_the_cell_is_the_layer(kind, x):
    _, cell, own = KINDS[kind]
    layer = make(kind)
    rnn = RNN(cell(U, dtype="float64", **{k: v for k, v in own.items() if k != "recurrence"}))
    y = layer(x)
    rnn.ensure_built((None, T, D))
    rnn.set_weights(layer.get_weights())
    np.testing.assert_array_equal(rnn(x), y)
    assert rnn.output_shape == layer.output_shape


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_called_step_by_step_is_the_layer(kind, x):
    layer = randomize(make(kind, return_sequences=True), x)
    y, states = layer(x), layer.zero_states(N)
    for t in range(T):
        step, states = layer.cell(x[:, t], states)
        np.testing.assert_allclose(step, y[:, t], **EXACT)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
@pytest.mark.parametrize("sequences", [False, True])
def test_stacked_cells_are_stacked_layers(x, mask, sequences, activation):
    settings = {"dtype": "float64"}
    stack = RNN(
        [LSTMCell(4, **settings), GRUCell(3, activation=activation, **settings), SimpleRNNCell(2, **settings)],
        return_sequences=sequences,
        return_state=True,
    )
    single = [
        LSTM(4, return_sequences=True, return_state=True, **settings),
        GRU(3, activation=activation, return_sequences=True, return_state=True, **settings),
        SimpleRNN(2, return_sequences=sequences, return_state=True, **settings),
    ]
    y, (h, c), h_gru, h_simple = stack(x, mask=mask)
    weights, v, expected = stack.get_weights(), x, []
    for layer in single:
        layer.ensure_built((None, *v.shape[1:]))
        n = len(layer.weights)
        layer.set_weights(weights[:n])
        weights = weights[n:]
        v, *states = layer(v, mask=mask)
        expected += states
    for got, wanted in zip((y, h, c, h_gru, h_simple), (v, *expected), strict=True):
        np.testing.assert_allclose(got, wanted, **EXACT)
    assert stack.cell.state_size == [[4, 4], 3, 2]
    seen = stack.trace(x, mask)
    np.testing.assert_allclose(
        seen["2/hidden"], single[2].trace(single[1](single[0](x, mask=mask)[0], mask=mask)[0], mask)["hidden"], **EXACT
    )
    assert set(seen) >= {"0/cell", "0/forget_gate", "1/update_gate"}


def test_stacked_cells_called_for_one_step(x):
    cells = StackedRNNCells([LSTMCell(3, dtype="float64"), GRUCell(2, dtype="float64")])
    y, states = cells(x[:, 0], [[np.zeros((N, 3))] * 2, np.zeros((N, 2))])
    assert y.shape == (N, 2)
    assert [np.shape(s) for s in states] == [(2, N, 3), (N, 2)]


# Directions.


@pytest.mark.parametrize("kind", KINDS)
def test_backwards_is_forwards_on_the_reversed_sequence(each_backend, kind, x, mask):  # noqa: F811
    there = randomize(make(kind, return_sequences=True), x)
    back = randomize(make(kind, return_sequences=True, go_backwards=True), x)
    np.testing.assert_allclose(back(x, mask=mask), there(x[:, ::-1], mask=mask[:, ::-1]), **EXACT)
    one_back, one_there = randomize(make(kind, go_backwards=True), x), randomize(make(kind), x)
    np.testing.assert_allclose(one_back(x, mask=mask), one_there(x[:, ::-1], mask=mask[:, ::-1]), **EXACT)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_bidirectional_is_two_layers_by_hand(kind, sequences, mode, x, mask):
    both = randomize(Bidirectional(make(kind, return_sequences=sequences), merge_mode=mode), x)
    there, back = make(kind, return_sequences=sequences), make(kind, return_sequences=sequences, go_backwards=True)
    weights = both.get_weights()
    for layer, part in ((there, weights[: len(weights) // 2]), (back, weights[len(weights) // 2 :])):
        layer.ensure_built((None, T, D))
        layer.set_weights(part)
    a, b = there(x, mask=mask), back(x, mask=mask)
    if sequences:
        b = b[:, ::-1]
        a, b = a * mask[..., None], b * mask[..., None]
    expected = {
        "concat": lambda: np.concatenate([a, b], -1),
        "sum": lambda: a + b,
        "mul": lambda: a * b,
        "ave": lambda: (a + b) / 2,
        None: lambda: [a, b],
    }[mode]()
    got = both(x, mask=mask)
    assert isinstance(got, list) == (mode is None)
    np.testing.assert_allclose(got, expected, **EXACT)


def test_bidirectional_takes_and_gives_states(x):
    layer = Bidirectional(LSTM(U, return_state=True, dtype="float64"))
    y, *states = layer(x)
    assert [s.shape for s in states] == [(N, U)] * 4
    np.testing.assert_array_equal(y, np.concatenate([states[0], states[2]], -1))
    again = layer(x, initial_state=states)
    np.testing.assert_array_equal(again[1], layer.forward_layer(x, initial_state=states[:2])[1])
    assert (again[3] != states[2]).any()


def test_bidirectional_with_a_layer_of_its_own_for_the_way_back(x):
    layer = Bidirectional(LSTM(3, dtype="float64"), backward_layer=GRU(2, go_backwards=True, dtype="float64"))
    assert layer(x).shape == (N, 5)
    y, ctx = layer.forward(x, True)
    assert layer.backward(np.ones_like(y), ctx).shape == x.shape


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
    with pytest.raises(ValueError, match=r"every batch has 3 rows.*Received: a batch of 2 rows.*reset_state\(\)"):
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
        assert model.step().from_logits
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
