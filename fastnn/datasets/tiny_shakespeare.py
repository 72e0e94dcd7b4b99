"""Tiny Shakespeare: 1.1 million characters of Shakespeare's plays (A. Karpathy; public domain)."""

from __future__ import annotations

import os
from pathlib import Path

from ._files import FileSet

__all__ = ["find", "load_data"]

_SET = FileSet("tinyshakespeare", ("input.txt",), "https://github.com/karpathy/char-rnn")


def load_data(path: str | os.PathLike[str] | None = None) -> str:
    """Load the text.

    Parameters
    ----------
    path : folder with ``input.txt``, or the folder above it
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    str
        1,115,394 characters, 65 of them distinct. The last tenth is commonly kept for validation.

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> from fastnn.datasets import tiny_shakespeare
    >>> text = tiny_shakespeare.load_data()  # doctest: +SKIP
    >>> text[:14]  # doctest: +SKIP
    'First Citizen:'
    """
    ((_, text),) = _SET.read(path)
    return text


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import tiny_shakespeare
    >>> tiny_shakespeare.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)
