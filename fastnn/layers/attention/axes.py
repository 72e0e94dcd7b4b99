"""Which axes are attended over: those become the one axis of time that the kernels know, the others join the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["AttentionAxes"]


class AttentionAxes:
    """The axes between batch and heads, in two groups.

    Parameters
    ----------
    rank : int
        Of the inputs (batch, …, features).
    attended : sequence of int or None
        The axes that are attended over; None: all between the batch and the features.
    """

    def __init__(self, rank: int, attended: Sequence[int] | None):
        self.attended = tuple(range(1, rank - 1)) if attended is None else tuple(attended)
        self.apart = tuple(i for i in range(1, rank - 1) if i not in self.attended)
        self.in_order = not self.apart and self.attended == tuple(range(1, rank - 1))
        self._order = (0, *self.apart, *self.attended, rank - 1, rank)  # of (batch, …, heads, depth)
        self._back = tuple(int(i) for i in np.argsort(self._order))

    def steps(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Sizes of the attended axes of an array (batch, …)."""
        return tuple(shape[i] for i in self.attended)

    def fold(self, x: np.ndarray) -> np.ndarray:
        """(batch, …, heads, depth) as (batch', steps, heads, depth)."""
        if x.ndim == 4 and self.in_order:
            return x
        batch = len(x) * math.prod(x.shape[i] for i in self.apart)
        transposed = x if self.in_order else x.transpose(self._order)
        return np.ascontiguousarray(transposed).reshape(batch, math.prod(self.steps(x.shape)), *x.shape[-2:])

    def unfold(self, y: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """The same the other way round, for the axes between of an array of this shape (batch, …)."""
        if len(shape) == 3 and self.in_order:
            return y
        transposed = y.reshape(*(shape[i] for i in self._order[:-2]), *y.shape[-2:])
        return transposed if self.in_order else np.ascontiguousarray(transposed.transpose(self._back))

    def unfold_scores(self, scores: np.ndarray, query: Sequence[int], key: Sequence[int]) -> np.ndarray:
        """(batch', heads, queries, keys) as (batch, apart…, heads, queries…, keys…)."""
        outer = (query[0], *(query[i] for i in self.apart))
        return scores.reshape(*outer, scores.shape[1], *self.steps(query), *self.steps(key))

    def fold_mask(self, mask: np.ndarray, query: Sequence[int], key: Sequence[int]) -> np.ndarray:
        """A mask of pairs, whose trailing axes are queries… and keys…, as one of four axes at most.

        Raises
        ------
        ValueError
            If it does not stretch over the scores.
        """
        if len(query) == 3 and self.in_order:
            return mask
        steps = (*self.steps(query), *self.steps(key))
        outer = (query[0], *(query[i] for i in self.apart))
        lead = mask.shape[: mask.ndim - len(steps)]
        heads = lead[len(outer)] if len(lead) > len(outer) else 1
        lead = (*lead[: len(outer)], *[1] * (len(outer) - len(lead)), heads)
        trail = mask.shape[mask.ndim - len(steps) :] if mask.ndim >= len(steps) else mask.shape
        full = np.broadcast_to(mask.reshape(*lead, *trail), (*outer, heads, *steps))
        return full.reshape(math.prod(outer), heads, math.prod(self.steps(query)), math.prod(self.steps(key)))
