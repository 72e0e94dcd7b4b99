"""The simple recurrent network, fed back by state or by output: values by hand, promises of all recurrent kernels."""

import numpy as np
import pytest

from tests.kernels.harness import Contract
from tests.kernels.sequences import Net, OutputRNN, SequenceTests


class TestContract(Contract):
    family = "simple_rnn"


class TestSequences(SequenceTests):
    nets = (Net(), OutputRNN())


X = np.array([[[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]])
W = np.array([[1.0, -1.0], [0.5, 2.0]])
U = np.array([[0.5, 1.0], [0.0, -0.5]])
B = np.array([0.5, 0.0])


def test_states_by_hand(backend, dtype):
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, h = backend.simple_rnn_forward(x, w, u, b, activation="linear")
    np.testing.assert_array_equal(y[0], np.array([[1.5, -1], [1.75, 4], [2.875, -4.25]], dtype), strict=True)
    np.testing.assert_array_equal(h, y[:, -1], strict=True)
    y, _ = backend.simple_rnn_forward(x, w, u, b, activation="relu")
    np.testing.assert_array_equal(y[0], np.array([[1.5, 0], [1.75, 3.5], [2.875, 0]], dtype), strict=True)


def test_tanh_is_the_default(backend):
    y, _ = backend.simple_rnn_forward(X, W, U, B)
    first = np.tanh(X[:, 0] @ W + B)
    np.testing.assert_allclose(y[:, 0], first, rtol=1e-14)
    np.testing.assert_allclose(y[:, 1], np.tanh(X[:, 1] @ W + first @ U + B), rtol=1e-14)


def test_gradients_by_hand(backend, dtype):
    """Of the last state's first number, through relu: h = [1.5, 0], [1.75, 3.5], [2.875, 0]."""
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, _ = backend.simple_rnn_forward(x, w, u, b, activation="relu")
    dh = np.array([[1, 100]], dtype)  # the second is zeroed by relu
    dx, dw, du, db, dh0, dstates = backend.simple_rnn_backward(
        None, dh, x, w, u, y, activation="relu", need_dh0=True, need_dstates=True
    )
    # dz = [0.25, 0], [0.5, 0], [1, 0]
    np.testing.assert_array_equal(dx[0], np.array([[0.25, 0.125], [0.5, 0.25], [1, 0.5]], dtype), strict=True)
    np.testing.assert_array_equal(dw, np.array([[2.25, 0], [-0.5, 0]], dtype), strict=True)
    np.testing.assert_array_equal(du, np.array([[2.5, 0], [3.5, 0]], dtype), strict=True)
    np.testing.assert_array_equal(db, np.array([1.75, 0], dtype), strict=True)
    np.testing.assert_array_equal(dh0, np.array([[0.125, 0]], dtype), strict=True)
    np.testing.assert_array_equal(dstates[0], np.array([[0.25, 0], [0.5, 0], [1, 100]], dtype), strict=True)


def test_only_the_last_state(backend, rng):
    x = rng.standard_normal((4, 6, 2))
    y, h = backend.simple_rnn_forward(x, W, U, B)
    none, last = backend.simple_rnn_forward(x, W, U, B, need_y=False)
    assert none is None
    np.testing.assert_array_equal(last, h, strict=True)
    np.testing.assert_array_equal(h, y[:, -1], strict=True)
    y, h = backend.simple_rnn_forward(x, W, U, B, go_backwards=True)
    np.testing.assert_array_equal(h, y[:, 0], strict=True)


def test_fed_back_outputs_by_hand(backend, dtype):
    """a = x·w + y₋₁·u + b, y = a·v + c, with two units and one output."""
    x, w, b = (a.astype(dtype) for a in (X, W, B))
    u, v, c = (np.array(a, dtype) for a in ([[1.0, -1.0]], [[0.5], [1.0]], [0.25]))
    y, hidden = backend.output_rnn_forward(x, w, u, b, v, c, activation="linear")
    np.testing.assert_array_equal(hidden[0], np.array([[1.5, -1], [1, 2], [4.75, -6.75]], dtype), strict=True)
    np.testing.assert_array_equal(y[0], np.array([[0], [2.75], [-4.125]], dtype), strict=True)
    one = np.ones((1, 1), dtype)
    dx, dw, du, db, dv, dc, dy0, dstates = backend.output_rnn_backward(
        None, one, x, w, u, v, y, hidden, activation="linear", need_dy0=True, need_dstates=True
    )
    # ds = 0.25, −0.5, 1 (times u·v = −0.5 a step back); dz = ds·vᵀ
    np.testing.assert_array_equal(dstates[0], np.array([[0.25], [-0.5], [1]], dtype), strict=True)
    np.testing.assert_array_equal(dx[0], np.array([[-0.125, 0.5625], [0.25, -1.125], [-0.5, 2.25]], dtype), strict=True)
    np.testing.assert_array_equal(dw, np.array([[1.125, 2.25], [-0.75, -1.5]], dtype), strict=True)
    np.testing.assert_array_equal(db, np.array([0.375, 0.75], dtype), strict=True)
    np.testing.assert_array_equal(dv, np.array([[4.625], [-8]], dtype), strict=True)
    np.testing.assert_array_equal(dc, np.array([0.75], dtype), strict=True)
    np.testing.assert_array_equal(dy0, np.array([[-0.125]], dtype), strict=True)
    np.testing.assert_array_equal(du, np.array([[1.375, 2.75]], dtype), strict=True)


def test_bad_calls(backend):
    good = {"x": X, "w": W, "u": U, "b": B}
    for error, match, change in (
        (ValueError, "w", {"w": W[:1]}),
        (ValueError, "u", {"u": U[:1]}),
        (ValueError, "b", {"b": B[:1]}),
        (TypeError, "b", {"b": B.astype(np.float32)}),
        (ValueError, "x", {"x": X[0]}),
        (TypeError, "x", {"x": X.astype(int)}),
    ):
        with pytest.raises(error, match=rf"\b{match}\b"):
            backend.simple_rnn_forward(**(good | change))
    with pytest.raises(ValueError, match=r"\bv\b"):
        backend.output_rnn_forward(X, W, U, B, W[:1], None)
    with pytest.raises(ValueError, match=r"\bc\b"):
        backend.output_rnn_forward(X, W, U, B, W, np.zeros(3))
    with pytest.raises(ValueError, match="output_activation"):
        backend.output_rnn_forward(X, W, U, B, W, None, output_activation="softmax")


def test_a_refused_result_changes_no_other(backend):
    y, _ = backend.simple_rnn_forward(X, W, U, B)
    dx = np.full_like(X, np.nan)
    with pytest.raises(ValueError, match="du"):
        backend.simple_rnn_backward(y, None, X, W, U, y, dx=dx, du=np.empty((3, 3)))
    assert np.isnan(dx).all()
