"""The gated recurrent unit with the book's gates z r h: GRU of one step, TimeGRU of sequences.

The book's z weighs the new state, the kernels' the old one. As 1 − sigmoid(a) = sigmoid(−a), the kernels are given the
weights of z with the other sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._sequence import Recurrent, one_step

__all__ = ["GRU", "TimeGRU"]


def _turned(a: np.ndarray) -> np.ndarray:
    """A copy of weights (…, 3H) with the sign of z's third turned."""
    a = a.copy()
    third = a[..., : a.shape[-1] // 3]
    np.negative(third, out=third)
    return a


def _forward(xs: np.ndarray, h: np.ndarray | None, params: list[Any]) -> tuple[np.ndarray, np.ndarray, Any]:
    """Run sequences; return all states, the last one, and what backward needs."""
    if h is None:
        h = np.zeros((xs.shape[0], params[1].shape[0]), dtype=np.float32)
    xs, Wx, Wh, b, h = together(xs, *params, h)
    Wx, Wh, b = (_turned(a) for a in (Wx, Wh, b))
    hs, last, gates, inner = active().gru_forward(xs, Wx, Wh, b, h, reset_after=False)
    return hs, last, (xs, Wx, Wh, hs, gates, inner, h)


def _backward(dhs: np.ndarray, cache: Any) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """The gradients dx, [dWx, dWh, db] and dh."""
    dhs, *cache = together(dhs, *cache)
    dx, dWx, dWh, db, dh0, _ = active().gru_backward(dhs, None, *cache, reset_after=False, need_dh0=True)
    return dx, [_turned(a) for a in (dWx, dWh, db)], dh0


class GRU(Recurrent):
    """One step, h_next = (1 − z) · h_prev + z · ĥ,  ĥ = tanh(x · Wxh + (r · h_prev) · Whh + bh).

    z and r are the sigmoids of x · Wx + h_prev · Wh + b in the first and second third of the columns; ĥ has the last.

    x (N, D), h_prev (N, H), Wx (D, 3H), Wh (H, 3H), b (3H,) → h_next (N, H).

    Examples
    --------
    >>> layer = GRU(np.zeros((1, 3)), np.zeros((1, 3)), np.array([0.0, 0, 100]))  # z ½, ĥ 1
    >>> layer.forward(np.zeros((1, 1)), np.full((1, 1), 3.0))
    array([[2.]])
    """

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:
        """Return the next state."""
        _, h_next, self.cache = _forward(one_step(x), h_prev, self.params)
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of x and h_prev; those of the weights are ``grads``."""
        dx, weights, dh_prev = _backward(one_step(dh_next), self.cache)
        self._keep(*weights)
        return dx[:, 0], dh_prev


class TimeGRU(Recurrent):
    """Sequences through GRU; a stateful layer continues where the last call ended.

    xs (N, T, D) → hs (N, T, H). After backward ``dh`` is the gradient of the first state.

    Examples
    --------
    >>> layer = TimeGRU(np.zeros((1, 3)), np.zeros((1, 3)), np.array([0.0, 0, 100]))
    >>> layer.forward(np.zeros((1, 2, 1))).ravel()
    array([0.5 , 0.75])
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
        dxs, weights, self.dh = _backward(dhs, self.cache)
        self._keep(*weights)
        return dxs

    def set_state(self, h: Any) -> None:
        """Start the next call of a stateful layer from h."""
        self.h = h

    def reset_state(self) -> None:
        """Start the next call from zero."""
        self.h = None
