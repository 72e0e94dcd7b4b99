"""Boston housing: 506 towns, 13 features, the median price of a house in thousands of dollars."""

from __future__ import annotations

import os
from typing import Any

from ._single import SingleFile
from ._tables import load_table

__all__ = ["load_data"]

_SET = SingleFile(
    "boston_housing",
    "boston_housing.npz",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)


def load_data(path: str | os.PathLike[str] | None = None, test_split: float = 0.2, seed: int = 113) -> Any:
    """Load the table: ``(x_train, y_train), (x_test, y_test)``, float64, in Keras' order for the seed.

    Parameters
    ----------
    path : the file boston_housing.npz of Keras, or its folder; by default it is searched for in ``$FASTNN_DATA`` and in
        the user's cache, and downloaded into the cache.
    test_split : float
    seed : int

    Raises
    ------
    FileNotFoundError, ConnectionError
        If there is no file; the message says what to put where.
    ValueError
        If the file is damaged, or the share is not in [0, 1).

    Notes
    -----
    One feature of this table rests on a racist assumption; ``california_housing`` is the better exercise.

    Examples
    --------
    >>> from fastnn.datasets import boston_housing
    >>> (x_train, y_train), (x_test, y_test) = boston_housing.load_data()  # doctest: +SKIP
    """
    return load_table(_SET, path, test_split, seed)
