"""Gradients of recurrent layers against central differences in float64, options crossed."""

import numpy as np
import pytest

from fastnn.inspect import gradient_check
from fastnn.inspect.gradient_check import check_gradients
from fastnn.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Dropout,
    GRUCell,
    Layer,
    LSTMCell,
    RepeatVector,
    SimpleRNN,
    TimeDistributed,
)
from fastnn.models import Sequential
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401

N, T, D, U = 2, 4, 3, 3
LAYERS = {
    "simple_rnn": lambda **o: SimpleRNN(U, dtype="float64", **o),
    "output": lambda **o: SimpleRNN(
        U, recurrence="output", output_units=2, output_activation="sigmoid", dtype="float64", **o
    ),
    "lstm": lambda **o: LSTM(U, dtype="float64", **o),
    "gru": lambda **o: GRU(U, dtype="float64", **o),
    "gru reset before": lambda **o: GRU(U, reset_after=False, dtype="float64", **o),
    "bidirectional": lambda **o: Bidirectional(LSTM(U, dtype="float64", **o)),
    "bidirectional mul": lambda **o: Bidirectional(GRU(U, dtype="float64", **o), merge_mode="mul"),
    "bidirectional ave": lambda **o: Bidirectional(SimpleRNN(U, dtype="float64", **o), merge_mode="ave"),
}
OPTIONS = {
    "last": {},
    "sequences backwards": {"return_sequences": True, "go_backwards": True},
    "dropout": {"dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},
    "input dropout": {"dropout": 0.4, "go_backwards": True},
    "no bias, step by step": {"activation": "gelu", "use_bias": False, "return_sequences": True},
    "dropout, step by step": {"activation": "softmax", "dropout": 0.3, "recurrent_dropout": 0.4},
    "other gates": {"activation": "softplus"},
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, options, training):
    set_random_seed(3)
    layer = LAYERS[name](**OPTIONS[options])
    x = np.random.default_rng(1).standard_normal((N, T, D))
    result = gradient_check(layer, x, training=training, samples=12)
    assert result, f"\n{result}"
    assert len(result.arrays) == 1 + len(layer.weights)


@pytest.mark.parametrize("options", ["last", "sequences backwards", "no bias, step by step"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_with_masks_and_states(each_backend, name, options):  # noqa: F811
    """Of input and initial states, from output and final states, at any pattern of masks."""
    set_random_seed(3)
    rng = np.random.default_rng(5)
    layer = LAYERS[name](return_state=True, zero_output_for_mask=True, **OPTIONS[options])
    x, mask = rng.standard_normal((3, T, D)), rng.random((3, T)) < 0.6
    mask[0] = False
    _, *final = layer(x)
    arrays = {"x": x} | {f"state {i}": rng.standard_normal(s.shape) for i, s in enumerate(final)}

    def run(training=False):
        _, *states = arrays.values()
        return layer.forward_states(x, states, training, mask)

    y, final, ctx = run(training=True)
    factors = [rng.standard_normal(np.shape(o)) for o in (y, *final)]

    def objective():
        y, final, _ = run()
        return float(sum((o * f).sum() for o, f in zip((y, *final), factors, strict=True)))

    dx, dstates = layer.backward_states(factors[0], factors[1:], ctx, need_dstates=True)
    weights = {f"{i} {p.name}": p for i, p in enumerate(layer.weights)}
    result = check_gradients(
        objective,
        arrays | {k: p.value for k, p in weights.items()},
        dict(zip(arrays, (dx, *dstates), strict=True)) | {k: p.grad.copy() for k, p in weights.items()},
        samples=15,
    )
    assert result, f"\n{result}"


def test_gradients_of_a_model_of_many_kinds():
    set_random_seed(1)
    kinds = {"dtype": "float64"}
    model = Sequential(
        [
            RepeatVector(4, **kinds),
            RNN([LSTMCell(3, **kinds), GRUCell(2, **kinds)], return_sequences=True),
            Dropout(0.3, **kinds),
            TimeDistributed(Dense(3, activation="tanh", **kinds)),
            Bidirectional(GRU(2, stateful=True, dropout=0.2, **kinds), merge_mode="sum"),
        ]
    )
    result = gradient_check(model, np.random.default_rng(0).standard_normal((3, 5)), training=True, samples=15)
    assert result, f"\n{result}"


class Leaky(Layer):
    """A cell of one's own: s' = s/2 + x·W, y = s'² beside a counter of steps."""

    def __init__(self, units, output_state=None, **settings):
        super().__init__(**settings)
        self.units, self.state_size, self.output_size = units, [units, 1], units
        if output_state is not None:
            self.output_state = output_state

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units), name="w")

    def forward(self, x, states, training=False):
        s = states[0] / 2 + x @ self.w.value
        y = s * s if not hasattr(self, "output_state") else s
        return y, [s, states[1] + 1], (x, s)

    def backward(self, dy, dstates, ctx):
        x, s = ctx
        ds = dstates[0] + (2 * s * dy if not hasattr(self, "output_state") else dy)
        self.w.grad += x.T @ ds
        return ds @ self.w.value.T, [ds / 2, dstates[1]]


@pytest.mark.parametrize("output_state", [None, 0])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_sequences": True, "go_backwards": True}])
def test_a_cell_of_ones_own(options, output_state):
    rng = np.random.default_rng(2)
    layer = RNN(Leaky(U, output_state, dtype="float64"), return_state=True, **options)
    x, mask = rng.standard_normal((3, T, D)), rng.random((3, T)) < 0.6
    y, s, count = layer(x, mask=mask)
    np.testing.assert_array_equal(count[:, 0], mask.sum(1))
    arrays = {"x": x, "s": rng.standard_normal(s.shape), "n": rng.standard_normal(count.shape)}

    def run():
        return layer.forward_states(x, [arrays["s"], arrays["n"]], False, mask)

    y, final, ctx = run()
    factors = [rng.standard_normal(o.shape) for o in (y, *final)]
    for _ in range(2):  # gradients are cleared before each sequence
        dx, dstates = layer.backward_states(factors[0], factors[1:], ctx, need_dstates=True)
    w = layer.weights[0]
    result = check_gradients(
        lambda: float(sum((o * f).sum() for o, f in zip((run()[0], *run()[1]), factors, strict=True))),
        arrays | {"w": w.value},
        {"x": dx, "s": dstates[0], "n": dstates[1], "w": w.grad.copy()},
    )
    assert result, f"\n{result}"
    assert set(layer.trace(x)) == {"output", "state_0", "state_1"}


def test_no_input_gradient_when_not_wanted():
    x = np.random.default_rng(0).standard_normal((N, T, D))
    for make in LAYERS.values():
        layer = make()
        layer(x)
        y, ctx = layer.forward(x, True)
        layer.backward(np.ones_like(y), ctx)
        wanted = [p.grad.copy() for p in layer.weights]
        assert layer.backward(np.ones_like(y), layer.forward(x, True)[1], need_dx=False) is None
        for p, g in zip(layer.weights, wanted, strict=True):
            np.testing.assert_array_equal(p.grad, g)
