"""Group normalization: values by hand, its two ends, sound statistics, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract, ordinary


class TestContract(Contract):
    family = "group_norm"

    def test_wrong_ranks_and_shapes_are_refused(self, kernel, backend, rng):
        """Of all arrays but x of the forward kernel, which may have any rank."""
        if kernel.name == "group_norm_backward":
            super().test_wrong_ranks_and_shapes_are_refused(kernel, backend, rng)
            return
        case = ordinary(kernel, rng)
        for place, array in case.arrays()[1:]:
            self.refused(backend.group_norm_forward, kernel, case, place, array[None], ValueError)


def test_values_by_hand(backend, dtype):
    """Two positions of four channels in two groups: means 2 and 4, variances 1 and 4; every number is exact."""
    x = np.array([[[1, 3, 6, 2], [3, 1, 2, 6]]], dtype)
    gamma, beta = np.array([1, 2, 3, 4], dtype), np.array([0, 1, 0, -1], dtype)
    y, mean, rstd = backend.group_norm_forward(x, 2, gamma, beta, 0.0)
    np.testing.assert_array_equal(y, np.array([[[-1, 3, 3, -5], [1, -1, -3, 3]]], dtype), strict=True)
    np.testing.assert_array_equal(mean, np.array([[2, 4]], dtype), strict=True)
    np.testing.assert_array_equal(rstd, np.array([[1, 0.5]], dtype), strict=True)


@pytest.mark.parametrize("shape", [(5, 12), (3, 7, 12), (2, 5, 9, 12)])
def test_one_group_is_layer_norm_of_the_whole_example(backend, dtype, rng, shape):
    x, dy = rng.standard_normal((2, *shape)).astype(dtype)
    y, mean, rstd = backend.group_norm_forward(x, 1)
    flat = backend.layer_norm_forward(x.reshape(len(x), -1))
    close = {"rtol": 0, "atol": 64 * np.finfo(dtype).eps}  # of at most 540 numbers of size 1, in another order
    np.testing.assert_allclose(y.reshape(len(x), -1), flat[0], **close)
    dx, _, _ = backend.group_norm_backward(dy, x, mean, rstd)
    expected = backend.layer_norm_backward(dy.reshape(len(x), -1), x.reshape(len(x), -1), *flat[2:])[0]
    np.testing.assert_allclose(dx.reshape(len(x), -1), expected, **close)


@pytest.mark.parametrize("channels", [1, 3, 8, 9, 33])
def test_a_group_for_each_channel_knows_no_other_channel(compiled, dtype, rng, channels):
    """Instance normalization: a channel has the same numbers alone."""
    x = rng.standard_normal((3, 40, channels)).astype(dtype)
    y, mean, rstd = compiled.group_norm_forward(x, channels)
    for c in range(channels):
        alone = compiled.group_norm_forward(x[..., c : c + 1], 1)
        np.testing.assert_array_equal(alone[0][..., 0], y[..., c])
        np.testing.assert_array_equal(alone[1][..., 0], mean[..., c])
        np.testing.assert_array_equal(alone[2][..., 0], rstd[..., c])


@pytest.mark.parametrize(("positions", "channels", "groups"), [(2, 4, 2), (130, 8, 1), (999, 8, 2), (20, 260, 13)])
@pytest.mark.parametrize("examples", [1, 9])
def test_a_large_mean_does_not_spoil_the_deviation(backend, dtype, positions, channels, groups, examples):
    """±1 around a mean that squares beyond the digits of the dtype: E x² − (E x)² would have none left."""
    signs = np.where(np.arange(channels) % 2, 1, -1)
    x = np.broadcast_to(signs, (examples, positions, channels)) + np.array(2.0 ** (15 if dtype == np.float32 else 40))
    y, mean, rstd = backend.group_norm_forward(x.astype(dtype), groups, epsilon=0.0)
    np.testing.assert_array_equal(rstd, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(signs, x.shape))
    assert (mean == x.mean()).all()


def test_an_example_has_the_same_bits_alone_and_among_others(compiled, dtype, rng):
    """Alone it is cut into chunks for the threads; among nine, one thread takes it whole."""
    x, dy = rng.standard_normal((2, 9, 70, 40)).astype(dtype)
    gamma = rng.standard_normal(40).astype(dtype)
    y, mean, rstd = compiled.group_norm_forward(x, 8, gamma, gamma)
    dx, _, _ = compiled.group_norm_backward(dy, x, mean, rstd, gamma)
    for n in range(9):
        one = slice(n, n + 1)
        for whole, alone in zip((y, mean, rstd), compiled.group_norm_forward(x[one], 8, gamma, gamma), strict=True):
            np.testing.assert_array_equal(alone, whole[one])
        alone = compiled.group_norm_backward(dy[one], x[one], mean[one], rstd[one], gamma)[0]
        np.testing.assert_array_equal(alone, dx[one])


@pytest.mark.parametrize("shape", [(2, 6), (3, 5, 6), (2, 3, 2, 12)])
@pytest.mark.parametrize("groups", [1, 3, 6])
@pytest.mark.parametrize("affine", [True, False])
def test_gradient(backend, rng, shape, groups, affine):
    arrays = {"x": rng.standard_normal(shape) + 2}
    if affine:
        arrays |= {"gamma": rng.standard_normal(shape[-1:]), "beta": rng.standard_normal(shape[-1:])}

    def backward(dy, results, arrays):
        _, mean, rstd = results
        gradients = backend.group_norm_backward(dy, arrays["x"], mean, rstd, arrays.get("gamma"))
        return dict(zip(arrays, gradients, strict=False))

    result = kernel_check(lambda **a: backend.group_norm_forward(groups=groups, **a), backward, arrays)
    assert result, str(result)


@pytest.mark.parametrize("shape", [(2, 20, 9), (9, 20, 9)])
def test_what_is_not_needed_is_none(backend, rng, shape):
    x = rng.standard_normal(shape)
    _, mean, rstd = backend.group_norm_forward(x, 3)
    whole = backend.group_norm_backward(x, x, mean, rstd)
    for at, name in enumerate(("need_dx", "need_dgamma", "need_dbeta")):
        got = backend.group_norm_backward(x, x, mean, rstd, **{name: False})
        assert got[at] is None
        for other in {0, 1, 2} - {at}:
            np.testing.assert_array_equal(got[other], whole[other])


def test_bad_calls(backend):
    x, by_group = np.ones((2, 3, 4)), np.ones((2, 2))
    for error, call in (
        (ValueError, lambda: backend.group_norm_forward(np.ones(4), 2)),
        (ValueError, lambda: backend.group_norm_forward(np.ones((2, 3, 0)), 1)),
        (ValueError, lambda: backend.group_norm_forward(x, 3)),
        (ValueError, lambda: backend.group_norm_forward(x, 0)),
        (ValueError, lambda: backend.group_norm_forward(x, -1)),
        (TypeError, lambda: backend.group_norm_forward(x, 2.0)),
        (ValueError, lambda: backend.group_norm_forward(x, 2, np.ones(2))),
        (ValueError, lambda: backend.group_norm_forward(x, 2, None, np.ones((1, 4)))),
        (ValueError, lambda: backend.group_norm_forward(x, 2, epsilon=-1e-3)),
        (TypeError, lambda: backend.group_norm_forward(x, 2, np.ones(4, np.float32))),
        (ValueError, lambda: backend.group_norm_backward(x, x, np.ones((2, 3)), np.ones((2, 3)))),
        (ValueError, lambda: backend.group_norm_backward(x, x, np.ones((1, 2)), by_group)),
        (ValueError, lambda: backend.group_norm_backward(x, x, by_group, np.ones((2, 4)))),
        (ValueError, lambda: backend.group_norm_backward(x[:1], x, by_group, by_group)),
        (ValueError, lambda: backend.group_norm_backward(x, x, by_group, np.ones(2))),
    ):
        with pytest.raises(error, match="Received"):
            call()


def test_a_refused_result_changes_no_other(backend):
    y = np.full((2, 4), np.nan)
    with pytest.raises(ValueError, match="mean"):
        backend.group_norm_forward(np.ones((2, 4)), 2, y=y, mean=np.empty((2, 3)))
    assert np.isnan(y).all()
