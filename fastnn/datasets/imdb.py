"""IMDB: 50,000 film reviews as numbers of words, positive or negative (Maas et al.)."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from ._sequences import array_of_lists, drawn, read_sequences, within
from ._single import SingleFile

__all__ = ["get_word_index", "load_data"]

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SET = SingleFile(
    "imdb", "imdb.npz", f"{_URL}imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
)
_INDEX = SingleFile("imdb", "imdb_word_index.json", f"{_URL}imdb_word_index.json", "bfafd718b763782e994055a2d397834f")


def load_data(
    path: str | os.PathLike[str] | None = None,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Any:
    """Load the reviews: ``(x_train, y_train), (x_test, y_test)``, in Keras' order for the seed.

    Parameters
    ----------
    path : the file imdb.npz of Keras, or its folder; by default it is searched for in ``$FASTNN_DATA`` and in the
        user's cache, and downloaded into the cache (17 MB).
    num_words : int, optional
        Only numbers below it are kept.
    skip_top : int
        The most frequent words to leave out.
    maxlen : int, optional
        Reviews of this length and longer are left out.
    seed : int
        Of the order.
    start_char, oov_char : int, optional
        What stands at the start, and for words that are left out; None: nothing.
    index_from : int
        Words are numbered from here on.

    Returns
    -------
    x_train, x_test : arrays of lists of int
    y_train, y_test : int64 arrays of 0 and 1

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged, or ``maxlen`` leaves nothing.

    Notes
    -----
    The file holds pickled lists. They are read without running anything: all names but an array's are refused.

    Examples
    --------
    >>> from fastnn.datasets import imdb
    >>> (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)  # doctest: +SKIP
    """
    file = _SET.get(path)
    x_train, y_train, x_test, y_test = read_sequences(file, ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.RandomState(seed)
    parts = []
    for x, y in ((x_train, y_train), (x_test, y_test)):
        rows, labels = drawn(x, y, rng, start_char, index_from, maxlen)
        if not rows:
            raise ValueError(f"maxlen={maxlen} leaves no review. Received: reviews that are longer. Use more.")
        parts.append((rows, labels))
    rows = array_of_lists(within([*parts[0][0], *parts[1][0]], num_words, skip_top, oov_char))
    cut = len(parts[0][0])
    return (rows[:cut], parts[0][1]), (rows[cut:], parts[1][1])


def get_word_index(path: str | os.PathLike[str] | None = None) -> dict[str, int]:
    """The number of each word, before ``index_from`` is added.

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    """
    return json.loads(_INDEX.get(path).read_text("utf-8"))
