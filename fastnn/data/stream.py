"""A source of elements that come one after the other, and the ways to rearrange them.

``Stream`` knows nothing of its elements but how to start again.  ``rows.Rows`` is a stream whose elements are rows of
arrays in memory; it does the same things on row numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count as count_up
from itertools import islice
from itertools import repeat as always
from typing import Any, TypeVar

import numpy as np

from ..seeds import draw_key
from .joining import Column
from .structure import flatten, map_leaves, same_structure

__all__ = ["INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Orders", "Stream", "columns", "locked", "shuffled"]

INFINITE_CARDINALITY = -1
"""What ``cardinality()`` says of a data set that never ends."""

UNKNOWN_CARDINALITY = -2
"""What ``cardinality()`` says where only counting would tell."""

_DRAWS = 1024
T = TypeVar("T")


class Orders:
    """The generators of a shuffle: one for each iteration, all of them fixed when the shuffle is written down.

    The n-th iteration has the Philox stream of (key, n), whichever thread runs it and whatever else draws numbers.
    """

    def __init__(self, seed: int | None, again: bool):
        self.key = draw_key() if seed is None else int(seed) % (1 << 64)
        self.iterations: Iterator[int] = count_up() if again else always(0)

    def __call__(self) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=np.array([self.key, next(self.iterations)], np.uint64)))


def shuffled(items: Iterator[T], size: int, generator: np.random.Generator) -> Iterator[T]:
    """Items drawn from a buffer of ``size`` of them, each replaced by the next one that comes.

    With a buffer that holds all of them this is a permutation.
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
    """Elements that can be gone through again and again.

    Parameters
    ----------
    start : callable
        A new iterator over the elements.
    cardinality : int
        How many there are, or one of the two constants above.
    spec : callable, optional
        The ``TensorSpec`` of an element, where that is known beforehand.
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
        """The first ``count`` elements; all for a negative one."""
        if count < 0:
            return self
        return Stream(lambda: islice(iter(self), count), taken(self.cardinality, count), self.spec)

    def skip(self, count: int) -> Stream:
        """What comes after the first ``count`` elements; nothing for a negative one."""
        if count < 0:
            return Stream(lambda: iter(()), 0, self.spec)
        return Stream(lambda: islice(iter(self), count, None), skipped(self.cardinality, count), self.spec)

    def repeat(self, count: int) -> Stream:
        """The elements ``count`` times over; for ever for a negative one."""

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
        """The elements in another order at each iteration."""
        return Stream(lambda: shuffled(iter(self), size, orders()), self.cardinality, self.spec)

    def cache(self) -> Stream:
        """The same elements, kept in memory once they have all been seen."""
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
        """The next ``size`` elements: how they are nested, and a column of rows for each leaf."""
        elements = iter(self)
        while block := list(islice(elements, size)):
            if len(block) < size and drop_remainder:
                return
            yield columns(block)


def columns(block: list[Any]) -> tuple[Any, list[Column]]:
    """How elements are nested, and their leaves, leaf by leaf.

    Raises
    ------
    ValueError
        If they are nested in different ways.
    """
    first = block[0]
    for element in block:
        if not same_structure(first, element):
            raise ValueError(f"The elements of a batch are nested alike. Received: {first!r} and {element!r}.")
    if isinstance(first, (tuple, dict)):
        return first, list(map(list, zip(*map(flatten, block), strict=True)))
    return first, [block]


def locked(leaf: Any) -> Any:
    """An array that cannot be written to, since it will be handed out again."""
    if isinstance(leaf, np.ndarray) and leaf.flags.writeable:
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf


def taken(cardinality: int, count: int) -> int:
    """How many elements ``take(count)`` leaves of so many."""
    if cardinality == INFINITE_CARDINALITY or count == 0:
        return count
    return cardinality if cardinality < 0 else min(cardinality, count)


def skipped(cardinality: int, count: int) -> int:
    """How many elements ``skip(count)`` leaves of so many."""
    return cardinality if cardinality < 0 else max(cardinality - count, 0)


def repeated(cardinality: int, count: int) -> int:
    """How many elements ``repeat(count)`` makes of so many."""
    if 0 in (cardinality, count):
        return 0
    if count < 0 or cardinality == INFINITE_CARDINALITY:
        return INFINITE_CARDINALITY
    return cardinality if cardinality < 0 else cardinality * count
