"""Fetching one file over the network: checked, resumed where it stopped, put in place in one step.

The bytes go to ``<name>.part`` beside the target. A later attempt, in this process or another one, asks the
server for the rest only (HTTP ``Range``). When the length and the SHA-256 sum are right, the file is flushed
to disk and renamed; so the target is absent or whole at any moment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["fetch"]

_CHUNK = 1 << 16
_ATTEMPTS = 5  # connections in a row to one server, as long as each brings something new
_TIMEOUT = 30.0  # seconds without a byte


def fetch(urls: Sequence[str], target: Path, size: int, sha256: str) -> Path:
    """Download ``target`` from the first of ``urls`` that serves the right bytes.

    Parameters
    ----------
    urls : addresses of the same file, tried in order
    target : where the file goes; its folder is made if need be
    size : length of the file in bytes
    sha256 : its SHA-256 sum, in hexadecimal

    Returns
    -------
    ``target``

    Raises
    ------
    ConnectionError
        If no address served the file; the message lists what each one answered.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with open(part, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another process may be fetching the same file
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
                os.replace(part, target)
                _sync_folder(target.parent)
                return target
    raise ConnectionError("\n".join([f"{target.name} could not be downloaded:", *failures]))


class _WrongFile(Exception):
    """The server sent something else than the file asked for."""


def _fetch_from(url: str, file: BinaryIO, size: int, sha256: str, name: str) -> None:
    """Complete ``file`` from one address, reconnecting as long as that brings bytes."""
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
        if start:  # the beginning, from an earlier attempt, may be at fault: once more without it
            return _fetch_from(url, file, size, sha256, name)
        raise _WrongFile(f"expected {size:,} bytes with the SHA-256 sum {sha256}. Received: {received}")
    os.fsync(file.fileno())


def _append(url: str, file: BinaryIO, have: int, size: int, bar: tqdm) -> int:
    """One connection: append what it brings to ``file``, and give the new length."""
    request = urllib.request.Request(url, headers={"User-Agent": "fastnn"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # "range not satisfiable": what we hold is not a beginning of this file
            raise
        file.truncate(0)
        bar.reset()
        return _append(url, file, 0, size, bar) if have else 0
    with answer:
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not resumed:  # the server sends the whole file again
            file.truncate(0)
            bar.reset()
            have = 0
        while have <= size and (block := _read(answer)):
            file.write(block)
            have += len(block)
            bar.update(len(block))
    file.flush()
    return have


def _read(answer: HTTPResponse) -> bytes:
    """The next bytes; none at the end, and none when the connection breaks (the caller counts them)."""
    try:
        return answer.read(_CHUNK)
    except (OSError, HTTPException):
        return b""


def _sync_folder(folder: Path) -> None:
    """Write the folder itself to disk, so that the new name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
