"""Tables of numbers in a .npz file, x and y, shuffled and split as Keras does."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._files import damaged
from ._single import SingleFile

__all__ = ["load_table"]


def load_table(
    file: SingleFile, path: str | os.PathLike[str] | None, test_split: float, seed: int, rows: int | None = None
) -> Any:
    """``(x_train, y_train), (x_test, y_test)`` of the first ``rows``."""
    if not isinstance(test_split, (int, float)) or not 0 <= test_split < 1:
        raise ValueError(f"test_split is at least 0 and below 1. Received: test_split={test_split!r}.")
    found = file.get(path)
    try:
        with np.load(found, allow_pickle=False) as arrays:
            x, y = arrays["x"][:rows], arrays["y"][:rows]
    except Exception as error:  # hostile bytes make zipfile and NumPy raise a dozen kinds of exception
        raise damaged(found, "an archive with x and y", str(error)) from None
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y, cut = x[order], y[order], int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
