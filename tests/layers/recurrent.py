"""The recurrent layers that several tests go through, and inputs for them."""

import numpy as np

from fastnn.layers import (
    GRU,
    LSTM,
    GRUCell,
    LSTMCell,
    OutputRNNCell,
    SimpleRNN,
    SimpleRNNCell,
)

N, T, D, U = 3, 7, 4, 5
EXACT = {"rtol": 1e-12, "atol": 1e-12}
KINDS = {
    "simple_rnn": (SimpleRNN, SimpleRNNCell, {}),
    "output": (SimpleRNN, OutputRNNCell, {"recurrence": "output", "output_units": 2, "output_activation": "sigmoid"}),
    "lstm": (LSTM, LSTMCell, {}),
    "gru": (GRU, GRUCell, {}),
    "gru reset before": (GRU, GRUCell, {"reset_after": False}),
}


def sequences():
    """An input (N, T, D)."""
    return np.random.default_rng(1).standard_normal((N, T, D))


def holes():
    """A mask (N, T): a row that ends early, one that is masked throughout, one with holes."""
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
