"""Texts as arrays: Python strings in an array of dtype object, which a symbol calls "string"."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_texts", "is_text", "symbol_dtype", "text_of"]


def is_text(dtype: Any) -> bool:
    """Whether an array of this dtype may hold texts: strings, bytes or objects.

    Examples
    --------
    >>> is_text(np.array(["a"]).dtype), is_text(np.float32)
    (True, False)
    """
    return np.dtype(dtype).kind in "OSUT"


def symbol_dtype(dtype: Any) -> str:
    """What a symbol calls the dtype of an array.

    Examples
    --------
    >>> symbol_dtype(np.array(["a"]).dtype), symbol_dtype(np.float32)
    ('string', 'float32')
    """
    return "string" if is_text(dtype) else np.dtype(dtype).name


def as_texts(name: str, value: Any, encoding: str = "utf-8") -> np.ndarray:
    """Texts as an array of Python strings, of dtype object.

    Parameters
    ----------
    name : str
        What takes them, for errors.
    value : str, bytes, or list or array of these
    encoding : str
        Of texts that are given as bytes.

    Raises
    ------
    TypeError
        If an entry is not text.
    ValueError
        If the rows of a list differ in length, or bytes are of another encoding.

    Examples
    --------
    >>> as_texts("a layer", [[b"to", "be"]])
    array([['to', 'be']], dtype=object)
    """
    found = np.asarray(value) if hasattr(value, "__array__") else np.asarray(value, object)
    if found.dtype.kind in "UT":
        return found.astype(object)
    if not is_text(found.dtype):
        raise TypeError(f"{name} takes texts. Received: numbers of dtype {found.dtype}. Use x.astype(str) if need be.")
    entries = found.ravel().tolist()
    if all(type(entry) is str for entry in entries):
        return found if found.dtype == object else found.astype(object)
    texts = np.empty(len(entries), object)
    for place, entry in enumerate(entries):
        if isinstance(entry, (list, tuple)):
            raise ValueError(
                f"{name} takes an array of texts, rows of one length. Received: rows of different lengths. "
                "Use [' '.join(row) for row in x] if each row is the words of one text."
            )
        texts[place] = text_of(name, entry, encoding)
    return texts.reshape(found.shape)


def text_of(name: str, entry: Any, encoding: str = "utf-8") -> str:
    """One text as a Python string, or raise TypeError.

    Examples
    --------
    >>> text_of("a layer", b"to be")
    'to be'
    """
    if isinstance(entry, bytes):
        return entry.decode(encoding)
    if isinstance(entry, str):
        return str(entry)
    if isinstance(entry, np.ndarray) and entry.ndim == 0:
        return text_of(name, entry.item(), encoding)
    raise TypeError(f"{name} takes texts. Received: {entry!r}, a {type(entry).__name__}.")
