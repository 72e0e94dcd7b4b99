"""The part of ``Dataset`` whose elements are data sets: windows, and functions that give a data set an element."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .counts import whole
from .stream import INFINITE_CARDINALITY, Stream, columns
from .structure import call, flatten, rebuild

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["Nesting"]


class Nesting:
    """Data sets made of, and into, other data sets."""

    _source: Stream
    _then: Callable[[Stream], Dataset]
    from_elements: Callable[..., Dataset]

    def window(self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False) -> Dataset:
        """Windows of ``size`` elements, each a data set: ``flat_map(lambda w: w.batch(size))`` makes arrays of them.

        Parameters
        ----------
        size : int
        shift : int, optional
            Elements from the start of a window to that of the next; default: ``size``.
        stride : int
            Elements from one of a window to the next of it.
        drop_remainder : bool
            Whether to leave out windows at the end that hold fewer.

        Returns
        -------
        Dataset
            Of data sets; of tuples or dicts of them where elements are tuples or dicts.

        Raises
        ------
        ValueError
            If a number is below 1.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> windows = Dataset.range(5).window(3, shift=1, drop_remainder=True)
        >>> [window.tolist() for window in windows.flat_map(lambda w: w.batch(3))]
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        size, stride = whole("size", size, 1), whole("stride", stride, 1)
        shift = size if shift is None else whole("shift", shift, 1)
        reach = (size - 1) * stride + 1
        source, make = self._source, self.from_elements

        def start() -> Iterator[Any]:
            elements = iter(source)
            held: deque[Any] = deque(itertools.islice(elements, reach))
            while held and not (drop_remainder and len(held) < reach):
                like, leaves = columns(list(itertools.islice(held, 0, None, stride)))
                yield rebuild(like, [make(list(leaf)) for leaf in leaves])
                dropped = min(shift, len(held))
                for _ in range(dropped):
                    held.popleft()
                for _ in itertools.islice(elements, shift - dropped):  # between two windows
                    pass
                held.extend(itertools.islice(elements, reach - len(held)))

        n = source.cardinality
        if n >= 0:
            n = max((n - reach) // shift + 1, 0) if drop_remainder else -(-n // shift)
        return self._then(Stream(start, n))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the data sets that ``map_func`` gives for each element, one after the other.

        Raises
        ------
        TypeError
            On iteration, if it gives anything else.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> [int(i) for i in Dataset.range(3).flat_map(lambda n: Dataset.range(n))]
        [0, 0, 1]
        """
        source = self._source
        return self._then(
            Stream(lambda: (part for element in source for part in _dataset("flat_map", call(map_func, element))))
        )

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int = 1,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> Dataset:
        """The elements of the data sets that ``map_func`` gives, taken in turns.

        Parameters
        ----------
        map_func : callable
            Gives a data set for an element.
        cycle_length : int, optional
            How many data sets take turns; default and −1: 4.
        block_length : int
            How many elements each gives in its turn.
        num_parallel_calls, deterministic : accepted; they have no effect

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> data = Dataset.range(2).interleave(lambda n: Dataset.from_tensors(n).repeat(3), cycle_length=2)
        >>> [int(i) for i in data]
        [0, 1, 0, 1, 0, 1]
        """
        width = 4 if cycle_length in (None, -1) else whole("cycle_length", cycle_length, 1)
        block, source = whole("block_length", block_length, 1), self._source

        def start() -> Iterator[Any]:
            elements = iter(source)

            def fresh() -> Iterator[Any] | None:
                for element in elements:
                    return iter(_dataset("interleave", call(map_func, element)))
                return None

            turns = [fresh() for _ in range(width)]
            while any(turn is not None for turn in turns):
                for place, turn in enumerate(turns):
                    if turn is None:
                        continue
                    taken = 0
                    for part in itertools.islice(turn, block):
                        taken += 1
                        yield part
                    if taken < block:
                        turns[place] = fresh()

        return self._then(Stream(start))

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any]) -> Any:
        """What ``reduce_func(state, element)`` makes of all elements, from ``initial_state`` on.

        Raises
        ------
        ValueError
            If the data set never ends.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> int(Dataset.range(5).reduce(0, lambda total, i: total + i))
        10
        """
        if self._source.cardinality == INFINITE_CARDINALITY:
            raise ValueError("reduce goes through all elements. Received: a dataset that never ends. Use take(n).")
        state = np.asarray(initial_state)[()] if isinstance(initial_state, (int, float)) else initial_state
        for element in self._source:
            state = reduce_func(state, element)
        return state


def _dataset(name: str, value: Any) -> Any:
    """What ``map_func`` gave, if it is a data set; of several leaves a mistake that is often made."""
    if not isinstance(value, Nesting):
        found = ", ".join(sorted({type(leaf).__name__ for leaf in flatten(value)}))
        hint = " Use Dataset.zip((a, b))." if isinstance(value, (tuple, dict)) else " Use map for a function of arrays."
        raise TypeError(f"{name} needs a function that gives a Dataset for each element. Received: {found}.{hint}")
    return value
