"""Tiny Shakespeare: 1.1 million characters of his plays, to learn the next one (A. Karpathy; public domain)."""

from __future__ import annotations

import os
from pathlib import Path

from ._files import FileSet

__all__ = ["find", "load_data"]

_SET = FileSet("tinyshakespeare", ("input.txt",), "https://github.com/karpathy/char-rnn")


def load_data(path: str | os.PathLike[str] | None = None) -> str:
    """The text.

    Parameters
    ----------
    path : folder with ``input.txt``, or the folder above it
        By default the set is looked for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    str
        1,115,394 characters, 65 different ones. The last tenth is commonly kept for validation.

    Raises
    ------
    FileNotFoundError
        If the set is nowhere; the message says what to put where.
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
    """The folder from which ``load_data(path)`` would read, or None.

    Examples
    --------
    >>> from fastnn.datasets import tiny_shakespeare
    >>> tiny_shakespeare.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)
