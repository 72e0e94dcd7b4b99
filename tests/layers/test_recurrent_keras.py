"""Recurrent layers beside Keras with the same weights: outputs, final states and all gradients; skipped without it."""

import numpy as np
import pytest

import fastnn
from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

N, T, D, U = 4, 6, 3, 5
CLOSE = {"rtol": 1e-4, "atol": 2e-5}
OPTIONS = {
    "last": {},
    "sequences": {"return_sequences": True},
    "backwards": {"return_sequences": True, "go_backwards": True},
    "backwards, last": {"go_backwards": True},
    "no bias": {"use_bias": False, "return_sequences": True},
    "relu": {"activation": "relu"},
    "step by step": {"activation": "gelu", "return_sequences": True},
    "zeros at masked steps": {"return_sequences": True, "zero_output_for_mask": True},
    "zeros at masked steps, last": {"zero_output_for_mask": True, "go_backwards": True},
}
LAYERS = {
    "simple_rnn": lambda k, **o: k.SimpleRNN(U, return_state=True, **o),
    "lstm": lambda k, **o: k.LSTM(U, return_state=True, **o),
    "lstm hard": lambda k, **o: k.LSTM(U, return_state=True, **({"recurrent_activation": "hard_sigmoid"} | o)),
    "gru": lambda k, **o: k.GRU(U, return_state=True, **o),
    "gru reset before": lambda k, **o: k.GRU(U, return_state=True, reset_after=False, **o),
    "cells": lambda k, **o: k.RNN(
        [k.LSTMCell(4, **cell(o)), k.GRUCell(U, **cell(o)), k.SimpleRNNCell(2, **cell(o))], return_state=True, **run(o)
    ),
    "bidirectional": lambda k, **o: k.Bidirectional(k.LSTM(U, return_state=True, **o)),
    "bidirectional mul": lambda k, **o: k.Bidirectional(k.GRU(U, return_state=True, **o), merge_mode="mul"),
    "bidirectional ave": lambda k, **o: k.Bidirectional(k.SimpleRNN(U, return_state=True, **o), merge_mode="ave"),
    "bidirectional sum": lambda k, **o: k.Bidirectional(k.GRU(U, return_state=True, **o), merge_mode="sum"),
}


def cell(options):
    return {k: v for k, v in options.items() if k in ("use_bias", "activation")}


def run(options):
    return {k: v for k, v in options.items() if k not in ("use_bias", "activation")}


def mask_of(rng):
    """Any pattern: padding, holes, a row that begins masked, a row that is masked throughout."""
    mask = rng.random((N, T)) < 0.6
    mask[0], mask[1] = [True, True, True, True, False, False], False
    mask[2, 0], mask[2, -1] = False, False
    return mask


def flat(states):
    return [one for s in states for one in (flat(s) if isinstance(s, (list, tuple)) else [s])]


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize(
    ("name", "options"),
    [(n, o) for n in LAYERS for o in OPTIONS if not ("bidirectional" in n and OPTIONS[o].get("go_backwards"))],
)
def test_outputs_states_and_gradients(name, options, masked):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((N, T, D)).astype(np.float32)
    mask = mask_of(rng) if masked else None
    theirs, ours = LAYERS[name](keras.layers, **OPTIONS[options]), LAYERS[name](layers, **OPTIONS[options])
    theirs(x), ours(x)
    weights = [rng.uniform(-0.8, 0.8, w.shape).astype(np.float32) for w in theirs.get_weights()]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)

    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        y, *states = theirs(variable, mask=None if mask is None else tf.constant(mask))
        outputs = [y, *flat(states)]
        factors = [rng.standard_normal(o.shape).astype(np.float32) for o in outputs]
        loss = sum(tf.reduce_sum(o * f) for o, f in zip(outputs, factors, strict=True))
    expected = tape.gradient(loss, [variable, *theirs.trainable_variables])

    y, states, ctx = ours.forward_states(x, None, True, mask)
    for mine, other in zip([y, *states], outputs, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), **CLOSE)
    dx, _ = ours.backward_states(factors[0], factors[1:], ctx)
    for mine, other in zip([dx, *(p.grad for p in ours.weights)], expected, strict=True):
        np.testing.assert_allclose(mine, np.asarray(other), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_from_given_states(name):
    rng = np.random.default_rng(8)
    x = rng.standard_normal((N, T, D)).astype(np.float32)
    theirs, ours = LAYERS[name](keras.layers), LAYERS[name](layers)
    theirs(x)
    y, *final = ours(x)
    ours.set_weights(theirs.get_weights())
    first = [rng.standard_normal(s.shape).astype(np.float32) for s in flat(final)]
    given = ours.cell.nested(first) if name == "cells" else first
    variables = [tf.Variable(s) for s in first]
    with tf.GradientTape() as tape:
        nested = ours.cell.nested(variables) if name == "cells" else variables
        y, *states = theirs(x, initial_state=nested)
        outputs = [y, *flat(states)]
        factors = [rng.standard_normal(o.shape).astype(np.float32) for o in outputs]
        loss = sum(tf.reduce_sum(o * f) for o, f in zip(outputs, factors, strict=True))
    expected = tape.gradient(loss, variables)
    for mine, other in zip(flat(ours(x, initial_state=given)), outputs, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), **CLOSE)
    _, _, ctx = ours.forward_states(x, first, True)
    _, dfirst = ours.backward_states(factors[0], factors[1:], ctx, need_dstates=True)
    for mine, other in zip(dfirst, expected, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-3, atol=1e-4)


