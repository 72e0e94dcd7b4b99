"""The fully connected layer: values by hand, gradients, zeros skipped or not."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from fastnn.reference.activations import FUSIBLE
from tests.kernels.harness import Contract

ALGORITHMS = ["auto", "dense", "sparse"]


class TestContract(Contract):
    family = "dense"


X, W, B = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[1.0, -1.0, 0.0], [3.0, -1.0, 2.0]]), np.array([0.5, 0.5, 0.0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_values_by_hand(backend, dtype, algorithm):
    x, w, b = (a.astype(dtype) for a in (X, W, B))
    z = np.array([[7.5, -2.5, 4.0], [-2.5, 1.5, -2.0]], dtype)
    np.testing.assert_array_equal(backend.dense_forward(x, w, b, "linear", algorithm), z, strict=True)
    np.testing.assert_array_equal(backend.dense_forward(x, w, b, "relu", algorithm), np.maximum(z, 0), strict=True)
    np.testing.assert_array_equal(backend.dense_forward(x, w, None, "linear", algorithm), z - b, strict=True)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_gradients_by_hand(backend, dtype, algorithm):
    """With relu only (0, 0), (0, 2) and (1, 1) are nonzero."""
    x, w, b = (a.astype(dtype) for a in (X, W, B))
    y = backend.dense_forward(x, w, b, "relu")
    dx, dw, db = backend.dense_backward(np.array([[1, 10, 2], [5, 3, 7]], dtype), x, w, y, "relu", algorithm)
    np.testing.assert_array_equal(dx, np.array([[1, 7], [-3, -3]], dtype), strict=True)
    np.testing.assert_array_equal(dw, np.array([[1, 0, 2], [2, -3, 4]], dtype), strict=True)
    np.testing.assert_array_equal(db, np.array([1, 3, 2], dtype), strict=True)


@pytest.mark.parametrize("activation", FUSIBLE)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_gradient(backend, rng, activation, algorithm):
    x = rng.standard_normal((5, 7))
    if algorithm == "sparse":
        x[rng.random(x.shape) < 0.5] = 0

    def backward(dy, y, a):
        return dict(zip("xwb", backend.dense_backward(dy, a["x"], a["w"], y, activation, algorithm), strict=True))

    arrays = {"x": x, "w": rng.standard_normal((7, 3)), "b": rng.standard_normal(3)}
    result = kernel_check(lambda x, w, b: backend.dense_forward(x, w, b, activation, algorithm), backward, arrays)
    assert result, str(result)


def test_what_is_not_needed_is_none(backend):
    dx, dw, db = backend.dense_backward(np.ones((2, 3)), X, W, need_dx=False, need_db=False)
    assert dx is None
    assert db is None
    np.testing.assert_array_equal(dw, X.T @ np.ones((2, 3)))


@pytest.mark.parametrize("density", [0.0, 0.05, 0.19, 0.5, 1.0])
def test_sparse_and_dense_agree(compiled, dtype, rng, density):
    """Real batches of images, one-hot and multi-hot rows: on small integers they are equal, whatever is skipped."""
    x = np.where(rng.random((33, 300)) < density, rng.integers(1, 9, (33, 300)), 0).astype(dtype)
    w, b = rng.integers(-8, 9, (300, 65)).astype(dtype), rng.integers(-8, 9, 65).astype(dtype)
    expected = compiled.dense_forward(x, w, b, "relu", "dense")
    dy = rng.integers(-8, 9, expected.shape).astype(dtype)
    gradients = compiled.dense_backward(dy, x, w, expected, "relu", "dense")
    for algorithm in ("sparse", "auto"):
        np.testing.assert_array_equal(compiled.dense_forward(x, w, b, "relu", algorithm), expected, strict=True)
        got = compiled.dense_backward(dy, x, w, expected, "relu", algorithm)
        for one, other in zip(got, gradients, strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


def test_bad_calls(backend):
    for error, call in (
        (ValueError, lambda: backend.dense_forward(X, W.T)),
        (ValueError, lambda: backend.dense_forward(X, W, B[:2])),
        (ValueError, lambda: backend.dense_forward(X, W, B, "gelu")),
        (ValueError, lambda: backend.dense_forward(X, W, B, "softmax")),
        (ValueError, lambda: backend.dense_forward(X, W, B, "relu", "fast")),
        (ValueError, lambda: backend.dense_backward(np.ones((2, 3)), X, W, None, "relu")),
        (ValueError, lambda: backend.dense_backward(np.ones((2, 2)), X, W)),
        (ValueError, lambda: backend.dense_backward(np.ones((2, 3)), X, W, np.ones((3, 2)), "relu")),
        (TypeError, lambda: backend.dense_forward(X, W, B.astype(np.float32))),
    ):
        with pytest.raises(error):
            call()


def test_a_refused_result_changes_no_other(backend):
    dx = np.full((2, 2), np.nan)
    with pytest.raises(ValueError, match="dw"):
        backend.dense_backward(np.ones((2, 3)), X, W, dx=dx, dw=np.empty((3, 3)))
    assert np.isnan(dx).all()


WS, BS = [W, W[:, :1], W[:, ::-1]], [B, B[:1], B[::-1]]


def test_projections_by_hand(backend, dtype):
    x, w, b = X.astype(dtype), [a.astype(dtype) for a in WS], [a.astype(dtype) for a in BS]
    z = np.array([[7.5, -2.5, 4.0], [-2.5, 1.5, -2.0]], dtype)
    for got, expected in zip(backend.projections_forward(x, w, b), (z, z[:, :1], z[:, ::-1]), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)
    dy = [np.array([[1, 0, 2], [0, 0, 0]], dtype), np.array([[1], [3]], dtype), np.zeros((2, 3), dtype)]
    dx, dw, db = backend.projections_backward(dy, x, w)
    np.testing.assert_array_equal(dx, np.array([[2, 10], [3, 9]], dtype), strict=True)
    expected = np.array([[1, 0, 2], [2, 0, 4]], dtype), np.array([[1], [-1]], dtype), np.zeros((2, 3), dtype)
    for got, other in zip(dw, expected, strict=True):
        np.testing.assert_array_equal(got, other, strict=True)
    for got, other in zip(db, ([1, 0, 2], [4], [0, 0, 0]), strict=True):
        np.testing.assert_array_equal(got, np.array(other, dtype), strict=True)


@pytest.mark.parametrize("rows", [1, 20, 100, 600])
def test_projections_have_the_bits_of_a_layer_each(compiled, dtype, rng, rows):
    """Values and gradients of weights; dx is a sum in another order."""
    x, w = rng.standard_normal((rows, 40)).astype(dtype), [rng.standard_normal((40, n)).astype(dtype) for n in (24, 70)]
    dy = [rng.standard_normal((rows, n)).astype(dtype) for n in (24, 70)]
    y = compiled.projections_forward(x, w)
    dx, dw, db = compiled.projections_backward(dy, x, w)
    alone = [compiled.dense_backward(dy[i], x, w[i], algorithm="dense") for i in range(2)]
    for i in range(2):
        np.testing.assert_array_equal(y[i], compiled.dense_forward(x, w[i], algorithm="dense"), strict=True)
        rounding = 2 * rows * np.finfo(dtype).eps
        np.testing.assert_allclose(dw[i], alone[i][1], atol=rounding * (np.abs(x).T @ np.abs(dy[i])).max())
        np.testing.assert_array_equal(db[i], alone[i][2], strict=True)
    np.testing.assert_allclose(dx, alone[0][0] + alone[1][0], rtol=1e-4, atol=1e-4)


def test_bad_calls_of_projections(backend):
    dy = [np.ones((2, w.shape[1])) for w in WS]
    for error, said, call in (
        (TypeError, "w must be a list", lambda: backend.projections_forward(X, W)),
        (ValueError, "at least one", lambda: backend.projections_forward(X, [])),
        (ValueError, "at most 16", lambda: backend.projections_forward(X, [W] * 17)),
        (ValueError, r"\(K, N\)", lambda: backend.projections_forward(X, [W, W.T])),
        (ValueError, "for each of 3", lambda: backend.projections_forward(X, WS, BS[:2])),
        (ValueError, r"b\[1\]", lambda: backend.projections_forward(X, WS, [B, B, B])),
        (TypeError, r"b\[2\]", lambda: backend.projections_forward(X, WS, [*BS[:2], B.astype(np.float32)])),
        (ValueError, "for each of 3", lambda: backend.projections_backward(dy[:2], X, WS)),
        (ValueError, r"dy\[1\]", lambda: backend.projections_backward([dy[0]] * 3, X, WS)),
        (ValueError, r"dw\[1\]", lambda: backend.projections_backward(dy, X, WS, dw=[np.empty((2, 3))] * 3)),
    ):
        with pytest.raises(error, match=said):
            call()


def test_projections_do_not_write_over_one_another(backend):
    room = np.empty((2, 3))
    with pytest.raises(ValueError, match="y"):
        backend.projections_forward(X, [W, W], y=[room, room])
