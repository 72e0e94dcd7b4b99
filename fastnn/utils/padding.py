"""Sequences of unequal length, brought to one length."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """An array of sequences, filled up with ``value`` and cut to one length.

    Parameters
    ----------
    sequences : list of sequences of numbers, or of vectors of one shape
    maxlen : int, optional
        The common length; by default that of the longest sequence.
    dtype : dtype of the result; ``object`` for strings
    padding : {"pre", "post"}
        Where short sequences are filled up.
    truncating : {"pre", "post"}
        Where long sequences lose what is too much.
    value : what they are filled up with

    Returns
    -------
    array (N, maxlen, …)

    Raises
    ------
    ValueError
        If ``sequences`` is empty, an element is no sequence, their vectors differ in shape, a number does not fit
        ``dtype``, or an option is none of the above.

    Notes
    -----
    The defaults are Keras': both at the front, so that a recurrent layer's last step sees a word. A mask that is to
    skip the filling (``Embedding(mask_zero=True)``) works with either.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]])
    array([[0, 0, 1],
           [0, 2, 3],
           [4, 5, 6]], dtype=int32)
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post", truncating="post", value=-1)
    array([[ 1, -1],
           [ 2,  3],
           [ 4,  5]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f'{name} is "pre" or "post". Received: {name}={side!r}.')
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"sequences is a list of sequences. Received: {type(sequences).__name__}. Type list(...).")
    if maxlen is not None and (isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0):
        raise ValueError(f"maxlen is an integer, at least 0, or None. Received: maxlen={maxlen!r}.")
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OSU":
        raise ValueError(f"A filling of {value!r} needs dtype=object. Received: dtype={dtype.name!r}.")
    if dtype.kind in "iu" and isinstance(value, (float, np.floating)) and not float(value).is_integer():
        raise ValueError(f'A filling of {value!r} needs dtype="float32". Received: dtype={dtype.name!r}.')
    lengths = [_length(i, s) for i, s in enumerate(sequences)]
    if maxlen is None:
        if not lengths:
            raise ValueError("pad_sequences needs a sequence, or maxlen=... Received: none of both.")
        maxlen = max(lengths)
    kept = [min(n, maxlen) for n in lengths]
    first = (n - k if truncating == "pre" else 0 for n, k in zip(lengths, kept, strict=True))
    parts = [s[start : start + k] for s, start, k in zip(sequences, first, kept, strict=True) if k]
    steps = _steps(parts, dtype)
    result = np.full((len(lengths), maxlen, *steps.shape[1:]), value, dtype)
    place, count = np.arange(maxlen), np.array(kept, np.int64).reshape(-1, 1)
    result[place >= maxlen - count if padding == "pre" else place < count] = steps
    return result


def _length(i: int, sequence: Any) -> int:
    try:
        return len(sequence)
    except TypeError:
        raise ValueError(
            f"sequences is a list of sequences. Received: {sequence!r} at position {i}. For one sequence type "
            "pad_sequences([sequence])."
        ) from None


def _steps(parts: list[Any], dtype: np.dtype) -> np.ndarray:
    """The steps of all parts, one after the other, as an array of the dtype."""
    if not parts:
        return np.empty(0, dtype)
    try:
        if all(isinstance(part, np.ndarray) for part in parts):
            steps = np.concatenate(parts)
        else:
            steps = np.asarray(list(chain.from_iterable(parts)), object if dtype.kind == "O" else None)
        result = steps.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"The steps of all sequences are numbers, or vectors of one length, that fit dtype={dtype.name!r}. "
            f"Received: {error}."
        ) from None
    if dtype.kind in "iu" and steps.dtype != dtype and (lost := result != steps).any():
        raise ValueError(
            f"Steps of dtype={dtype.name!r} would lose what they hold. Received: {steps[lost].flat[0]}. "
            f'Type dtype="{"float32" if steps.dtype.kind == "f" else "int64"}".'
        )
    return result
