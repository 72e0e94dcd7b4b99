"""What the recurrent layers share: weights, states, and the order of the gates.

The kernels have their own order of gates. Each call gives them the weights in that order, and takes the gradients back
in the book's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._layer import Layer, gradient, parameter

__all__ = ["OneStep", "Recurrent", "TimeSteps", "WithOneState", "gates_in_order", "one_step", "wanted"]


class Recurrent(Layer):
    """A layer with weights Wx (D, G·H), Wh (H, G·H) and b (G·H,)."""

    Wx, dWx = parameter(0, "Wx"), gradient(0, "Wx")
    Wh, dWh = parameter(1, "Wh"), gradient(1, "Wh")
    b, db = parameter(2, "b"), gradient(2, "b")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray):
        super().__init__(Wx, Wh, b)
        self.cache: Any = None


class WithOneState(Recurrent):
    """A layer whose only state is h: what a step computes is in ``_run`` and ``_run_back``."""

    def _run(self, xs: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        """Run sequences; return all states, the last one, and what backward needs."""
        raise NotImplementedError

    def _run_from(self, h: np.ndarray | None, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        """Run sequences from a state, or from zeros."""
        return self._run(xs, np.zeros((xs.shape[0], self.params[1].shape[0]), np.float32) if h is None else h)

    def _run_back(self, dhs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        """The gradients dx, [dWx, dWh, db] and dh."""
        raise NotImplementedError


class OneStep(WithOneState):
    """A layer of one step: x (N, D), h_prev (N, H) → h_next (N, H)."""

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:
        """Return the next state."""
        _, h_next, self.cache = self._run_from(h_prev, one_step(x))
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of x and h_prev; those of the weights are ``grads``."""
        dx, weights, dh_prev = self._run_back(one_step(dh_next))
        self._keep(*weights)
        return dx[:, 0], dh_prev


class TimeSteps(WithOneState):
    """A layer of sequences, xs (N, T, D) → hs (N, T, H); a stateful one continues where the last call ended."""

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, stateful: bool = False):
        super().__init__(Wx, Wh, b)
        self.h: Any = None
        self.dh: Any = None
        self.stateful = stateful

    def forward(self, xs: np.ndarray) -> np.ndarray:
        """Return the states of all steps."""
        hs, self.h, self.cache = self._run_from(self.h if self.stateful else None, xs)
        return hs

    def backward(self, dhs: np.ndarray) -> np.ndarray:
        """Return the gradient of xs; those of the weights are ``grads``."""
        dxs, weights, self.dh = self._run_back(dhs)
        self._keep(*weights)
        return dxs

    def set_state(self, h: Any) -> None:
        """Start the next call of a stateful layer from h."""
        self.h = h

    def reset_state(self) -> None:
        """Start the next call from zero."""
        self.h = None


def gates_in_order(a: np.ndarray, order: list[int]) -> np.ndarray:
    """Return a copy of weights (…, G·H) with their G blocks of columns in another order.

    Examples
    --------
    >>> gates_in_order(np.arange(4), [1, 0])
    array([2, 3, 0, 1])
    """
    blocks = a.reshape(*a.shape[:-1], len(order), -1)
    return blocks.take(order, axis=-2).reshape(a.shape)


def wanted(gradient: Any) -> np.ndarray | None:
    """A gradient as kernels take it: None for the number 0, by which the book means no gradient."""
    return None if np.ndim(gradient) == 0 else gradient


def one_step(a: np.ndarray) -> np.ndarray:
    """Rows (N, D) as sequences (N, 1, D) of one step."""
    return a[:, None]
