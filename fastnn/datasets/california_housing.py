"""California housing: 20,640 districts, 8 features, the median price of a house in dollars."""

from __future__ import annotations

import os
from typing import Any

from ._single import SingleFile
from ._tables import load_table

__all__ = ["load_data"]

_SET = SingleFile(
    "california_housing",
    "california_housing.npz",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)


def load_data(
    version: str = "large", path: str | os.PathLike[str] | None = None, test_split: float = 0.2, seed: int = 113
) -> Any:
    """Load the table: ``(x_train, y_train), (x_test, y_test)``, in Keras' order for the seed.

    Parameters
    ----------
    version : {"large", "small"}
        All districts, or the first 600.
    path : the file california_housing.npz of Keras, or its folder; by default it is searched for in ``$FASTNN_DATA``
        and in the user's cache, and downloaded into the cache.
    test_split : float
    seed : int

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged, or an argument has none of these values.

    Examples
    --------
    >>> from fastnn.datasets import california_housing
    >>> (x_train, y_train), (x_test, y_test) = california_housing.load_data()  # doctest: +SKIP
    """
    if version not in ("large", "small"):
        raise ValueError(f"version must be 'large' or 'small'. Received: version={version!r}.")
    return load_table(_SET, path, test_split, seed, 600 if version == "small" else None)
