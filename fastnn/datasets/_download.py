"""Download one file: verified, resumed where it stopped, and put in place in one atomic step.

The data is written to ``<name>.part`` beside the target. A later attempt, in this process or another, requests only
the rest from the server (HTTP ``Range``). When the length and the SHA-256 checksum are right, the file is flushed to
disk and renamed, so at any moment the target is either absent or complete.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fastnn.datasets._system import NO_LINKS, lock, put_in_place, sync_folder

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["fetch"]

_CHUNK = 1 << 16
_ATTEMPTS = 5  # consecutive connections to one server, as long as each brings new data
_TIMEOUT = 30.0  # seconds without a byte
_WINDOW = 60.0  # seconds in which a connection brings at least so many bytes, so that no download runs forever:
_SLOWEST = 60_000


def fetch(urls: Sequence[str], target: Path, size: int, sha256: str) -> Path:
    """Download ``target`` from the first of ``urls`` that serves the right bytes.

    Parameters
    ----------
    urls : addresses of the same file, tried in order
    target : where to put the file; its folder is created if necessary
    size : length of the file in bytes
    sha256 : its SHA-256 checksum, in hexadecimal

    Returns
    -------
    ``target``

    Raises
    ------
    ConnectionError
        If no address served the file; the message lists what each one answered.
    PermissionError
        If the folder cannot be written.
    FileExistsError
        If there is something else than a file in its place, such as a symbolic link, which is not followed.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        opened = _open_part(part)
    except PermissionError as error:
        raise PermissionError(
            f"{target.name} is downloaded into {target.parent}, where nothing can be written. Received: {error}. "
            "Set XDG_CACHE_HOME to a folder that you can write, or put the file there yourself and set FASTNN_DATA."
        ) from None
    with opened as file:
        lock(file)  # another process may be fetching the same file
        if target.exists():
            part.unlink(missing_ok=True)
            return target
        failures = []
        for url in urls:
            try:
                _fetch_from(url, file, size, sha256, target.name)
            except (OSError, HTTPException, _WrongFile) as error:
                failures.append(f"  {url}: {error}")
            else:
                put_in_place(file, part, target)
                sync_folder(target.parent)
                return target
    raise ConnectionError("\n".join([f"{target.name} could not be downloaded:", *failures]))


def _open_part(part: Path) -> BinaryIO:
    """Open the part of a file for reading and appending, if it is a file or absent: what a link names is not ours."""
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINKS, 0o666)
    except OSError:
        if not part.is_symlink():
            raise
        handle = -1
    if handle >= 0 and stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "a+b")
    if handle >= 0:
        os.close(handle)
    raise FileExistsError(
        f"{part} must be a file. Received: a symbolic link or a special file. Delete it and try again."
    )


class _WrongFile(Exception):
    """The server sent something other than the requested file."""


def _fetch_from(url: str, file: Any, size: int, sha256: str, name: str) -> None:
    """Complete ``file`` from one address, reconnecting as long as each connection brings data."""
    from tqdm import tqdm

    have = start = file.seek(0, os.SEEK_END)
    with tqdm(total=size, initial=have, desc=name, unit="B", unit_scale=True, leave=False) as bar:
        for _ in range(_ATTEMPTS):
            before = have
            if have < size:
                have = _append(url, file, have, size, bar)
            if have >= size or have <= before:
                break
    if have < size:
        raise _WrongFile(f"the connection ended after {have:,} of {size:,} bytes")
    file.seek(0)
    received = hashlib.file_digest(file, "sha256").hexdigest()
    if have > size or received != sha256:
        file.truncate(0)
        if start:  # the part from an earlier attempt may be at fault: try once more without it
            return _fetch_from(url, file, size, sha256, name)
        raise _WrongFile(f"expected {size:,} bytes with the SHA-256 checksum {sha256}. Received: {received}")
    os.fsync(file.fileno())


def _append(url: str, file: BinaryIO, have: int, size: int, bar: tqdm) -> int:
    """Append what one connection delivers to ``file``, and return the new length."""
    request = urllib.request.Request(url, headers={"User-Agent": "fastnn"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # "range not satisfiable": our part is not the beginning of this file
            raise
        file.truncate(0)
        bar.reset()
        return _append(url, file, 0, size, bar) if have else 0
    with answer:
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not resumed:  # the server is sending the whole file again
            file.truncate(0)
            bar.reset()
            have = 0
        begun, then = time.monotonic(), have
        while have <= size and (block := _read(answer)):
            file.write(block)
            have += len(block)
            bar.update(len(block))
            if time.monotonic() - begun > _WINDOW:
                if have - then < _SLOWEST:
                    raise _WrongFile(f"too slow: {have - then:,} bytes in {_WINDOW:.0f} seconds")
                begun, then = time.monotonic(), have
    file.flush()
    return have


def _read(answer: HTTPResponse) -> bytes:
    """Return the next bytes; none at the end or when the connection breaks (the caller counts them)."""
    try:
        return answer.read1(_CHUNK)  # what has come: to fill a chunk may take for ever
    except (OSError, HTTPException):
        return b""
