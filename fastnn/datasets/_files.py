"""Find data sets on disk, and read those that are text files.

The first hit in this order wins: ``path``, if given (the folder with the files, or the folder above it); a subfolder
of ``$FASTNN_DATA``; a subfolder of the user's cache, ``$XDG_CACHE_HOME/fastnn``, by default ``~/.cache/fastnn``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FileSet", "cache", "damaged", "search", "table"]


def cache() -> Path:
    """Return the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastnn"


def search(
    folder: str, holds: Callable[[Path], Path | None], path: str | os.PathLike[str] | None = None
) -> Path | None:
    """Return the first place that has a set.

    Parameters
    ----------
    folder : name of the set's folder
    holds : returns what a folder contains of the set, or None
    path : the only place to search, instead of the usual ones
    """
    if path is not None:
        place = Path(path).expanduser()
        return holds(place / folder) or holds(place)
    for place in (os.environ.get("FASTNN_DATA"), cache()):
        # Only the subfolder: some sets have the same file names.
        if place and (found := holds(Path(place).expanduser() / folder)):
            return found
    return None


@dataclass(frozen=True)
class FileSet:
    """A set of files that is not downloaded: the user puts them into their folder.

    Parameters
    ----------
    folder : name of its folder, ``"nsmc"``
    names : names of its files
    source : who publishes them
    """

    folder: str
    names: tuple[str, ...]
    source: str

    def find(self, path: str | os.PathLike[str] | None = None) -> Path | None:
        """Return the folder that has all files, or None."""
        return search(self.folder, lambda place: place if self._in(place) else None, path)

    def read(self, path: str | os.PathLike[str] | None = None) -> list[tuple[Path, str]]:
        """Return each file and its text, in the order of the names.

        Raises
        ------
        FileNotFoundError
            If the set is not found; the message says which files to put where.
        ValueError
            If a file is not UTF-8.
        """
        found = self.find(path)
        if found is None:
            where = cache() / self.folder if path is None else path
            raise FileNotFoundError(
                f"{self.folder} was not found. Put {', '.join(self.names)} into {where}, or set FASTNN_DATA to the "
                f"folder that contains {self.folder}/. The files are published by {self.source}."
            )
        return [(found / name, _text(found / name)) for name in self.names]

    def _in(self, folder: Path) -> bool:
        return all((folder / name).is_file() for name in self.names)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, "UTF-8 text", f"other bytes at position {error.start:,}") from None


def damaged(path: Path, expected: str, received: str) -> ValueError:
    """Return the error for a file that cannot be used."""
    return ValueError(
        f"{path} cannot be used: expected {expected}. Received: {received}. Replace it with an intact copy."
    )


def table(path: Path, text: str, columns: int, separator: str) -> list[list[str]]:
    """Return the rows after the header line, split into columns; quotes are plain characters.

    Raises
    ------
    ValueError
        If a row has a different number of columns, or there are no rows.
    """
    rows = [line.rstrip("\r").split(separator) for line in text.split("\n")[1:] if line]
    for number, row in enumerate(rows, 2):
        if len(row) != columns:
            raise damaged(path, f"{columns} columns", f"{len(row)} in line {number}")
    if not rows:
        raise damaged(path, "rows after a header line", "none")
    return rows
