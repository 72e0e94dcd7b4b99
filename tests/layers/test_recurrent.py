"""What recurrent layers compute: by hand, against each other, in both directions."""

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
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
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
