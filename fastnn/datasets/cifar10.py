"""CIFAR-10: 60,000 colour photographs of 32×32 pixels, of 10 classes (Krizhevsky)."""

from __future__ import annotations

import os
from typing import Any

from ._cifar import read_records
from ._single import SingleFile

__all__ = ["load_data"]

_SET = SingleFile(
    "cifar10",
    "cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


def load_data(path: str | os.PathLike[str] | None = None) -> Any:
    """Load CIFAR-10: ``(x_train, y_train), (x_test, y_test)``.

    Parameters
    ----------
    path : the file cifar-10-binary.tar.gz, or its folder; by default it is searched for in ``$FASTNN_DATA`` and in the
        user's cache, and downloaded into the cache (170 MB).

    Returns
    -------
    x_train : uint8 (50000, 32, 32, 3)
    y_train : uint8 (50000, 1), labels 0 to 9
    x_test : uint8 (10000, 32, 32, 3)
    y_test : uint8 (10000, 1)

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged.

    Notes
    -----
    Keras reads the archive of pickles; this is the archive of plain bytes of the same page, with the same images in the
    same order.

    Examples
    --------
    >>> from fastnn.datasets import cifar10
    >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data()  # doctest: +SKIP
    """
    file = _SET.get(path)
    train = read_records(file, tuple(f"data_batch_{i}.bin" for i in range(1, 6)), 1)
    return train, read_records(file, ("test_batch.bin",), 1)
