"""Read IDX files, the format of MNIST and its relatives, plain or gzip-compressed.

    byte 0, 1   zero
    byte 2      type of the numbers: 0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64
    byte 3      number of axes, R
    then        R big-endian uint32 sizes, then the numbers, big-endian, in row-major order

The reader checks every byte. Whatever a file contains, the result is an array or a ``ValueError`` that says what is
wrong, and it never allocates more memory than the file can fill.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import Any

import numpy as np

__all__ = ["DEFLATE_LIMIT", "read_idx"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032  # deflate compresses at most 1032 bytes into one
_MAX_AXES = 8


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one IDX file, compressed or not (as its content tells, not its name).

    Parameters
    ----------
    path : path of the file

    Returns
    -------
    array of the type and shape in the header, native byte order, writeable

    Raises
    ------
    ValueError
        If the file is not IDX, is truncated, has bytes left over, or claims more than it can hold.

    Notes
    -----
    Source of the format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
    >>> _ = path.write_bytes(b"\\x00\\x00\\x08\\x01" + b"\\x00\\x00\\x00\\x03" + b"\\x07\\x02\\x01")
    >>> read_idx(path).tolist()
    [7, 2, 1]
    """
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
        room = os.fstat(file.fileno()).st_size
        file.seek(0)
        try:
            if not compressed:
                return _parse(file, room, path)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _parse(unpacked, room * DEFLATE_LIMIT, path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _broken(path, "an intact gzip file", f"{error}") from None


def _parse(file: Any, room: int, path: str | os.PathLike[str]) -> np.ndarray:
    """Read the header and the numbers; ``room`` is the largest number of bytes that can follow."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise _broken(path, "an IDX file: bytes 00 00, then a type and the number of axes", repr(magic))
    axes = magic[3]
    if not 1 <= axes <= _MAX_AXES:
        raise _broken(path, f"between 1 and {_MAX_AXES} axes", f"{axes}")
    header = file.read(4 * axes)
    if len(header) < 4 * axes:
        raise _broken(path, f"{4 * axes} bytes of sizes in the header", f"{len(header)}")

    shape = struct.unpack(f">{axes}I", header)
    dtype = np.dtype(_DTYPES[magic[2]])
    need = math.prod(shape) * dtype.itemsize  # Python integers: no overflow
    if need > room:
        raise _broken(path, f"{need:,} bytes of numbers for the shape {shape} of the header", "a file far too small")

    if (
        math.prod(size for size in shape if size) * dtype.itemsize >= 1 << 63
    ):  # NumPy counts so, though a 0 is among them
        raise _broken(path, "sizes that an array can have", f"the shape {shape} in the header")

    data = np.empty(need, np.uint8)
    have = 0
    while have < need and (count := file.readinto(data.data[have:])):
        have += count
    if have < need:
        raise _broken(path, f"{need:,} bytes of numbers for the shape {shape} of the header", f"{have:,}")
    if file.read(1):  # also makes gzip verify its checksum at the end
        raise _broken(path, f"{need:,} bytes of numbers for the shape {shape} of the header", "more")
    return data.view(dtype).astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def _broken(path: str | os.PathLike[str], expected: str, received: str) -> ValueError:
    return ValueError(
        f"{os.fspath(path)} cannot be read as an IDX file: expected {expected}. Received: {received}. "
        "Delete the file and load the data set again, or copy it again."
    )
