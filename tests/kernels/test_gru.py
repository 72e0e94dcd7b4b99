"""The gated recurrent unit, with its reset gate after and before the product: values by hand, and the promises of all
recurrent kernels."""

import numpy as np
import pytest

from tests.kernels.harness import Contract
from tests.kernels.sequences import GRU, SequenceTests


class TestContract(Contract):
    family = "gru"


class TestSequences(SequenceTests):
    nets = (GRU(True), GRU(False))


LINEAR = {"activation": "linear", "recurrent_activation": "linear"}
X = np.array([[[1.0], [2.0]]])
W = np.array([[0.0, 1.0, 1.0]])  # z r ĥ
U = np.array([[0.25, 0.0, 2.0]])
B = np.array([[0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_reset_after_by_hand(backend, dtype):
    """z r ĥ = 0.5 1 (1 + 1·1 = 2), h = 1; then 0.75 2 (2 + 2·(2 + 1) = 8), h = 0.75 + 0.25·8 = 2.75."""
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, h, gates, inner = backend.gru_forward(x, w, u, b, **LINEAR)
    np.testing.assert_array_equal(gates[0], np.array([[0.5, 1, 2], [0.75, 2, 8]], dtype), strict=True)
    np.testing.assert_array_equal(inner[0], np.array([[1], [3]], dtype), strict=True)
    np.testing.assert_array_equal(y[0], np.array([[1], [2.75]], dtype), strict=True)
    np.testing.assert_array_equal(h, np.array([[2.75]], dtype), strict=True)


def test_reset_before_by_hand(backend, dtype):
    """z r ĥ = 0.5 1 1, h = 0.5; then 0.625 2 (2 + (2·0.5)·2 = 4), h = 0.3125 + 0.375·4 = 1.8125."""
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, _, gates, inner = backend.gru_forward(x, w, u, b[0], **LINEAR, reset_after=False)
    np.testing.assert_array_equal(gates[0], np.array([[0.5, 1, 1], [0.625, 2, 4]], dtype), strict=True)
    np.testing.assert_array_equal(inner[0], np.array([[0], [1]], dtype), strict=True)
    np.testing.assert_array_equal(y[0], np.array([[0.5], [1.8125]], dtype), strict=True)


def test_gradients_by_hand(backend, dtype):
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, _, gates, inner = backend.gru_forward(x, w, u, b, **LINEAR)
    one = np.ones((1, 1), dtype)
    dx, dw, du, db, dh0, dstates = backend.gru_backward(
        None, one, x, w, u, y, gates, inner, **LINEAR, need_dh0=True, need_dstates=True
    )
    # last step: dz = h₋₁ − ĥ = −7, dĥ = 0.25, dr = 0.25·3 = 0.75, of inner 0.25·2 = 0.5
    # back: 0.75 − 7·0.25 + 0.5·2 = 0: nothing reaches the first step
    np.testing.assert_array_equal(dstates[0], np.array([[0], [1]], dtype), strict=True)
    np.testing.assert_array_equal(db, np.array([[-7, 0.75, 0.25], [-7, 0.75, 0.5]], dtype), strict=True)
    np.testing.assert_array_equal(dw, np.array([[-14, 1.5, 0.5]], dtype), strict=True)
    np.testing.assert_array_equal(du, np.array([[-7, 0.75, 0.5]], dtype), strict=True)
    np.testing.assert_array_equal(dx[0], np.array([[0], [1]], dtype), strict=True)
    np.testing.assert_array_equal(dh0, np.array([[0]], dtype), strict=True)

    y, _, gates, inner = backend.gru_forward(x, w, u, b[0], **LINEAR, reset_after=False)
    dx, dw, du, db, _, dstates = backend.gru_backward(
        None, one, x, w, u, y, gates, inner, **LINEAR, reset_after=False, need_dstates=True
    )
    # last step: dz = 0.5 − 4 = −3.5, dĥ = 0.375, of r·h₋₁ 0.75, dr = 0.75·0.5 = 0.375
    # back: 0.625 − 3.5·0.25 + 0.75·2 = 1.25; first step: dz = 1.25·(0 − 1), dĥ = 1.25·0.5, dr = 0
    np.testing.assert_array_equal(dstates[0], np.array([[1.25], [1]], dtype), strict=True)
    np.testing.assert_array_equal(db, np.array([-4.75, 0.375, 1], dtype), strict=True)
    np.testing.assert_array_equal(dw, np.array([[-8.25, 0.75, 1.375]], dtype), strict=True)
    np.testing.assert_array_equal(du, np.array([[-1.75, 0.1875, 0.375]], dtype), strict=True)
    np.testing.assert_array_equal(dx[0], np.array([[0.625], [0.75]], dtype), strict=True)


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_equations_step_by_step(backend, rng, reset_after):
    x, w, u, b = (rng.standard_normal(shape) for shape in ((2, 3, 4), (4, 15), (5, 15), (2, 15)))
    drop = (rng.random((3, 2, 5)) < 0.7) / 0.7
    b = b if reset_after else b[0]
    y, h, _, _ = backend.gru_forward(x, w, u, b, reset_after=reset_after, h_dropout=drop)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    (uz, ur, uh), h_t = np.split(u, 3, axis=1), np.zeros((2, 5))
    bias, (bz, br, bh) = (b[0], np.split(b[1], 3)) if reset_after else (b, (0, 0, 0))
    for t in range(3):
        xz, xr, xh = np.split(x[:, t] @ w + bias, 3, axis=1)
        z, r = sigmoid(xz + (h_t * drop[0]) @ uz + bz), sigmoid(xr + (h_t * drop[1]) @ ur + br)
        inner = r * ((h_t * drop[2]) @ uh + bh) if reset_after else (r * h_t * drop[2]) @ uh
        h_t = z * h_t + (1 - z) * np.tanh(xh + inner)
        np.testing.assert_allclose(y[:, t], h_t, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(h, h_t, rtol=1e-12, atol=1e-14)


def test_both_resets_agree_where_the_reset_gate_is_open(backend, rng):
    x, w, u = rng.standard_normal((2, 4, 3)), rng.standard_normal((3, 12)), rng.standard_normal((4, 12))
    b = rng.standard_normal(12)
    b[4:8] = 1e4
    after, *_ = backend.gru_forward(x, w, u, np.stack([b, np.zeros(12)]))
    before, *_ = backend.gru_forward(x, w, u, b, reset_after=False)
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_optional_results_of_forward(backend, rng):
    x, w, u = rng.standard_normal((4, 6, 2)), rng.standard_normal((2, 9)), rng.standard_normal((3, 9))
    for reset_after in (True, False):
        y, h, *_ = backend.gru_forward(x, w, u, reset_after=reset_after)
        for need_y, need_gates in ((False, True), (True, False), (False, False)):
            results = backend.gru_forward(x, w, u, reset_after=reset_after, need_y=need_y, need_gates=need_gates)
            assert [r is not None for r in results] == [need_y, True, need_gates, need_gates]
            np.testing.assert_array_equal(results[1], h, strict=True)
        np.testing.assert_array_equal(h, y[:, -1], strict=True)


def test_bad_calls(backend):
    for match, change in (
        ("u", {"u": U[:, :2]}),
        ("w", {"w": W[:, :2]}),
        ("b", {"b": B[0]}),
        ("b", {"b": B.reshape(6)}),
        ("b", {"reset_after": False}),
        ("h0", {"h0": np.zeros((2, 1))}),
        ("recurrent_activation", {"recurrent_activation": "softmax"}),
        ("x_dropout", {"x_dropout": np.ones((2, 1, 1))}),
        ("h_dropout", {"h_dropout": np.ones((1, 1, 1))}),
    ):
        with pytest.raises(ValueError, match=rf"\b{match}\b"):
            backend.gru_forward(**({"x": X, "w": W, "u": U, "b": B} | change))


def test_a_refused_result_changes_no_other(backend):
    y = np.full((1, 2, 1), np.nan)
    with pytest.raises(ValueError, match="inner"):
        backend.gru_forward(X, W, U, B, y=y, inner=np.empty((1, 2, 2)))
    assert np.isnan(y).all()
