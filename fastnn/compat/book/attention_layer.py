"""The second book's attention: a state of the decoder asks, the states of the encoder answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._activations import Softmax
from ._arrays import together

__all__ = ["Attention", "AttentionWeight", "TimeAttention", "WeightSum"]


class WeightSum:
    """The weighted sum of states, c = Σ_t a[t] · hs[t]: hs (N, T, H), a (N, T) → c (N, H).

    Examples
    --------
    >>> layer = WeightSum()
    >>> layer.forward(np.array([[[1.0], [3.0]]]), np.array([[0.5, 0.5]]))
    array([[2.]])
    >>> dhs, da = layer.backward(np.array([[1.0]]))
    >>> da
    array([[1., 3.]])
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.cache: Any = None

    def forward(self, hs: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return the sum."""
        self.cache = (hs, a)
        return np.matmul(a[:, None, :], hs)[:, 0]

    def backward(self, dc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of hs and a."""
        hs, a = self.cache
        return a[:, :, None] * dc[:, None, :], np.matmul(hs, dc[:, :, None])[:, :, 0]


class AttentionWeight:
    """The softmax of the products of a state with each of the others: hs (N, T, H), h (N, H) → a (N, T).

    Examples
    --------
    >>> layer = AttentionWeight()
    >>> layer.forward(np.array([[[0.0], [np.log(3)]]]), np.array([[1.0]]))
    array([[0.25, 0.75]])
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.softmax = Softmax()
        self.cache: Any = None

    def forward(self, hs: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Return the weights."""
        self.cache = (hs, h)
        return self.softmax.forward(np.matmul(hs, h[:, :, None])[:, :, 0])

    def backward(self, da: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of hs and h."""
        hs, h = self.cache
        ds = self.softmax.backward(da)
        return ds[:, :, None] * h[:, None, :], np.matmul(ds[:, None, :], hs)[:, 0]


class Attention:
    """What a state finds among the others: hs (N, T, H), h (N, H) → (N, H). ``attention_weight`` says where it looks.

    Examples
    --------
    >>> layer = Attention()
    >>> layer.forward(np.array([[[0.0], [np.log(3)]]]), np.array([[1.0]])).round(3), layer.attention_weight
    (array([[0.824]]), array([[0.25, 0.75]]))
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.attention_weight_layer = AttentionWeight()
        self.weight_sum_layer = WeightSum()
        self.attention_weight: Any = None

    def forward(self, hs: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Return the sum of the states by their weights."""
        self.attention_weight = a = self.attention_weight_layer.forward(hs, h)
        return self.weight_sum_layer.forward(hs, a)

    def backward(self, dout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of hs and h."""
        dhs, da = self.weight_sum_layer.backward(dout)
        more, dh = self.attention_weight_layer.backward(da)
        return dhs + more, dh


class TimeAttention:
    """Attention at every step of the decoder: hs_enc (N, S, H), hs_dec (N, T, H) → (N, T, H), in one kernel.

    ``attention_weights`` is a list of T arrays (N, S).

    Examples
    --------
    >>> layer = TimeAttention()
    >>> layer.forward(np.array([[[0.0], [np.log(3)]]]), np.array([[[1.0]]])).round(3)
    array([[[0.824]]])
    >>> layer.attention_weights
    [array([[0.25, 0.75]])]
    """

    def __init__(self) -> None:
        self.params: list[Any] = []
        self.grads: list[Any] = []
        self.attention_weights: Any = None

    def forward(self, hs_enc: np.ndarray, hs_dec: np.ndarray) -> np.ndarray:
        """Return what each state of the decoder finds."""
        states, queries = together(hs_enc, hs_dec)
        keys, q = states[:, :, None], queries[:, :, None]  # one head
        y, lse, weights = active().attention_forward(q, keys, keys, scale=1.0, need_scores=True)
        self._cache = (q, keys, keys, y, lse)
        self.attention_weights = list(weights[:, 0].transpose(1, 0, 2))
        return y[:, :, 0]

    def backward(self, dout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients of hs_enc and hs_dec."""
        dout, *cache = together(dout[:, :, None], *self._cache)
        dq, dk, dv = active().attention_backward(dout, *cache, scale=1.0)
        dk += dv
        return dk[:, :, 0], dq[:, :, 0]
