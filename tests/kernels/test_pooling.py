"""Pooling: values by hand, padding that never wins, draws, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "pooling"


X = np.array([[1.0, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]]).reshape(1, 4, 4, 1)


def test_the_textbook_example(backend, dtype):
    y, argmax = backend.max_pool2d_forward(X.astype(dtype))
    np.testing.assert_array_equal(y[0, :, :, 0], np.array([[2, 3], [4, 2]], dtype), strict=True)
    np.testing.assert_array_equal(argmax[0, :, :, 0], np.array([[1, 3], [3, 1]], np.int32), strict=True)
    dx = backend.max_pool2d_backward(np.array([1, 2, 3, 4], dtype).reshape(1, 2, 2, 1), argmax, X.shape)
    expected = np.array([[0, 1, 0, 0], [0, 0, 0, 2], [0, 0, 0, 4], [0, 3, 0, 0]], dtype)
    np.testing.assert_array_equal(dx[0, :, :, 0], expected, strict=True)


def test_average_by_hand(backend, dtype):
    y = backend.average_pool2d_forward(X.astype(dtype))
    np.testing.assert_array_equal(y[0, :, :, 0], np.array([[1, 1.5], [2.25, 1]], dtype), strict=True)
    dx = backend.average_pool2d_backward(y, X.shape)
    np.testing.assert_array_equal(dx[0, :2, :, 0], np.array([[0.25, 0.25, 0.375, 0.375]] * 2, dtype), strict=True)


def test_average_divides_by_the_real_cells(backend, dtype):
    ones = np.ones((1, 3, 5, 2), dtype)
    np.testing.assert_array_equal(backend.average_pool2d_forward(ones, 2, padding="same"), np.ones((1, 2, 3, 2), dtype))


def test_padding_never_wins(backend, dtype):
    x = np.full((1, 3, 3, 1), -np.inf, dtype)
    y, argmax = backend.max_pool2d_forward(x, 3, strides=1, padding="same")
    assert (y == -np.inf).all()
    np.testing.assert_array_equal(argmax[0, :, :, 0], [[4, 3, 3], [1, 0, 0], [1, 0, 0]])
    y, _ = backend.max_pool2d_forward(x * 0 - 5 if dtype is None else np.full_like(x, -5), 3, strides=1, padding="same")
    assert (y == -5).all()


def test_the_first_of_equal_cells_wins(backend, dtype):
    for channels in (1, 7, 8, 9, 17, 31):
        _, argmax = backend.max_pool2d_forward(np.zeros((1, 4, 6, channels), dtype), (2, 3))
        assert not argmax.any()
        assert not backend.global_max_pool2d_forward(np.zeros((1, 4, 6, channels), dtype))[1].any()


@pytest.mark.parametrize("name", ["max_pool2d", "average_pool2d", "stochastic_pool2d", "stochastic_pool2d_mean"])
@pytest.mark.parametrize("channels", [1, 7, 8, 9, 17, 31])
def test_a_nan_in_any_cell_propagates(backend, dtype, name, channels):
    stream = (1, 2) if name == "stochastic_pool2d" else ()
    for cell in range(6):
        x = np.ones((1, 2, 3, channels), dtype)
        x[0, cell // 3, cell % 3, channels // 2] = np.nan
        y = getattr(backend, f"{name}_forward")(x, *stream, pool_size=(2, 3))
        y = y[0] if isinstance(y, tuple) else y
        np.testing.assert_array_equal(np.isnan(y.ravel()), np.arange(channels) == channels // 2)


def test_a_nan_wins_over_infinity_and_the_first_nan_counts(backend, dtype):
    x = np.array([np.inf, np.nan, np.nan, 1], dtype).reshape(1, 2, 2, 1)
    for y, which in (backend.max_pool2d_forward(x), backend.stochastic_pool2d_forward(x, 1, 2)):
        assert np.isnan(y).all()
        assert which.item() == 1
    y, argmax = backend.global_max_pool2d_forward(x)
    assert np.isnan(y).all()
    assert argmax.item() == 1


def test_draws_follow_the_bits(backend, dtype):
    """u = bits·2⁻³² of the output's index; weights 1 and 3: the second cell from u = 1/4 on."""
    x = np.tile(np.array([1, 3], dtype).reshape(1, 1, 2, 1), (1, 40, 1, 25))
    u = backend.random_bits(1000, 7, 8) * 2.0**-32
    y, chosen = backend.stochastic_pool2d_forward(x, 7, 8, pool_size=(1, 2))
    np.testing.assert_array_equal(chosen.ravel(), (u >= 0.25).astype(np.int32), strict=True)
    np.testing.assert_array_equal(y.ravel(), np.where(u >= 0.25, 3, 1).astype(dtype), strict=True)


