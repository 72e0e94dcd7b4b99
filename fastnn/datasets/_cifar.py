"""CIFAR's binary archives: a file of records, labels and then 32×32 pixels, plane by plane."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np

from ._files import damaged

__all__ = ["read_records"]

_PIXELS = 3 * 32 * 32


def read_records(path: Path, names: tuple[str, ...], labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 32, 32, 3) and labels (N, labels) of the files with these names in an archive; none is unpacked.

    Raises
    ------
    ValueError
        If the archive is damaged, or lacks a file.
    """
    parts = []
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = {Path(member.name).name: member for member in archive.getmembers() if member.isfile()}
            for name in names:
                file = archive.extractfile(members[name])
                parts.append(np.frombuffer(file.read() if file else b"", np.uint8))
        records = np.concatenate(parts).reshape(-1, labels + _PIXELS)
    except MemoryError:
        raise
    except Exception as error:  # hostile bytes make tarfile and zlib raise a dozen kinds of exception
        raise damaged(path, f"an archive with {', '.join(names)}", repr(error)) from None
    images = records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), records[:, :labels].copy()
