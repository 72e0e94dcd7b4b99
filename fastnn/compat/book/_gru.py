"""The gated recurrent unit with the book's gates z r h: GRU of one step, TimeGRU of sequences.

The book's z weighs the new state, the kernels' the old one. As 1 − sigmoid(a) = sigmoid(−a), the kernels are given the
weights of z with the other sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._sequence import OneStep, TimeSteps, WithOneState

__all__ = ["GRU", "TimeGRU"]


def _turned(a: np.ndarray) -> np.ndarray:
    """A copy of weights (…, 3H) with the sign of z's third turned."""
    a = a.copy()
    third = a[..., : a.shape[-1] // 3]
    np.negative(third, out=third)
    return a


class _Steps(WithOneState):
    """The kernels with the weights of z turned, and their gradients turned back."""

    def _run(self, xs: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        xs, Wx, Wh, b, h = together(xs, *self.params, h)
        Wx, Wh, b = (_turned(a) for a in (Wx, Wh, b))
        hs, last, gates, inner = active().gru_forward(xs, Wx, Wh, b, h, reset_after=False)
        return hs, last, (xs, Wx, Wh, hs, gates, inner, h)

    def _run_back(self, dhs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        dhs, *cache = together(dhs, *self.cache)
        dx, dWx, dWh, db, dh, _ = active().gru_backward(dhs, None, *cache, reset_after=False, need_dh0=True)
        return dx, [_turned(a) for a in (dWx, dWh, db)], dh


class GRU(_Steps, OneStep):
    """One step, h_next = (1 − z) · h_prev + z · ĥ,  ĥ = tanh(x · Wxh + (r · h_prev) · Whh + bh).

    z and r are the sigmoids of x · Wx + h_prev · Wh + b in the first and second third of the columns; ĥ has the last.

    x (N, D), h_prev (N, H), Wx (D, 3H), Wh (H, 3H), b (3H,) → h_next (N, H).

    Examples
    --------
    >>> layer = GRU(np.zeros((1, 3)), np.zeros((1, 3)), np.array([0.0, 0, 100]))  # z ½, ĥ 1
    >>> layer.forward(np.zeros((1, 1)), np.full((1, 1), 3.0))
    array([[2.]])
    """


class TimeGRU(_Steps, TimeSteps):
    """Sequences through GRU; a stateful layer continues where the last call ended.

    xs (N, T, D) → hs (N, T, H). After backward ``dh`` is the gradient of the first state.

    Examples
    --------
    >>> layer = TimeGRU(np.zeros((1, 3)), np.zeros((1, 3)), np.array([0.0, 0, 100]))
    >>> layer.forward(np.zeros((1, 2, 1))).ravel()
    array([0.5 , 0.75])
    """
