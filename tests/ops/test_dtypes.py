"""The dtype of results: reals stay as they are, numbers have none of their own, integers and bools give way."""

import numpy as np
import pytest

from fastnn import backend, ops
from fastnn.graph import Source, record, tracing
from fastnn.layers import Parameter

F32, F64, I64, BOOL = "float32", "float64", "int64", "bool"


def symbol(shape, dtype=F32):
    return record(Source(), [], shape, dtype)


def weight(shape=(3,), dtype=F32):
    return Parameter("w", np.arange(1, 1 + np.prod(shape), dtype=dtype).reshape(shape), True, None, None)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (np.ones(3, F32), 2, F32),
        (np.ones(3, F32), 2.5, F32),
        (np.ones(3, F32), True, F32),
        (np.ones(3, F32), np.float64(2.5), F32),
        (np.ones(3, F32), [1.0, 2.0, 3.0], F32),
        (np.ones(3, F32), np.ones(3, F64), F64),
        (np.ones(3, F32), np.ones(3, "int32"), F32),
        (np.ones(3, F32), np.ones(3, bool), F32),
        (np.ones(3, F64), 2.5, F64),
        (np.ones(3, "float16"), 2, F32),
        (np.ones(3, "longdouble"), 2, F64),
        (np.ones(3, ">f4"), 2, F32),
        (np.ones(3, "int32"), 2, I64),
        (np.ones(3, "uint8"), np.ones(3, "int8"), I64),
        (np.ones(3, "int32"), 2.5, F32),
        (np.ones(3, bool), 2, I64),
        (np.ones(3, bool), np.ones(3, bool), I64),
        (2, 3, I64),
        (2, 3.0, F32),
        ([1.0], [2], F32),
        (weight(), np.ones(3, F64), F32),
        (weight(), 2.5, F32),
        (weight(dtype=F64), np.ones(3, F32), F64),
    ],
)
def test_two_operands(a, b, expected):
    assert ops.add(a, b).dtype == ops.add(b, a).dtype == ops.multiply(a, b).dtype == expected


@pytest.mark.parametrize(
    ("dtype", "other", "expected"),
    [
        (F32, 2, F32),
        (F32, 2.5, F32),
        (F32, np.ones(3), F32),
        (F32, np.float64(2.5), F32),
        (F32, [1.0, 2.0, 3.0], F32),
        (F32, np.ones(3, bool), F32),
        (F64, np.ones(3, F32), F64),
        (I64, 2, I64),
        (I64, 2.5, F32),
        (BOOL, 2, I64),
        (I64, np.ones(3, F64), F64),
    ],
)
def test_a_symbol_leads(dtype, other, expected):
    x = symbol((None, 3), dtype)
    assert ops.add(x, other).dtype == ops.add(other, x).dtype == (x + other).dtype == (other + x).dtype == expected


def test_symbols_together():
    assert (symbol((3,), F32) + symbol((3,), F64)).dtype == F64
    assert (symbol((3,), F32) * symbol((3,), I64)).dtype == F32
    assert (symbol((3,), BOOL) * symbol((3,), F64)).dtype == F64
    assert ops.concatenate([symbol((3,), I64), symbol((3,), F64)]).dtype == F64
    assert ops.where(symbol((3,), BOOL), symbol((3,), F64), 0).dtype == F64
    assert ops.where(symbol((3,), F64), 1, 0).dtype == I64


def test_floatx_is_for_what_has_no_dtype():
    before = backend.floatx()
    try:
        backend.set_floatx("float64")
        assert ops.exp([1, 2]).dtype == ops.divide(1, 2).dtype == ops.zeros(3).dtype == ops.arange(0.5, 2).dtype == F64
        assert ops.one_hot([1], 3).dtype == ops.mean([True, False]).dtype == ops.random.normal((2,)).dtype == F64
        assert ops.add(np.ones(3, F32), 0.5).dtype == F32
    finally:
        backend.set_floatx(before)
    assert ops.exp([1, 2]).dtype == ops.mean([1, 2]).dtype == F32


@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "mean", "relu", "softmax", "floor", "reciprocal", "var", "log_softmax"]
)
def test_integers_become_real_where_the_result_is(name):
    for x in (np.array([1, 2]), np.array([True, False])):
        assert getattr(ops, name)(x).dtype == F32
        assert getattr(ops, name)(symbol((2,), x.dtype.name)).dtype == F32


@pytest.mark.parametrize(
    "value", ["abc", None, np.array(["a"]), np.ones(2, complex), np.ones(2, np.uint64), object(), [[1], [1, 2]]]
)
def test_what_holds_no_numbers_is_refused(value):
    for function in (ops.exp, ops.negative, ops.convert_to_tensor, lambda x: ops.add(x, 1), lambda x: ops.add(1.0, x)):
        with pytest.raises(TypeError, match=r"ops\.\w+ takes .* Received: "):
            function(value)


def test_parameters_are_read_as_arrays_and_results_are_apart_from_them():
    w = weight((2, 3))
    for y in (ops.reshape(w, (3, 2)), ops.transpose(w), w[0], ops.convert_to_tensor(w), ops.expand_dims(w, 0)):
        assert isinstance(y, np.ndarray)
        assert not np.shares_memory(y, w.value)
    np.testing.assert_array_equal(w * 2, w.value * 2)
    np.testing.assert_array_equal(2 - w, 2 - w.value)
    np.testing.assert_array_equal(np.ones((4, 2), F32) @ w, np.ones((4, 2), F32) @ w.value)
    np.testing.assert_array_equal(np.float32(2) * w, 2 * w.value)
    np.testing.assert_array_equal(np.asarray(w), w.value)
    np.testing.assert_array_equal(ops.convert_to_numpy(w), w.value)
    assert ops.shape(w) == (2, 3)
    assert ops.ndim(w) == 2


def test_within_a_trace_a_parameter_makes_a_node():
    w = weight((2, 3))
    with tracing():
        y = ops.square(w)
        assert y.node.inputs[0].node.operation.parameter is w
        assert (w + 1).shape == (2, 3)
        assert ops.cast(w, F64).dtype == F64
        with pytest.raises(TypeError, match="without its gradient"):
            np.square(np.asarray(w))
    assert isinstance(ops.square(w), np.ndarray)
