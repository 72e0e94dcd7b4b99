"""Batches of sequences of similar length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .structure import call

__all__ = ["bounded", "bucketed"]


def bucketed(
    source: Iterable[Any],
    length_of: Callable[..., Any],
    boundaries: Sequence[int],
    batch_sizes: Sequence[int],
    drop_remainder: bool,
) -> Iterator[tuple[int, list[Any]]]:
    """Yield batches by bucket: the bucket's number, and as many elements as its batch holds.

    Bucket i takes lengths from ``boundaries[i - 1]`` to below ``boundaries[i]``. A batch is yielded when its bucket is
    full. The remaining, partly filled buckets come last, shortest sequences first.

    Raises
    ------
    TypeError
        If a length is not an integer.
    """
    buckets: list[list[Any]] = [[] for _ in batch_sizes]
    for element in source:
        length = call(length_of, element)
        if np.ndim(length) or not isinstance(length, (int, np.integer, np.ndarray)):
            raise TypeError(
                "element_length_func must return the length of an element as an integer: lambda x, y: len(x). "
                f"Received: {length!r}."
            )
        number = bisect_right(boundaries, length)
        buckets[number].append(element)
        if len(buckets[number]) == batch_sizes[number]:
            yield number, buckets[number]
            buckets[number] = []
    if not drop_remainder:
        yield from ((number, bucket) for number, bucket in enumerate(buckets) if bucket)


def bounded(shapes: list[Any], boundaries: Sequence[int], number: int) -> list[list[int]]:
    """Replace None in shapes by the longest length of a bucket.

    Raises
    ------
    ValueError
        If the bucket is the last one, which has no upper limit.
    """
    if number == len(boundaries):
        raise ValueError(
            f"pad_to_bucket_boundary needs elements shorter than the last boundary, {boundaries[-1]}. "
            "Received: a longer one. Use a larger last boundary, or filter(...) long elements out."
        )
    return [[boundaries[number] - 1 if n in (None, -1) else n for n in shape] for shape in shapes]
