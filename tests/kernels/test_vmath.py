"""exp, log, tanh, sigmoid: units in the last place against float64."""

import math

import numpy as np
import pytest

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "vmath"


BOUNDS = {"exp": 2, "log": 2, "tanh": 4, "sigmoid": 4}
GOLDEN = [
    ("exp", [0.0, 1.0, -math.inf, math.inf], [1.0, math.e, 0.0, math.inf]),
    ("log", [1.0, math.e, 0.0, -0.0, math.inf], [0.0, 1.0, -math.inf, -math.inf, math.inf]),
    ("tanh", [0.0, 0.5, -math.inf, math.inf], [0.0, 0.46211715726000975, -1.0, 1.0]),
    ("sigmoid", [0.0, 2.0, -2.0, -math.inf, math.inf], [0.5, 0.8807970779778823, 0.11920292202211757, 0.0, 1.0]),
]


@pytest.mark.parametrize(("name", "x", "y"), GOLDEN)
def test_values_by_hand(backend, dtype, name, x, y):
    np.testing.assert_allclose(
        getattr(backend, name)(np.array(x, dtype)), np.array(y, dtype), rtol=4 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("name", BOUNDS)
def test_nan_and_signed_zero(backend, dtype, name):
    function = getattr(backend, name)
    assert np.isnan(function(np.full(37, np.nan, dtype))).all()
    if name == "tanh":
        np.testing.assert_array_equal(np.signbit(function(np.array([0.0, -0.0], dtype))), [False, True])


def test_log_of_negative_numbers_is_nan(backend, dtype):
    assert np.isnan(backend.log(np.array([-1.0, -np.inf, -1e-40], dtype))).all()


def truth(name: str, x: np.ndarray) -> np.ndarray:
    """The function in float64, of float32 numbers."""
    from fastnn import reference

    return getattr(reference, name)(x.astype(np.float64))


def worst_ulps(name: str, x: np.ndarray, y: np.ndarray) -> tuple[float, np.float32]:
    """The largest error in float32 units of the true value, and where; infinities and NaN must agree exactly."""
    with np.errstate(all="ignore"):
        expected = truth(name, x)
        rounded = expected.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(rounded))
    overflow = np.isinf(y) | np.isinf(rounded)
    unit = np.spacing(np.clip(np.abs(rounded), 0, np.float32(3e38))).astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.where(np.isnan(rounded) | (y == rounded), 0, np.abs(y.astype(np.float64) - expected) / unit)
    error[overflow & (y != rounded)] = 1.0  # the last float before infinity, or infinity beside it
    at = int(np.argmax(error))
    return float(error[at]), x[at]


def bits_to_floats(first: int, last: int, step: int) -> np.ndarray:
    return np.arange(first, last, step, dtype=np.uint64).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("name", BOUNDS)
def test_float32_sample_over_all_exponents(compiled, name):
    """2²⁰ floats, evenly over all bit patterns: every exponent, both signs, denormals, infinities and NaN."""
    x = bits_to_floats(0, 2**32, 4093)
    error, at = worst_ulps(name, x, getattr(compiled, name)(x))
    assert error <= BOUNDS[name], f"{name}({at!r}) is {error:.2f} units off"


@pytest.mark.parametrize("name", BOUNDS)
def test_float32_densely_where_it_matters(compiled, name):
    x = np.linspace(-105, 90, 2**20, dtype=np.float32)
    x = np.exp(np.minimum(x, 88).astype(np.float64)).astype(np.float32) if name == "log" else x
    near_zero = np.linspace(-1, 1, 2**18, dtype=np.float32)
    x = np.concatenate([x, near_zero + 1 if name == "log" else near_zero])
    error, at = worst_ulps(name, x, getattr(compiled, name)(x))
    assert error <= BOUNDS[name], f"{name}({at!r}) is {error:.2f} units off"


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_every_float32(compiled, name):
    for first in range(0, 2**32, 2**24):
        x = bits_to_floats(first, first + 2**24, 1)
        error, at = worst_ulps(name, x, getattr(compiled, name)(x))
        assert error <= BOUNDS[name], f"{name}({at!r}) is {error:.2f} units off"


@pytest.mark.parametrize("name", BOUNDS)
def test_float64_within_bounds(compiled, rng, name):
    """NumPy's float64 is itself up to one unit off: one more is allowed."""
    x = np.concatenate([rng.uniform(-740, 705, 2**17), rng.standard_normal(2**17), rng.standard_normal(2**16) * 1e-3])
    x = np.abs(np.concatenate([x, 1 + x[-1000:]])) if name == "log" else x
    y, expected = getattr(compiled, name)(x), truth(name, x)
    error = np.abs(y - expected) / np.spacing(np.abs(expected))
    assert error.max() <= BOUNDS[name] + 1, f"{name}({x[error.argmax()]!r}) is {error.max():.2f} units off"
