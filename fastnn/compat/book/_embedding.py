"""Rows of a table by their ids: Embedding and TimeEmbedding."""

from __future__ import annotations

import numpy as np

from ...backend import active
from ._arrays import together
from ._layer import Layer, gradient, parameter

__all__ = ["Embedding", "TimeEmbedding"]


class Embedding(Layer):
    """y = W[idx]: ids of any shape, W (V, D).

    Backward adds the gradients of all positions of an id.

    Examples
    --------
    >>> layer = Embedding(np.array([[0.0, 1.0], [2.0, 3.0]]))
    >>> layer.forward(np.array([1, 1, 0]))
    array([[2., 3.],
           [2., 3.],
           [0., 1.]])
    >>> layer.backward(np.ones((3, 2)))
    >>> layer.grads[0]
    array([[1., 1.],
           [2., 2.]])
    """

    W, dW = parameter(0, "W"), gradient(0, "W")

    def __init__(self, W: np.ndarray):
        super().__init__(W)
        self.idx: np.ndarray | None = None

    def forward(self, idx: np.ndarray) -> np.ndarray:
        """Return the rows, and keep the ids for backward."""
        self.idx = idx
        return active().embedding_forward(idx, *together(self.params[0]))

    def backward(self, dout: np.ndarray) -> None:
        """Compute the gradient of W, ``grads[0]``; ids have none."""
        (dout,) = together(dout)
        vocabulary = self.params[0].shape[0]
        dw, _ = active().embedding_backward(dout, self.idx, vocabulary, dw=self._place(0, dout.dtype))
        self._keep(dw)


class TimeEmbedding(Embedding):
    """y = W[xs] at every step: xs (N, T), W (V, D) → y (N, T, D).

    Examples
    --------
    >>> TimeEmbedding(np.array([[0.0], [2.0]])).forward(np.array([[1, 0]])).ravel()
    array([2., 0.])
    """
