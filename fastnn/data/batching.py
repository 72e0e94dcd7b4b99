"""The part of ``Dataset`` that joins elements into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from . import buckets, joining
from .counts import whole
from .rows import Rows, as_column
from .stream import Stream, columns
from .structure import map_leaves, rebuild

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["Batching"]


class Batching:
    """Batches of the elements of ``_source``."""

    _source: Stream
    _then: Callable[[Stream], Dataset]

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
    ) -> Dataset:
        """Join ``batch_size`` elements at a time along a new first axis.

        Parameters
        ----------
        batch_size : int
        drop_remainder : bool
            Whether to drop a smaller last batch.
        num_parallel_calls, deterministic : accepted; they have no effect

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1; on iteration, if elements differ in shape.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> list(Dataset.range(5).batch(2))
        [array([0, 1]), array([2, 3]), array([4])]
        """
        return self._batched(whole("batch_size", batch_size, 1), drop_remainder, _stack, False)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
    ) -> Dataset:
        """Join elements of unequal length into batches, padded at the end to the longest of each batch.

        Parameters
        ----------
        batch_size : int
        padded_shapes : structure of shapes, optional
            Nested like an element: ``([None], [])`` for ``(x, y)``. None in a shape means the longest of the batch.
        padding_values : structure of numbers, optional
            Nested like an element. None means 0, False or the empty string.
        drop_remainder : bool

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1; on iteration, if the shapes or values do not fit the elements.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> data = Dataset.from_tensor_slices(([[1, 2, 3], [4], [5, 6]], [0, 1, 1]))
        >>> next(iter(data.padded_batch(2)))
        (array([[1, 2, 3],
               [4, 0, 0]]), array([0, 1]))
        """
        return self._batched(
            whole("batch_size", batch_size, 1), drop_remainder, _padder(padded_shapes, padding_values), True
        )

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
    ) -> Dataset:
        """Join elements of similar length into padded batches, so that little padding is needed.

        Parameters
        ----------
        element_length_func : callable
            Returns the length of an element: ``lambda x, y: len(x)``.
        bucket_boundaries : increasing integers b
            Buckets are [0, b₀), [b₀, b₁), …, [bₙ₋₁, ∞).
        bucket_batch_sizes : integers, one more than the boundaries
            The batch size of each bucket.
        padded_shapes, padding_values, drop_remainder : as in ``padded_batch``
        pad_to_bucket_boundary : bool
            Pad to the longest length of the bucket, ``b - 1``, instead of the longest of the batch. This applies to
            axes where ``padded_shapes`` is None, or where the elements are known to differ.
        no_padding : bool
            Set this if all elements of a bucket already have the same shape.

        Raises
        ------
        ValueError
            If the boundaries do not increase, or the number of sizes is not one more than theirs; on iteration, if an
            element is too long for ``pad_to_bucket_boundary``.

        Examples
        --------
        >>> from fastnn.data import Dataset
        >>> data = Dataset.from_tensor_slices([[1], [2, 3, 4], [5, 6], [7, 8, 9, 10]])
        >>> for batch in data.bucket_by_sequence_length(len, [3], [2, 2]):
        ...     print(batch.tolist())
        [[1, 0], [5, 6]]
        [[2, 3, 4, 0], [7, 8, 9, 10]]
        """
        boundaries = [whole("bucket_boundaries", b, 1) for b in bucket_boundaries]
        sizes = [whole("bucket_batch_sizes", n, 1) for n in bucket_batch_sizes]
        if not boundaries or any(a >= b for a, b in pairwise(boundaries)):
            raise ValueError(f"bucket_boundaries must be increasing integers. Received: {list(bucket_boundaries)}.")
        if len(sizes) != len(boundaries) + 1:
            raise ValueError(
                f"bucket_batch_sizes must have one entry more than bucket_boundaries, {len(boundaries) + 1} here. "
                f"Received: {list(bucket_batch_sizes)}."
            )
        shapes = padded_shapes
        if pad_to_bucket_boundary and shapes is None:
            if self._source.spec is None:
                raise ValueError(
                    "pad_to_bucket_boundary must know which axes differ in length. Received: padded_shapes=None and "
                    "elements of unknown shape. Use padded_shapes=([None], []) for (x, y)."
                )
            shapes = map_leaves(lambda leaf: leaf.shape, self._source.spec())

        def start() -> Iterator[Any]:
            elements = self._source
            for number, block in buckets.bucketed(elements, element_length_func, boundaries, sizes, drop_remainder):
                like, leaves = columns(block)
                if no_padding:
                    yield _stack(like, leaves)
                elif pad_to_bucket_boundary:
                    bounded = buckets.bounded(joining.fit_shapes(like, shapes, "padded_shapes"), boundaries, number)
                    yield _padder(rebuild(like, bounded), padding_values)(like, leaves)
                else:
                    yield _padder(shapes, padding_values)(like, leaves)

        return self._then(Stream(start))

    def unbatch(self) -> Dataset:
        """Split each element into its rows: the inverse of ``batch``."""
        source = self._source

        def start() -> Iterator[Any]:
            for element in source:
                rows = Rows(map_leaves(lambda leaf: as_column(leaf, "unbatch"), element))
                if len({len(column) for column in rows.columns}) > 1:
                    raise ValueError(f"unbatch needs arrays of equal length. Received: {element!r}.")
                yield from rows

        return self._then(Stream(start))

    def _batched(
        self, size: int, drop_remainder: bool, join: Callable[[Any, list[joining.Column]], Any], padded: bool
    ) -> Dataset:
        source = self._source
        whole, rest = divmod(source.cardinality, size)
        known = whole + (rest > 0 and not drop_remainder) if source.cardinality >= 0 else source.cardinality
        spec = source.spec
        row_spec = (
            None
            if spec is None
            else lambda: map_leaves(lambda leaf: leaf.batched(size if drop_remainder else None, padded), spec())
        )
        return self._then(
            Stream(lambda: (join(*block) for block in source.blocks(size, drop_remainder)), known, row_spec)
        )


def _stack(like: Any, leaves: list[joining.Column]) -> Any:
    return rebuild(like, map(joining.stack, leaves))


def _padder(padded_shapes: Any, padding_values: Any) -> Callable[[Any, list[joining.Column]], Any]:
    def join(like: Any, leaves: list[joining.Column]) -> Any:
        shapes = joining.fit_shapes(like, padded_shapes, "padded_shapes")
        values = joining.fit_shapes(like, padding_values, "padding_values")
        return rebuild(like, map(joining.pad, leaves, shapes, values))

    return join
