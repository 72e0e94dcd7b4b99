"""Long short-term memory: values by hand, the effect of each gate, and the promises of all recurrent kernels."""

import numpy as np
import pytest

from tests.kernels.harness import Contract
from tests.kernels.sequences import LSTM, SequenceTests


class TestContract(Contract):
    family = "lstm"


class TestSequences(SequenceTests):
    nets = (LSTM(),)


LINEAR = {"activation": "linear", "recurrent_activation": "linear"}
X = np.array([[[1.0], [2.0]]])
W = np.array([[1.0, 0.0, 2.0, 1.0]])  # i f g o
U = np.array([[0.0, 0.5, 0.0, -1.0]])
B = np.array([0.0, 1.0, 0.0, 0.5])


def test_gates_by_hand(backend, dtype):
    """i f g o = 1 1 2 1.5, c = 2, h = 3; then 2 2.5 4 −0.5, c = 2.5·2 + 2·4 = 13, h = −6.5."""
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, h, c, gates, cells = backend.lstm_forward(x, w, u, b, **LINEAR)
    np.testing.assert_array_equal(gates[0], np.array([[1, 1, 2, 1.5], [2, 2.5, 4, -0.5]], dtype), strict=True)
    np.testing.assert_array_equal(cells[0], np.array([[2], [13]], dtype), strict=True)
    np.testing.assert_array_equal(y[0], np.array([[3], [-6.5]], dtype), strict=True)
    np.testing.assert_array_equal(h, np.array([[-6.5]], dtype), strict=True)
    np.testing.assert_array_equal(c, np.array([[13]], dtype), strict=True)


def test_gradients_by_hand(backend, dtype):
    x, w, u, b = (a.astype(dtype) for a in (X, W, U, B))
    y, _, _, gates, cells = backend.lstm_forward(x, w, u, b, **LINEAR)
    one = np.ones((1, 1), dtype)
    dx, dw, du, db, dh0, dc0, dstates = backend.lstm_backward(
        None, one, None, x, w, u, y, gates, cells, **LINEAR, need_dstate0=True, need_dstates=True
    )
    # last step: do = c = 13, dc = o = −0.5: di = −2, df = −1, dg = −1; back: dh = −0.5 − 13 = −13.5, dc = −1.25
    # first step: do = −13.5·2 = −27, dc = −1.25 − 13.5·1.5 = −21.5: di = −43, df = 0, dg = −21.5
    first, last = np.array([-43, 0, -21.5, -27], dtype), np.array([-2, -1, -1, 13], dtype)
    np.testing.assert_array_equal(dstates[0], np.array([[-13.5], [1]], dtype), strict=True)
    np.testing.assert_array_equal(db, first + last, strict=True)
    np.testing.assert_array_equal(dw, (first + 2 * last)[None], strict=True)
    np.testing.assert_array_equal(du, (3 * last)[None], strict=True)
    np.testing.assert_array_equal(dx[0], np.array([[-43 - 43 - 27], [-2 - 2 + 13]], dtype), strict=True)
    np.testing.assert_array_equal(dh0, np.array([[27]], dtype), strict=True)
    np.testing.assert_array_equal(dc0, np.array([[-21.5]], dtype), strict=True)


def test_the_equations_step_by_step(backend, rng):
    """One unit at a time, as in the paper."""
    x, w, u, b = (rng.standard_normal(shape) for shape in ((2, 3, 4), (4, 20), (5, 20), (20,)))
    y, h, c, gates, cells = backend.lstm_forward(x, w, u, b)

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    h_t, c_t = np.zeros((2, 5)), np.zeros((2, 5))
    for t in range(3):
        i, f, g, o = np.split(x[:, t] @ w + h_t @ u + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c_t = f * c_t + i * g
        h_t = o * np.tanh(c_t)
        np.testing.assert_allclose(gates[:, t], np.hstack([i, f, g, o]), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(cells[:, t], c_t, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(y[:, t], h_t, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose((h, c), (h_t, c_t), rtol=1e-12, atol=1e-14)


def test_an_open_forget_gate_and_a_closed_input_gate_carry_the_cell(backend, dtype, rng):
    x, w, u = rng.standard_normal((3, 50, 2)), np.zeros((2, 36)), np.zeros((9, 36))
    b = np.repeat([-1e4, 1e4, 0, 1e4], 9)
    c0 = rng.standard_normal((3, 9))
    x, w, u, b, c0 = (a.astype(dtype) for a in (x, w, u, b, c0))
    _, _, c, _, cells = backend.lstm_forward(x, w, u, b, None, c0)
    np.testing.assert_array_equal(c, c0, strict=True)
    np.testing.assert_array_equal(cells, np.repeat(c0[:, None], 50, axis=1), strict=True)


def test_optional_results_of_forward(backend, rng):
    x, w, u = rng.standard_normal((4, 6, 2)), rng.standard_normal((2, 12)), rng.standard_normal((3, 12))
    y, h, c, *_ = backend.lstm_forward(x, w, u)
    for need_y, need_gates in ((False, True), (True, False), (False, False)):
        results = backend.lstm_forward(x, w, u, need_y=need_y, need_gates=need_gates)
        assert [r is not None for r in results] == [need_y, True, True, need_gates, need_gates]
        np.testing.assert_array_equal(results[1], h, strict=True)
        np.testing.assert_array_equal(results[2], c, strict=True)
    np.testing.assert_array_equal(h, y[:, -1], strict=True)


def test_the_gradient_of_the_final_cell(backend, rng):
    """dc alone; with T = 0 it is that of the initial cell."""
    x, w, u = rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 12)), rng.standard_normal((3, 12))
    y, _, _, gates, cells = backend.lstm_forward(x, w, u)
    dc = rng.standard_normal((2, 3))
    both = {"need_dstate0": True, "need_dstates": True}
    *_, dc0, dstates = backend.lstm_backward(None, None, dc, x, w, u, y, gates, cells, **both)
    assert not dstates[:, -1].any()
    assert dstates[:, 0].all()
    np.testing.assert_array_less(np.abs(dc0), np.abs(dc).max() * 3)
    assert dc0.all()


def test_bad_calls(backend):
    for match, change in (
        ("u", {"u": U[:, :3]}),
        ("w", {"w": W[:, :3]}),
        ("b", {"b": B[:3]}),
        ("h0", {"h0": np.zeros((2, 1))}),
        ("c0", {"c0": np.zeros((1, 2))}),
        ("recurrent_activation", {"recurrent_activation": "softmax"}),
        ("x_dropout", {"x_dropout": np.ones((2, 1, 1))}),
        ("h_dropout", {"h_dropout": np.ones((1, 1, 1))}),
    ):
        with pytest.raises(ValueError, match=rf"\b{match}\b"):
            backend.lstm_forward(**({"x": X, "w": W, "u": U, "b": B} | change))


def test_a_refused_result_changes_no_other(backend):
    y = np.full((1, 2, 1), np.nan)
    with pytest.raises(ValueError, match="cells"):
        backend.lstm_forward(X, W, U, B, y=y, cells=np.empty((1, 2, 2)))
    assert np.isnan(y).all()
