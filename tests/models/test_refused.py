"""A refused call leaves the model as it was: shapes, weights, metrics, and whether it is built."""

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers

X, Y = np.ones((8, 4)), np.ones((8, 1))


def state(model):
    return (
        model.built,
        model.input_shape,
        model.output_shape,
        model.shape_declared,
        [w.tolist() for w in model.get_weights()] if model.built else None,
        [(layer.built, layer.input_shape, layer.output_shape) for layer in model.layers],
        [m.name for m in model.metrics],
    )


def unbuilt():
    model = Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


CALLS = {
    "targets of another length": lambda m: m.train_on_batch(np.ones((4, 7)), np.ones((5, 1))),
    "targets of another shape": lambda m: m.fit(np.ones((4, 7)), np.ones((4, 2)), verbose=0),
    "weights that do not fit": lambda m: m.fit(np.ones((4, 7)), np.ones((4, 1)), sample_weight=np.ones(3), verbose=0),
    "validation that does not fit": lambda m: m.fit(
        np.ones((4, 7)), np.ones((4, 1)), validation_data=(np.ones((4, 6)), np.ones((4, 1))), verbose=0
    ),
    "evaluate": lambda m: m.evaluate(np.ones((4, 7)), np.ones((4, 2)), verbose=0),
    "test_on_batch": lambda m: m.test_on_batch(np.ones((4, 7)), np.ones((3, 1))),
    "predict on words": lambda m: m.predict(np.array([["a"]]), verbose=0),
    "a data set whose batch is wrong": lambda m: m.fit([(np.ones((4, 7)), np.ones((4, 3)))], verbose=0),
    "a callback that is none": lambda m: m.fit(np.ones((4, 7)), np.ones((4, 1)), callbacks=[1], verbose=0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("built", [False, True])
def test_refused_calls_change_nothing(call, built):
    model = unbuilt()
    if built:
        model.build((None, 7))
    before = state(model)
    with pytest.raises((ValueError, TypeError)):
        CALLS[call](model)
    assert state(model) == before
    if not built:
        model.fit(X, Y, verbose=0)  # the right data are taken after
        assert model.input_shape == (None, 4)


def test_a_refused_length_leaves_the_lengths_as_they_were():
    model = Sequential([layers.LSTM(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 10, 2)), np.ones((4, 1)), verbose=0)
    before = state(model)
    assert model.input_shape == (None, 10, 2)
    with pytest.raises(ValueError, match="Received"):
        model.fit(np.ones((4, 12, 2)), np.ones((4, 5)), verbose=0)
    assert state(model) == before
    model.fit(np.ones((4, 12, 2)), np.ones((4, 1)), verbose=0)
    assert model.input_shape == (None, None, 2)


def test_a_stateful_model_refuses_validation_of_another_size_before_it_trains():
    model = Sequential([Input((5, 2)), layers.GRU(3, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = state(model)
    x, y = np.ones((8, 5, 2)), np.ones((8, 1))
    with pytest.raises(ValueError, match="stateful"):
        model.fit(x, y, batch_size=4, validation_data=(x, y), validation_batch_size=2, verbose=0)
    assert state(model) == before
    model.fit(x, y, batch_size=4, validation_data=(x, y), verbose=0)


def test_an_infinite_loss_moves_neither_draws_nor_states():
    lstm = layers.LSTM(3, stateful=True, dropout=0.3)
    model = Sequential([Input((5, 2)), lstm, layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 5, 2))
    model.train_on_batch(x, np.ones((4, 1)))
    before = state(model), model.layers[1].calls, lstm.cell.calls, [s.tolist() for s in lstm.states]
    with pytest.raises(FloatingPointError, match="unchanged"), np.errstate(over="ignore"):
        model.train_on_batch(x, np.full((4, 1), 1e30))
    assert (state(model), model.layers[1].calls, lstm.cell.calls, [s.tolist() for s in lstm.states]) == before


def test_an_input_that_nothing_reads_is_refused_in_words():
    a, b = Input((4,), name="a"), Input((3,), name="unread")
    model = Model([a, b], layers.Dense(1)(a))
    with pytest.raises(ValueError, match=r'input "unread" of shape \(N, 3\)'):
        model.predict([np.ones((2, 4)), np.ones((2, 5))], verbose=0)
