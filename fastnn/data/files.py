"""The part of ``Dataset`` that reads files: lines of texts, names of files."""

from __future__ import annotations

import glob
import gzip
import io
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .spec import TensorSpec
from .stream import Stream

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["Files"]


class Files:
    """Data sets of what stands in files."""

    _of: Any
    from_tensor_slices: Any

    @classmethod
    def from_text_lines(cls, filenames: Any, compression_type: str | None = None) -> Dataset:
        """Make a dataset of the lines of text files, in UTF-8: ``tf.data.TextLineDataset``.

        Parameters
        ----------
        filenames : path, or a list of them
        compression_type : {None, "", "GZIP"}

        Raises
        ------
        FileNotFoundError
            If a file is not there.
        ValueError
            For another compression.
        """
        if compression_type not in (None, "", "GZIP"):
            raise ValueError(f'compression_type is None or "GZIP". Received: {compression_type!r}.')
        paths = _paths_of(filenames)
        return cls._of(
            Stream(lambda: _lines_of(paths, compression_type == "GZIP"), spec=lambda: TensorSpec((), object))
        )

    @classmethod
    def list_files(cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None) -> Dataset:
        """Make a dataset of the names of the files that a pattern such as ``"images/*.jpg"`` matches.

        Parameters
        ----------
        file_pattern : str, or a list of them
        shuffle : bool, optional
            False: in the order of the names; otherwise shuffled anew in each iteration.
        seed : int, optional

        Raises
        ------
        ValueError
            If no file matches.
        """
        patterns = [file_pattern] if isinstance(file_pattern, (str, bytes)) else list(file_pattern)
        names = sorted({name for pattern in patterns for name in glob.glob(os.fsdecode(pattern))})
        if not names:
            raise ValueError(f"list_files found no file. Received: file_pattern={file_pattern!r}.")
        found = cls.from_tensor_slices(names)
        return found if shuffle is False else found.shuffle(len(names), seed)


def _paths_of(filenames: Any) -> list[str]:
    """Paths of files, from one, a list, an array or a data set of them.

    Raises
    ------
    FileNotFoundError
        If one is not there.
    """
    if isinstance(filenames, (str, bytes, os.PathLike)):
        filenames = [filenames]
    elif isinstance(filenames, np.ndarray):
        filenames = filenames.reshape(-1).tolist()
    paths = [os.fsdecode(np.asarray(name).item() if isinstance(name, np.ndarray) else name) for name in filenames]
    for path in paths:
        if not os.path.isfile(path):
            raise FileNotFoundError(f"There is no file {path!r}. Received: TextLineDataset of it.")
    return paths


def _lines_of(paths: Sequence[str], compressed: bool) -> Iterator[str]:
    """The lines of files, one file after the other, without the ends of lines."""
    for path in paths:
        with gzip.open(path) if compressed else open(path, "rb") as raw, io.TextIOWrapper(raw, "utf-8") as file:
            for line in file:
                yield line.rstrip("\n").rstrip("\r")
