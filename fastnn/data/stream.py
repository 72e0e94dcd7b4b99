"""A stream of elements, and the steps that rearrange them.

``Stream`` knows only how to start again, and nothing about its elements.  ``rows.Rows`` is a stream whose elements are
rows of arrays in memory; it performs the same steps on row numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from itertools import repeat as always
from typing import Any, TypeVar

import numpy as np

from ..seeds import draw_key
from .joining import Column
from .structure import flatten, map_leaves, same_structure

__all__ = ["INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Orders", "Stream", "columns", "locked", "shuffled"]

INFINITE_CARDINALITY = -1
"""The ``cardinality()`` of a dataset that never ends."""

UNKNOWN_CARDINALITY = -2
"""The ``cardinality()`` of a dataset whose length only an iteration would tell."""

_DRAWS = 1024
T = TypeVar("T")


class Orders:
    """The random generators of a shuffle: one for each iteration, all fixed when ``shuffle`` is called.

    Iteration n uses the Philox stream of (key, n), whichever thread runs it and whatever else draws random numbers.
    """

    def __init__(self, seed: int | None, again: bool):
        self.key = draw_key() if seed is None else int(seed) % (1 << 64)
        self.again, self.iterations = again, 0

    def __call__(self) -> np.random.Generator:
        number = self.iterations
        self.iterations += self.again
        return np.random.Generator(np.random.Philox(key=np.array([self.key, number], np.uint64)))


def shuffled(items: Iterator[T], size: int, generator: np.random.Generator) -> Iterator[T]:
    """Yield items drawn from a buffer of ``size`` items, each replaced by the next item of the source.

    If the buffer holds all items, this is a uniform permutation.
    """
    buffer = list(islice(items, size))
    draws: Iterator[int] = iter(())
    if len(buffer) == size:
        for item in items:
            place = next(draws, None)
            if place is None:
                draws = iter((generator.random(_DRAWS) * size).astype(np.int64).tolist())
                place = next(draws)
            drawn, buffer[place] = buffer[place], item
            yield drawn
    for place in generator.permutation(len(buffer)).tolist():
        yield buffer[place]


class Stream:
    """Elements that can be iterated again and again.

    Parameters
    ----------
    start : callable
        Returns a new iterator over the elements.
    cardinality : int
        The number of elements, or one of the two constants above.
    spec : callable, optional
        Returns the ``TensorSpec`` of an element, if it is known in advance.
    """

    def __init__(
        self,
        start: Callable[[], Iterator[Any]],
        cardinality: int = UNKNOWN_CARDINALITY,
        spec: Callable[[], Any] | None = None,
    ):
        self.start, self.cardinality, self.spec = start, cardinality, spec

    def __iter__(self) -> Iterator[Any]:
        return self.start()

    def take(self, count: int) -> Stream:
        """Keep the first ``count`` elements; all if it is negative."""
        if count < 0:
            return self
        return Stream(lambda: islice(iter(self), count), taken(self.cardinality, count), self.spec)

    def skip(self, count: int) -> Stream:
        """Leave out the first ``count`` elements; all if it is negative."""
        if count < 0:
            return Stream(lambda: iter(()), 0, self.spec)
        return Stream(lambda: islice(iter(self), count, None), skipped(self.cardinality, count), self.spec)

    def repeat(self, count: int) -> Stream:
        """Repeat the elements ``count`` times; forever if it is negative."""

        def start() -> Iterator[Any]:
            for _ in always(None) if count < 0 else range(count):
                empty = True
                for element in self:
                    empty = False
                    yield element
                if empty:
                    return

        return Stream(start, repeated(self.cardinality, count), self.spec)

    def shuffle(self, size: int, orders: Orders) -> Stream:
        """Shuffle the elements, in a new order on each iteration."""
        return Stream(lambda: shuffled(iter(self), size, orders()), self.cardinality, self.spec)

    def cache(self) -> Stream:
        """Keep the elements in memory after the first full iteration."""
        kept: list[list[Any]] = []

        def start() -> Iterator[Any]:
            if kept:
                yield from kept[0]
                return
            seen = []
            for element in self:
                seen.append(map_leaves(locked, element))
                yield seen[-1]
            kept.append(seen)

        return Stream(start, self.cardinality, self.spec)

    def blocks(self, size: int, drop_remainder: bool) -> Iterator[tuple[Any, list[Column]]]:
        """Yield blocks of ``size`` elements: their structure, and a column of rows for each leaf."""
        elements = iter(self)
        while block := list(islice(elements, size)):
            if len(block) < size and drop_remainder:
                return
            yield columns(block)


def columns(block: list[Any]) -> tuple[Any, list[Column]]:
    """Return the structure of the elements, and the column of each leaf.

    Raises
    ------
    ValueError
        If they are nested differently.
    """
    first = block[0]
    for element in block:
        if not same_structure(first, element):
            raise ValueError(f"The elements of a batch must be nested alike. Received: {first!r} and {element!r}.")
    if isinstance(first, (tuple, dict)):
        return first, list(map(list, zip(*map(flatten, block), strict=True)))
    return first, [block]


def locked(leaf: Any) -> Any:
    """Return a read-only view of an array that will be handed out again."""
    if isinstance(leaf, np.ndarray) and leaf.flags.writeable:
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf


def taken(cardinality: int, count: int) -> int:
    """Return the cardinality after ``take(count)``."""
    if cardinality == INFINITE_CARDINALITY or count == 0:
        return count
    return cardinality if cardinality < 0 else min(cardinality, count)


def skipped(cardinality: int, count: int) -> int:
    """Return the cardinality after ``skip(count)``."""
    return cardinality if cardinality < 0 else max(cardinality - count, 0)


def repeated(cardinality: int, count: int) -> int:
    """Return the cardinality after ``repeat(count)``."""
    if 0 in (cardinality, count):
        return 0
    if count < 0 or cardinality == INFINITE_CARDINALITY:
        return INFINITE_CARDINALITY
    return cardinality if cardinality < 0 else cardinality * count
