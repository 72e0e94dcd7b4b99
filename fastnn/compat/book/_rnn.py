"""The simple recurrent layer: RNN of one step, TimeRNN of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._sequence import OneStep, TimeSteps, WithOneState

__all__ = ["RNN", "TimeRNN"]


class _Steps(WithOneState):
    """h_next = tanh(h_prev · Wh + x · Wx + b) at every step."""

    def _run(self, xs: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        xs, Wx, Wh, b, h = together(xs, *self.params, h)
        hs, last = active().simple_rnn_forward(xs, Wx, Wh, b, h)
        return hs, last, (xs, Wx, Wh, hs, h)

    def _run_back(self, dhs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        dhs, *cache = together(dhs, *self.cache)
        dx, dWx, dWh, db, dh, _ = active().simple_rnn_backward(dhs, None, *cache, need_dh0=True)
        return dx, [dWx, dWh, db], dh


class RNN(_Steps, OneStep):
    """One step, h_next = tanh(h_prev · Wh + x · Wx + b).

    x (N, D), h_prev (N, H), Wx (D, H), Wh (H, H), b (H,) → h_next (N, H).

    Examples
    --------
    >>> layer = RNN(np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1))
    >>> layer.forward(np.zeros((1, 1)), np.ones((1, 1)))
    array([[0.]])
    >>> layer.backward(np.ones((1, 1)))
    (array([[1.]]), array([[0.]]))
    """


class TimeRNN(_Steps, TimeSteps):
    """Sequences, h_t = tanh(h_{t−1} · Wh + x_t · Wx + b); a stateful layer continues where the last call ended.

    xs (N, T, D) → hs (N, T, H). After backward ``dh`` is the gradient of the first state.

    Examples
    --------
    >>> layer = TimeRNN(np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), stateful=True)
    >>> layer.forward(np.zeros((1, 2, 1))).ravel()
    array([0., 0.])
    >>> layer.set_state(np.full((1, 1), 100.0))
    >>> layer.forward(np.zeros((1, 2, 1))).round(3).ravel()
    array([1.   , 0.762])
    """
