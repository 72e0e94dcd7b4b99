"""Progbar: a line that grows as steps are done, for loops of one's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["Progbar"]


class Progbar:
    """A bar of steps done, with the means of numbers beside it.

    Parameters
    ----------
    target : int or None
        How many steps there are, where that is known.
    width : int
        Characters of the bar.
    verbose : {1, 0, 2}
        0: nothing; 2: one line, at the end.
    interval : float
        Accepted as Keras does; the line is written at each step.
    stateful_metrics : list of str, optional
        Numbers that are shown as they come, not as means.
    unit_name : str
        What a step is called.

    Examples
    --------
    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(1, [("loss", 3.0)])
    >>> bar.update(2, [("loss", 1.0)])
    2/2 - loss: 2.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Sequence[str] | None = None,
        unit_name: str = "step",
    ):
        self.target, self.width, self.verbose, self.unit_name = target, width, verbose, unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self._sums: dict[str, tuple[float, float]] = {}

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that ``current`` steps are done, with (name, number) pairs of the steps since the last call."""
        steps = max(current - self.seen, 1)
        for name, value in values or ():
            total, count = self._sums.get(name, (0.0, 0.0))
            fresh = name in self.stateful_metrics
            self._sums[name] = (float(value), 1.0) if fresh else (total + float(value) * steps, count + steps)
        self.seen = current
        done = (self.target is not None and current >= self.target) if finalize is None else finalize
        if self.verbose == 1:
            sys.stdout.write("\r" + self._line() + ("\n" if done else ""))
            sys.stdout.flush()
        elif self.verbose == 2 and done:
            sys.stdout.write(self._line(bar=False) + "\n")

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self.seen + n, values)

    def _line(self, bar: bool = True) -> str:
        known = self.target is not None
        parts = [f"{self.seen}/{self.target if known else '?'}"]
        if bar and self.target:
            full = min(self.width, self.width * self.seen // self.target)
            parts[0] += f" {'━' * full}{'─' * (self.width - full)}"
        numbers = [f"{name}: {total / count:.4f}" for name, (total, count) in self._sums.items()]
        return " - ".join([*parts, *numbers])
