"""Sweep: the record of one kernel's run over whole sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Sweep"]


@dataclass(slots=True)
class Sweep:
    """One run of a kernel over whole sequences: what went in, and what backward needs.

    A *sweep* goes through all steps of all sequences at once, in one kernel; the other way is step by step
    (``steps.py``).
    """

    x: np.ndarray
    states: Sequence[np.ndarray | None]
    mask: np.ndarray | None
    backwards: bool
    sequences: bool
    x_dropout: np.ndarray | None
    h_dropout: np.ndarray | None
    saved: Any = None

    @property
    def last(self) -> int:
        """The step that is processed last."""
        return 0 if self.backwards else self.x.shape[1] - 1

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that all recurrent kernels have by these names."""
        return {"x_dropout": self.x_dropout, "h_dropout": self.h_dropout, "go_backwards": self.backwards}