STATEFUL = {
    "simple_rnn": lambda k: k.SimpleRNN(U, stateful=True),
    "lstm": lambda k: k.LSTM(U, stateful=True, return_sequences=True),
    "gru": lambda k: k.GRU(U, stateful=True, go_backwards=True),
    "bidirectional": lambda k: k.Bidirectional(k.LSTM(U, stateful=True, return_sequences=True)),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_states_carried_from_batch_to_batch(name):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((3 * N, T, D)).astype(np.float32)
    theirs, ours = (
        k.Sequential([k.layers.Input(batch_shape=(N, T, D)), STATEFUL[name](k.layers)]) for k in (keras, fastnn)
    )
    ours.set_weights(theirs.get_weights())
    for again in (False, False, True):
        if again:
            theirs.layers[0].reset_state()
            ours.reset_state()
        expected = theirs.predict(x, batch_size=N, verbose=0)
        np.testing.assert_allclose(ours.predict(x, batch_size=N, verbose=0), expected, **CLOSE)


def test_settings_have_the_same_names_and_defaults():
    for name in ("SimpleRNN", "LSTM", "GRU"):
        theirs, ours = getattr(keras.layers, name)(3), getattr(layers, name)(3)
        mine = ours.get_config()
        for key, value in theirs.get_config().items():
            assert key in mine, key
            if not isinstance(value, dict) and key != "name":
                assert mine[key] == value, key


def test_first_weights_are_of_the_same_kind():
    for name in ("SimpleRNN", "LSTM", "GRU"):
        theirs, ours = getattr(keras.layers, name)(16), getattr(layers, name)(16)
        for layer in (theirs, ours):
            layer.build((None, 4, 8))
        kernel, recurrent, bias = ours.get_weights()
        expected = theirs.get_weights()
        limit = np.abs(expected[0]).max()
        assert np.abs(kernel).max() == pytest.approx(limit, rel=0.1)
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(16), atol=1e-5)
        np.testing.assert_array_equal(bias, expected[2])


def test_time_distributed_and_repeat_vector():
    x = np.random.default_rng(0).standard_normal((N, D)).astype(np.float32)
    models = [
        k.Sequential(
            [
                k.Input((D,)),
                k.layers.RepeatVector(T),
                k.layers.GRU(U, return_sequences=True),
                k.layers.TimeDistributed(k.layers.Dense(4, activation="softmax")),
            ]
        )
        for k in (keras, fastnn)
    ]
    models[1].set_weights(models[0].get_weights())
    np.testing.assert_allclose(models[1](x), np.asarray(models[0](x)), **CLOSE)


MODELS = {
    "bilstm of the notes": lambda k: [
        k.layers.Embedding(30, 8, mask_zero=True),
        k.layers.Bidirectional(k.layers.LSTM(6, return_sequences=True)),
        k.layers.Bidirectional(k.layers.LSTM(4)),
        k.layers.Dense(5, activation="relu"),
        k.layers.Dense(1, activation="sigmoid"),
    ],
    "gru, regularized": lambda k: [
        k.layers.Embedding(30, 8),
        k.layers.GRU(6, kernel_regularizer="l2", recurrent_regularizer="l1", activity_regularizer="l2"),
        k.layers.Dense(1, activation="sigmoid"),
    ],
    "cells, constrained": lambda k: [
        k.layers.Embedding(30, 8, mask_zero=True),
        k.layers.RNN([k.layers.SimpleRNNCell(6, kernel_constraint="max_norm"), k.layers.LSTMCell(4)]),
        k.layers.Dense(1, activation="sigmoid"),
    ],
}


@pytest.mark.parametrize("name", MODELS)
def test_a_training(name):
    """By SGD: for Adam, Keras squares the gradients of an id that stands twice in a batch one by one, not their sum."""
    rng = np.random.default_rng(3)
    ids = rng.integers(1, 30, (48, 9)) * (np.arange(9) < rng.integers(1, 10, (48, 1)))
    y = (ids.sum(1) > 70).astype(int)
    histories, outputs, weights = [], [], None
    for k in (keras, fastnn):
        model = k.Sequential([k.layers.Input((9,), dtype="int32"), *MODELS[name](k)])
        weights = weights or [rng.uniform(-0.4, 0.6, w.shape).astype(np.float32) for w in model.get_weights()]
        model.set_weights(weights)
        model.compile(k.optimizers.SGD(0.3), "binary_crossentropy", metrics=["accuracy"])
        run = model.fit(ids, y, batch_size=16, epochs=4, shuffle=False, validation_data=(ids[:20], y[:20]), verbose=0)
        histories.append(run.history)
        outputs.append(model.predict(ids, verbose=0))
    assert list(histories[0]) == list(histories[1])
    assert len(set(histories[0]["loss"])) == 4
    assert np.ptp(outputs[0]) > 0.005
    for key, values in histories[0].items():
        np.testing.assert_allclose(histories[1][key], values, rtol=2e-4, atol=2e-5, err_msg=key)
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=2e-4, atol=2e-5)
