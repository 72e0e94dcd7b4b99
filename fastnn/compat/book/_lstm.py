"""Long short-term memory with the book's order of gates, f g i o: LSTM of one step, TimeLSTM and TimeBiLSTM."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._sequence import Recurrent, gates_in_order, one_step, wanted

__all__ = ["LSTM", "TimeBiLSTM", "TimeLSTM"]

_TO_KERNEL = [2, 0, 1, 3]  # f g i o → i f g o
_TO_BOOK = [1, 2, 0, 3]


def _forward(xs: np.ndarray, h: Any, c: Any, params: list[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Run sequences; return all states, the last h and c, and what backward needs."""
    zeros = np.zeros((xs.shape[0], params[1].shape[0]), dtype=np.float32)
    h, c = (zeros if state is None else state for state in (h, c))
    xs, Wx, Wh, b, h, c = together(xs, *params, h, c)
    Wx, Wh, b = (gates_in_order(a, _TO_KERNEL) for a in (Wx, Wh, b))
    hs, last_h, last_c, gates, cells = active().lstm_forward(xs, Wx, Wh, b, h, c)
    return hs, last_h, last_c, (xs, Wx, Wh, hs, gates, cells, h, c)


def _backward(dhs: np.ndarray, dc: Any, cache: Any) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, np.ndarray]:
    """The gradients dx, [dWx, dWh, db], dh and dc."""
    dhs, *cache = together(dhs, *cache)
    dc = None if (dc := wanted(dc)) is None else together(dhs, dc)[1]
    dx, dWx, dWh, db, dh0, dc0, _ = active().lstm_backward(dhs, None, dc, *cache, need_dstate0=True)
    return dx, [gates_in_order(a, _TO_BOOK) for a in (dWx, dWh, db)], dh0, dc0


class LSTM(Recurrent):
    """One step, c_next = f · c_prev + g · i;  h_next = o · tanh(c_next).

    f, g, i, o are the quarters of x · Wx + h_prev · Wh + b, g through tanh and the gates f, i, o through the sigmoid.

    x (N, D), h_prev, c_prev (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,) → h_next, c_next (N, H).

    Examples
    --------
    >>> layer = LSTM(np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 100, 0, 100]))  # f ½, g 1, i ½, o 1
    >>> h, c = layer.forward(np.zeros((1, 1)), np.zeros((1, 1)), np.full((1, 1), 3.0))
    >>> c
    array([[2.]])
    >>> dx, dh, dc = layer.backward(np.zeros((1, 1)), np.ones((1, 1)))
    >>> dc
    array([[0.5]])
    """

    def forward(self, x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the next state and cell."""
        _, h_next, c_next, self.cache = _forward(one_step(x), h_prev, c_prev, self.params)
        return h_next, c_next

    def backward(self, dh_next: np.ndarray, dc_next: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the gradients of x, h_prev and c_prev; those of the weights are ``grads``."""
        dx, weights, dh_prev, dc_prev = _backward(one_step(dh_next), dc_next, self.cache)
        self._keep(*weights)
        return dx[:, 0], dh_prev, dc_prev


class TimeLSTM(Recurrent):
    """Sequences through LSTM; a stateful layer continues where the last call ended.

    xs (N, T, D) → hs (N, T, H). After backward ``dh`` is the gradient of the first state.

    Examples
    --------
    >>> layer = TimeLSTM(np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 100, 0, 100]))
    >>> layer.forward(np.zeros((1, 2, 1))).shape, layer.c
    ((1, 2, 1), array([[0.75]]))
    """

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, stateful: bool = False):
        super().__init__(Wx, Wh, b)
        self.h: Any = None
        self.c: Any = None
        self.dh: Any = None
        self.stateful = stateful

    def forward(self, xs: np.ndarray) -> np.ndarray:
        """Return the states of all steps."""
        h, c = (self.h, self.c) if self.stateful else (None, None)
        hs, self.h, self.c, self.cache = _forward(xs, h, c, self.params)
        return hs

    def backward(self, dhs: np.ndarray) -> np.ndarray:
        """Return the gradient of xs; those of the weights are ``grads``."""
        dxs, weights, self.dh, _ = _backward(dhs, None, self.cache)
        self._keep(*weights)
        return dxs

    def set_state(self, h: Any, c: Any = None) -> None:
        """Start the next call of a stateful layer from h and c; None is zero."""
        self.h, self.c = h, c

    def reset_state(self) -> None:
        """Start the next call from zero."""
        self.h, self.c = None, None


class TimeBiLSTM:
    """Two LSTM layers, one from the first step to the last and one back, side by side: xs (N, T, D) → hs (N, T, 2H).

    Examples
    --------
    >>> weights = [np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 100, 0, 100])]
    >>> layer = TimeBiLSTM(*weights, *weights)
    >>> layer.forward(np.zeros((1, 2, 1))).round(3)
    array([[[0.462, 0.635],
            [0.635, 0.462]]])
    """

    def __init__(
        self,
        Wx1: np.ndarray,
        Wh1: np.ndarray,
        b1: np.ndarray,
        Wx2: np.ndarray,
        Wh2: np.ndarray,
        b2: np.ndarray,
        stateful: bool = False,
    ):
        self.forward_lstm = TimeLSTM(Wx1, Wh1, b1, stateful)
        self.backward_lstm = TimeLSTM(Wx2, Wh2, b2, stateful)
        self.params = self.forward_lstm.params + self.backward_lstm.params
        self.grads = self.forward_lstm.grads + self.backward_lstm.grads

    def forward(self, xs: np.ndarray) -> np.ndarray:
        """Return the states of both directions, in the order of xs."""
        onward = self.forward_lstm.forward(xs)
        back = self.backward_lstm.forward(xs[:, ::-1])
        return np.concatenate((onward, back[:, ::-1]), axis=2)

    def backward(self, dhs: np.ndarray) -> np.ndarray:
        """Return the gradient of xs; those of the weights are ``grads``."""
        units = dhs.shape[2] // 2
        dxs = self.forward_lstm.backward(dhs[:, :, :units])
        dxs += self.backward_lstm.backward(dhs[:, ::-1, units:])[:, ::-1]
        return dxs
