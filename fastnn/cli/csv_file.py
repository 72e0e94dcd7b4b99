"""CSV files as columns: a header, then rows of numbers, and of words in the columns that may hold them."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

__all__ = ["column_names", "read_columns"]

_MISSING = frozenset(["", "na", "n/a", "nan", "null", "?"])
_ROWS = 4096  # converted together


def column_names(path: str, separator: str) -> list[str]:
    """Return the names in the header.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If there is no header, or a name is empty or occurs twice.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        return _header(path, _rows(path, file, separator))


def read_columns(path: str, names: Collection[str], words: Collection[str], separator: str) -> dict[str, np.ndarray]:
    """Read the columns of these names.

    Parameters
    ----------
    path : str
        A file in UTF-8; fields may be in double quotes.
    names : collection of str
    words : collection of str
        Those of them that may hold words.
    separator : str

    Returns
    -------
    dict of str to array (N,)
        float64; arrays of Python strings for ``words``.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, or a value is missing or not a number: with its line and column.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = _rows(path, file, separator)
        header = _header(path, rows)
        if absent := [name for name in names if name not in header]:
            raise ValueError(
                f"{path} has no column {absent[0]!r}. Its columns: {', '.join(map(repr, header))}. Received: "
                f"separator {separator!r}. Use --separator where the file has another."
            )
        places = {name: header.index(name) for name in names}
        found: dict[str, list[Any]] = {name: [] for name in names}
        known: dict[str, str] = {}  # one string object a class, not one a row
        for chunk in iter(lambda: list(islice(rows, _ROWS)), []):
            for line, row in chunk:
                if len(row) != len(header):
                    raise ValueError(
                        f"{path}, line {line}: {len(header)} fields expected, as in the header. Received: {len(row)}. "
                        "Put fields that hold the separator in double quotes."
                    )
            for name, place in places.items():
                cells = [row[place] for _, row in chunk]
                found[name].append(
                    [known.setdefault(word, word) for word in _words(path, name, chunk, cells)]
                    if name in words
                    else _numbers(path, name, chunk, cells)
                )
    if not next(iter(found.values()), None):
        raise ValueError(f"{path} has a header and no rows. Use a file with at least one row of values.")
    return {
        name: np.array(list(chain(*parts)), object) if name in words else np.concatenate(parts)
        for name, parts in found.items()
    }


def _rows(path: str, file: Any, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of the line that it ends in."""
    reader = csv.reader(file, delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}. Save it as UTF-8, or use an .npz file.") from None
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {reader.line_num}: {error}. Use double quotes around a field, and twice within one."
        ) from None


def _header(path: str, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    names = [name.strip() for _, row in islice(rows, 1) for name in row]
    if not names:
        raise ValueError(f"{path} is empty. Use a file whose first line names the columns.")
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"{path}: the first line must name the columns. Received: {', '.join(names[:5])}. Put a line above it."
        )
    if "" in names:
        raise ValueError(f"{path}: column {names.index('') + 1} has no name. Give it one in the first line.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{path}: two columns are called {twice[0]!r}. Give each its own name in the first line.")
    return names


def _words(path: str, name: str, chunk: list, cells: list[str]) -> list[str]:
    words = [cell.strip() for cell in cells]
    for (line, _), word in zip(chunk, words, strict=True):
        if word.lower() in _MISSING:
            raise _missing(path, name, line, word)
    return words


def _numbers(path: str, name: str, chunk: list, cells: list[str]) -> np.ndarray:
    try:
        numbers = np.array(cells, np.float64)
        if np.isfinite(numbers).all():
            return numbers
    except ValueError:
        pass
    for (line, _), cell in zip(chunk, cells, strict=True):
        if cell.strip().lower() in _MISSING:
            raise _missing(path, name, line, cell)
        if not _is_number(cell):
            raise ValueError(
                f"{path}, line {line}, column {name!r}: a number expected. Received: {cell!r:.60}. Use numbers in its "
                f"place, or leave the column out with --drop {name!r}."
            )
    raise ValueError(f"{path}, column {name!r}: finite numbers expected. Received: {cells!r:.60}.")


def _missing(path: str, name: str, line: int, cell: str) -> ValueError:
    return ValueError(
        f"{path}, line {line}, column {name!r}: the value is missing. Received: {cell!r}. Fill it in, take the row "
        f"out, or leave the column out with --drop {name!r}."
    )


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
