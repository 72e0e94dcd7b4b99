"""What recurrent layers refuse, in words; and their settings there and back."""

import copy
import pickle

import numpy as np
import pytest

from fastnn import layers
from fastnn.data import Dataset
from fastnn.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    RepeatVector,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from fastnn.models import Sequential

X = np.zeros((2, 3, 4), np.float32)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: LSTM(0), ValueError, "units of LSTMCell must be a positive integer. Received: units=0"),
        (lambda: GRU(3, dropout=1.5), ValueError, "dropout=1.5"),
        (lambda: GRU(3, recurrent_dropout=-1), ValueError, "recurrent_dropout=-1"),
        (lambda: LSTM(3, return_sequence=True), TypeError, r"LSTM has no argument.*Did you mean return_sequences="),
        (lambda: LSTM(3, activation="tahn"), ValueError, "tanh"),
        (lambda: LSTM(3, kernel_initializer="glorot"), ValueError, "kernel_initializer of LSTMCell: .*'glorot'"),
        (lambda: GRU(3, recurrent_regularizer="l7"), ValueError, "recurrent_regularizer of GRUCell"),
        (lambda: SimpleRNN(3, bias_constraint=2), TypeError, "bias_constraint of SimpleRNNCell"),
        (lambda: GRU(3, use_bias="no"), ValueError, "use_bias='no'"),
        (lambda: GRU(3, reset_after="after"), ValueError, "reset_after='after'"),
        (lambda: LSTM(3, return_sequences="no"), ValueError, "return_sequences of LSTM must be True or False"),
        (lambda: LSTM(3, dropout=None), ValueError, "dropout=None"),
        (lambda: SimpleRNN(3, recurrence="both"), ValueError, "recurrence='both'"),
        (lambda: SimpleRNN(3, output_units=2), ValueError, 'need recurrence="output"'),
        (lambda: SimpleRNN(3, recurrence="output", output_units=0), ValueError, "output_units=0"),
        (lambda: RNN(Dense(3)), TypeError, "Received: Dense, which lacks state_size"),
        (lambda: RNN(LSTMCell), TypeError, r"RNN runs a cell: LSTMCell\(64\)"),
        (lambda: RNN([]), ValueError, r"cells=\[\]"),
        (lambda: RNN([LSTMCell(3), Dense(2)]), TypeError, "Received: Dense"),
        (lambda: RNN(LSTMCell(3), dtype="float64"), ValueError, r"LSTMCell\(..., dtype='float64'\)"),
        (lambda: Bidirectional(Dense(3)), TypeError, r"Received: Dense. Use Bidirectional\(LSTM\(64\)\)"),
        (lambda: Bidirectional(LSTM), TypeError, "Received: LSTM"),
        (lambda: Bidirectional(LSTM(3), merge_mode="add"), ValueError, "merge_mode='add'"),
        (lambda: Bidirectional(LSTM(3), backward_layer=LSTM(3)), ValueError, "go_backwards=True"),
        (
            lambda: Bidirectional(LSTM(3), backward_layer=LSTM(3, go_backwards=True, return_sequences=True)),
            ValueError,
            "the same return_sequences. Received: False and True",
        ),
        (lambda: TimeDistributed(Dense), TypeError, r"Received: Dense. Use TimeDistributed\(Dense\(10\)\)"),
        (lambda: TimeDistributed(LSTM(3, return_state=True)), ValueError, "return_state=True"),
        (lambda: TimeDistributed(Dense(3, activity_regularizer="l2")), ValueError, "around the whole"),
        (lambda: RepeatVector(0), ValueError, "n=0"),
        (lambda: Sequential([LSTM(3, return_state=True)]), ValueError, r"Model\(inputs, outputs\)"),
        (lambda: Sequential([Bidirectional(LSTM(3), merge_mode=None)]), ValueError, "must return one array"),
        (lambda: Input((3, 4), batch_shape=(2, 3, 4)), ValueError, "batch_shape"),
        (lambda: Input((3, 4), batch_size=0), ValueError, "batch_size=0"),
    ],
)
def test_bad_settings(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (LSTM(3), (None, 5), r"x\[..., None\]; words need an Embedding"),
        (GRU(3), (None, 5, None), "known number of features"),
        (SimpleRNN(3), (None,), "sequences, .batch, steps, features."),
        (Bidirectional(LSTM(3)), (None, 5), "sequences"),
        (Bidirectional(LSTM(3), "sum", backward_layer=LSTM(2, go_backwards=True)), (None, 5, 4), "of equal size"),
        (TimeDistributed(Dense(3)), (None, 5), r"x\[..., None\]"),
        (RepeatVector(3), (None, 5, 2), "vectors"),
    ],
)
def test_bad_shapes_leave_the_layer_unbuilt(layer, shape, words):
    with pytest.raises(ValueError, match=words) as error:
        layer.ensure_built(shape)
    assert "Received: " in str(error.value)
    assert not layer.built
    assert layer.weights == []


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: LSTM(3)(X, mask=np.full((2, 3), "a")), TypeError, "mask"),
        (lambda: LSTM(3)(X, mask=np.ones((2, 4), bool)), ValueError, r"shape \(2, 3\)"),
        (lambda: LSTM(3)(X, initial_state=np.zeros((2, 3))), ValueError, r"shapes \[\(2, 3\), \(2, 3\)\]"),
        (lambda: GRU(3)(X, initial_state=[np.zeros((3, 3))]), ValueError, r"Received: \[\(3, 3\)\]"),
        (lambda: Bidirectional(GRU(3))(X, initial_state=[np.zeros((2, 3))]), ValueError, "states of shapes"),
        (lambda: GRU(3)(X[:, :0]), ValueError, "at least one step"),
        (lambda: GRU(3).reset_state(), ValueError, "stateful=True"),
        (lambda: SimpleRNNCell(3)(X[:, 0], [np.zeros((2, 4))]), ValueError, "4"),
    ],
)
def test_bad_calls(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_a_built_layer_refuses_other_features():
    for layer in (LSTM(3), Bidirectional(GRU(2)), RNN([LSTMCell(3), GRUCell(2)]), TimeDistributed(Dense(2))):
        layer(X)
        weights = layer.get_weights()
        with pytest.raises(ValueError, match="Received"):
            layer.ensure_built((None, 3, 5))
        for a, b in zip(weights, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_stateful_batches_of_other_sizes_are_refused_before_anything_changes():
    model = Sequential([Input((3, 4), batch_size=2), GRU(3, stateful=True)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    x, y = np.ones((5, 3, 4)), np.ones((5, 3))
    for call in (
        lambda: model.fit(x, y, batch_size=2, verbose=0),
        lambda: model.fit(x[:4], y[:4], verbose=0),
        lambda: model.predict(x, batch_size=2, verbose=0),
        lambda: model.evaluate(x[:1], y[:1], batch_size=2, verbose=0),
    ):
        with pytest.raises(ValueError, match=r"Use batch_size=2 and x\[:[04]\]"):
            call()
    assert model.layers[0].states is None
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="every batch must have 2 rows, as its input shape says"):
        model.train_on_batch(x, y)


class NoStates(Layer):
    state_size = 3

    def forward(self, x, states, training=False):
        return x

    def backward(self, dy, dstates, ctx):
        return dy, dstates


class OtherStates(NoStates):
    def forward(self, x, states, training=False):
        return x, [states[0][:, :2]], None


@pytest.mark.parametrize(
    ("cell", "words"), [(NoStates, r"return y, \[h\], ctx"), (OtherStates, "shapes of the old ones")]
)
def test_cells_of_ones_own_teach(cell, words):
    with pytest.raises((TypeError, ValueError), match=words):
        RNN(cell())(X)


MADE = {
    "simple_rnn": lambda: SimpleRNN(3, activation="relu", dropout=0.2, go_backwards=True, seed=4),
    "output": lambda: SimpleRNN(3, recurrence="output", output_units=2, output_activation="softmax"),
    "lstm": lambda: LSTM(3, recurrent_initializer="glorot_uniform", unit_forget_bias=False, return_sequences=True),
    "gru": lambda: GRU(
        3, reset_after=False, kernel_regularizer="l2", activity_regularizer="l1", zero_output_for_mask=True
    ),
    "rnn": lambda: RNN(LSTMCell(3, activation="gelu"), return_sequences=True),
    "stacked": lambda: RNN([LSTMCell(3), GRUCell(2, recurrent_dropout=0.1)]),
    "bidirectional": lambda: Bidirectional(LSTM(3, return_sequences=True), merge_mode="sum"),
    "bidirectional pair": lambda: Bidirectional(LSTM(3), backward_layer=GRU(2, go_backwards=True)),
    "time_distributed": lambda: TimeDistributed(TimeDistributed(Dense(3), name="inner")),
    "model at every step": lambda: TimeDistributed(Sequential([Dense(3), Dense(2)])),
    "repeat": lambda: RepeatVector(3),
    "cells": lambda: StackedRNNCells([SimpleRNNCell(3), LSTMCell(2)]),
    "output cell": lambda: layers.OutputRNNCell(3, output_units=2),
}


@pytest.mark.parametrize("name", MADE)
def test_config_makes_the_same_layer(name):
    layer = MADE[name]()
    config = layer.get_config()
    assert pickle.loads(pickle.dumps(config)) == config
    again = type(layer).from_config(copy.deepcopy(config))
    assert again.get_config() == config


def test_models_there_and_back():
    made = [MADE[n]() for n in ("lstm", "bidirectional", "stacked")]
    model = Sequential([Input((3, 4)), *made, RepeatVector(2), TimeDistributed(Dense(1))])
    again = Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X + 1), model(X + 1))
    assert again.get_config() == model.get_config()


class Own(NoStates):
    def forward(self, x, states, training=False):
        return states[0] + 1, [states[0] + 1], None


def test_cells_of_ones_own_in_configs():
    model = Sequential([Input((3, 4)), Bidirectional(RNN(Own()))])
    with pytest.raises(ValueError, match=r"custom_objects=\{'Own': Own\}"):
        Sequential.from_config(model.get_config())
    again = Sequential.from_config(model.get_config(), custom_objects={"Own": Own})
    np.testing.assert_array_equal(again(X), np.full((2, 6), 3))


def test_copies_stand_alone():
    layer = Bidirectional(GRU(3, stateful=True))
    layer(X)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin(X + 1), copy.deepcopy(layer)(X + 1))
        twin.weights[0].value[...] = 7
        assert (layer.weights[0].value != 7).all()


def test_a_batch_that_is_missing_is_named():
    """A data set of single sequences, as is forgotten easily."""
    ids, labels = np.zeros((6, 5), int), np.zeros(6)
    model = Sequential([layers.Embedding(3, 4), layers.LSTM(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"dataset.batch\(32\)"):
        model.fit(Dataset.from_tensor_slices((ids, labels)), verbose=0)
