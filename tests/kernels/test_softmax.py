"""Softmax and log-softmax: sums, shifts, extremes, gradients."""

import math

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "softmax"


def test_values_by_hand(backend, dtype):
    x = np.array([[0.0, math.log(3)], [1000.0, 1000.0], [-1000.0, 0.0]], dtype)
    y = np.array([[0.25, 0.75], [0.5, 0.5], [0.0, 1.0]], dtype)
    tolerance = {"rtol": 10 * np.finfo(dtype).eps, "atol": 0, "strict": True}
    np.testing.assert_allclose(backend.softmax_forward(x), y, **tolerance)
    log_y = np.array([[math.log(0.25), math.log(0.75)], [-math.log(2)] * 2, [-1000.0, 0.0]], dtype)
    np.testing.assert_allclose(backend.log_softmax_forward(x), log_y, **tolerance)


def test_the_textbook_example(backend):
    """softmax([0.3, 2.9, 4.0]) and the overflow guard, as every text prints them."""
    np.testing.assert_allclose(
        backend.softmax_forward([0.3, 2.9, 4.0]), [0.01821127, 0.24519181, 0.73659691], atol=5e-9
    )
    guarded = backend.softmax_forward([1010.0, 1000.0, 990.0])
    np.testing.assert_allclose(guarded, [9.99954600e-01, 4.53978686e-05, 2.06106005e-09], rtol=1e-8)


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 17, 31, 1000])
def test_rows_sum_to_one(backend, dtype, rng, columns):
    y = backend.softmax_forward((rng.standard_normal((9, columns)) * 5).astype(dtype))
    np.testing.assert_allclose(y.sum(axis=1, dtype=np.float64), 1, rtol=10 * np.finfo(dtype).eps)
    assert (y >= 0).all()


def test_adding_a_number_to_a_row_changes_nothing(backend, dtype, rng):
    x = rng.integers(-40, 40, (9, 17)).astype(dtype) / 4
    for name in ("softmax_forward", "log_softmax_forward"):
        np.testing.assert_array_equal(getattr(backend, name)(x), getattr(backend, name)(x + 64))


@pytest.mark.parametrize("name", ["softmax_forward", "log_softmax_forward"])
@pytest.mark.parametrize("columns", [1, 7, 8, 9, 17, 31])
def test_nan_and_all_low_rows(backend, dtype, name, columns):
    function = getattr(backend, name)
    for place in range(columns):
        x = np.zeros((3, columns), dtype)
        x[1, place] = np.nan
        np.testing.assert_array_equal(np.isnan(function(x)).all(axis=1), [False, True, False])
        np.testing.assert_array_equal(np.isnan(function(x)).any(axis=1), [False, True, False])
    assert np.isnan(function(np.full((2, columns), -np.inf, dtype))).all()


@pytest.mark.parametrize("name", ["softmax_forward", "log_softmax_forward"])
@pytest.mark.parametrize("columns", [5, 40, 1100])
def test_every_bit_pattern_of_nan_is_kept(backend, dtype, rng, name, columns):
    """The quick power adds 2^n to the bits of a number: a NaN whose low bits are set must not turn into one."""
    unsigned, exponent = (np.uint32, 0x7F800000) if dtype == np.float32 else (np.uint64, 0x7FF0000000000000)
    for low in (1, 3, 0x1FF, 0x155, 0x400123):
        x = rng.standard_normal((6, columns)).astype(dtype)
        x.view(unsigned)[2, columns // 2] = exponent | (1 << (21 if dtype == np.float32 else 50)) | low
        assert np.isnan(x).sum() == 1
        np.testing.assert_array_equal(np.isnan(getattr(backend, name)(x)).all(axis=1), np.arange(6) == 2)


@pytest.mark.parametrize("columns", [10, 40, 1100])
def test_probabilities_too_small_for_the_dtype_are_nought(backend, dtype, columns):
    """Far below the maximum, and at each step across the range of exponents, nothing is negative or out of order."""
    x = np.zeros((1, columns), dtype)
    for depth in np.linspace(80, 95, 61) if dtype == np.float32 else np.linspace(700, 720, 81):
        x[0, 1:] = -depth
        y = backend.softmax_forward(x)
        assert (y[0, 1:] >= 0).all()
        assert (y[0, 1:] <= 1.01 * np.exp(-79 if dtype == np.float32 else -699)).all()
        assert y[0, 0] == 1
    x[0, 1:] = np.finfo(dtype).min
    assert (backend.softmax_forward(x)[0, 1:] == 0).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("columns", [3, 33, 129, 1025])
def test_a_row_has_the_same_bits_alone_and_among_others(compiled, dtype, rng, name, columns):
    x, dy = (rng.standard_normal((11, columns)).astype(dtype) for _ in range(2))
    y = getattr(compiled, f"{name}_forward")(x)
    dx = getattr(compiled, f"{name}_backward")(dy, y)
    for row in range(11):
        np.testing.assert_array_equal(getattr(compiled, f"{name}_forward")(x[row]), y[row])
        np.testing.assert_array_equal(getattr(compiled, f"{name}_backward")(dy[row], y[row]), dx[row])


def test_one_minus_infinity_is_probability_nought(backend, dtype):
    x = np.array([[-np.inf, 0, 0]], dtype)
    np.testing.assert_allclose(backend.softmax_forward(x), np.array([[0, 0.5, 0.5]], dtype), strict=True)
    assert backend.log_softmax_forward(x)[0, 0] == -np.inf


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 9), (4, 1)])
def test_gradient(backend, rng, name, shape):
    forward, backward = getattr(backend, f"{name}_forward"), getattr(backend, f"{name}_backward")
    result = kernel_check(forward, lambda dy, y, arrays: {"x": backward(dy, y)}, {"x": rng.standard_normal(shape) * 2})
    assert result, str(result)


def test_no_column_and_no_axis_are_refused(backend):
    for name in ("softmax", "log_softmax"):
        for x in (np.zeros((3, 0)), np.float64(1)):
            with pytest.raises(ValueError, match="Received"):
                getattr(backend, f"{name}_forward")(x)
            with pytest.raises(ValueError, match="Received"):
                getattr(backend, f"{name}_backward")(x, x)
        with pytest.raises(ValueError, match="Received"):
            getattr(backend, f"{name}_backward")(np.ones((3, 2)), np.ones((2, 3)))
