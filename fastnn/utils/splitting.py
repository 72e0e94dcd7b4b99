"""Split a dataset in two."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import INFINITE_CARDINALITY, Dataset, rows
from ..seeds import random_generator

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: int | float | None = None,
    right_size: int | float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Split data into its first and last examples, as two datasets.

    Parameters
    ----------
    dataset : Dataset, array, or tuple or list of arrays of one length
        A Dataset is iterated once, so that the two parts have no element in common.
    left_size, right_size : int or float, optional
        A number of examples, or a fraction of them; the part that is not given is the rest.
    shuffle : bool
        Whether to shuffle the examples before the split.
    seed : int, optional
        The seed of the shuffle.

    Returns
    -------
    left, right : fastnn.data.Dataset

    Raises
    ------
    TypeError
        If ``dataset`` is none of the above.
    ValueError
        If the sizes leave one part empty, or exceed the number of examples.

    Examples
    --------
    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), len(right)
    (8, 2)
    """
    if isinstance(dataset, Dataset):
        if dataset.cardinality() == INFINITE_CARDINALITY:
            raise ValueError("split_dataset needs a finite dataset. Received: an endless one. Use take(...).")
        examples = Dataset._of(rows.materialized(dataset._source))
    elif isinstance(dataset, (np.ndarray, tuple, list)):
        examples = Dataset.from_tensor_slices(tuple(dataset) if isinstance(dataset, list) else dataset)
    else:
        raise TypeError(f"split_dataset needs a Dataset or arrays. Received: {type(dataset).__name__}.")
    total = len(examples)
    left, right = _sizes(left_size, right_size, total)
    if shuffle:
        examples = examples.shuffle(
            total, seed=int(random_generator(seed).integers(1 << 62)), reshuffle_each_iteration=False
        )
    return examples.take(left), examples.skip(total - right)


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """Return the number of examples on each side."""
    if left is None and right is None:
        raise ValueError("split_dataset needs left_size or right_size: left_size=0.8. Received: neither.")
    sizes = []
    for name, size in (("left_size", left), ("right_size", right)):
        number = size
        if isinstance(size, (float, np.floating)) and 0 <= size <= 1:
            number = round(size * total)
        whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if size is not None and (not whole or number is None or not 0 < number < total):
            raise ValueError(
                f"{name} must be an integer from 1 to {total - 1}, or a fraction of the {total} examples that leaves "
                f"at least one on each side. Received: {name}={size!r}."
            )
        sizes.append(number)
    left, right = sizes
    left = total - right if left is None else left
    right = total - left if right is None else right
    if left + right > total:
        raise ValueError(
            f"left_size and right_size must add up to at most {total}. Received: {left} and {right} examples."
        )
    return int(left), int(right)
