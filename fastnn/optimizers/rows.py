"""Tables whose gradient is zero but for some rows: which rows a step has to visit.

An embedding's gradient has as many rows as the vocabulary, and all but those of the batch are zero.  A rule that leaves
a weight as it is when the gradient is zero need not look at the others.  SGD and Adagrad are such rules; those with
moments are, as long as the moments are zero, so they visit every row that has ever had a gradient.  The numbers are
those of the whole step, to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Table"]


class Table:
    """One parameter whose layer says, in ``rows``, where its gradient may not be zero.

    Parameters
    ----------
    parameter : Parameter
    w, g, *slots : arrays (V, D)
        Its value, its gradient, and the optimizer's state.
    decays : bool
        Whether weight decay, which changes all rows, is for it too.
    remembers : bool
        Whether rows with a past are visited too.
    """

    def __init__(self, parameter: Any, w: np.ndarray, g: np.ndarray, *slots: np.ndarray, decays: bool, remembers: bool):
        self.parameter, self.decays = parameter, decays
        self.w, self.g, self.slots = w, g, list(slots)
        self.flat = w.reshape(-1), g.reshape(-1), [slot.reshape(-1) for slot in slots]
        self.most = len(w) // 2  # beyond it, the whole is quicker
        self.touched = self.visited = None
        if remembers:
            bits = np.dtype(f"u{w.itemsize}")
            self.touched = np.zeros(len(w), bool)
            for slot in slots:
                self.touched |= slot.view(bits).any(axis=1)  # −0 counts: a step makes it 0
            self.visited = np.flatnonzero(self.touched)

    def rows(self) -> np.ndarray | None:
        """The rows that this step has to visit, ascending; None for all."""
        rows = self.parameter.rows
        if self.touched is not None:
            rows = self._with_a_past(rows)
        return None if rows is None or len(rows) > self.most else rows

    def _with_a_past(self, rows: np.ndarray | None) -> np.ndarray | None:
        """The rows that have ever had a gradient, these among them; None once any, or too many, may have had one."""
        if rows is None:
            self.visited = None
        elif self.visited is not None and not self.touched[rows].all():
            self.touched[rows] = True
            self.visited = np.flatnonzero(self.touched)
            if len(self.visited) > self.most:
                self.visited = None
        return self.visited
