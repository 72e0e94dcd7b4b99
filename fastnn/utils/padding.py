"""Pad or truncate sequences to one length."""

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
    """Return an array of sequences, padded with ``value`` or truncated to one length.

    Parameters
    ----------
    sequences : list of sequences of numbers, or of vectors of one shape
    maxlen : int, optional
        The common length; by default that of the longest sequence.
    dtype : dtype of the result; ``object`` for strings
    padding : {"pre", "post"}
        The end at which short sequences are padded.
    truncating : {"pre", "post"}
        The end at which long sequences are truncated.
    value : the value to pad with

    Returns
    -------
    array (N, maxlen, …)

    Raises
    ------
    ValueError
        If ``sequences`` is empty, an element is not a sequence, the vectors differ in shape, a number does not fit
        ``dtype``, or an option is none of the above.

    Notes
    -----
    The defaults are those of Keras: both at the front, so that the last step of a recurrent layer sees a word. A mask
    that skips the padding (``Embedding(mask_zero=True)``) works with either end.

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
            raise ValueError(f'{name} must be "pre" or "post". Received: {name}={side!r}.')
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"sequences must be a list of sequences. Received: {type(sequences).__name__}. Use list(...).")
    if maxlen is not None and (isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0):
        raise ValueError(f"maxlen must be an integer of at least 0, or None. Received: maxlen={maxlen!r}.")
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OSU":
        raise ValueError(f"Padding with {value!r} needs dtype=object. Received: dtype={dtype.name!r}.")
    if dtype.kind in "iu" and isinstance(value, (float, np.floating)) and not float(value).is_integer():
        raise ValueError(f'Padding with {value!r} needs dtype="float32". Received: dtype={dtype.name!r}.')
    lengths = [_length(i, s) for i, s in enumerate(sequences)]
    if maxlen is None:
        if not lengths:
            raise ValueError("pad_sequences needs at least one sequence, or maxlen=... Received: neither.")
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
            f"sequences must be a list of sequences. Received: {sequence!r} at position {i}. For one sequence, use "
            "pad_sequences([sequence])."
        ) from None


def _steps(parts: list[Any], dtype: np.dtype) -> np.ndarray:
    """Concatenate the steps of all parts into an array of the dtype."""
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
            f"The steps of all sequences must be numbers, or vectors of one length, that fit dtype={dtype.name!r}. "
            f"Received: {error}."
        ) from None
    if dtype.kind in "iu" and steps.dtype != dtype and (lost := result != steps).any():
        raise ValueError(
            f"Casting the steps to dtype={dtype.name!r} would change them. Received: {steps[lost].flat[0]}. "
            f'Use dtype="{"float32" if steps.dtype.kind == "f" else "int64"}".'
        )
    return result
