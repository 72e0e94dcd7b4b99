"""Files that are whole at any moment: written beside the old one, and put in its place when they are on the disk."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable

__all__ = ["replace_file"]


def replace_file(path: str, write: Callable[[str], None]) -> None:
    """Let ``write`` make a file beside ``path``, and rename it to ``path`` once its bytes are on the disk.

    Whatever happens on the way, a file that stood at ``path`` stays whole; a link stays a link to the new file.

    Parameters
    ----------
    path : str
    write : callable
        Gets the path of an empty file in the same folder, and fills it.

    Raises
    ------
    OSError
        If the folder is not there or cannot be written to, or the disk is full.
    """
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f'The folder "{folder}" does not exist. Received: the file name "{name}" in it. Use os.makedirs first.'
        )
    if os.path.isdir(path):
        raise IsADirectoryError(f'"{path}" is a folder. Use the path of a file in it, "{path}/model.safetensors".')
    beside = os.path.join(folder, f".{name[:80]}.{secrets.token_hex(8)}.part")
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        mode = os.stat(path if os.path.exists(path) else beside).st_mode & 0o777
        write(beside)
        os.chmod(beside, mode)  # the writer may have put a file of its own there
        _to_disk(beside, os.O_RDWR)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    if hasattr(os, "O_DIRECTORY"):
        _to_disk(folder, os.O_RDONLY | os.O_DIRECTORY)


def _to_disk(path: str, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
