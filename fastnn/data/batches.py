"""Batches: the few examples at a time that a model trains on.

Both classes here give, each time they are iterated, tuples ``(xs, ts, weights)``: an array for each input, and for each
output its targets and weights, or None.  All are ready arrays of the model's dtype.  ``ArrayBatches`` draws them from
whole arrays, which are never copied: rows are gathered and cast batch by batch.

``draw`` is the cheap half of an iteration, the row numbers or what the source yields, and ``prepare`` makes a batch of
it; so a resumed run skips the batches that were already done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from .. import backend
from .dataset import Dataset
from .texts import as_texts

__all__ = ["ArrayBatches", "Batch", "IterableBatches"]

Arrays = tuple[np.ndarray | None, ...]
Batch = tuple[tuple[np.ndarray, ...], Arrays, Arrays]
"""The inputs, the targets of each output, and the weights of each output."""


class _Rows:
    """Rows of one array, cast to ``dtype`` in a reused buffer; with dtype None they keep their dtype."""

    def __init__(self, array: np.ndarray, batch_size: int, dtype: str | None, shuffle: bool):
        self.array, self.dtype = array, dtype or array.dtype.name
        contiguous = array.flags.c_contiguous
        self.ready = contiguous and array.dtype.name == self.dtype
        self.gathers = contiguous and dtype in ("float32", "float64") and array.dtype != np.float16
        self.buffer: Any = None
        if self.gathers and (shuffle or not self.ready):
            self.buffer = np.empty((min(batch_size, len(array)), *array.shape[1:]), self.dtype)

    def part(self, start: int, index: np.ndarray) -> np.ndarray:
        """Return the rows ``index``, which are consecutive from ``start``."""
        return self.array[start : start + len(index)] if self.ready else self.gather(index)

    def gather(self, index: np.ndarray) -> np.ndarray:
        """Return the rows ``index``."""
        if self.dtype == "string":
            return as_texts("x", self.array[index])
        if self.gathers:
            return backend.active().gather_rows(self.array, index, self.dtype, out=self.buffer[: len(index)])
        return np.ascontiguousarray(self.array[index], self.dtype)


class ArrayBatches:
    """Batches of arrays in memory.

    Parameters
    ----------
    xs : sequence of array (N, …) of any numeric dtype
        One for each input.
    ts, weights : sequence of array (N, …) or None
        One for each output. Targets that are floats are cast to ``dtype``; integer labels stay.
    batch_size : int
        The last batch may be smaller.
    dtype : {"float32", "float64"}
    generator : numpy.random.Generator, optional
        Shuffles again at each iteration; None keeps the order.
    x_dtypes : sequence of str or None, optional
        Another dtype for an input: "int64" for ids, "string" for texts.

    Examples
    --------
    >>> batches = ArrayBatches([np.arange(5, dtype=np.uint8)[:, None]], batch_size=2)
    >>> [x.ravel().tolist() for (x,), ts, weights in batches], batches.steps
    ([[0.0, 1.0], [2.0, 3.0], [4.0]], 3)
    """

    def __init__(
        self,
        xs: Sequence[np.ndarray],
        ts: Sequence[np.ndarray | None] = (),
        weights: Sequence[np.ndarray | None] = (),
        batch_size: int = 32,
        dtype: str = "float32",
        generator: np.random.Generator | None = None,
        x_dtypes: Sequence[str | None] | None = None,
    ):
        self.rows, self.batch_size, self.generator = len(xs[0]), batch_size, generator
        self.steps = math.ceil(self.rows / batch_size)
        shuffle = generator is not None
        dtypes = x_dtypes or [None] * len(xs)
        self._xs = [_Rows(x, batch_size, kind or dtype, shuffle) for x, kind in zip(xs, dtypes, strict=True)]
        self._ts: list[Any] = [
            None if t is None else _Rows(t, batch_size, dtype if t.dtype.kind == "f" else None, shuffle) for t in ts
        ]
        self._weights = [
            None if w is None else _Rows(np.ascontiguousarray(w, dtype), batch_size, None, shuffle) for w in weights
        ]
        self._single = shuffle and len(xs) == len(ts) == len(weights) == 1 and weights[0] is None and ts[0] is not None

    def draw(self) -> Iterator[tuple[int, np.ndarray]]:
        """The first position and the row numbers of each batch."""
        order = np.arange(self.rows) if self.generator is None else self.generator.permutation(self.rows)
        return ((i, order[i : i + self.batch_size]) for i in range(0, self.rows, self.batch_size))

    def prepare(self, drawn: tuple[int, np.ndarray]) -> Batch:
        """The batch of these rows."""
        start, index = drawn
        xs, ts, weights = self._xs, self._ts, self._weights
        if self._single:
            return (xs[0].gather(index),), (ts[0].gather(index),), (None,)
        if self.generator is not None:
            return (
                tuple([x.gather(index) for x in xs]),
                tuple([None if t is None else t.gather(index) for t in ts]),
                tuple([None if w is None else w.gather(index) for w in weights]),
            )
        return (
            tuple([x.part(start, index) for x in xs]),
            tuple([None if t is None else t.part(start, index) for t in ts]),
            tuple([None if w is None else w.part(start, index) for w in weights]),
        )

    def __iter__(self) -> Iterator[Batch]:
        return map(self.prepare, self.draw())

    def describe(self) -> dict[str, Any]:
        """What decides how the data are cut into batches."""
        return {
            "data": "arrays",
            "examples": self.rows,
            "batch_size": self.batch_size,
            "shuffle": self.generator is not None,
        }

    def get_state(self) -> dict[str, Any]:
        """What decides the orders to come."""
        return {} if self.generator is None else dict(self.generator.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Draw on from what ``get_state`` returned."""
        if self.generator is not None:
            self.generator.bit_generator.state = state


