"""Functions on symbols of open shapes, and gradients of parameters in layers."""

import re

import numpy as np
import pytest

from fastnn import ops
from fastnn.graph import Graph, Plan, Source, Symbol, record
from fastnn.inspect import gradient_check
from fastnn.layers import Activation, Layer
from tests.ops.harness import Traced, several
from tests.ops.table import CASES

REFUSALS = "Use|Split along|known length|which axes"


def run(inputs, outputs, arrays):
    """The arrays that symbols stand for."""
    graph = Graph(inputs, outputs)
    plan = Plan(graph.input_symbols, graph.output_symbols, graph.nodes, input_gradients=True)
    return plan.forward(arrays, False)[0]


def opened(arrays, length):
    """Symbols of the arrays, with axes of this length open."""
    shapes = [tuple(None if n == length else n for n in a.shape) for a in arrays]
    return [record(Source(), [], shape, a.dtype.name) for shape, a in zip(shapes, arrays, strict=True)]


def tried(case, symbols):
    """The outputs, or None if the function says that it must know a size."""
    try:
        return several(case.ours(*symbols))
    except (ValueError, TypeError) as error:
        if not re.search(REFUSALS, str(error)):
            raise
        return None


@pytest.mark.parametrize("name", dict.fromkeys(case.name for case in CASES))
def test_open_shapes_tell_no_lie(name):
    """Sizes that a symbol knows are those of the array; a size that is needed and open is refused with what to do."""
    done = 0
    for case in (case for case in CASES if case.name == name):
        arrays = [draw(np.random.default_rng(7), "float32") for draw in case.draws]
        for length in {n for a in arrays for n in a.shape} - {0, 1}:
            symbols = opened(arrays, length)
            outputs = tried(case, symbols)
            if outputs is None:
                continue
            done += 1
            found = run(symbols, outputs, arrays)
            for symbol, y, e in zip(outputs, found, several(case.ours(*arrays)), strict=True):
                assert len(symbol.shape) == y.ndim, case
                assert all(n in (None, m) for n, m in zip(symbol.shape, y.shape, strict=True)), case
                assert symbol.dtype == y.dtype.name, case
                np.testing.assert_array_equal(y, e, err_msg=str(case))
    assert done


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: x[:, -1], (None, 5, 4), (None, 4)),
        (lambda x: x[:, :-1], (None, None, 4), (None, None, 4)),
        (lambda x: x[..., None], (None, 4), (None, 4, 1)),
        (lambda x: x[0], (None, 4), (4,)),
        (lambda x: ops.reshape(x, (-1, 12)), (None, 3, 4), (None, 12)),
        (lambda x: ops.reshape(x, (None, 12)), (None, 3, 4), (None, 12)),
        (lambda x: ops.reshape(x, (None, -1)), (None, 3, 4), (None, 12)),
        (lambda x: ops.reshape(x, (ops.shape(x)[0], -1, 2)), (None, 3, 4), (None, 6, 2)),
        (lambda x: ops.reshape(x, (None, None, 2, 2)), (None, None, 4), (None, None, 2, 2)),
        (lambda x: ops.mean(x, axis=1), (None, None, 4), (None, 4)),
        (lambda x: ops.mean(x), (None, 4), ()),
        (lambda x: ops.ravel(x), (None, 4), (None,)),
        (lambda x: x @ np.ones((4, 7)), (None, 3, 4), (None, 3, 7)),
        (lambda x: ops.matmul(x, ops.swapaxes(x, 1, 2)), (None, None, 4), (None, None, None)),
        (lambda x: ops.einsum("bqd,bkd->bqk", x, x), (None, None, 4), (None, None, None)),
        (lambda x: ops.concatenate([x, x], 1), (None, 3), (None, 6)),
        (lambda x: ops.concatenate([x, x], 0), (None, 3), (None, 3)),
        (lambda x: x + np.ones((3, 1)), (None, 3, 4), (None, 3, 4)),
        (lambda x: ops.broadcast_to(x, (None, 3, 4)), (None, 1, 4), (None, 3, 4)),
        (lambda x: ops.one_hot(ops.argmax(x, -1), 4), (None, 3, 4), (None, 3, 4)),
        (lambda x: ops.take(x, [0, 2], axis=1), (None, 3, 4), (None, 2, 4)),
        (lambda x: ops.top_k(x, 2).indices, (None, 4), (None, 2)),
        (lambda x: ops.pad(x, ((0, 0), (1, 1))), (None, 4), (None, 6)),
        (lambda x: ops.softmax(x), (None, 4), (None, 4)),
        (lambda x: ops.squeeze(x, -1), (None, 1), (None,)),
    ],
)
def test_open_shapes(function, shape, expected):
    y = function(record(Source(), [], shape, "float32"))
    assert isinstance(y, Symbol)
    assert y.shape == expected


