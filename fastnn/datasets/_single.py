"""Data sets of one file: found on disk, else downloaded into the cache and checked by its hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from ._files import cache, search

__all__ = ["SingleFile", "download", "file_digest"]

_CHUNK = 1 << 18


def file_digest(path: str | os.PathLike[str], algorithm: str) -> str:
    """The hash of a file as hexadecimal digits."""
    found = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def download(url: str, target: Path, digest: str | None = None, algorithm: str = "sha256") -> Path:
    """Download a file, which appears whole or not at all.

    Parameters
    ----------
    url : str
        http, https, or file.
    target : path
    digest : str, optional
        The hash that the bytes must have.
    algorithm : {"sha256", "md5"}

    Raises
    ------
    ConnectionError
        If it cannot be downloaded, or other bytes come.
    """
    import urllib.error
    import urllib.request

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "fastnn"})
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(request, timeout=30) as answer:
            expected, have = answer.headers.get("Content-Length"), 0
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
        if expected is not None and have != int(expected):
            raise ConnectionError(f"{url} broke off: {have:,} of {int(expected):,} bytes came. Try again.")
        if digest is not None and (found := file_digest(part, algorithm)) != digest.lower():
            raise ConnectionError(f"{url} sent other bytes than expected: {algorithm} {digest}. Received: {found}.")
        os.replace(part, target)
    except (urllib.error.URLError, OSError, ValueError) as error:
        if isinstance(error, ConnectionError) and str(error).startswith(url):
            raise
        raise ConnectionError(f"{url} could not be downloaded: {error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return target


class SingleFile:
    """One file of a data set.

    Parameters
    ----------
    folder : name of its folder, "imdb"
    name : name of the file, "imdb.npz"
    url : where it is served
    digest : its hash, SHA-256, or MD5 where no other is published
    """

    def __init__(self, folder: str, name: str, url: str, digest: str):
        self.folder, self.name, self.url, self.digest = folder, name, url, digest

    def find(self, path: str | os.PathLike[str] | None = None) -> Path | None:
        """The file on disk, or None; Keras' ``path="imdb.npz"`` is only a name in the cache."""
        if path is not None and os.fspath(path) != self.name:
            place = Path(path).expanduser()
            return place if place.is_file() else search(self.folder, self._in, path)
        return search(self.folder, self._in)

    def get(self, path: str | os.PathLike[str] | None = None) -> Path:
        """The file, downloaded if it is not found and no other place was named.

        Raises
        ------
        FileNotFoundError, ConnectionError
            If there is none; the message says what to put where.
        """
        found = self.find(path)
        if found is not None:
            return found
        if path is not None and os.fspath(path) != self.name:
            raise FileNotFoundError(f"{os.fspath(path)} does not contain {self.folder}. {self._advice()}")
        try:
            algorithm = "md5" if len(self.digest) == 32 else "sha256"
            return download(self.url, cache() / self.folder / self.name, self.digest, algorithm)
        except ConnectionError as error:
            raise ConnectionError(f"{error}\n{self._advice()}") from None

    def _in(self, folder: Path) -> Path | None:
        places = (folder / self.name, folder.parent / self.name)
        return next((file for file in places if file.is_file()), None)

    def _advice(self) -> str:
        return (
            f"Put {self.name} into {cache() / self.folder}, or set FASTNN_DATA to the folder that contains it. "
            f"The file is served by {self.url}."
        )