def test_windows_without_a_positive_cell_draw_uniformly(backend, dtype):
    u = backend.random_bits(900, 7, 8) * 2.0**-32
    for x in (np.zeros((1, 60, 60, 1), dtype), np.full((1, 60, 60, 1), -3, dtype)):
        _, chosen = backend.stochastic_pool2d_forward(x, 7, 8)
        np.testing.assert_array_equal(chosen.ravel(), np.floor(u * 4).astype(np.int32), strict=True)
        np.testing.assert_array_equal(backend.stochastic_pool2d_mean_forward(x), x[:, ::2, ::2])


def test_draws_of_same_padding_stay_inside(backend, dtype):
    x = np.full((2, 5, 7, 9), -1, dtype)
    y, chosen = backend.stochastic_pool2d_forward(x, 3, 4, pool_size=3, strides=2, padding="same")
    assert (y == -1).all()
    assert (
        backend.stochastic_pool2d_backward(y, chosen, x.shape, pool_size=3, strides=2, padding="same").sum() == y.sum()
    )


def test_expectation_by_hand(backend, dtype):
    x = np.array([1, 3, 0, -2], dtype).reshape(1, 2, 2, 1)
    y = backend.stochastic_pool2d_mean_forward(x)
    np.testing.assert_array_equal(y.ravel(), np.array([2.5], dtype), strict=True)
    dx = backend.stochastic_pool2d_mean_backward(np.ones_like(y), x, y)
    np.testing.assert_array_equal(dx.ravel(), np.array([-0.125, 0.875, 0, 0], dtype), strict=True)


def test_the_mean_of_many_draws_is_the_expectation(backend):
    x = np.array([1.0, 2.0, 0.0, 5.0]).reshape(1, 2, 2, 1)
    many = np.tile(x, (1, 1, 1, 20_000))
    y, _ = backend.stochastic_pool2d_forward(many, 11, 12)
    assert abs(y.mean() - backend.stochastic_pool2d_mean_forward(x).item()) < 0.05


def test_global_pooling_by_hand(backend, dtype):
    y, argmax = backend.global_max_pool2d_forward(X.astype(dtype))
    np.testing.assert_array_equal(y, np.array([[4]], dtype), strict=True)
    np.testing.assert_array_equal(argmax, np.array([[13]], np.int32), strict=True)
    assert backend.global_max_pool2d_backward(np.array([[2]], dtype), argmax, X.shape)[0, 3, 1, 0] == 2
    np.testing.assert_array_equal(backend.global_average_pool2d_forward(X.astype(dtype)), np.array([[23 / 16]], dtype))


