"""Arrays whose sizes are open: made beside the inputs that those sizes are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .... import ops
from ....graph import Symbol
from .values import PRIMES, Tensor, is_open

if TYPE_CHECKING:
    from .reader import Reader

__all__ = ["count", "number", "zeros"]


def zeros(r: Reader, shape: Sequence[int]) -> Tensor:
    """Zeros of a shape with open sizes: of an array beside the inputs that they come from."""
    total: Any = None
    for axis, size in enumerate(shape):
        if is_open(size):
            column = ops.reshape(line(r, size), [-1 if i == axis else 1 for i in range(len(shape))])
            total = column if total is None else ops.add(total, column)
    made = r.record(ops.broadcast_to(total, [None if is_open(n) else n for n in shape]))
    r.made_of_zeros.add(id(made.symbol))
    return made


def line(r: Reader, size: int) -> Symbol:
    """Zeros (size,) for an open size."""
    if size not in r.sources:
        raise ValueError(
            "The file makes an array whose size is computed from an open one. Received: an open batch or length. "
            "Pass input_shape= with sizes that are all known."
        )
    tensor, axis = r.sources[size]
    others = [i for i in range(tensor.rank) if i != axis]
    symbol = ops.cast(ops.sum(tensor.symbol, axis=others) if others else tensor.symbol, "float32")
    return ops.zeros_like(symbol)


def number(r: Reader, size: int) -> Any:
    """A size as a number, or as a symbol where it is open."""
    prime = next((p for p in PRIMES if size % p == 0), None)
    if prime is None:
        return size
    return ops.sum(ops.cast(ops.add(line(r, prime), 1.0), "int64")) * number(r, size // prime)


def count(r: Reader, size: int) -> Any:
    """0, 1, … (size,) of int64."""
    prime = next((p for p in PRIMES if size % p == 0), None)
    if prime is None:
        return np.arange(size, dtype=np.int64)
    ones = ops.add(line(r, prime), 1.0)
    first = ops.cumsum(ops.cast(ones, "int64"), axis=0) - 1
    if size == prime:
        return first
    inner = count(r, size // prime)
    grid = ops.expand_dims(first, 1) * number(r, size // prime) + ops.reshape(inner, (1, -1))
    return ops.reshape(grid, (-1,))
