"""The part of ``Dataset`` that leaves elements out, or takes one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..user_warnings import warn
from .counts import whole
from .stream import UNKNOWN_CARDINALITY, Stream
from .structure import call

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["Choosing"]


class Choosing:
    """Some of the elements of ``_source``."""

    _source: Stream
    _then: Callable[[Stream], Dataset]

    def take_while(self, predicate: Callable[..., Any]) -> Dataset:
        """Keep the elements before the first one for which ``predicate`` is false."""
        source = self._source

        def start() -> Iterator[Any]:
            return itertools.takewhile(lambda element: bool(call(predicate, element)), source)

        return self._then(Stream(start, UNKNOWN_CARDINALITY, source.spec))

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Keep every ``num_shards``-th element, from number ``index`` on.

        Raises
        ------
        ValueError
            If the index is not below the number of shards.
        """
        shards, first = whole("num_shards", num_shards, 1), whole("index", index, 0)
        if first >= shards:
            raise ValueError(f"index must be below num_shards, {shards}. Received: index={index}.")
        source, n = self._source, self._source.cardinality
        known = max(-(-(n - first) // shards), 0) if n >= 0 else n
        return self._then(Stream(lambda: itertools.islice(iter(source), first, None, shards), known, source.spec))

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """What a function makes of this dataset."""
        return transformation_func(self)

    def with_options(self, options: Any) -> Dataset:
        """The same elements: there is one pipeline, in order."""
        return self._then(self._source)

    def ignore_errors(self, log_warning: bool = False) -> Dataset:
        """Leave out elements whose computation raises an error."""
        source = self._source

        def start() -> Iterator[Any]:
            elements = iter(source)
            while True:
                try:
                    element = next(elements)
                except StopIteration:
                    return
                except Exception as error:
                    if log_warning:
                        warn(f"An element was left out: {error}")
                    continue
                yield element

        return self._then(Stream(start, spec=source.spec))

    def get_single_element(self) -> Any:
        """The only element.

        Raises
        ------
        ValueError
            If there are more, or none.
        """
        found = list(itertools.islice(iter(self._source), 2))
        if len(found) != 1:
            raise ValueError(
                "get_single_element needs a dataset of one element. Received: "
                f"{'more' if found else 'none'}. Use next(iter(dataset)) for the first one."
            )
        return found[0]
