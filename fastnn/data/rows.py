"""Elements that are rows of arrays in memory: steps that rearrange them act on row numbers, and batches gather rows.

The elements are the same as those of ``Stream``, in the same order; they only take less work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from itertools import repeat as always
from typing import Any

import numpy as np

from .foreign import is_arraylike, to_array
from .joining import Column
from .spec import TensorSpec, spec_of
from .stream import INFINITE_CARDINALITY, Orders, Stream, columns, locked, repeated, shuffled, skipped, taken
from .structure import as_array, flatten, map_leaves, rebuild

__all__ = ["Listed", "Numbers", "Rows", "as_column", "materialized"]

_CHUNK = 8192

Order = Callable[[], Iterator[np.ndarray]]
"""Yields row numbers in chunks; each call starts again."""


class Listed:
    """A column whose rows are separate arrays, because they differ in length."""

    def __init__(self, rows: list[Any]):
        self.rows = list(map(locked, rows))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, np.ndarray):
            return [self.rows[i] for i in index.tolist()]
        return Listed(self.rows[index]) if isinstance(index, slice) else self.rows[index]

    @property
    def spec(self) -> TensorSpec:
        specs = list(map(spec_of, self.rows))
        shapes = zip(*(spec.shape for spec in specs), strict=True)
        return TensorSpec([n[0] if len(set(n)) == 1 else None for n in shapes], specs[0].dtype)


class Numbers:
    """A column of evenly spaced integers, which are computed and not stored."""

    def __init__(self, numbers: range):
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Numbers(self.numbers[index])
        return self.numbers.start + self.numbers.step * (index if isinstance(index, np.ndarray) else np.int64(index))

    spec = TensorSpec((), "int64")


def as_column(value: Any, what: str = "from_tensor_slices") -> np.ndarray | Listed:
    """Return the rows of an array-like, or of a list of sequences of unequal length.

    Raises
    ------
    TypeError, ValueError
        If it has no rows.
    """
    if isinstance(value, list):
        array = _read_list(value)
    elif is_arraylike(value):
        array = to_array("tensors", value, texts=True).view()
    else:
        raise TypeError(
            f"{what} needs arrays and lists, in tuples and dicts. Received: "
            f"{type(value).__name__}. For a generator, use Dataset.from_generator(lambda: ...)."
        )
    if isinstance(array, Listed):
        return array
    if array.ndim == 0:
        raise ValueError(
            f"{what} splits along the first axis. Received: a single value, {value!r}. For one element, use "
            "Dataset.from_tensors(...)."
        )
    array.flags.writeable = False
    return array


def _read_list(value: list[Any]) -> np.ndarray | Listed:
    try:
        return as_array(value)
    except ValueError:
        pass
    try:
        rows = [as_array(row) if isinstance(row, list) else np.asarray(row) for row in value]
    except ValueError:
        raise ValueError(
            "Each element of a ragged list must be an array. Received: an element whose own rows differ in length. Use "
            "Dataset.from_generator(...) and pad it there."
        ) from None
    if len({row.ndim for row in rows}) > 1 or rows[0].ndim == 0:
        shapes = ", ".join(str(row.shape) for row in rows[:4])
        raise ValueError(f"The elements of a list must have one rank. Received: shapes {shapes}, ….")
    dtype = np.result_type(*({row.dtype for row in rows if row.size} or {rows[0].dtype}))
    return Listed([row.astype(dtype) for row in rows])


def _in_order(count: int) -> Iterator[np.ndarray]:
    return (np.arange(i, min(i + _CHUNK, count)) for i in range(0, count, _CHUNK))


def _one_by_one(chunks: Iterator[np.ndarray]) -> Iterator[int]:
    return chain.from_iterable(chunk.tolist() for chunk in chunks)


def _in_chunks(numbers: Iterator[int], size: int = _CHUNK) -> Iterator[np.ndarray]:
    while len(chunk := np.fromiter(islice(numbers, size), np.int64)):
        yield chunk


class Rows(Stream):
    """Rows of a table in some order.

    Parameters
    ----------
    table : structure of columns of one length
    order : callable, optional
        Yields row numbers; by default all of them, from first to last.
    cardinality : int, optional
        The number of row numbers.
    """

    def __init__(self, table: Any, order: Order | None = None, cardinality: int | None = None):
        self.table, self.columns = table, flatten(table)
        self.length = len(self.columns[0])
        self.whole = order is None
        self.order = order if order is not None else lambda: _in_order(self.length)
        super().__init__(self._rows, self.length if cardinality is None else cardinality, self._spec)

    def _rows(self) -> Iterator[Any]:
        table, columns = self.table, self.columns
        if table is columns[0]:
            return (table[i] for i in _one_by_one(self.order()))
        if type(table) is tuple and len(table) == len(columns):
            return (tuple([column[i] for column in columns]) for i in _one_by_one(self.order()))
        return (rebuild(table, [column[i] for column in columns]) for i in _one_by_one(self.order()))

    def _spec(self) -> Any:
        return map_leaves(
            lambda c: TensorSpec(c.shape[1:], c.dtype) if isinstance(c, np.ndarray) else c.spec, self.table
        )

    def _ordered(self, order: Order, cardinality: int) -> Rows:
        return Rows(self.table, order, cardinality)

    def take(self, count: int) -> Rows:
        if count < 0:
            return self

        def order() -> Iterator[np.ndarray]:
            left = count
            for chunk in self.order() if left else ():
                yield chunk[:left]
                left -= len(chunk)
                if left <= 0:
                    return

        return self._ordered(order, taken(self.cardinality, count))

    def skip(self, count: int) -> Rows:
        if count < 0:
            return self.take(0)

        def order() -> Iterator[np.ndarray]:
            left = count
            for chunk in self.order():
                if left < len(chunk):
                    yield chunk[left:]
                left = max(left - len(chunk), 0)

        return self._ordered(order, skipped(self.cardinality, count))

    def repeat(self, count: int) -> Rows:
        if self.cardinality == 0:
            return self

        def order() -> Iterator[np.ndarray]:
            for _ in always(None) if count < 0 else range(count):
                yield from self.order()

        return self._ordered(order, repeated(self.cardinality, count))

    def shuffle(self, size: int, orders: Orders) -> Rows:
        def order() -> Iterator[np.ndarray]:
            generator = orders()
            if 0 <= self.cardinality <= size:
                numbers = self.numbers()
                return iter([numbers[generator.permutation(len(numbers))]])
            return _in_chunks(shuffled(_one_by_one(self.order()), size, generator))

        return self._ordered(order, self.cardinality)

    def cache(self) -> Rows:
        if self.whole or self.cardinality == INFINITE_CARDINALITY:
            return self
        kept: list[np.ndarray] = []

        def order() -> Iterator[np.ndarray]:
            if not kept:
                kept.append(self.numbers())
            return iter(kept[:1])

        return self._ordered(order, self.cardinality)

    def numbers(self) -> np.ndarray:
        """Return all row numbers of one iteration."""
        return np.concatenate([np.empty(0, np.int64), *self.order()])

    def blocks(self, size: int, drop_remainder: bool) -> Iterator[tuple[Any, list[Column]]]:
        for index in _of_size(self.order(), size):
            if len(index) == size or not drop_remainder:
                yield self.table, [column[index] for column in self.columns]


def _of_size(chunks: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Regroup the numbers, ``size`` at a time; the last group may be smaller."""
    parts: list[np.ndarray] = []
    have = 0
    for chunk in chunks:
        parts.append(chunk)
        have += len(chunk)
        if have < size:
            continue
        numbers = np.concatenate(parts) if len(parts) > 1 else chunk
        have %= size
        end = len(numbers) - have
        for start in range(0, end, size):
            yield numbers[start : start + size]
        parts = [numbers[end:]] if have else []
    if have:
        yield np.concatenate(parts)


def materialized(source: Stream) -> Rows:
    """Keep the elements of one iteration in memory, in their order."""
    if isinstance(source, Rows):
        numbers = source.numbers()
        return Rows(source.table, lambda: iter([numbers]), len(numbers))
    like, leaves = columns(list(source))
    return Rows(rebuild(like, [Listed(list(leaf)) for leaf in leaves]))
