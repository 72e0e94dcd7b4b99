"""Tables whose gradient is zero except in some rows, and the rows that a step has to visit.

An embedding's gradient has as many rows as the vocabulary, and all except those of the batch are zero.  A rule that
leaves a weight unchanged when its gradient is zero can skip the others.  SGD and Adagrad are such rules.  Rules with
moments are too, as long as the moments are zero, so they visit every row that has ever had a gradient.  The results
equal those of the full step, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Table"]


class Table:
    """A parameter whose layer reports, in ``rows``, where its gradient may be nonzero.

    Parameters
    ----------
    parameter : Parameter
    w, g, *slots : arrays (V, D)
        Its value, its gradient, and the optimizer's state.
    decays : bool
        Whether weight decay, which changes all rows, applies to it.
    remembers : bool
        Whether rows with an earlier gradient are visited too.
    """

    def __init__(self, parameter: Any, w: np.ndarray, g: np.ndarray, *slots: np.ndarray, decays: bool, remembers: bool):
        self.parameter, self.decays = parameter, decays
        self.w, self.g, self.slots = w, g, list(slots)
        self.flat = w.reshape(-1), g.reshape(-1), [slot.reshape(-1) for slot in slots]
        self.most = len(w) // 2  # beyond this, the full step is faster
        self.touched: np.ndarray | None = None
        self.visited: np.ndarray | None = None
        if remembers:
            bits = np.dtype(f"u{w.itemsize}")
            self.touched = np.zeros(len(w), bool)
            for slot in slots:
                self.touched |= slot.view(bits).any(axis=1)  # −0 counts: a step turns it into 0
            self.visited = np.flatnonzero(self.touched)

    def rows(self) -> np.ndarray | None:
        """Return the rows that this step has to visit, in ascending order; None for all."""
        rows = self.parameter.rows
        if self.touched is not None:
            rows = self._ever_touched(rows)
        return None if rows is None or len(rows) > self.most else rows

    def _ever_touched(self, rows: np.ndarray | None) -> np.ndarray | None:
        """Return the rows that ever had a gradient, including these; None once that may be all rows, or too many."""
        if rows is None:
            self.visited = None
        elif self.visited is not None and self.touched is not None and not self.touched[rows].all():
            self.touched[rows] = True
            self.visited = np.flatnonzero(self.touched)
            if len(self.visited) > self.most:
                self.visited = None
        return self.visited
