"""What operating systems do differently with files that several processes share."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO

__all__ = ["NO_LINKS", "lock", "put_in_place", "sync_folder"]

if os.name == "nt":
    import msvcrt

    _FAR = 1 << 40  # a locked byte can be read by nobody else, so it is one that no file has
    _ATTEMPTS = 100

    NO_LINKS = os.O_BINARY | os.O_NOINHERIT  # Windows cannot refuse links here

    def lock(file: BinaryIO) -> None:
        """Wait until no other process holds the file; it is ours until it is closed."""
        while True:
            at = file.seek(0, os.SEEK_CUR)
            file.seek(_FAR)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten seconds
                return
            except OSError:
                continue
            finally:
                file.seek(at)

    def put_in_place(file: BinaryIO, part: Path, target: Path) -> None:
        """Give a finished file its name. Windows renames no file that is open, here or in another process."""
        file.close()
        for attempt in range(_ATTEMPTS):
            try:
                os.replace(part, target)
                return
            except OSError:
                if target.exists() and not part.exists():  # another process was first, with the same bytes
                    return
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.1)

    def sync_folder(folder: Path) -> None:
        """Do nothing: Windows has no such call."""

else:
    import fcntl

    NO_LINKS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # how to open a file that must not be a link or a pipe

    def lock(file: BinaryIO) -> None:
        """Wait until no other process holds the file; it is ours until it is closed."""
        fcntl.flock(file, fcntl.LOCK_EX)

    def put_in_place(file: BinaryIO, part: Path, target: Path) -> None:
        """Give a finished file its name, in one step."""
        os.replace(part, target)

    def sync_folder(folder: Path) -> None:
        """Flush the folder itself to disk, so that the new name survives a power cut."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
