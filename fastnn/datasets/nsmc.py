"""NSMC: 200,000 short Korean film reviews from Naver, positive or negative (L. Park; CC0)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._files import FileSet, damaged, table

__all__ = ["class_names", "find", "load_data"]

class_names: list[str] = ["negative", "positive"]
"""The names of the two classes, in label order."""

_SET = FileSet("nsmc", ("ratings_train.txt", "ratings_test.txt"), "https://github.com/e9t/nsmc")

Texts = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def load_data(path: str | os.PathLike[str] | None = None) -> Texts:
    """Load NSMC: ``(texts_train, y_train), (texts_test, y_test)``.

    Parameters
    ----------
    path : folder with ``ratings_train.txt`` and ``ratings_test.txt``, or the folder above it
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    texts_train : object array (150000,) of str; five of them are empty
    y_train : uint8 (150000,), 0 negative, 1 positive
    texts_test, y_test : (50000,)

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If a file is damaged.

    Examples
    --------
    >>> from fastnn.datasets import nsmc
    >>> (texts, y), (texts_test, y_test) = nsmc.load_data()  # doctest: +SKIP
    >>> nsmc.class_names[1]
    'positive'
    """
    train, test = (_read(file, text) for file, text in _SET.read(path))
    return train, test


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import nsmc
    >>> nsmc.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)


def _read(path: Path, text: str) -> tuple[np.ndarray, np.ndarray]:
    rows = table(path, text, 3, "\t")
    if not {row[2] for row in rows} <= {"0", "1"}:
        raise damaged(path, "labels 0 and 1", str(sorted({row[2] for row in rows})[:3]))
    return np.array([_unquoted(row[1]) for row in rows], object), np.array([row[2] for row in rows]).astype(np.uint8)


def _unquoted(text: str) -> str:
    """Undo CSV quoting: a text that contains quotation marks is wrapped in quotes and its own are doubled."""
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text
