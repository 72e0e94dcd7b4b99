"""Softmax and its logarithm: sums, shifts, extremes, gradients."""

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


def test_the_books_example(backend):
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
