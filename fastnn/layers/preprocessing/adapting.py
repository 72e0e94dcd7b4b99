"""What ``adapt`` reads: an array, a list, a data set, or anything that yields batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

__all__ = ["batches_of", "texts_of"]


def batches_of(data: Any, steps: int | None = None, owner: str = "adapt") -> Iterator[Any]:
    """The arrays among what a layer adapts to, one at a time: an array or list is one.

    Parameters
    ----------
    data : array, list, data set or other iterable of batches
    steps : int, optional
        The number of batches to read from an iterable.
    owner : str
        For errors.

    Raises
    ------
    TypeError
        If a batch has targets beside it.
    """
    if (
        hasattr(data, "__array__")
        or isinstance(data, (str, bytes, int, float, np.generic))
        or (isinstance(data, (list, tuple)) and not any(hasattr(part, "__array__") for part in data))
    ):
        yield data
    elif isinstance(data, Iterable):
        for batch in islice(data, steps):
            if isinstance(batch, (tuple, dict)):
                raise TypeError(
                    f"{owner} needs arrays or batches of one input. Received: a {type(batch).__name__}. Use "
                    "adapt(dataset.map(lambda x, y: x))."
                )
            yield batch
    else:
        yield data


def texts_of(data: Any, steps: int | None = None) -> Iterator[Any]:
    """The texts in anything that ``adapt`` accepts, one at a time.

    Examples
    --------
    >>> list(texts_of([["to", "be"], ["or"]]))
    ['to', 'be', 'or']
    """
    for batch in batches_of(data, steps):
        if isinstance(batch, (str, bytes)):
            yield batch
        elif isinstance(batch, (list, tuple)):
            for part in batch:
                yield from texts_of(part)
        else:
            yield from np.asarray(batch, object).ravel().tolist()
