"""Reuters: 11,228 news as numbers of words, of 46 topics."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from ._sequences import array_of_lists, drawn, read_sequences, within
from ._single import SingleFile

__all__ = ["get_label_names", "get_word_index", "load_data"]

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SET = SingleFile(
    "reuters",
    "reuters.npz",
    f"{_URL}reuters.npz",
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
)
_INDEX = SingleFile(
    "reuters", "reuters_word_index.json", f"{_URL}reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921"
)
_TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog",
    "lead",
)  # fmt: skip


def load_data(
    path: str | os.PathLike[str] | None = None,
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Any:
    """Load the news: ``(x_train, y_train), (x_test, y_test)``, in Keras' order for the seed.

    Parameters
    ----------
    path : the file reuters.npz of Keras, or its folder; by default it is searched for in ``$FASTNN_DATA`` and in the
        user's cache, and downloaded into the cache (2 MB).
    num_words, skip_top, maxlen, seed, start_char, oov_char, index_from : as for ``imdb.load_data``
    test_split : float
        The share of the news in the test set.

    Returns
    -------
    x_train, x_test : arrays of lists of int
    y_train, y_test : int64 arrays of 0 to 45

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> from fastnn.datasets import reuters
    >>> (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10000)  # doctest: +SKIP
    """
    x, y = read_sequences(_SET.get(path), ("x", "y"))
    rows, labels = drawn(x, y, np.random.RandomState(seed), start_char, index_from, maxlen)
    found = array_of_lists(within(rows, num_words, skip_top, oov_char))
    cut = int(len(rows) * (1 - test_split))
    return (found[:cut], labels[:cut]), (found[cut:], labels[cut:])


def get_word_index(path: str | os.PathLike[str] | None = None) -> dict[str, int]:
    """The number of each word, before ``index_from`` is added."""
    return json.loads(_INDEX.get(path).read_text("utf-8"))


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, in label order.

    Examples
    --------
    >>> len(get_label_names()), get_label_names()[3]
    (46, 'earn')
    """
    return _TOPICS
