"""Arrays from nothing, and what tells of arrays."""

import numpy as np
import pytest

from fastnn import Input, ops
from fastnn.graph import Source, record
from tests.ops.harness import traced


@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [3, (2, 3), (), (0, 4), [2, 1], np.array([2, 3])])
def test_zeros_ones_full(shape, dtype):
    expected = tuple(shape) if np.ndim(shape) else (shape,) if shape != () else ()
    for name, value in (("zeros", 0), ("ones", 1)):
        y = getattr(ops, name)(shape, dtype)
        assert y.shape == expected
        assert y.dtype == (dtype or "float32")
        assert (y == value).all()
    y = ops.full(shape, 1, dtype)
    assert y.shape == expected
    assert y.dtype == (dtype or "int64")


def test_full_of_numbers_arrays_and_symbols():
    assert ops.full((2,), 0.5).dtype == np.float32
    np.testing.assert_array_equal(ops.full((2, 3), [1, 2, 3]), [[1, 2, 3]] * 2)
    symbol = record(Source(), [], (3,), "float64")
    assert ops.full((2, 3), symbol).shape == (2, 3)
    assert ops.full((2, 3), symbol, "int32").dtype == "int64"


@pytest.mark.parametrize(
    "arguments", [(3,), (2, 5), (0, 10, 3), (5, 0, -2), (0, 1, 0.25), (2.5,), (np.int32(4),), (0,)]
)
def test_arange(arguments):
    expected = np.arange(*arguments)
    y = ops.arange(*arguments)
    np.testing.assert_allclose(y, expected)
    assert y.dtype == ("float32" if expected.dtype.kind == "f" else "int64")
    assert ops.arange(*arguments, dtype="float64").dtype == np.float64


def test_linspace():
    np.testing.assert_allclose(ops.linspace(0, 1, 5), np.linspace(0, 1, 5))
    np.testing.assert_allclose(ops.linspace(0, 1, 5, endpoint=False), np.linspace(0, 1, 5, endpoint=False))
    np.testing.assert_allclose(ops.linspace([0, 1], [2, 4], 3, axis=-1), np.linspace([0, 1], [2, 4], 3, axis=-1))
    numbers, step = ops.linspace(0, 1, 5, retstep=True)
    assert (numbers.dtype, float(step)) == (np.float32, 0.25)


@pytest.mark.parametrize("arguments", [(3,), (2, 4), (3, 3, 1), (3, 4, -1)])
def test_eye_and_tri(arguments):
    np.testing.assert_array_equal(ops.eye(*arguments), np.eye(*arguments))
    np.testing.assert_array_equal(ops.tri(*arguments, dtype="int32"), np.tri(*arguments))
    np.testing.assert_array_equal(ops.identity(3), np.eye(3))
    assert ops.eye(*arguments).dtype == np.float32


def test_what_tells_of_arrays():
    x = record(Source(), [], (None, 4), "float32")
    assert (ops.shape(x), ops.ndim(x), ops.size(x), ops.dtype(x)) == ((None, 4), 2, None, "float32")
    assert (ops.shape([[1, 2]]), ops.ndim(3), ops.size(np.ones((2, 3))), ops.dtype(True)) == ((1, 2), 0, 6, "bool")
    assert ops.is_tensor(x)
    assert ops.is_tensor(np.ones(2))
    assert not ops.is_tensor(2)
    np.testing.assert_array_equal(ops.convert_to_numpy([1, 2]), [1, 2])
    values, indices = ops.top_k([3, 1, 2], 2)
    assert ops.top_k([3, 1, 2], 2)._fields == ("values", "indices")
    np.testing.assert_array_equal(values, [3, 2])
    np.testing.assert_array_equal(indices, [0, 2])


def test_the_causal_mask_of_a_tutorial():
    """Sizes and ranges within a call are numbers, so that a mask is made of arrays."""
    batch, length = 2, 4
    i = ops.arange(length)[:, None]
    mask = ops.reshape(ops.cast(i >= ops.arange(length), "int32"), (1, length, length))
    times = ops.concatenate([ops.expand_dims(batch, -1), ops.convert_to_tensor([1, 1])], axis=0)
    np.testing.assert_array_equal(ops.tile(mask, times), np.tile(np.tri(length), (batch, 1, 1)))


