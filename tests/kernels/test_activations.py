"""Activations: values, derivatives, kinks, NaN."""

import math

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from fastnn.reference.activations import _TABLE
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "activations"


# act(−1), act(0), act(2), each from its formula
GOLDEN = {
    "linear": (-1.0, 0.0, 2.0),
    "relu": (0.0, 0.0, 2.0),
    "leaky_relu": (-0.2, 0.0, 2.0),
    "elu": (-0.6321205588285577, 0.0, 2.0),
    "selu": (-1.1113307378125625, 0.0, 2.101401974710961),
    "sigmoid": (0.2689414213699951, 0.5, 0.8807970779778823),
    "tanh": (-0.7615941559557649, 0.0, 0.9640275800758169),
    "softplus": (0.31326168751822286, 0.6931471805599453, 2.1269280110429727),
    "gelu": (-0.15865525393145707, 0.0, 1.9544997361036416),
    "gelu_tanh": (-0.15880800939172324, 0.0, 1.954597694087775),
    "silu": (-0.2689414213699951, 0.0, 1.7615941559557646),
    "hard_sigmoid": (0.3333333333333333, 0.5, 0.8333333333333334),
    "exponential": (0.36787944117144233, 1.0, 7.38905609893065),
    "step": (0.0, 0.0, 1.0),
}
# lim x → −∞ and +∞
LIMITS = {
    "linear": (-math.inf, math.inf),
    "relu": (0, math.inf),
    "leaky_relu": (-math.inf, math.inf),
    "elu": (-1, math.inf),
    "selu": (-1.7580993408473766, math.inf),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "softplus": (0, math.inf),
    "gelu": (0, math.inf),
    "gelu_tanh": (0, math.inf),
    "silu": (0, math.inf),
    "hard_sigmoid": (0, 1),
    "exponential": (0, math.inf),
    "step": (0, 1),
}


def test_every_activation_has_golden_values():
    assert set(GOLDEN) == set(LIMITS) == set(_TABLE)


@pytest.mark.parametrize("name", GOLDEN)
def test_values_by_hand(backend, dtype, name):
    y = backend.activation_forward(np.array([-1, 0, 2], dtype), name)
    np.testing.assert_allclose(y, np.array(GOLDEN[name], dtype), rtol=8 * np.finfo(dtype).eps, atol=0, strict=True)


@pytest.mark.parametrize("name", LIMITS)
def test_infinities_and_large_arguments(backend, dtype, name):
    y = backend.activation_forward(np.array([-np.inf, np.inf], dtype), name)
    np.testing.assert_allclose(y, np.array(LIMITS[name], dtype), rtol=4 * np.finfo(dtype).eps, atol=0)
    far = backend.activation_forward(np.array([-1e4, 1e4], dtype), name)
    assert not np.isnan(far).any()


@pytest.mark.parametrize("name", GOLDEN)
def test_nan_stays_nan_at_every_position(backend, dtype, name):
    for length in (1, 7, 8, 9, 17, 31):
        for place in range(length):
            x = np.ones(length, dtype)
            x[place] = np.nan
            np.testing.assert_array_equal(np.isnan(backend.activation_forward(x, name)), np.isnan(x))


@pytest.mark.parametrize("name", GOLDEN)
def test_gradient(backend, rng, name):
    x = rng.standard_normal((5, 7)) * 2
    result = kernel_check(
        lambda x: backend.activation_forward(x, name),
        lambda dy, y, arrays: {"x": backend.activation_backward(dy, arrays["x"], y, name)},
        {"x": x[np.abs(x) > 0.01]},
    )
    assert result, str(result)


@pytest.mark.parametrize(("name", "alpha"), [("leaky_relu", 0.01), ("elu", 2.5)])
def test_gradient_with_alpha(backend, rng, name, alpha):
    result = kernel_check(
        lambda x: backend.activation_forward(x, name, alpha),
        lambda dy, y, arrays: {"x": backend.activation_backward(dy, arrays["x"], y, name, alpha)},
        {"x": rng.standard_normal(31)},
    )
    assert result, str(result)


@pytest.mark.parametrize("name", GOLDEN)
def test_gradients_at_large_arguments_are_finite(backend, dtype, name):
    if name == "exponential":
        return
    x = np.array([-1e4, -100, -30, 30, 100, 1e4], dtype)
    dx = backend.activation_backward(np.ones_like(x), x, backend.activation_forward(x, name), name)
    assert np.isfinite(dx).all()


def test_gradient_of_relu_at_zero_is_zero(backend, dtype):
    zero = np.zeros(9, dtype)
    assert not backend.activation_backward(np.ones(9, dtype), zero, zero, "relu").any()


def test_bad_names_and_alphas(backend):
    x = np.ones(3)
    for call in (
        lambda: backend.activation_forward(x, "relu6"),
        lambda: backend.activation_forward(x, "ReLU"),
        lambda: backend.activation_forward(x, None),
        lambda: backend.activation_forward(x, "relu", 0.1),
        lambda: backend.activation_forward(x, "elu", -1.0),
        lambda: backend.activation_forward(x, "leaky_relu", math.nan),
        lambda: backend.activation_backward(x, x, np.ones(4), "relu"),
        lambda: backend.activation_backward(np.ones(4), x, x, "relu"),
    ):
        with pytest.raises(ValueError, match="Received"):
            call()
