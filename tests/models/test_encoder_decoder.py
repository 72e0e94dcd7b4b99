"""Encoders and decoders joined by states: states are edges of a model, with gradients; and what calls on them give."""

import numpy as np
import pytest

import fastnn
from fastnn import backend, layers, ops, utils
from fastnn.inspect import gradient_check
from tests.backends import each_backend  # noqa: F401

N, S, T, D, U = 3, 5, 4, 2, 3

PAIRS = {
    "SimpleRNN": lambda **o: layers.SimpleRNN(U, dtype="float64", **o),
    "output": lambda **o: layers.SimpleRNN(4, recurrence="output", output_units=U, dtype="float64", **o),
    "LSTM": lambda **o: layers.LSTM(U, dtype="float64", **o),
    "LSTM by steps": lambda **o: layers.LSTM(U, activation="gelu", dtype="float64", **o),
    "GRU": lambda **o: layers.GRU(U, dtype="float64", **o),
    "GRU before": lambda **o: layers.GRU(U, reset_after=False, dtype="float64", **o),
    "cells": lambda **o: layers.RNN([layers.LSTMCell(2, dtype="float64"), layers.GRUCell(U, dtype="float64")], **o),
    "Bidirectional": lambda **o: layers.Bidirectional(layers.LSTM(U, dtype="float64", **o)),
    "Bidirectional mul": lambda **o: layers.Bidirectional(layers.GRU(U, dtype="float64", **o), merge_mode="mul"),
}


def joined(make, masked=False, head=True):
    """x of the encoder, x of the decoder → the decoder's outputs, from the encoder's final states."""
    utils.set_random_seed(3)
    if masked:  # by ids, so that no finite difference of the input changes the mask
        source, target = (layers.Input((None,), dtype="int64") for _ in range(2))
        seen, read = (layers.Embedding(7, D, mask_zero=True, dtype="float64")(ids) for ids in (source, target))
    else:
        seen, read = source, target = [layers.Input((None, D), dtype="float64") for _ in range(2)]
    _, *states = make(return_state=True)(seen)
    out = make(return_sequences=True)(read, initial_state=states)
    if head:
        out = layers.Dense(1, dtype="float64")(out)
    return fastnn.Model([source, target], out)


def data(masked=False):
    rng = np.random.default_rng(5)
    if not masked:
        return rng.standard_normal((N, S, D)), rng.standard_normal((N, T, D))
    x, t = rng.integers(1, 7, (N, S)), rng.integers(1, 7, (N, T))
    x[0, 3:], x[1, :2], t[2, 2:] = 0, 0, 0
    return x, t


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_gradients_through_states(each_backend, pair, masked):  # noqa: F811
    model = joined(PAIRS[pair], masked)
    result = gradient_check(model, list(data(masked)))
    assert result, str(result)
    encoder = next(layer for layer in model.layers if isinstance(layer, (layers.RNN, layers.Bidirectional)))
    assert all(np.abs(p.grad).max() > 1e-6 for p in encoder.weights)  # only states lead to the encoder


@pytest.mark.parametrize("pair", PAIRS)
def test_a_model_computes_what_its_layers_do(each_backend, pair):  # noqa: F811
    model = joined(PAIRS[pair], head=False)
    first, second = [layer for layer in model.layers if isinstance(layer, (layers.RNN, layers.Bidirectional))]
    x, t = data()
    _, *states = first(x)
    np.testing.assert_array_equal(model.predict([x, t], verbose=0), second(t, initial_state=states))


@pytest.mark.parametrize("pair", PAIRS)
def test_gradients_of_a_layer_called_on_states(each_backend, pair):  # noqa: F811
    rng = np.random.default_rng(2)
    layer = PAIRS[pair](return_state=True, return_sequences=True)
    x = rng.standard_normal((N, T, D))
    layer.ensure_built((None, T, D))
    states = [rng.standard_normal(shape) for shape in layer.state_shapes(N)]
    result = gradient_check(layer, [x, *states])
    assert result, str(result)


@pytest.mark.parametrize("order", [(0,), (1,), (2,), (1, 2), (0, 2)])
@pytest.mark.parametrize("sequences", [False, True])
def test_outputs_that_no_loss_depends_on(each_backend, order, sequences):  # noqa: F811
    """A loss of some of output, hidden and cell state: the rest has no gradient."""
    x = layers.Input((T, D), dtype="float64")
    outputs = layers.LSTM(U, return_state=True, return_sequences=sequences, dtype="float64")(x)
    model = fastnn.Model(x, [outputs[i] for i in order] if len(order) > 1 else outputs[order[0]])
    result = gradient_check(model, data()[1])
    assert result, str(result)


@pytest.mark.parametrize("mode", [None, "sum", "concat"])
@pytest.mark.parametrize("some", [(0,), (1,), (-1,), (0, -1)])
def test_outputs_of_two_directions_that_no_loss_depends_on(each_backend, mode, some):  # noqa: F811
    x = layers.Input((T, D), dtype="float64")
    inner = layers.GRU(U, return_state=True, return_sequences=True, dtype="float64")
    outputs = layers.Bidirectional(inner, merge_mode=mode)(x)
    assert len(outputs) == (4 if mode is None else 3)
    model = fastnn.Model(x, [outputs[i] for i in some])
    result = gradient_check(model, data()[1])
    assert result, str(result)