def test_limits():
    """Values at the ends of what a function takes, without warnings."""
    inf, nan = np.inf, np.nan
    x = np.array([-inf, -1, 0, inf, nan], "float32")
    np.testing.assert_array_equal(ops.log(x), np.array([nan, nan, -inf, inf, nan], "float32"))
    np.testing.assert_array_equal(ops.sqrt(x), np.array([nan, nan, 0, inf, nan], "float32"))
    np.testing.assert_array_equal(ops.reciprocal(x), np.array([-0.0, -1, inf, 0, nan], "float32"))
    np.testing.assert_array_equal(ops.erf(x), np.array([-1, ops.erf(-1.0), 0, 1, nan], "float32"))
    np.testing.assert_array_equal(ops.sign(x), np.array([-1, -1, 0, 1, nan], "float32"))
    np.testing.assert_array_equal(ops.maximum(x, 0), np.array([0, 0, 0, inf, nan], "float32"))
    np.testing.assert_array_equal(ops.clip(x, -2, 2), np.array([-2, -1, 0, 2, nan], "float32"))
    np.testing.assert_array_equal(ops.divide(1, [0.0]), [inf])
    np.testing.assert_array_equal(ops.exp([1000.0, -1000.0]), [inf, 0])
    np.testing.assert_array_equal(ops.logsumexp([-inf, -inf]), -inf)
    np.testing.assert_array_equal(ops.logsumexp([inf, 0.0]), inf)
    np.testing.assert_allclose(ops.logsumexp([1000.0, 1000.0]), 1000 + np.log(2))
    np.testing.assert_array_equal(ops.floor_divide([1, 2], 0), [0, 0])
    assert np.isnan(ops.max(x))
    assert np.isnan(ops.mean(np.ones((0,), "float32")))
    assert ops.sum(np.ones((0, 3))).tolist() == 0


@pytest.mark.parametrize("name", ["sum", "mean", "max", "softmax", "tanh", "relu", "erf", "sigmoid", "square", "norm"])
def test_nan_in_nan_out(name):
    for n in (1, 7, 8, 9, 17, 31):
        for place in range(n):
            x = np.ones(n, "float32")
            x[place] = np.nan
            y = getattr(ops, name)(x)
            assert np.isnan(y[place] if y.shape else y)


def test_an_input_layer_is_a_symbol_too():
    x = Input((4,))
    if hasattr(x, "node"):
        assert ops.shape(ops.mean(x, -1)) == (None,)


def test_tied_extremes_share_the_gradient():
    x = record(Source(), [], (4,), "float64")
    operation = ops.max(x).node.operation
    y, ctx = operation.forward(np.array([1.0, 3.0, 3.0, 2.0]))
    np.testing.assert_array_equal(operation.backward(np.array(1.0), ctx), [0, 0.5, 0.5, 0])
    assert float(y) == 3
    for function in (ops.maximum, ops.minimum):  # the first of two gets it
        operation = function(x, x).node.operation
        _, ctx = operation.forward([np.ones(2), np.ones(2)])
        np.testing.assert_array_equal(operation.backward(np.ones(2), ctx), [[1, 1], [0, 0]])


def test_the_bounds_of_clip_have_a_slope():
    x = record(Source(), [], (5,), "float64")
    operation = ops.clip(x, -1, 1).node.operation
    _, ctx = operation.forward(np.array([-2.0, -1, 0, 1, 2]))
    np.testing.assert_array_equal(operation.backward(np.ones(5), ctx), [0, 1, 1, 1, 0])


def test_a_row_of_zeros_is_normalized_with_a_finite_slope():
    for order in (1, 2, 3):
        layer, (y,), ctx = traced(lambda x, order=order: ops.normalize(x, order=order), [np.zeros((2, 3))])
        assert (y == 0).all()
        assert np.isfinite(layer.backward(np.ones((1, 2, 3)), ctx)).all()