class IterableBatches:
    """Batches from anything that yields them: a generator, a list of batches, a ``Dataset``.

    Parameters
    ----------
    source : iterable of x, (x, y) or (x, y, sample_weight)
    prepare : callable
        Makes ``(xs, ts, weights)`` of what the source yields.

    Attributes
    ----------
    steps : int or None
        The number of batches, if the source has a length.
    """

    def __init__(self, source: Any, prepare: Callable[[Any], Batch]):
        self.source, self.prepare = source, prepare
        self.steps: int | None
        try:
            self.steps = len(source)
        except TypeError:  # no length, or a Dataset of unknown length
            self.steps = None
        self._open: Iterator[Any] | None = None
        self._state = source.get_state() if isinstance(source, Dataset) else {}

    def peek(self, what: str) -> Any:
        """Return the first item of the source; the next iteration still starts with it.

        Raises
        ------
        ValueError
            If the source yields nothing. ``what`` names the caller in the message.
        """
        iterator = _elements(self.source)
        try:
            first = next(iterator)
        except StopIteration:
            raise ValueError(
                f"{what} needs data. Received: a {type(self.source).__name__} that yields no batch."
            ) from None
        self._open = chain([first], iterator)
        return first

    def draw(self) -> Iterator[Any]:
        """What the source yields."""
        source, self._open = _elements(self.source) if self._open is None else self._open, None
        return source

    def __iter__(self) -> Iterator[Batch]:
        return map(self.prepare, self.draw())

    def describe(self) -> dict[str, Any]:
        """What decides how the data are cut into batches."""
        return {"data": type(self.source).__name__, "batches": self.steps}

    def get_state(self) -> dict[str, Any]:
        """What decided the orders before ``peek``; of a source that is not a ``Dataset`` nothing is known."""
        return self._state

    def set_state(self, state: dict[str, Any]) -> None:
        """Draw as from ``get_state`` on."""
        if state != self._state:  # else the iteration that peek began is the one that is meant
            self._open = None
            self.source.set_state(state)
            self._state = state


def _elements(source: Any) -> Iterator[Any]:
    return source.as_numpy_iterator() if isinstance(source, Dataset) else iter(source)