OPTIONS = [{}, {"pool_size": (3, 2), "strides": (2, 1)}, {"pool_size": 3, "strides": 2, "padding": "same"}]


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients(backend, rng, options):
    """Distinct cells, far enough apart that no difference changes a winner or a draw."""
    x = rng.permutation(2 * 7 * 6 * 3).reshape(2, 7, 6, 3) / 50 - 2
    shape = x.shape
    pairs = {
        "max": (
            lambda x: backend.max_pool2d_forward(x, **options),
            lambda dy, r, a: {"x": backend.max_pool2d_backward(dy, r[1], shape, **options)},
        ),
        "average": (
            lambda x: backend.average_pool2d_forward(x, **options),
            lambda dy, r, a: {"x": backend.average_pool2d_backward(dy, shape, **options)},
        ),
        "mean": (
            lambda x: backend.stochastic_pool2d_mean_forward(x, **options),
            lambda dy, r, a: {"x": backend.stochastic_pool2d_mean_backward(dy, a["x"], r, **options)},
        ),
        "global max": (
            backend.global_max_pool2d_forward,
            lambda dy, r, a: {"x": backend.global_max_pool2d_backward(dy, r[1], shape)},
        ),
        "global average": (
            backend.global_average_pool2d_forward,
            lambda dy, r, a: {"x": backend.global_average_pool2d_backward(dy, shape)},
        ),
    }
    for name, pair in pairs.items():
        result = kernel_check(*pair, {"x": x + 1e-3})
        assert result, f"{name}\n{result}"


@pytest.mark.parametrize("options", OPTIONS)
def test_the_gradient_goes_to_the_drawn_cell(backend, rng, options):
    x = rng.standard_normal((2, 7, 6, 3))
    y, chosen = backend.stochastic_pool2d_forward(x, 5, 6, **options)
    dx = backend.stochastic_pool2d_backward(y, chosen, x.shape, **options)
    touched = dx != 0
    np.testing.assert_allclose(dx[touched] / x[touched], np.round(dx[touched] / x[touched]), rtol=1e-9)
    assert dx.sum() == pytest.approx(y.sum())


def test_bad_calls(backend):
    x, dy = np.ones((1, 4, 4, 2)), np.ones((1, 2, 2, 2))
    argmax = np.zeros((1, 2, 2, 2), np.int32)
    for error, call in (
        (ValueError, lambda: backend.max_pool2d_forward(x, 5)),
        (ValueError, lambda: backend.max_pool2d_forward(x, 0)),
        (ValueError, lambda: backend.max_pool2d_forward(x, (2, -1))),
        (ValueError, lambda: backend.max_pool2d_forward(x, 2, 0)),
        (TypeError, lambda: backend.max_pool2d_forward(x, 2.5)),
        (ValueError, lambda: backend.max_pool2d_forward(x, padding="full")),
        (ValueError, lambda: backend.average_pool2d_forward(np.ones((1, 0, 4, 2)))),
        (ValueError, lambda: backend.global_max_pool2d_forward(np.ones((1, 0, 4, 2)))),
        (ValueError, lambda: backend.global_average_pool2d_forward(np.ones((1, 4, 0, 2)))),
        (TypeError, lambda: backend.max_pool2d_backward(dy, argmax.astype(np.int64), x.shape)),
        (ValueError, lambda: backend.max_pool2d_backward(dy, argmax[:, :1], x.shape)),
        (ValueError, lambda: backend.max_pool2d_backward(dy, argmax, (1, 6, 4, 2))),
        (ValueError, lambda: backend.max_pool2d_backward(dy, argmax, (4, 4, 2))),
        (IndexError, lambda: backend.max_pool2d_backward(dy, argmax + 4, x.shape)),
        (IndexError, lambda: backend.max_pool2d_backward(dy, argmax - 1, x.shape)),
        (IndexError, lambda: backend.max_pool2d_backward(dy, argmax + 3, (1, 3, 3, 2), padding="same")),
        (IndexError, lambda: backend.stochastic_pool2d_backward(dy, argmax + 4, x.shape)),
        (
            IndexError,
            lambda: backend.global_max_pool2d_backward(np.ones((1, 2)), np.full((1, 2), 16, np.int32), x.shape),
        ),
        (ValueError, lambda: backend.average_pool2d_backward(dy, (1, 6, 4, 2))),
        (ValueError, lambda: backend.stochastic_pool2d_forward(x, -1, 0)),
        (TypeError, lambda: backend.stochastic_pool2d_forward(x, 0.5, 0)),
        (ValueError, lambda: backend.stochastic_pool2d_mean_backward(dy, x, dy[:, :1])),
        (ValueError, lambda: backend.global_average_pool2d_backward(np.ones((1, 3)), x.shape)),
    ):
        with pytest.raises(error):
            call()
