"""``tf.io``: whole files, and ``tf.io.gfile``, on local paths."""

from __future__ import annotations

import glob as _glob
import os
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np

from ... import absent

__all__ = ["gfile", "matching_files", "read_file", "write_file"]


def _path(filename: Any) -> str:
    """A path of Python, from one that may come as a tensor."""
    name = np.asarray(filename).item() if isinstance(filename, np.ndarray) else os.fspath(filename)
    return name.decode() if isinstance(name, bytes) else name


def read_file(filename: Any, name: str | None = None) -> bytes:
    """The bytes of a file."""
    with open(_path(filename), "rb") as file:
        return file.read()


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write bytes, or a string, to a file; folders on the way are made."""
    path = _path(filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    data = np.asarray(contents).item() if isinstance(contents, np.ndarray) else contents
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def matching_files(pattern: Any, name: str | None = None) -> list[str]:
    """The files that a pattern such as ``"images/*.jpg"`` matches, sorted."""
    return sorted(_glob.glob(_path(pattern)))


def _copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    if os.path.exists(_path(dst)) and not overwrite:
        raise FileExistsError(f"{_path(dst)!r} exists already. Use overwrite=True.")
    shutil.copyfile(_path(src), _path(dst))


def _open(name: Any, mode: str = "r") -> Any:
    return open(_path(name), mode)


gfile = SimpleNamespace(
    GFile=_open,
    copy=_copy,
    exists=lambda path: os.path.exists(_path(path)),
    glob=lambda pattern: matching_files(pattern),
    isdir=lambda path: os.path.isdir(_path(path)),
    listdir=lambda path: os.listdir(_path(path)),
    makedirs=lambda path: os.makedirs(_path(path), exist_ok=True),
    mkdir=lambda path: os.mkdir(_path(path)),
    remove=lambda path: os.remove(_path(path)),
    rename=lambda src, dst, overwrite=False: os.replace(_path(src), _path(dst)),
    rmtree=lambda path: shutil.rmtree(_path(path)),
    stat=lambda path: os.stat(_path(path)),
    walk=lambda top: os.walk(_path(top)),
)
"""The functions of ``tf.io.gfile``, for local files."""

__getattr__ = absent.answer(__name__)
