"""The guard of a training run: it keeps a copy of good weights, for the case that the loss becomes NaN or infinite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Guard"]

_EVERY = 256


class Guard:
    """Copies of the weights and of the optimizer's state, made every 256 steps at which the loss was finite.

    A loss that is NaN or infinite is noticed before the update.  If the batch itself is to blame, the weights are
    still good; otherwise they have diverged, and the copy is put back.
    """

    def __init__(self, arena: Any, optimizer: Any):
        self.arena, self.optimizer = arena, optimizer
        self.steps = 0
        self._weights: Any = None
        self._state: dict[str, Any] = {}
        self._kept_at = 0

    def checkpoint(self) -> None:
        """Called at each step whose loss is finite, before its update."""
        if self.steps % _EVERY == 0 and np.isfinite(self.arena.value).all():
            self._weights = self.arena.value.copy()
            self._state = {} if self.optimizer is None else self.optimizer.get_state()
            self._kept_at = self.steps
        self.steps += 1

    def restore(self, xs: Sequence[np.ndarray]) -> str:
        """Restore good weights if needed; return a sentence that describes the weights now.

        Parameters
        ----------
        xs : list of array
            The inputs of the batch that the loss was lost on.
        """
        if self._weights is None:
            return "It was the first batch; the weights are unchanged."
        if np.isfinite(self.arena.value).all() and not all(np.isfinite(x).all() for x in xs):
            return f"The batch itself holds NaN or infinity; the weights are those after {self.steps} good steps."
        return self._put_back()

    def check(self) -> str | None:
        """After the last update: put good weights back if these are not finite, and say so; None if all is well."""
        if self._weights is None or np.isfinite(self.arena.value).all():
            return None
        return self._put_back()

    def _put_back(self) -> str:
        np.copyto(self.arena.value, self._weights)
        if self._state:
            now = self.optimizer.get_state()
            self.optimizer.set_state(self._state | {k: now[k] for k in ("learning_rate",) if k in now})
        return f"The weights had diverged, and were restored to those after {self._kept_at} of {self.steps} steps."