def test_shapes_and_errors():
    x = layers.Input((None, D))
    y, h, c = layers.LSTM(U, return_state=True, return_sequences=True)(x)
    assert (y.shape, h.shape, c.shape) == ((None, None, U), (None, U), (None, U))
    assert layers.GRU(U)(x, initial_state=h).shape == (None, U)
    with pytest.raises(ValueError, match=r"states of shapes \[\(None, 3\), \(None, 3\)\].*Received: \[\(None, 3\)\]"):
        layers.LSTM(U)(x, initial_state=[h])
    with pytest.raises(ValueError, match=r"Received: \[\(None, 3\)\]"):
        layers.GRU(4)(x, initial_state=h)
    forward, backward, *states = layers.Bidirectional(layers.LSTM(U, return_state=True), merge_mode=None)(x)
    assert [s.shape for s in (forward, backward, *states)] == [(None, U)] * 6
    nested = layers.RNN([layers.LSTMCell(2), layers.GRUCell(U)], return_state=True)(x)
    assert [s.shape for s in nested[1]] == [(None, 2), (None, 2)]
    assert nested[2].shape == (None, U)


def test_states_that_are_arrays_or_mixed():
    """One set of states for all examples, or an input that is an array beside states that are symbols."""
    rng = np.random.default_rng(1)
    state = rng.standard_normal((N, U)).astype(np.float32)
    x = layers.Input((T, D))
    layer = layers.GRU(U)
    model = fastnn.Model(x, layer(x, initial_state=state))
    values = rng.standard_normal((N, T, D), dtype=np.float32)
    np.testing.assert_array_equal(model.predict_on_batch(values), layer(values, initial_state=state))
    h = layers.Input((U,))
    model = fastnn.Model(h, layer(values, initial_state=h))
    np.testing.assert_array_equal(model.predict_on_batch(state), layer(values, initial_state=state))


def test_one_layer_with_and_without_states():
    """The decoder of a translator: trained on whole sequences, then run from its own states."""
    x, h, c = layers.Input((None, D)), layers.Input((U,)), layers.Input((U,))
    layer = layers.LSTM(U, return_state=True)
    whole, stepped = fastnn.Model(x, layer(x)), fastnn.Model([x, h, c], layer(x, initial_state=[h, c]))
    values = np.random.default_rng(4).standard_normal((N, T, D)).astype(np.float32)
    states = [np.zeros((N, U), np.float32)] * 2
    for t in range(T):
        y, *states = stepped.predict_on_batch([values[:, t : t + 1], *states])
    for mine, other in zip([y, *states], whole.predict_on_batch(values), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    assert len(layer.weights) == 3


def test_an_encoder_and_a_decoder_train_in_one_fit():
    """Copying: the decoder sees zeros alone, so all that it knows is in the states."""
    utils.set_random_seed(1)
    source, target = layers.Input((4, 1)), layers.Input((4, 1))
    _, *states = layers.LSTM(24, return_state=True)(source)
    y = layers.LSTM(24, return_sequences=True)(target, initial_state=states)
    model = fastnn.Model([source, target], layers.Dense(1)(y))
    model.compile(fastnn.optimizers.Adam(0.01), "mse")
    x = np.random.default_rng(1).uniform(-1, 1, (512, 4, 1)).astype(np.float32)
    history = model.fit([x, np.zeros_like(x)], x, epochs=30, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < 0.02 < 0.2 < history[0]


def test_config_round_trip():
    model = joined(PAIRS["LSTM"], masked=True)
    again = fastnn.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    x, t = data(True)
    np.testing.assert_array_equal(again.predict([x, t], verbose=0), model.predict([x, t], verbose=0))


def test_within_a_traced_call(each_backend):  # noqa: F811
    class Translator(layers.Layer):
        def __init__(self, **settings):
            super().__init__(dtype="float64", **settings)
            self.encoder = layers.LSTM(U, return_state=True, dtype="float64")
            self.decoder = layers.LSTM(U, return_sequences=True, dtype="float64")

        def call(self, x):
            _, *states = self.encoder(x)
            return ops.tanh(self.decoder(x, initial_state=states))

    result = gradient_check(Translator(), data()[0])
    assert result, str(result)


def test_a_penalty_on_the_output_leaves_states_alone():
    x = layers.Input((T, D), dtype="float64")
    y, h, _ = layers.LSTM(U, return_state=True, activity_regularizer="l2", dtype="float64")(x)
    model = fastnn.Model(x, [y, h])
    assert [o.shape for o in model.outputs] == [(None, U), (None, U)]
    result = gradient_check(model, data()[1])
    assert result, str(result)


def test_same_numbers_on_both_backends():
    x, t = (a.astype(np.float32) for a in data())
    model = joined(lambda **o: layers.LSTM(U, **o), head=False)
    y = model.predict([x, t], verbose=0)
    with backend.use("reference"):
        np.testing.assert_allclose(model.predict([x, t], verbose=0), y, rtol=1e-4, atol=1e-6)
