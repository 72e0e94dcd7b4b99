"""Batches: what a model trains on, a few examples at a time.

Both classes here give, each time they are iterated, tuples ``(x, t, weight)``: ready arrays of the model's dtype;
targets and weights may be None.  ``ArrayBatches`` draws them from whole arrays, which are never copied: rows are
gathered and cast batch by batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from .. import backend

__all__ = ["ArrayBatches", "Batch", "IterableBatches"]

Batch = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]


class _Rows:
    """Rows of one array, cast to ``dtype`` in a buffer of their own; dtype None takes them as they are."""

    def __init__(self, array: np.ndarray, batch_size: int, dtype: str | None, shuffle: bool):
        self.array, self.dtype = array, dtype or array.dtype.name
        contiguous = array.flags.c_contiguous
        self.ready = contiguous and array.dtype.name == self.dtype
        self.gathers = contiguous and dtype in ("float32", "float64") and array.dtype != np.float16
        self.buffer = None
        if self.gathers and (shuffle or not self.ready):
            self.buffer = np.empty((min(batch_size, len(array)), *array.shape[1:]), self.dtype)

    def part(self, start: int, index: np.ndarray) -> np.ndarray:
        """The rows ``index``, which are those from ``start`` on, in order."""
        return self.array[start : start + len(index)] if self.ready else self.take(index)

    def take(self, index: np.ndarray) -> np.ndarray:
        """The rows ``index``."""
        if self.gathers:
            return backend.active().gather_rows(self.array, index, self.dtype, out=self.buffer[: len(index)])
        return np.ascontiguousarray(self.array[index], self.dtype)


class ArrayBatches:
    """Batches of arrays that lie in memory.

    Parameters
    ----------
    x : array (N, …) of any numeric dtype
    t, weight : array (N, …), optional
        Targets that are floats are cast to ``dtype``; integer labels stay.
    batch_size : int
        The last batch may be smaller.
    dtype : {"float32", "float64"}
    generator : numpy.random.Generator, optional
        Shuffles anew at each iteration; None keeps the order.
    x_dtype : str, optional
        Another dtype for x: "int64" for ids.

    Examples
    --------
    >>> batches = ArrayBatches(np.arange(5, dtype=np.uint8)[:, None], batch_size=2)
    >>> [x.ravel().tolist() for x, t, weight in batches], batches.steps
    ([[0.0, 1.0], [2.0, 3.0], [4.0]], 3)
    """

    def __init__(
        self,
        x: np.ndarray,
        t: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        batch_size: int = 32,
        dtype: str = "float32",
        generator: np.random.Generator | None = None,
        x_dtype: str | None = None,
    ):
        self.rows, self.batch_size, self.generator = len(x), batch_size, generator
        self.steps = math.ceil(self.rows / batch_size)
        shuffle = generator is not None
        self._x = _Rows(x, batch_size, x_dtype or dtype, shuffle)
        self._t = None if t is None else _Rows(t, batch_size, dtype if t.dtype.kind == "f" else None, shuffle)
        self._weight = None if weight is None else _Rows(np.ascontiguousarray(weight, dtype), batch_size, None, shuffle)

    def __iter__(self) -> Iterator[Batch]:
        x, t, weight, size = self._x, self._t, self._weight, self.batch_size
        if self.generator is None:
            order = np.arange(self.rows)
            for start in range(0, self.rows, size):
                index = order[start : start + size]
                yield (
                    x.part(start, index),
                    None if t is None else t.part(start, index),
                    None if weight is None else weight.part(start, index),
                )
        else:
            order = self.generator.permutation(self.rows)
            for start in range(0, self.rows, size):
                index = order[start : start + size]
                yield (
                    x.take(index),
                    None if t is None else t.take(index),
                    None if weight is None else weight.take(index),
                )


class IterableBatches:
    """Batches from anything that yields them: a generator, a list of batches, a data set object.

    Parameters
    ----------
    source : iterable of x, (x, y) or (x, y, sample_weight)
    prepare : callable
        Makes ``(x, t, weight)`` of what the source yields.

    Attributes
    ----------
    steps : int or None
        The number of batches, where the source has a length.
    """

    def __init__(self, source: Iterable[Any], prepare: Callable[[Any], Batch]):
        self.source, self.prepare = source, prepare
        try:
            self.steps = len(source)
        except TypeError:  # no length, or a Dataset that does not know its own
            self.steps = None
        self._open: Iterator[Any] | None = None

    def peek(self, what: str) -> Any:
        """What the source yields first; the next iteration still starts with it.

        Raises
        ------
        ValueError
            If the source yields nothing; ``what`` needs it.
        """
        iterator = iter(self.source)
        try:
            first = next(iterator)
        except StopIteration:
            raise ValueError(
                f"{what} needs data. Received: a {type(self.source).__name__} that yields no batch."
            ) from None
        self._open = chain([first], iterator)
        return first

    def __iter__(self) -> Iterator[Batch]:
        source, self._open = iter(self.source) if self._open is None else self._open, None
        for item in source:
            yield self.prepare(item)
