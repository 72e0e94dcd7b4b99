"""Integers as rows of zeros and ones: one class per row, or a set of ids per row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

__all__ = ["to_categorical", "vectorize_sequences"]


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return one-hot rows of class numbers: result[…, c] = 1 where x[…] = c, else 0.

    Parameters
    ----------
    x : array_like of integers, any shape
        From 0 to ``num_classes - 1``. A last axis of length 1 is dropped.
    num_classes : int, optional
        By default the largest number plus one.

    Returns
    -------
    float64 array of the shape of x with one more axis, of length ``num_classes``

    Raises
    ------
    TypeError
        If x does not hold numbers.
    ValueError
        If a number is not an integer, is negative, or is not below ``num_classes``; if x is empty and ``num_classes``
        is not given.

    Examples
    --------
    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    x = np.asarray(x)
    if x.size == 0 and x.dtype.kind == "f":
        x = x.astype(np.int64)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"to_categorical needs class numbers. Received: an array of dtype {x.dtype}.")
    if x.dtype.kind == "f" and (x != np.rint(x)).any():
        odd = x[x != np.rint(x)].flat[0]
        raise ValueError(f"to_categorical needs integers, one per class. Received: {odd}.")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    x = x.astype(np.int64)
    if num_classes is None:
        if x.size == 0:
            raise ValueError("to_categorical needs num_classes=... when x is empty. Received: an empty x.")
        num_classes = int(x.max()) + 1
    _check_ids("class", x, num_classes, "num_classes")
    rows = np.zeros((x.size, num_classes))
    rows[np.arange(x.size), x.ravel()] = 1
    return rows.reshape(*x.shape, num_classes)


def vectorize_sequences(
    sequences: Sequence[Any] | np.ndarray, dimension: int = 10000, dtype: Any = "float32"
) -> np.ndarray:
    """Return multi-hot rows of sequences of ids: result[i, j] = 1 where id j occurs in sequence i, else 0.

    The order and the counts of the ids in a sequence are lost. A flat list of ids gives one-hot rows.

    Parameters
    ----------
    sequences : list of lists (or arrays) of integers of any lengths, an integer array (N, L), or a flat list (N,)
    dimension : int
        The number of ids: each is from 0 to ``dimension - 1``.
    dtype : dtype of the result
        ``"uint8"`` takes a quarter of the memory; ``fit`` casts each batch while it gathers it.

    Returns
    -------
    array (N, dimension)

    Raises
    ------
    TypeError
        If a sequence contains anything but integers.
    ValueError
        If an id is negative or not below ``dimension``.

    References
    ----------
    Chollet: Deep Learning with Python, Manning, 2021, section 4.1.

    Examples
    --------
    >>> vectorize_sequences([[1, 3, 3], [0], []], dimension=4)
    array([[0., 1., 0., 1.],
           [1., 0., 0., 0.],
           [0., 0., 0., 0.]], dtype=float32)
    >>> vectorize_sequences([2, 0], dimension=3, dtype="uint8")
    array([[0, 0, 1],
           [1, 0, 0]], dtype=uint8)
    """
    if isinstance(dimension, bool) or not isinstance(dimension, (int, np.integer)) or dimension < 1:
        raise ValueError(f"dimension must be an integer of at least 1. Received: dimension={dimension!r}.")
    ids, lengths = _flat(sequences)
    _check_ids("id", ids, dimension, "dimension")
    result = np.zeros((len(lengths), dimension), dtype)
    result[np.repeat(np.arange(len(lengths)), lengths), ids] = 1
    return result


def _flat(sequences: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return all ids in one array, and the number of ids in each row."""
    if isinstance(sequences, np.ndarray) and sequences.dtype != object:
        if sequences.ndim not in (1, 2):
            raise ValueError(f"sequences must be an array (N,) or (N, length). Received: shape {sequences.shape}.")
        width = sequences.shape[1] if sequences.ndim == 2 else 1
        return _integers(sequences.ravel()), np.full(len(sequences), width)
    sequences = list(sequences)
    if sequences and all(np.ndim(s) == 0 and not hasattr(s, "__len__") for s in sequences):
        return _integers(np.asarray(sequences)), np.ones(len(sequences), np.int64)
    try:
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    except TypeError:
        odd = next(s for s in sequences if not hasattr(s, "__len__"))
        raise TypeError(
            f"sequences must hold only lists of ids, or only ids. Received: {odd!r} among lists. Use [[{odd!r}], ...]."
        ) from None
    if lengths.sum() == 0:
        return np.empty(0, np.int64), lengths
    if all(isinstance(s, np.ndarray) for s in sequences):
        return _integers(np.concatenate([s for s in sequences if len(s)])), lengths
    return _integers(np.asarray(list(chain.from_iterable(sequences)))), lengths


def _integers(ids: np.ndarray) -> np.ndarray:
    if ids.dtype.kind not in "iu" or ids.ndim != 1:
        what = f"dtype {ids.dtype}" if ids.ndim == 1 else "lists within lists of ids"
        raise TypeError(
            f"sequences must hold integer ids. Received: {what}. For words, use Tokenizer().texts_to_sequences(texts)."
        )
    return ids


def _check_ids(what: str, ids: np.ndarray, limit: int, name: str) -> None:
    """Refuse the first id that is not from 0 to ``limit`` − 1."""
    if ids.size and (ids.min() < 0 or ids.max() >= limit):
        odd = ids[(ids < 0) | (ids >= limit)].flat[0]
        raise ValueError(f"Each {what} must be from 0 to {limit - 1}, since {name}={limit}. Received: {what} {odd}.")
