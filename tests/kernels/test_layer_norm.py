"""Layer normalization: values by hand, sound statistics, residuals, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "layer_norm"


def test_values_by_hand(backend, dtype):
    """Means 2 and 0, variances 1 and 4: every number is exact."""
    x = np.array([[1, 3, 1, 3], [2, -2, -2, 2]], dtype)
    gamma, beta = np.array([1, 2, 3, 4], dtype), np.array([0, 1, 0, -1], dtype)
    y, total, mean, rstd = backend.layer_norm_forward(x, gamma, beta, epsilon=0.0)
    np.testing.assert_array_equal(y, np.array([[-1, 3, -3, 3], [1, -1, -3, 3]], dtype), strict=True)
    np.testing.assert_array_equal(mean, np.array([2, 0], dtype), strict=True)
    np.testing.assert_array_equal(rstd, np.array([1, 0.5], dtype), strict=True)
    assert total is None


def test_the_residual_is_added_first(backend, dtype, rng):
    x, residual = rng.integers(-8, 9, (2, 5, 12)).astype(dtype)
    y, total, mean, rstd = backend.layer_norm_forward(x, residual=residual)
    np.testing.assert_array_equal(total, x + residual, strict=True)
    plain = backend.layer_norm_forward(total)
    np.testing.assert_array_equal(y, plain[0])
    np.testing.assert_array_equal(mean, plain[2])
    np.testing.assert_array_equal(rstd, plain[3])


@pytest.mark.parametrize("columns", [8, 31, 129, 3000])
def test_a_large_mean_does_not_spoil_the_deviation(backend, dtype, rng, columns):
    """±1 around a mean that squares beyond the digits of the dtype: E x² − (E x)² would have none left."""
    signs = np.where(np.arange(columns - columns % 2) % 2, 1, -1)
    x = np.broadcast_to(signs, (5, len(signs))) + np.array(2.0 ** (18 if dtype == np.float32 else 45))
    y, _, mean, rstd = backend.layer_norm_forward(x.astype(dtype), epsilon=0.0)
    np.testing.assert_array_equal(rstd, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(signs, x.shape))
    assert (mean == x.mean()).all()


def test_a_row_of_one_value_gives_beta(backend, dtype):
    for columns in (1, 7, 32):
        y, _, _, rstd = backend.layer_norm_forward(np.full((3, columns), 5, dtype), beta=np.full(columns, 2, dtype))
        np.testing.assert_array_equal(y, 2)
        np.testing.assert_allclose(rstd, 1e-3**-0.5, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("columns", [3, 33, 129, 1025])
def test_a_row_has_the_same_bits_alone_and_among_others(compiled, dtype, rng, columns):
    x, residual, dy = (rng.standard_normal((11, columns)).astype(dtype) for _ in range(3))
    gamma = rng.standard_normal(columns).astype(dtype)
    y, total, mean, rstd = compiled.layer_norm_forward(x, gamma, gamma, residual)
    dx, _, _ = compiled.layer_norm_backward(dy, total, mean, rstd, gamma)
    for row in range(11):
        alone = compiled.layer_norm_forward(x[row], gamma, gamma, residual[row])
        np.testing.assert_array_equal(alone[0], y[row])
        got = compiled.layer_norm_backward(dy[row], total[row], mean[row], rstd[row], gamma)[0]
        np.testing.assert_array_equal(got, dx[row])


@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 9), (9, 16)])
@pytest.mark.parametrize("affine", [True, False])
def test_gradient(backend, rng, shape, affine):
    arrays = {"x": rng.standard_normal(shape) + 2, "residual": rng.standard_normal(shape)}
    if affine:
        arrays |= {"gamma": rng.standard_normal(shape[-1:]), "beta": rng.standard_normal(shape[-1:])}

    def backward(dy, results, arrays):
        _, total, mean, rstd = results
        dx, dgamma, dbeta = backend.layer_norm_backward(dy, total, mean, rstd, arrays.get("gamma"))
        return {"x": dx, "residual": dx} | ({"gamma": dgamma, "beta": dbeta} if affine else {})

    result = kernel_check(lambda **a: backend.layer_norm_forward(**a), backward, arrays)
    assert result, str(result)


def test_a_gradient_of_the_sum_is_added(backend, dtype, rng):
    x, dy, dtotal = (rng.standard_normal((6, 20)).astype(dtype) for _ in range(3))
    _, _, mean, rstd = backend.layer_norm_forward(x)
    plain = backend.layer_norm_backward(dy, x, mean, rstd)
    both = backend.layer_norm_backward(dy, x, mean, rstd, dtotal=dtotal)
    # The last product and the sum may be rounded together: half a unit of the product less, of one less than 8.
    np.testing.assert_allclose(both[0], plain[0] + dtotal, rtol=np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(both[1], plain[1])


def test_what_is_not_needed_is_none(backend, rng):
    x = rng.standard_normal((70, 9))
    _, _, mean, rstd = backend.layer_norm_forward(x)
    whole = backend.layer_norm_backward(x, x, mean, rstd)
    for at, name in enumerate(("need_dx", "need_dgamma", "need_dbeta")):
        got = backend.layer_norm_backward(x, x, mean, rstd, **{name: False})
        assert got[at] is None
        for other in {0, 1, 2} - {at}:
            np.testing.assert_array_equal(got[other], whole[other])


def test_bad_calls(backend):
    x, row = np.ones((2, 3)), np.ones(2)
    for error, call in (
        (ValueError, lambda: backend.layer_norm_forward(np.float64(1))),
        (ValueError, lambda: backend.layer_norm_forward(np.ones((2, 0)))),
        (ValueError, lambda: backend.layer_norm_forward(x, np.ones(2))),
        (ValueError, lambda: backend.layer_norm_forward(x, None, np.ones((1, 3)))),
        (ValueError, lambda: backend.layer_norm_forward(x, residual=np.ones(3))),
        (ValueError, lambda: backend.layer_norm_forward(x, epsilon=-1e-3)),
        (ValueError, lambda: backend.layer_norm_forward(x, epsilon=float("nan"))),
        (TypeError, lambda: backend.layer_norm_forward(x, np.ones(3, np.float32))),
        (ValueError, lambda: backend.layer_norm_backward(x, x, np.ones(3), row)),
        (ValueError, lambda: backend.layer_norm_backward(np.ones((3, 2)), x, row, row)),
        (ValueError, lambda: backend.layer_norm_backward(x, x, row, row, dtotal=np.ones(3))),
    ):
        with pytest.raises(error, match="Received"):
            call()


def test_a_refused_result_changes_no_other(backend):
    y = np.full((2, 3), np.nan)
    with pytest.raises(ValueError, match="mean"):
        backend.layer_norm_forward(np.ones((2, 3)), y=y, mean=np.empty(3))
    assert np.isnan(y).all()
