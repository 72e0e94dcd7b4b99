"""CIFAR-100: 60,000 colour photographs of 32×32 pixels, of 100 classes (Krizhevsky)."""

from __future__ import annotations

import os
from typing import Any

from ._cifar import read_records
from ._single import SingleFile

__all__ = ["load_data"]

_SET = SingleFile(
    "cifar100",
    "cifar-100-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
)


def load_data(label_mode: str = "fine", path: str | os.PathLike[str] | None = None) -> Any:
    """Load CIFAR-100: ``(x_train, y_train), (x_test, y_test)``.

    Parameters
    ----------
    label_mode : {"fine", "coarse"}
        One of 100 classes, or of the 20 groups that they belong to.
    path : the file cifar-100-binary.tar.gz, or its folder; by default it is searched for in ``$FASTNN_DATA`` and in the
        user's cache, and downloaded into the cache (169 MB).

    Returns
    -------
    x_train : uint8 (50000, 32, 32, 3)
    y_train : uint8 (50000, 1)
    x_test : uint8 (10000, 32, 32, 3)
    y_test : uint8 (10000, 1)

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged, or for another mode.

    Examples
    --------
    >>> from fastnn.datasets import cifar100
    >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data()  # doctest: +SKIP
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"label_mode must be 'fine' or 'coarse'. Received: label_mode={label_mode!r}.")
    file = _SET.get(path)
    column = slice(0, 1) if label_mode == "coarse" else slice(1, 2)
    (x_train, y_train), (x_test, y_test) = (read_records(file, (name,), 2) for name in ("train.bin", "test.bin"))
    return (x_train, y_train[:, column]), (x_test, y_test[:, column])
