"""Values of a file that is being read: symbols of the model, and arrays that are known already.

A size that is open has a number all the same, a large prime of its own.  So the file's arithmetic on shapes is done in
NumPy on plain numbers, and where the result becomes a shape, the primes in it say which sizes are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....graph import Symbol

__all__ = ["PRIMES", "Known", "Tensor", "is_open"]

PRIMES = (
    99991,
    99989,
    99971,
    99961,
    99929,
    99923,
    99907,
    99901,
    99881,
    99877,
    99871,
    99859,
    99839,
    99833,
    99829,
    99823,
)
"""The numbers of open sizes; a size of a file that one of them divides would be taken for an open one."""


def is_open(number: Any) -> bool:
    """Whether a size depends on one that is open.

    Examples
    --------
    >>> is_open(768), is_open(12 * 99991)
    (False, True)
    """
    return int(number) != 0 and any(int(number) % prime == 0 for prime in PRIMES)


@dataclass(frozen=True, eq=False)
class Known:
    """An array of the file, or computed from such arrays and from sizes.

    Attributes
    ----------
    array : array
    inexact : bool
        Whether it holds fractions of open sizes, in which their primes cannot be seen any more.
    name : str
        Of the tensor in the file, if it is one.
    """

    array: np.ndarray
    inexact: bool = False
    name: str = ""

    @property
    def open(self) -> bool:
        """Whether a number in it depends on a size that is open."""
        if self.inexact or self.name:
            return self.inexact
        small = self.array.size <= 4096 and self.array.dtype.kind in "if"
        return small and any(
            float(n).is_integer() and is_open(n) for n in self.array.ravel().tolist() if np.isfinite(n)
        )


@dataclass(frozen=True, eq=False)
class Tensor:
    """A symbol of the model.

    Attributes
    ----------
    symbol : Symbol
    sizes : tuple of int
        Of the value; open sizes are primes.
    order : tuple of int or None
        Axis i of the value is axis ``order[i]`` of the symbol: a transpose that waits until it is needed.
    """

    symbol: Symbol
    sizes: tuple[int, ...]
    order: tuple[int, ...] | None = None

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.sizes)

    @property
    def dtype(self) -> str:
        """The dtype of the numbers."""
        return self.symbol.dtype