class Scaled(Layer):
    """Weights on both sides of operators, used twice, and as arguments of functions."""

    def build(self, input_shape):
        d = input_shape[-1]
        self.kernel = self.add_weight((d, 3), name="kernel")
        self.scale = self.add_weight((3,), initializer="ones", name="scale")
        self.table = self.add_weight((4, 3), name="table")
        self.number = self.add_weight((), initializer=np.ones, name="number")

    def call(self, x):
        y = ops.tanh(x @ self.kernel) * self.scale + self.table[0]
        y = self.number * y + ops.take(self.table, [1, 1, 3], axis=0)[1]
        return 1 / (1 + ops.exp(-self.scale)) * y - ops.sum(ops.square(self.kernel))


def test_gradients_of_parameters():
    layer = Scaled(dtype="float64")
    result = gradient_check(layer, np.random.default_rng(0).standard_normal((5, 4)))
    assert result, str(result)
    assert len(result.arrays) == 5


def test_the_numbers_of_a_layer_on_arrays_and_by_hand():
    layer = Scaled()
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    y = layer(x)
    k, s, t = layer.kernel.value, layer.scale.value, layer.table.value
    expected = (np.tanh(x @ k) * s + t[0] + t[1]) / (1 + np.exp(-s)) - (k**2).sum()
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["relu", "gelu", "leaky_relu", "elu", "softmax", "tanh", "log_sigmoid", "softsign"])
def test_a_function_as_the_activation_of_a_layer(name):
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    layer = Activation(getattr(ops, name))
    np.testing.assert_allclose(layer(x), getattr(ops, name)(x), rtol=1e-6)
    result = gradient_check(Activation(getattr(ops, name), dtype="float64"), x)
    assert result, str(result)


class Signature(Layer):
    def call(self, first, /, *rest, scale=2.0):
        return first * scale + sum(rest)


def test_a_call_may_have_any_signature():
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(Signature()(x), 2 * x)
    np.testing.assert_array_equal(Signature()(x, x, x, scale=3.0), 5 * x)
    np.testing.assert_array_equal(Traced(ops.square)(np.float32([3])), [9])


class Hoards(Layer):
    """Keeps what it computed in an earlier call, which has no numbers in the next one."""

    kept = None

    def call(self, x):
        self.kept = x * 2 if self.kept is None else self.kept
        return ops.sum(x, axis=0, keepdims=True) + ops.sum(self.kept)


def test_a_symbol_of_an_earlier_call_is_refused():
    with pytest.raises(ValueError, match="not among the inputs"):
        Hoards()(np.ones((2, 3), "float32"))


def test_a_condition_on_values_is_refused():
    x = record(Source(), [], (None, 4), "float32")
    with pytest.raises(TypeError, match=r"Use fastnn\.ops\.where"):
        bool(ops.any(x > 0))
    with pytest.raises(TypeError, match=r"fastnn\.ops\.mean"):
        np.mean(x)


@pytest.mark.parametrize("name", ["add", "multiply", "matmul", "maximum", "power"])
def test_only_gradients_that_are_wanted_are_computed(name):
    """A constant operand gets none."""
    x = record(Source(), [], (3, 3), "float64")
    y = getattr(ops, name)(x, np.full((3, 3), 2.0))
    asked = []
    operation = y.node.operation
    backward = operation.backward
    operation.backward = lambda dy, ctx, need_dx: asked.append(need_dx) or backward(dy, ctx, need_dx)
    graph = Graph([x], [y])
    plan = Plan([x], [y], graph.nodes, input_gradients=True)
    _, tape, _ = plan.forward([np.ones((3, 3))], True)
    assert plan.backward([np.ones((3, 3))], tape)[0].shape == (3, 3)
    assert asked == [(True, False)]
