"""Word vectors without a softmax over all words: some wrong words beside each right one."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

from ...backend import active
from ._arrays import together
from ._embedding import Embedding
from ._layer import Layer, gradient, parameter

__all__ = ["EmbeddingDot", "NegativeSamplingLoss", "UnigramSampler"]


class EmbeddingDot:
    """The products of vectors with rows of a table: h (N, H), idx (N,), W (V, H) → (N,).

    Examples
    --------
    >>> layer = EmbeddingDot(np.array([[1.0, 0.0], [0.0, 2.0]]))
    >>> layer.forward(np.array([[3.0, 4.0]]), np.array([1]))
    array([8.])
    >>> layer.backward(np.array([1.0])), layer.grads[0]
    (array([[0., 2.]]), array([[0., 0.],
           [3., 4.]]))
    """

    def __init__(self, W: np.ndarray):
        self.embed = Embedding(W)
        self.params, self.grads = self.embed.params, self.embed.grads
        self.cache: Any = None

    def forward(self, h: np.ndarray, idx: np.ndarray) -> np.ndarray:
        """Return the products."""
        rows = self.embed.forward(idx)
        self.cache = (h, rows)
        return np.sum(rows * h, axis=1)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of h; that of W is ``grads[0]``."""
        h, rows = self.cache
        dout = dout.reshape(-1, 1)
        self.embed.backward(dout * h)
        return dout * rows


class UnigramSampler:
    """Draws words that are not the target, in proportion to (their count in the corpus) ** power, none twice.

    The draws are those of ``np.random.choice(V, sample_size, replace=False, p=p)`` for each target, with p[target] = 0,
    number by number: ``np.random.seed`` gives the book's samples. They are found in one cumulative sum for all targets
    instead of one for each.

    Examples
    --------
    >>> np.random.seed(0)
    >>> sampler = UnigramSampler(np.array([0, 1, 2, 3, 4, 1, 2, 3]), 0.75, 2)
    >>> sampler.get_negative_sample(np.array([1, 3, 0])).shape
    (3, 2)
    """

    def __init__(self, corpus: np.ndarray, power: float, sample_size: int):
        self.sample_size = sample_size
        counts = np.bincount(np.asarray(corpus))
        self.vocab_size = int(np.count_nonzero(counts))
        weights = np.power(counts[: self.vocab_size].astype(float), power)
        self.word_p = weights / weights.sum()
        self._p, self._sums = self.word_p.tolist(), np.cumsum(self.word_p).tolist()

    def get_negative_sample(self, target: np.ndarray) -> np.ndarray:
        """Return an array (N, sample_size) of int32, a row for each target."""
        if self.sample_size > self.vocab_size - 1:
            raise ValueError(
                f"sample_size must be below the number of words, {self.vocab_size}: none is drawn twice, and the "
                f"target not at all. Received: sample_size={self.sample_size}. "
                f"Use sample_size={self.vocab_size - 1} or less."
            )
        rows = [self._draw(word) for word in np.asarray(target).tolist()]
        return np.array(rows, dtype=np.int32).reshape(-1, self.sample_size)

    def _draw(self, target: int) -> list[int]:
        """Draw for one target: a repeated draw is drawn again from the rest."""
        found: list[int] = []
        while len(found) < self.sample_size:
            taken = sorted([target, *found])
            for draw in np.random.rand(self.sample_size - len(found)).tolist():
                word = self._at(draw, taken)
                if word not in found:
                    found.append(word)
        return found

    def _at(self, draw: float, taken: list[int]) -> int:
        """The word at `draw` (0 to 1) of the cumulative sum of all words but those taken, which ascend."""
        sums, p = self._sums, self._p
        at = draw * (sums[-1] - sum(p[word] for word in taken))
        for word in taken:
            if at < (sums[word - 1] if word else 0.0):
                break
            at += p[word]
        return min(bisect_right(sums, at), self.vocab_size - 1)


class NegativeSamplingLoss(Layer):
    """The binary losses of a right word and of `sample_size` wrong ones, added: h (N, H), target (N,), W (V, H).

    All words of a batch are one array (N, 1 + sample_size), so W has one gradient, where the book has a layer and a
    gradient for each.

    Examples
    --------
    >>> np.random.seed(0)
    >>> layer = NegativeSamplingLoss(np.zeros((3, 2)), np.array([0, 1, 2]), sample_size=1)
    >>> round(float(layer.forward(np.ones((1, 2)), np.array([0]))), 6)
    1.386294
    >>> layer.backward()
    array([[0., 0.]])
    """

    W, dW = parameter(0, "W"), gradient(0, "W")

    def __init__(self, W: np.ndarray, corpus: np.ndarray, power: float = 0.75, sample_size: int = 5):
        super().__init__(W)
        self.sample_size = sample_size
        self.sampler = UnigramSampler(corpus, power, sample_size)

    def forward(self, h: np.ndarray, target: np.ndarray) -> Any:
        """Draw the wrong words, and return the loss."""
        words = np.concatenate([np.asarray(target)[:, None], self.sampler.get_negative_sample(target)], axis=1)
        h, W = together(h, self.params[0])
        rows = active().embedding_forward(words, W)
        y = active().sigmoid(np.matmul(rows, h[:, :, None])[:, :, 0])
        p = 1 - y
        p[:, 0] = y[:, 0]
        self._cache = (h, words, rows, y)
        return -np.log(p + 1e-7).sum() / len(h)

    def backward(self, dout: Any = 1) -> np.ndarray:
        """Return the gradient of h; that of W is ``grads[0]``."""
        h, words, rows, y = self._cache
        dscore = y.copy()
        dscore[:, 0] -= 1
        dscore *= dout / len(h)
        drows = dscore[:, :, None] * h[:, None, :]
        dw, _ = active().embedding_backward(drows, words, len(self.params[0]), dw=self._place(0, h.dtype))
        self._keep(dw)
        return np.matmul(dscore[:, None, :], rows)[:, 0]
