"""get_file: a file from the network, kept in a folder of the user's."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..datasets._files import cache
from ..datasets._single import download, file_digest

__all__ = ["get_file"]


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file unless it is there already, and give its path.

    Parameters
    ----------
    fname : str, optional
        Its name; by default the last part of ``origin``.
    origin : str
        The address.
    untar, extract : bool
        Whether a tar or zip archive is unpacked, into a folder beside it whose path is then given.
    md5_hash : str, optional
        Older word for ``file_hash``.
    file_hash : str, optional
        SHA-256 or MD5; other bytes are refused, and a file that is there with other bytes is downloaded again.
    cache_subdir : str
        The folder within ``cache_dir``.
    hash_algorithm : {"auto", "sha256", "md5"}
    archive_format : accepted; the format is read off the file
    cache_dir : path, optional
        By default the user's cache, ``~/.cache/fastnn``.
    force_download : bool

    Raises
    ------
    ValueError
        Without an origin, or for an archive that would write outside of its folder.
    ConnectionError
        If the file cannot be downloaded, or other bytes come.
    """
    if not origin:
        raise ValueError('get_file needs an address. Received: origin=None. Use get_file(origin="https://…").')
    name = os.path.basename(fname or urlsplit(origin).path)
    if not name:
        raise ValueError(f"The file has no name. Received: origin={origin!r}. Use get_file('name.csv', origin=...).")
    expected = file_hash or md5_hash
    algorithm = hash_algorithm if hash_algorithm != "auto" else "md5" if len(expected or "") == 32 else "sha256"
    if algorithm not in ("sha256", "md5"):
        raise ValueError(f'hash_algorithm must be "auto", "sha256" or "md5". Received: {hash_algorithm!r}.')
    folder = (cache() if cache_dir is None else Path(cache_dir).expanduser()) / cache_subdir
    target = folder / name
    kept = target.is_file() and not force_download
    if not kept or (expected is not None and file_digest(target, algorithm) != expected.lower()):
        download(origin, target, expected, algorithm)
    return _unpacked(target) if untar or extract else str(target)


def _unpacked(archive: Path) -> str:
    """The folder that an archive was unpacked into."""
    folder = archive.with_name(f"{archive.name.replace('.', '_')}_extracted")
    if folder.is_dir():
        return str(folder)
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")  # refuses links and paths that lead out of the folder
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    else:
        raise ValueError(f"{archive} is no tar or zip archive. Received: extract=True. Use extract=False.")
    return str(folder)
