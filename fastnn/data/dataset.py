"""``Dataset``: an input pipeline in small steps, with the tf.data API and NumPy arrays as elements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..graph import as_tensor
from ..graph.numbers import Text
from . import joining
from .batching import Batching
from .choosing import Choosing
from .counts import whole
from .files import Files
from .nesting import Nesting
from .prefetching import prefetched
from .rows import Numbers, Rows, as_column
from .spec import TensorSpec, conform, spec_of
from .stream import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Orders, Stream
from .structure import as_element, call, flatten, map_leaves, rebuild

__all__ = ["AUTOTUNE", "Dataset"]

AUTOTUNE = -1
"""Lets fastnn choose the number: ``prefetch`` then stays two elements ahead."""


class Dataset(Batching, Nesting, Choosing, Files):
    """A sequence of examples or batches that is computed as it is iterated, and can be iterated again and again.

    An element is a NumPy array, a number, a string, or a tuple or dict of these. Create a dataset with
    ``from_tensor_slices``, ``from_tensors``, ``from_generator``, ``range`` or ``zip``. Every other method returns a new
    dataset and leaves the old one unchanged. Nothing is computed until it is iterated, by ``for``, ``fit``,
    ``evaluate`` or ``predict``. Each iteration starts again at the first element.

    Raises
    ------
    TypeError
        If called directly: use one of the constructors above.

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
    _shuffles: tuple[Orders, ...]

    def __init__(self) -> None:
        raise TypeError("Use Dataset.from_tensor_slices((x, y)), Dataset.from_generator(...) or Dataset.range(n).")

    @classmethod
    def _of(cls, source: Stream, shuffles: Iterable[Orders] = ()) -> Dataset:
        dataset = cls.__new__(cls)
        dataset._source, dataset._shuffles = source, tuple(dict.fromkeys(shuffles))
        return dataset

    def _then(self, source: Stream) -> Dataset:
        """The dataset after another step."""
        return self._of(source, self._shuffles)

    # Constructors ----------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """Make one element for each index of the first axis.

        Parameters
        ----------
        tensors : array, list, or tuple or dict of these, all of one length
            Arrays are not copied. A list of sequences of unequal length gives arrays of unequal length. Tuples are
            structure, lists are data.

        Raises
        ------
        TypeError, ValueError
            If a part is not an array or has no rows, or if the lengths differ.

        Examples
        --------
        >>> list(Dataset.from_tensor_slices({"a": [1, 2], "b": [[3], [4, 5]]}))[1]
        {'a': np.int64(2), 'b': array([4, 5])}
        """
        table = map_leaves(as_column, tensors)
        lengths = [len(column) for column in flatten(table)]
        if len(set(lengths)) != 1:
            raise ValueError(
                "from_tensor_slices needs arrays of equal length along their first axis. Received: "
                f"{'lengths ' + ', '.join(map(str, lengths)) if lengths else 'no array'}."
            )
        return cls._of(Rows(table))

    @classmethod
    def from_tensors(cls, tensors: Any) -> Dataset:
        """Make a dataset of one element: all of ``tensors``.

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
        """Make a dataset of what ``generator(*args)`` yields; it is called again for each iteration.

        Parameters
        ----------
        generator : callable
            Returns an iterable; a function with ``yield``, for example.
        output_types, output_shapes : optional
            The dtypes and shapes of an element, nested like it: the older form of ``output_signature``.
        args : tuple
            The arguments that the generator is called with.
        output_signature : structure of TensorSpec, optional
            What elements are cast to and checked against; without it they are left as they are.

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
                "from_generator needs a function that returns an iterator, so that it can start again. Received: "
                f"{type(generator).__name__}. Use from_generator(lambda: ...)."
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
    def from_elements(cls, elements: list[Any]) -> Dataset:
        """Make a dataset of a list of elements, whatever they are.

        Examples
        --------
        >>> list(Dataset.from_elements([(1, "a"), (2, "b")]))
        [(np.int64(1), 'a'), (np.int64(2), 'b')]
        """
        kept = [as_element(element) for element in elements]
        spec = (lambda: spec_of(kept[0])) if kept else None
        return cls._of(Stream(lambda: iter(kept), len(kept), spec))

    @classmethod
    def range(cls, *args: int, output_type: Any = "int64", name: str | None = None) -> Dataset:
        """Make a dataset of the numbers of Python's ``range``, as int64 unless told.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(1, 7, 2)]
        [1, 3, 5]
        """
        numbers = cls._of(Rows(Numbers(range(*map(int, args)))))
        kind = np.dtype(output_type)
        return numbers if kind == np.int64 else numbers.map(lambda i: i.astype(kind))

    @classmethod
    def zip(cls, *datasets: Any) -> Dataset:
        """Pair up elements: ``zip(a, b)`` yields (element of a, element of b) and stops with the shorter one.

        Parameters
        ----------
        *datasets : Dataset, or one tuple or dict of them
            A dict gives dicts.

        Raises
        ------
        TypeError
            If an argument is not a dataset.

        Examples
        --------
        >>> list(Dataset.zip(Dataset.range(2), Dataset.range(5, 8)))
        [(np.int64(0), np.int64(5)), (np.int64(1), np.int64(6))]
        """
        nest = datasets[0] if len(datasets) == 1 else datasets
        parts = flatten(nest)
        if not parts or any(not isinstance(part, Dataset) for part in parts):
            odd = next((type(part).__name__ for part in parts if not isinstance(part, Dataset)), "nothing")
            raise TypeError(f"zip needs datasets: Dataset.zip((a, b)). Received: {odd}.")
        sources = [part._source for part in parts]
        if all(isinstance(source, Rows) and source.whole for source in sources):
            length = min(source.length for source in sources)
            tables = [map_leaves(lambda column: column[:length], source.table) for source in sources]
            return cls._of(Rows(rebuild(nest, tables)))
        shuffles = [orders for part in parts for orders in part._shuffles]
        known = [source.cardinality for source in sources if source.cardinality != INFINITE_CARDINALITY]
        return cls._of(
            Stream(
                lambda: (rebuild(nest, elements) for elements in zip(*sources, strict=False)),
                min(known, default=INFINITE_CARDINALITY),
            ),
            shuffles,
        )

    # Rearranging -----------------------------------------------------------------------------------------------------

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool | None = True
    ) -> Dataset:
        """Shuffle: each element is drawn from a buffer of the next ``buffer_size`` ones.

        Parameters
        ----------
        buffer_size : int
            If it is at least the number of elements, every order is equally likely.
        seed : int, optional
            By default drawn here, from the stream that ``set_random_seed`` starts.
        reshuffle_each_iteration : bool
            Whether each iteration (and each round of ``repeat``) has a new order.

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
        orders = Orders(seed, reshuffle_each_iteration is not False)
        return self._of(self._source.shuffle(size, orders), (*self._shuffles, orders))

    def take(self, count: int) -> Dataset:
        """Keep the first ``count`` elements; all of them for −1."""
        return self._then(self._source.take(whole("count", count, -1)))

    def skip(self, count: int) -> Dataset:
        """Leave out the first ``count`` elements; all of them for −1."""
        return self._then(self._source.skip(whole("count", count, -1)))

    def repeat(self, count: int | None = None) -> Dataset:
        """Repeat the elements ``count`` times; forever for None or −1.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(2).repeat(2)]
        [0, 1, 0, 1]
        """
        return self._then(self._source.repeat(-1 if count is None else whole("count", count, -1)))

    def concatenate(self, dataset: Dataset) -> Dataset:
        """Append the elements of another dataset."""
        a, b = self._source, dataset._source
        both = (a.cardinality, b.cardinality)
        total = INFINITE_CARDINALITY if INFINITE_CARDINALITY in both else UNKNOWN_CARDINALITY
        return self._of(
            Stream(lambda: (e for part in (a, b) for e in part), sum(both) if min(both) >= 0 else total),
            (*self._shuffles, *dataset._shuffles),
        )

    def enumerate(self, start: int = 0) -> Dataset:
        """Number the elements: ``(i, element)``, counting from ``start``."""
        source, first = self._source, whole("start", start, 0)
        if isinstance(source, Rows) and source.whole:
            return self.zip(self.range(first, first + source.length), self)
        return self._then(
            Stream(lambda: ((np.int64(i), element) for i, element in enumerate(source, first)), source.cardinality)
        )

    def cache(self, filename: str = "") -> Dataset:
        """Keep all elements in memory after the first full iteration, so that the steps before run only once.

        Raises
        ------
        ValueError
            For a file name: elements are kept in memory alone.
        """
        if filename:
            raise ValueError(
                f"cache keeps elements in memory. Received: filename={filename!r}. Use cache(), or write arrays with "
                "numpy.save and read them with numpy.load(..., mmap_mode='r')."
            )
        return self._then(self._source.cache())

    def prefetch(self, buffer_size: int = AUTOTUNE) -> Dataset:
        """Make up to ``buffer_size`` elements ahead of time in a thread.

        The thread ends with the iteration, even one that is left early; its exceptions are raised in the consumer.

        Raises
        ------
        ValueError
            If ``buffer_size`` is below −1.
        """
        size = whole("buffer_size", buffer_size, AUTOTUNE)
        source = self._source
        if size == 0 or isinstance(source, Rows):  # rows need no work
            return self
        size = 2 if size == AUTOTUNE else size
        return self._then(Stream(lambda: prefetched(source, size), source.cardinality, source.spec))

    # Changing elements -----------------------------------------------------------------------------------------------

    def map(
        self, map_func: Callable[..., Any], num_parallel_calls: int | None = None, deterministic: bool | None = None
    ) -> Dataset:
        """Apply ``map_func`` to every element: ``map_func(x, y)`` if the element is ``(x, y)``.

        Parameters
        ----------
        map_func : callable
            Returns an array, a number, a string, a list, or a tuple or dict of these.
        num_parallel_calls, deterministic : accepted; they have no effect
            Calls are made one at a time; ``prefetch`` makes them ahead of time.

        Examples
        --------
        >>> data = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda x, y: (x + y, {"y": y}))
        >>> list(data)[0]
        (np.int64(4), {'y': np.int64(3)})
        """
        source = self._source
        return self._then(
            Stream(lambda: (as_element(call(map_func, element)) for element in source), source.cardinality)
        )

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """Keep the elements for which ``predicate`` is true.

        Examples
        --------
        >>> [int(i) for i in Dataset.range(6).filter(lambda i: i % 2)]
        [1, 3, 5]
        """
        source = self._source
        return self._then(
            Stream(
                lambda: (element for element in source if call(predicate, element)), UNKNOWN_CARDINALITY, source.spec
            )
        )

    # Where it is -----------------------------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return the keys of its shuffles and how often each was iterated: what decides the orders to come."""
        return {"shuffles": [[orders.key, orders.iterations] for orders in self._shuffles]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue the shuffles from what ``get_state`` returned, in this process or another one.

        Raises
        ------
        ValueError
            If it is the state of a dataset with more or fewer shuffles.
        """
        found = state["shuffles"]
        if len(found) != len(self._shuffles):
            raise ValueError(f"This dataset has {len(self._shuffles)} shuffles. Received: the state of {len(found)}.")
        for orders, (key, iterations) in zip(self._shuffles, found, strict=True):
            orders.key, orders.iterations = key, iterations

    # Iteration ----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        """The elements, whose arrays, numbers and strings answer ``.numpy()``."""
        return (map_leaves(_given_out, element) for element in self._source)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Iterate over the elements as plain arrays, numbers and strings."""
        return iter(self._source)

    def cardinality(self) -> int:
        """Return the number of elements, or ``INFINITE_CARDINALITY`` (−1) or ``UNKNOWN_CARDINALITY`` (−2).

        Examples
        --------
        >>> Dataset.range(5).batch(2).cardinality(), Dataset.range(5).repeat().cardinality()
        (3, -1)
        """
        return self._source.cardinality

    def __len__(self) -> int:
        n = self._source.cardinality
        if n < 0:
            what = "it never ends" if n == INFINITE_CARDINALITY else "only iterating over it would tell"
            raise TypeError(f"This dataset has no length: {what}. Use steps_per_epoch=... in fit, or take(...).")
        return n

    def __bool__(self) -> bool:
        return True

    @property
    def element_spec(self) -> Any:
        """The ``TensorSpec`` of each leaf of an element; read from the first element if it is not known otherwise.

        Examples
        --------
        >>> Dataset.from_tensor_slices((np.zeros((3, 2)), [1, 2, 3])).batch(2).element_spec
        (TensorSpec(shape=(None, 2), dtype=float64), TensorSpec(shape=(None,), dtype=int64))
        """
        if self._source.spec is not None:
            return self._source.spec()
        element = next(iter(self._source), None)
        if element is None:
            raise ValueError("element_spec is read from the first element here. Received: an empty dataset.")
        return spec_of(element)

    def __repr__(self) -> str:
        n = self._source.cardinality
        size = {INFINITE_CARDINALITY: "without end", UNKNOWN_CARDINALITY: "of unknown length"}.get(
            n, f"of {n} elements"
        )
        return f"<Dataset {size}>"


def _given_out(leaf: Any) -> Any:
    """A leaf as a user gets it."""
    if isinstance(leaf, (np.ndarray, np.generic)):
        return as_tensor(leaf)
    return Text(leaf) if isinstance(leaf, str) else leaf
