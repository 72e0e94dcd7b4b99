"""What writes lines: draws from a seed, and runs each line as soon as it is written."""

from __future__ import annotations

import random
from typing import Any

from .runner import Session

__all__ = ["Pen"]


class Pen:
    """Draws from a seed; the parts of a writer share it.

    Parameters
    ----------
    seed : int
    hostility : float
        The share of lines that get a value they should not have.
    """

    def __init__(self, seed: int, hostility: float = 0.15):
        self.rng, self.hostility = random.Random(seed), hostility
        self.session = Session(f"program {seed}")
        self.dtype = self.rng.choice(("float32", "float32", "float64"))
        self.count = 0

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def hostile(self) -> bool:
        return self.chance(self.hostility)

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def do(self, line: str) -> bool:
        return self.session.run(line)

    def found(self, kind: type, fits: Any = None) -> list[str]:
        return [name for name, value in self.session.own(kind).items() if fits is None or fits(value)]
