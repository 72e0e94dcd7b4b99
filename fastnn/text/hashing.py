"""Words as numbers without a vocabulary, by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from .words import FILTERS, text_to_word_sequence

__all__ = ["hashing_trick", "one_hot"]


def _md5(word: str) -> int:
    return int.from_bytes(hashlib.md5(word.encode(), usedforsecurity=False).digest(), "big")


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[Any], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return the words of a text as ids from 1 to n − 1: hash(word) mod (n − 1) + 1.

    Different words may get the same id; 0 is reserved for padding.

    Parameters
    ----------
    text : str
    n : int
        At least 2.
    hash_function : callable or "md5", optional
        By default MD5, which gives the same ids in every run; Python's own ``hash`` changes from run to run.
    filters, lower, split : as in ``text_to_word_sequence``
    analyzer : callable, optional
        Splits the text into words instead.

    Raises
    ------
    ValueError
        If n is below 2, or the hash function is unknown.

    Examples
    --------
    >>> hashing_trick("to be or not to be", 100)
    [5, 66, 50, 12, 5, 66]
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 2:
        raise ValueError(f"n must be an integer of at least 2: ids run from 1 to n - 1. Received: n={n!r}.")
    function = _md5 if hash_function in (None, "md5") else hash_function
    if not callable(function):
        raise ValueError(f'hash_function must be a function or "md5". Received: {hash_function!r}.')
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [function(word) % (n - 1) + 1 for word in words]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return the words of a text as ids from 1 to n − 1, by their hash. Despite its name, it makes no one-hot rows.

    Examples
    --------
    >>> one_hot("to be or not to be", 100)
    [5, 66, 50, 12, 5, 66]
    """
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)
