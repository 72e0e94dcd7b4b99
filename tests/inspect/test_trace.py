"""``inspect.trace``: a recurrent layer within a model, step by step."""

import numpy as np
import pytest

from fastnn.inspect import trace
from fastnn.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Input, SimpleRNN
from fastnn.models import Sequential
from tests.backends import each_backend  # noqa: F401

IDS = np.array([[3, 1, 2, 0], [4, 0, 0, 0], [1, 2, 3, 4]])


def test_layers_and_masks_before_it_are_at_work(each_backend):  # noqa: F811
    model = Sequential(
        [Embedding(5, 3, mask_zero=True), GRU(4, return_sequences=True), LSTM(2, name="memory"), Dense(1)]
    )
    y = model(IDS)
    seen = trace(model, "memory", IDS)
    np.testing.assert_allclose(model.layers[-1](seen["hidden"][:, -1]), y, rtol=1e-6)
    assert not seen["forget_gate"][IDS == 0].any()
    np.testing.assert_array_equal(trace(model, model.layers[2], IDS)["cell"], seen["cell"])


def test_both_directions():
    model = Sequential([Embedding(5, 3), Bidirectional(SimpleRNN(4, return_sequences=True), name="both")])
    seen = trace(model, "both", IDS)
    np.testing.assert_array_equal(np.concatenate([seen["forward/hidden"], seen["backward/hidden"]], -1), model(IDS))


def test_what_is_carried_is_left_alone():
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    first = Bidirectional(GRU(3, stateful=True, return_sequences=True))
    model = Sequential([Input((3, 4)), first, LSTM(2, stateful=True, name="memory")])
    fresh = trace(model, "memory", x)["hidden"]
    assert first.states == [None, None]
    model(x)
    before = [s.copy() for s in (*first.forward_layer.states, *model.layers[1].states)]
    np.testing.assert_array_equal(trace(model, "memory", x)["hidden"], fresh)
    for a, b in zip(before, (*first.forward_layer.states, *model.layers[1].states), strict=True):
        np.testing.assert_array_equal(a, b)


def test_words():
    model = Sequential([Embedding(5, 3), GRU(2, name="memory"), Dense(1, name="last")])
    with pytest.raises(ValueError, match=r"'memory', 'last'\]. Received: layer='lstm'"):
        trace(model, "lstm", IDS)
    with pytest.raises(TypeError, match=r"has \['memory'\]. Received: 'last', a Dense"):
        trace(model, "last", IDS)
