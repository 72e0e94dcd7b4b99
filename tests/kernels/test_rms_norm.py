"""Normalization by the root mean square: values by hand, residuals, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "rms_norm"


def test_values_by_hand(backend, dtype):
    """Mean squares 4 and 25: every number is exact, but 1/5 is rounded once."""
    x = np.array([[2, -2, 2, -2], [1, 7, 1, 7]], dtype)
    y, total, rrms = backend.rms_norm_forward(x, np.array([1, 2, 3, 4], dtype), epsilon=0.0)
    np.testing.assert_array_equal(y[0], np.array([1, -2, 3, -4], dtype), strict=True)
    np.testing.assert_allclose(y[1], np.array([0.2, 2.8, 0.6, 5.6], dtype), rtol=3 * np.finfo(dtype).eps)
    assert rrms[0] == 0.5
    assert total is None


def test_nothing_is_subtracted(backend, dtype):
    """A row of one value c gives c·rrms = ±1, where layer normalization would give 0."""
    for columns in (1, 7, 32, 1030):
        y, _, _ = backend.rms_norm_forward(np.full((3, columns), -4, dtype), epsilon=0.0)
        np.testing.assert_array_equal(y, -1)


def test_the_residual_is_added_first(backend, dtype, rng):
    x, residual = rng.standard_normal((2, 5, 12)).astype(dtype)
    y, total, rrms = backend.rms_norm_forward(x, residual=residual)
    np.testing.assert_array_equal(total, x + residual, strict=True)
    plain = backend.rms_norm_forward(total)
    np.testing.assert_array_equal(y, plain[0])
    np.testing.assert_array_equal(rrms, plain[2])


def test_a_row_of_zeros_stays_zero(backend, dtype):
    y, _, rrms = backend.rms_norm_forward(np.zeros((2, 9), dtype))
    np.testing.assert_array_equal(y, 0)
    np.testing.assert_allclose(rrms, 1000, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("columns", [3, 33, 129, 1025])
def test_a_row_has_the_same_bits_alone_and_among_others(compiled, dtype, rng, columns):
    x, dy = (rng.standard_normal((11, columns)).astype(dtype) for _ in range(2))
    gamma = rng.standard_normal(columns).astype(dtype)
    y, _, rrms = compiled.rms_norm_forward(x, gamma)
    dx, _ = compiled.rms_norm_backward(dy, x, rrms, gamma)
    for row in range(11):
        np.testing.assert_array_equal(compiled.rms_norm_forward(x[row], gamma)[0], y[row])
        np.testing.assert_array_equal(compiled.rms_norm_backward(dy[row], x[row], rrms[row], gamma)[0], dx[row])


@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 9), (9, 16)])
@pytest.mark.parametrize("affine", [True, False])
def test_gradient(backend, rng, shape, affine):
    arrays = {"x": rng.standard_normal(shape) + 2, "residual": rng.standard_normal(shape)}
    if affine:
        arrays["gamma"] = rng.standard_normal(shape[-1:])

    def backward(dy, results, arrays):
        _, total, rrms = results
        dx, dgamma = backend.rms_norm_backward(dy, total, rrms, arrays.get("gamma"))
        return {"x": dx, "residual": dx} | ({"gamma": dgamma} if affine else {})

    result = kernel_check(lambda **a: backend.rms_norm_forward(**a), backward, arrays)
    assert result, str(result)


def test_a_gradient_of_the_sum_is_added(backend, dtype, rng):
    x, dy, dtotal = (rng.standard_normal((6, 20)).astype(dtype) for _ in range(3))
    _, _, rrms = backend.rms_norm_forward(x)
    plain = backend.rms_norm_backward(dy, x, rrms)
    both = backend.rms_norm_backward(dy, x, rrms, dtotal=dtotal)
    # The last product and the sum may be rounded together: half a unit of the product less, of one less than 8.
    np.testing.assert_allclose(both[0], plain[0] + dtotal, rtol=np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(both[1], plain[1])


def test_what_is_not_needed_is_none(backend, rng):
    x = rng.standard_normal((70, 9))
    _, _, rrms = backend.rms_norm_forward(x)
    dx, dgamma = backend.rms_norm_backward(x, x, rrms)
    assert backend.rms_norm_backward(x, x, rrms, need_dx=False)[0] is None
    assert backend.rms_norm_backward(x, x, rrms, need_dgamma=False)[1] is None
    np.testing.assert_array_equal(backend.rms_norm_backward(x, x, rrms, need_dx=False)[1], dgamma)
    np.testing.assert_array_equal(backend.rms_norm_backward(x, x, rrms, need_dgamma=False)[0], dx)


def test_bad_calls(backend):
    x, row = np.ones((2, 3)), np.ones(2)
    for error, call in (
        (ValueError, lambda: backend.rms_norm_forward(np.float64(1))),
        (ValueError, lambda: backend.rms_norm_forward(np.ones((2, 0)))),
        (ValueError, lambda: backend.rms_norm_forward(x, np.ones(2))),
        (ValueError, lambda: backend.rms_norm_forward(x, residual=np.ones(3))),
        (ValueError, lambda: backend.rms_norm_forward(x, epsilon=-1e-3)),
        (TypeError, lambda: backend.rms_norm_forward(x, np.ones(3, np.float32))),
        (ValueError, lambda: backend.rms_norm_backward(x, x, np.ones(3))),
        (ValueError, lambda: backend.rms_norm_backward(np.ones((3, 2)), x, row)),
        (ValueError, lambda: backend.rms_norm_backward(x, x, row, dtotal=np.ones(3))),
    ):
        with pytest.raises(error, match="Received"):
            call()
