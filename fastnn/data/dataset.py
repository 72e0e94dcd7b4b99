"""``Dataset``: data as a chain of small steps, in tf.data's words, with NumPy arrays as elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import joining
from .batching import Batching
from .counts import whole
from .prefetching import prefetched
from .rows import Numbers, Rows, as_column
from .spec import TensorSpec, conform, spec_of
from .stream import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Orders, Stream
from .structure import as_element, call, flatten, map_leaves, rebuild

__all__ = ["AUTOTUNE", "Dataset"]

AUTOTUNE = -1
"""Stands for a number that fastnn chooses: two elements ahead in ``prefetch``."""


class Dataset(Batching):
    """Elements that come one after the other, again and again: a list of examples or batches that need not exist.

    An element is a NumPy array, a number, a string, or a tuple or dict of such. A data set is made by one of
    ``from_tensor_slices``, ``from_tensors``, ``from_generator``, ``range``, ``zip``; every other method gives a new
    one and leaves the old as it was. Nothing happens until it is iterated: by ``for``, by ``fit``, ``evaluate`` or
    ``predict``. Each iteration starts again from the first element.

    Raises
    ------
    TypeError
        If called: use the constructors above.

    References
    ----------
    Murray, Šimša, Klimovic, Indyk: tf.data: A Machine Learning Data Processing Framework, VLDB 2021.

    Examples
    --------
    >>> x, y = np.arange(10).reshape(5, 2), np.array([0, 1, 0, 1, 0])
    >>> dataset = Dataset.from_tensor_slices((x, y)).shuffle(5, seed=1).batch(2)
    >>> len(dataset)
    3
    >>> for a, b in dataset.take(1):
    ...     print(a.shape, b.shape)
    (2, 2) (2,)
    """

    _source: Stream

    def __init__(self) -> None:
        raise TypeError("Type Dataset.from_tensor_slices((x, y)), Dataset.from_generator(...) or Dataset.range(n).")

    @classmethod
    def _of(cls, source: Stream) -> Dataset:
        dataset = cls.__new__(cls)
        dataset._source = source
        return dataset

    # Making one ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """One element for each index of the first axis.

        Parameters
        ----------
        tensors : array, list, or tuple or dict of such, of one length
            Arrays are not copied. A list of sequences of unequal length gives arrays of unequal length. Tuples are
            structure, lists are data.

        Raises
        ------
        TypeError, ValueError
            If something in it is no array, has no rows, or the lengths differ.

        Examples
        --------
        >>> list(Dataset.from_tensor_slices({"a": [1, 2], "b": [[3], [4, 5]]}))[1]
        {'a': np.int64(2), 'b': array([4, 5])}
        """
        table = map_leaves(as_column, tensors)
        lengths = [len(column) for column in flatten(table)]
        if len(set(lengths)) != 1:
            raise ValueError(
                "from_tensor_slices takes arrays of one length along their first axis. Received: "
                f"{'lengths ' + ', '.join(map(str, lengths)) if lengths else 'no array'}."
            )
        return cls._of(Rows(table))

    @classmethod
    def from_tensors(cls, tensors: Any) -> Dataset:
        """One element: all of ``tensors``.

        Examples
        --------
        >>> list(Dataset.from_tensors(([1, 2], 3)))
        [(array([1, 2]), np.int64(3))]
        """
        element = as_element(tensors)
        return cls._of(Stream(lambda: iter([element]), 1, lambda: spec_of(element)))

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple[Any, ...] = (),
        output_signature: Any = None,
    ) -> Dataset:
        """The elements that ``generator(*args)`` yields; it is called anew at each iteration.

        Parameters
        ----------
        generator : callable
            Gives an iterable; a function with ``yield``, for example.
        output_types, output_shapes : optional
            The dtypes and shapes of an element, nested like it; the older way to say the next.
        args : tuple
            What the generator is called with.
        output_signature : structure of TensorSpec, optional
            What elements are cast to and checked against; without it they are taken as they come.

        Raises
        ------
        TypeError
            If ``generator`` is not callable.

        Examples
        --------
        >>> def words(n):
        ...     for i in range(n):
        ...         yield list(range(i))
        >>> list(Dataset.from_generator(words, args=(3,), output_signature=TensorSpec((None,), "int32")))
        [array([], dtype=int32), array([0], dtype=int32), array([0, 1], dtype=int32)]
        """
        if not callable(generator):
            raise TypeError(
                "from_generator takes a function that gives an iterator, so that it can start again. Received: "
                f"{type(generator).__name__}. Type from_generator(lambda: ...)."
            )
        signature = output_signature
        if signature is None and output_types is not None:
            types = flatten(output_types)
            signature = rebuild(
                output_types, map(TensorSpec, joining.fit_shapes(output_types, output_shapes, "output_shapes"), types)
            )

        def start() -> Iterator[Any]:
            if signature is None:
                return map(as_element, generator(*args))
            return (conform(element, signature) for element in generator(*args))

        return cls._of(Stream(start, spec=None if signature is None else lambda: signature))

    @classmethod
    def range(cls, *args: int) -> Dataset:
        """The numbers of Python's ``range``, int64.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(1, 7, 2)]
        [1, 3, 5]
        """
        return cls._of(Rows(Numbers(range(*args))))

    @classmethod
    def zip(cls, *datasets: Any) -> Dataset:
        """Elements side by side: ``zip(a, b)`` gives (element of a, element of b), up to the shorter one.

        Parameters
        ----------
        *datasets : Dataset, or one tuple or dict of them
            A dict gives dicts.

        Raises
        ------
        TypeError
            If something else is among them.

        Examples
        --------
        >>> list(Dataset.zip(Dataset.range(2), Dataset.range(5, 8)))
        [(np.int64(0), np.int64(5)), (np.int64(1), np.int64(6))]
        """
        nest = datasets[0] if len(datasets) == 1 else datasets
        parts = flatten(nest)
        if not parts or any(not isinstance(part, Dataset) for part in parts):
            odd = next((type(part).__name__ for part in parts if not isinstance(part, Dataset)), "nothing")
            raise TypeError(f"zip takes data sets: Dataset.zip((a, b)). Received: {odd}.")
        sources = [part._source for part in parts]
        if all(isinstance(source, Rows) and source.whole for source in sources):
            length = min(source.length for source in sources)
            tables = [map_leaves(lambda column: column[:length], source.table) for source in sources]
            return cls._of(Rows(rebuild(nest, tables)))
        known = [source.cardinality for source in sources if source.cardinality != INFINITE_CARDINALITY]
        return cls._of(
            Stream(
                lambda: (rebuild(nest, elements) for elements in zip(*sources, strict=False)),
                min(known, default=INFINITE_CARDINALITY),
            )
        )

    # Rearranging -----------------------------------------------------------------------------------------------------

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool | None = True
    ) -> Dataset:
        """The elements in random order: each is drawn from a buffer of the next ``buffer_size`` ones.

        Parameters
        ----------
        buffer_size : int
            With at least as many as there are elements, every order is equally likely.
        seed : int, optional
            By default drawn here from the stream that ``set_random_seed`` starts.
        reshuffle_each_iteration : bool
            Whether each iteration (and each round of ``repeat``) has an order of its own.

        Raises
        ------
        ValueError
            If ``buffer_size`` is below 1.

        Examples
        --------
        >>> dataset = Dataset.range(5).shuffle(5, seed=1)
        >>> [int(i) for i in dataset], [int(i) for i in dataset]
        ([0, 1, 2, 4, 3], [3, 1, 4, 2, 0])
        """
        size = whole("buffer_size", buffer_size, 1)
        return self._of(self._source.shuffle(size, Orders(seed, reshuffle_each_iteration is not False)))

    def take(self, count: int) -> Dataset:
        """The first ``count`` elements; all of them for −1."""
        return self._of(self._source.take(whole("count", count, -1)))

    def skip(self, count: int) -> Dataset:
        """What comes after the first ``count`` elements; nothing for −1."""
        return self._of(self._source.skip(whole("count", count, -1)))

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements ``count`` times over; for ever for None or −1.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(2).repeat(2)]
        [0, 1, 0, 1]
        """
        return self._of(self._source.repeat(-1 if count is None else whole("count", count, -1)))

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this data set, then those of the other."""
        a, b = self._source, dataset._source
        both = (a.cardinality, b.cardinality)
        total = INFINITE_CARDINALITY if INFINITE_CARDINALITY in both else UNKNOWN_CARDINALITY
        return self._of(Stream(lambda: (e for part in (a, b) for e in part), sum(both) if min(both) >= 0 else total))

    def enumerate(self, start: int = 0) -> Dataset:
        """Each element with its number, ``(i, element)``, from ``start`` on."""
        source, first = self._source, whole("start", start, 0)
        if isinstance(source, Rows) and source.whole:
            return self.zip(self.range(first, first + source.length), self)
        return self._of(
            Stream(lambda: ((np.int64(i), element) for i, element in enumerate(source, first)), source.cardinality)
        )

    def cache(self) -> Dataset:
        """The same elements, kept in memory once all of them have been seen: what comes before runs once."""
        return self._of(self._source.cache())

    def prefetch(self, buffer_size: int = AUTOTUNE) -> Dataset:
        """The same elements, up to ``buffer_size`` of them made ahead by a thread.

        The thread ends with the iteration, also where that is left early; an exception in it reaches the consumer.

        Raises
        ------
        ValueError
            If ``buffer_size`` is below −1.
        """
        size = whole("buffer_size", buffer_size, AUTOTUNE)
        source = self._source
        if size == 0 or isinstance(source, Rows):  # rows lie ready
            return self
        size = 2 if size == AUTOTUNE else size
        return self._of(Stream(lambda: prefetched(source, size), source.cardinality, source.spec))

    # Changing elements -----------------------------------------------------------------------------------------------

    def map(
        self, map_func: Callable[..., Any], num_parallel_calls: int | None = None, deterministic: bool | None = None
    ) -> Dataset:
        """``map_func`` of every element; of x and y where the element is ``(x, y)``.

        Parameters
        ----------
        map_func : callable
            Gives an array, a number, a string, a list, or a tuple or dict of such.
        num_parallel_calls, deterministic : accepted and without effect
            Calls are made one after the other; ``prefetch`` makes them ahead of time.

        Examples
        --------
        >>> data = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: (x + y, {"y": y}))
        >>> list(data)[0]
        (np.int64(4), {'y': np.int64(3)})
        """
        source = self._source
        return self._of(Stream(lambda: (as_element(call(map_func, element)) for element in source), source.cardinality))

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements of which ``predicate`` is true.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(6).filter(lambda i: i % 2)]
        [1, 3, 5]
        """
        source = self._source
        return self._of(
            Stream(
                lambda: (element for element in source if call(predicate, element)), UNKNOWN_CARDINALITY, source.spec
            )
        )

    # Going through it ------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements; the same as ``iter(dataset)``, since they are NumPy arrays already."""
        return iter(self)

    def cardinality(self) -> int:
        """How many elements there are; ``INFINITE_CARDINALITY`` (−1) or ``UNKNOWN_CARDINALITY`` (−2).

        Examples
        --------
        >>> Dataset.range(5).batch(2).cardinality(), Dataset.range(5).repeat().cardinality()
        (3, -1)
        """
        return self._source.cardinality

    def __len__(self) -> int:
        n = self._source.cardinality
        if n < 0:
            what = "never ends" if n == INFINITE_CARDINALITY else "is as long as it turns out to be"
            raise TypeError(f"This data set has no length: it {what}. Type steps_per_epoch=... in fit, or take(...).")
        return n

    def __bool__(self) -> bool:
        return True

    @property
    def element_spec(self) -> Any:
        """The ``TensorSpec`` of each leaf of an element; the first element is looked at where nothing else tells.

        Examples
        --------
        >>> Dataset.from_tensor_slices((np.zeros((3, 2)), [1, 2, 3])).batch(2).element_spec
        (TensorSpec(shape=(None, 2), dtype=float64), TensorSpec(shape=(None,), dtype=int64))
        """
        if self._source.spec is not None:
            return self._source.spec()
        element = next(iter(self), None)
        if element is None:
            raise ValueError("element_spec looks at the first element here. Received: a data set without any.")
        return spec_of(element)

    def __repr__(self) -> str:
        n = self._source.cardinality
        size = {INFINITE_CARDINALITY: "without end", UNKNOWN_CARDINALITY: "of unknown length"}.get(
            n, f"of {n} elements"
        )
        return f"<Dataset {size}>"
