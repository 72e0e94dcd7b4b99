"""Batch normalization: values by hand, statistics far from zero, masks, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "batch_norm"


def test_values_by_hand(backend, dtype):
    x = np.array([[1, 0], [3, 4]], dtype)
    y, mean, variance = backend.batch_norm_forward(x, [2.0, 1.0], [1.0, 0.0], epsilon=0.0)
    np.testing.assert_allclose(y, [[-1, -1], [3, 1]], rtol=1e-6)
    np.testing.assert_array_equal(mean, [2, 2])
    np.testing.assert_array_equal(variance, [1, 4])


@pytest.mark.parametrize("rows", [2, 31, 5000])
def test_a_mean_far_from_zero_costs_no_digits_of_the_variance(backend, rows):
    x = (1e4 + np.arange(rows * 3).reshape(rows, 3) % 7).astype("float32")
    _, mean, variance = backend.batch_norm_forward(x)
    exact = x.astype("float64")
    np.testing.assert_allclose(variance, exact.var(axis=0), rtol=1e-3)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)


def test_rows_that_do_not_count(backend, dtype, rng):
    x, mask = rng.standard_normal((24, 5)).astype(dtype), rng.random(24) < 0.5
    y, mean, variance = backend.batch_norm_forward(x, mask=mask)
    _, expected, spread = backend.batch_norm_forward(np.ascontiguousarray(x[mask]))
    np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance, spread, rtol=1e-5)
    np.testing.assert_allclose(y, backend.batch_norm_inference(x, mean, variance), rtol=1e-6)
    _, mean, variance = backend.batch_norm_forward(x, mask=np.zeros(24, bool))
    assert not mean.any()
    assert not variance.any()


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(5, 3), (12, 9), (1, 2)])
def test_gradient(backend, rng, activation, masked, shape):
    mask = rng.random(shape[:1]) < 0.6 if masked else None
    settings = {"mask": mask, "epsilon": 0.01, "activation": activation}

    def forward(x, gamma, beta, residual):
        return backend.batch_norm_forward(x, gamma, beta, residual, **settings)

    def backward(dy, results, a):
        y, mean, variance = results
        dx, dgamma, dbeta, dresidual = backend.batch_norm_backward(
            dy, a["x"], mean, variance, a["gamma"], y, need_dresidual=True, **settings
        )
        return {"x": dx, "gamma": dgamma, "beta": dbeta, "residual": dresidual}

    arrays = {"x": rng.standard_normal(shape), "residual": rng.standard_normal(shape)}
    arrays |= {name: rng.standard_normal(shape[-1:]) for name in ("gamma", "beta")}
    result = kernel_check(forward, backward, arrays)
    assert result, str(result)


def test_gradient_with_given_statistics(backend, rng):
    mean, variance = rng.standard_normal(4), rng.random(4) + 0.5

    def backward(dy, y, a):
        dx, dgamma, _, _ = backend.batch_norm_backward(dy, a["x"], mean, variance, a["gamma"], batch_statistics=False)
        return {"x": dx, "gamma": dgamma}

    result = kernel_check(
        lambda x, gamma: backend.batch_norm_inference(x, mean, variance, gamma),
        backward,
        {"x": rng.standard_normal((3, 4)), "gamma": rng.standard_normal(4)},
    )
    assert result, str(result)


def test_y_may_be_x_or_the_residual(backend, rng):
    x, r = rng.standard_normal((2, 9, 5))
    expected = backend.batch_norm_forward(x, residual=r)[0]
    over = r.copy()
    np.testing.assert_array_equal(backend.batch_norm_forward(x, residual=over, y=over)[0], expected)
    over = x.copy()
    np.testing.assert_array_equal(backend.batch_norm_forward(over, residual=r, y=over)[0], expected)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((np.ones(3),), ValueError),
        ((np.ones((3, 0)),), ValueError),
        ((np.ones((3, 2)), np.ones(3)), ValueError),
        ((np.ones((3, 2)), None, None, np.ones((2, 3))), ValueError),
        ((np.ones((3, 2)), None, None, None, np.ones(2, bool)), ValueError),
        ((np.ones((3, 2)), None, None, None, np.ones(3)), TypeError),
        ((np.ones((3, 2)), None, None, None, None, -1.0), ValueError),
        ((np.ones((3, 2)), None, None, None, None, 0.1, "gelu"), ValueError),
        ((np.ones((3, 2), "float32"), np.ones(2)), TypeError),
    ],
)
def test_bad_arguments_are_refused(backend, arguments, kind):
    with pytest.raises(kind, match="Received"):
        backend.batch_norm_forward(*arguments)


def test_relu_needs_y(backend):
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match="y=None"):
        backend.batch_norm_backward(x, x, x[0], x[0], activation="relu")
