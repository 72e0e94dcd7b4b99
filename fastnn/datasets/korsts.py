"""KorSTS: 8,628 pairs of Korean sentences and their similarity, 0 to 5 (Ham et al. 2020; CC BY-SA 4.0)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._files import FileSet, damaged, table

__all__ = ["find", "load_data"]

_SET = FileSet(
    "korsts", ("sts-train.tsv", "sts-dev.tsv", "sts-test.tsv"), "https://github.com/kakaobrain/kor-nlu-datasets"
)

Pairs = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pairs, Pairs, Pairs]:
    """Load KorSTS: ``(pairs_train, y_train), (pairs_valid, y_valid), (pairs_test, y_test)``.

    Parameters
    ----------
    path : folder with ``sts-train.tsv``, ``sts-dev.tsv`` and ``sts-test.tsv``, or the folder above it
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    pairs_train : object array (5749, 2) of str; ``pairs[:, 0]`` holds the first sentences
    y_train : float32 (5749,), 0 (nothing in common) to 5 (the same meaning); ``y >= 3`` makes two classes
    pairs_valid, y_valid : 1,500 pairs
    pairs_test, y_test : 1,379 pairs

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If a file is damaged.

    Notes
    -----
    Source: J. Ham, Y. J. Choe, K. Park, I. Choi, H. Soh, "KorNLI and KorSTS: New Benchmark Datasets for Korean Natural
    Language Understanding", Findings of EMNLP 2020.

    Examples
    --------
    >>> from fastnn.datasets import korsts
    >>> (pairs, y), valid, test = korsts.load_data()  # doctest: +SKIP
    """
    train, valid, test = (_read(file, text) for file, text in _SET.read(path))
    return train, valid, test


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import korsts
    >>> korsts.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)


def _read(path: Path, text: str) -> Pairs:
    rows = table(path, text, 7, "\t")
    try:
        score = np.array([row[4] for row in rows]).astype(np.float32)
    except ValueError:
        score = np.array([np.nan], np.float32)
    if not ((score >= 0) & (score <= 5)).all():
        raise damaged(path, "scores from 0 to 5 in column 5", "other values")
    return np.array([row[5:] for row in rows], object), score
