"""The simple recurrent layer: RNN of one step, TimeRNN of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._sequence import Recurrent, one_step

__all__ = ["RNN", "TimeRNN"]


def _forward(xs: np.ndarray, h: np.ndarray | None, params: list[Any]) -> tuple[np.ndarray, np.ndarray, Any]:
    """Run sequences; return all states, the last one, and what backward needs."""
    if h is None:
        h = np.zeros((xs.shape[0], params[1].shape[0]), dtype=np.float32)
    xs, Wx, Wh, b, h = together(xs, *params, h)
    hs, last = active().simple_rnn_forward(xs, Wx, Wh, b, h)
    return hs, last, (xs, Wx, Wh, hs, h)


def _backward(dhs: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
    """The gradients dx, dWx, dWh, db and dh."""
    dhs, xs, Wx, Wh, hs, h = together(dhs, *cache)
    return active().simple_rnn_backward(dhs, None, xs, Wx, Wh, hs, h, need_dh0=True)[:5]


class RNN(Recurrent):
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

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:
        """Return the next state."""
        _, h_next, self.cache = _forward(one_step(x), h_prev, self.params)
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of x and h_prev; those of the weights are ``grads``."""
        dx, dWx, dWh, db, dh_prev = _backward(one_step(dh_next), self.cache)
        self._keep(dWx, dWh, db)
        return dx[:, 0], dh_prev


class TimeRNN(Recurrent):
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

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, stateful: bool = False):
        super().__init__(Wx, Wh, b)
        self.h: Any = None
        self.dh: Any = None
        self.stateful = stateful

    def forward(self, xs: np.ndarray) -> np.ndarray:
        """Return the states of all steps."""
        hs, self.h, self.cache = _forward(xs, self.h if self.stateful else None, self.params)
        return hs

    def backward(self, dhs: np.ndarray) -> np.ndarray:
        """Return the gradient of xs; those of the weights are ``grads``."""
        dxs, dWx, dWh, db, self.dh = _backward(dhs, self.cache)
        self._keep(dWx, dWh, db)
        return dxs

    def set_state(self, h: Any) -> None:
        """Start the next call of a stateful layer from h."""
        self.h = h

    def reset_state(self) -> None:
        """Start the next call from zero."""
        self.h = None
