"""What the recurrent layers share: weights, states, and the order of the gates.

The kernels have their own order of gates. Each call gives them the weights in that order, and takes the gradients back
in the book's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._layer import Layer, gradient, parameter

__all__ = ["Recurrent", "gates_in_order", "one_step", "wanted"]


class Recurrent(Layer):
    """A layer with weights Wx (D, G·H), Wh (H, G·H) and b (G·H,)."""

    Wx, dWx = parameter(0, "Wx"), gradient(0, "Wx")
    Wh, dWh = parameter(1, "Wh"), gradient(1, "Wh")
    b, db = parameter(2, "b"), gradient(2, "b")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray):
        super().__init__(Wx, Wh, b)
        self.cache: Any = None


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
