"""Sequences of word numbers as Keras' files hold them, without running what pickles can run; cuts and marks."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ._files import damaged

__all__ = ["array_of_lists", "drawn", "read_sequences", "within"]


class _Stub:
    """Stands for NumPy's array and dtype while a stream is read; keeps what the array would hold."""

    rows: Any = None

    def __init__(self, *arguments: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 5 and isinstance(state[4], list):
            self.rows = state[4]


_NAMES = {("numpy", "ndarray"), ("numpy", "dtype")} | {
    (f"{module}.multiarray", "_reconstruct") for module in ("numpy.core", "numpy._core")
}


class _Reader(pickle.Unpickler):
    """Reads lists of numbers in an array of objects: three names stand for stubs, and no other is ever looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"the name {module}.{name}, which an array of lists does not need")
        return _Stub


def read_sequences(path: Path, names: tuple[str, ...]) -> list[Any]:
    """The arrays of a .npz file by name: lists of numbers, or plain integers.

    Raises
    ------
    ValueError
        If the file is damaged, or holds anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read(archive.read(f"{name}.npy")) for name in names]
    except MemoryError:
        raise
    except Exception as error:  # hostile bytes make zipfile, NumPy and pickle raise a dozen kinds of exception
        raise damaged(path, f"an archive with {', '.join(names)}", str(error)) from None


def _read(content: bytes) -> Any:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = headers[version](file)
    if dtype.kind != "O":
        return np.load(io.BytesIO(content), allow_pickle=False)
    rows = getattr(_Reader(file).load(), "rows", None)
    if not isinstance(rows, list) or (len(rows),) != shape:
        raise ValueError("no list of sequences")
    for row in rows:
        if not isinstance(row, list) or not all(type(number) is int for number in row):
            raise ValueError("a sequence that is no list of integers")
    return rows


def drawn(
    x: list[list[int]],
    y: Any,
    rng: np.random.RandomState,
    start_char: int | None,
    index_from: int | None,
    maxlen: int | None,
) -> tuple[list[list[int]], np.ndarray]:
    """Sequences in a random order with their labels: a mark first, numbers moved up, those shorter than ``maxlen``."""
    order = np.arange(len(x))
    rng.shuffle(order)
    first, up = [] if start_char is None else [start_char], index_from or 0
    rows = [[*first, *(w + up for w in x[i])] for i in order]
    kept = [i for i, row in enumerate(rows) if not maxlen or len(row) < maxlen]
    return [rows[i] for i in kept], np.asarray(y)[order][kept]


def within(rows: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Sequences of the numbers from ``skip_top`` to ``num_words``; others become ``oov_char``, or are left out."""
    limit = num_words or max((max(row, default=0) for row in rows), default=0)
    if oov_char is None:
        return [[w for w in row if skip_top <= w < limit] for row in rows]
    return [[w if skip_top <= w < limit else oov_char for w in row] for row in rows]


def array_of_lists(rows: list[list[int]]) -> np.ndarray:
    """An array (N,) of objects, each a list."""
    found = np.empty(len(rows), object)
    found[:] = rows
    return found
