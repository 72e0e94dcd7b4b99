"""GradientFlow: the gradient that reaches each step, recorded while a model trains."""

import numpy as np
import pytest

from fastnn.callbacks import GradientFlow
from fastnn.layers import GRU, LSTM, RNN, Bidirectional, Dense, Embedding, GRUCell, Input, SimpleRNN
from fastnn.models import Sequential
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401

N, T, D = 6, 5, 3


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((N, T, D)), rng.standard_normal((N, 1))


def model_of(layer):
    set_random_seed(1)
    model = Sequential([Input((T, D)), layer, Dense(1, dtype="float64")])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_norms_are_those_of_the_gradient(each_backend, activation):  # noqa: F811
    """∂L/∂h_t by moving h_t: the rest of the sequence runs from there."""
    x, y = data()
    layer = SimpleRNN(2, activation=activation, dtype="float64", name="memory")
    model = model_of(layer)
    hidden, step, dense = layer.trace(x)["hidden"], 1e-6, model.layers[1]

    def loss(t, h):
        rest = layer(x[:, t + 1 :], initial_state=[h]) if t + 1 < T else h
        return float(np.mean((dense(rest) - y) ** 2))

    expected = np.zeros((N, T, 2))
    for i, t, u in np.ndindex(*expected.shape):
        above, below = hidden[:, t].copy(), hidden[:, t].copy()
        above[i, u] += step
        below[i, u] -= step
        expected[i, t, u] = (loss(t, above) - loss(t, below)) / (2 * step)
    flow = GradientFlow("memory")
    model.fit(x, y, batch_size=N, verbose=0, callbacks=[flow])
    np.testing.assert_allclose(flow.norms[0], np.linalg.norm(expected, axis=-1).mean(0), rtol=1e-5)


def test_one_record_an_epoch_or_every_few_batches():
    x, y = data()
    layer = Bidirectional(LSTM(2, dtype="float64", name="lstm"))
    model = model_of(layer)
    by_epoch, by_batch = GradientFlow("forward_lstm"), GradientFlow(layer.backward_layer, every=2)
    model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[by_epoch, by_batch])
    assert [len(by_epoch.norms), len(by_batch.norms)] == [3, 5]
    assert all(n.shape == (T,) and (n > 0).all() for n in by_epoch.norms + by_batch.norms)
    assert by_epoch.norms[0].argmax() == T - 1
    assert by_batch.norms[0].argmax() == 0
    assert layer.forward_layer.listeners == layer.backward_layer.listeners == []


def test_listening_changes_no_weight():
    x, y = data()
    weights = []
    for callbacks in ([], [GradientFlow("gru"), GradientFlow("gru", every=1)]):
        model = model_of(GRU(2, dtype="float64", name="gru"))
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=callbacks)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_batches_of_several_lengths_are_aligned_at_the_last_step():
    set_random_seed(2)
    model = Sequential([Embedding(7, 3), RNN([GRUCell(2), GRUCell(2)], name="cells"), Dense(1)])
    model.compile("sgd", "mse")
    flow = GradientFlow("cells")
    ids = np.random.default_rng(0).integers(1, 7, (4, 9))
    model.fit([(ids[:, :4], np.ones(4)), (ids, np.ones(4))], epochs=2, verbose=0, callbacks=[flow])
    assert [n.shape for n in flow.norms] == [(9,), (9,)]
    assert flow.norms[0].argmax() == 8


def test_words_when_there_is_no_such_layer():
    x, y = data()
    model = model_of(Bidirectional(LSTM(2, dtype="float64", name="lstm"), name="both"))
    for layer, kind, words in (
        ("lstm", ValueError, r"\['forward_lstm', 'backward_lstm'\]"),
        ("both", TypeError, r"Type GradientFlow\('forward_lstm'\)"),
        (model.layers[1], TypeError, "listens to one recurrent layer"),
    ):
        with pytest.raises(kind, match=words):
            model.fit(x, y, verbose=0, callbacks=[GradientFlow(layer)])
    with pytest.raises(ValueError, match="every=0"):
        GradientFlow("lstm", every=0)
