"""Daily minimum temperatures in Melbourne, 1981 to 1990 (Australian Bureau of Meteorology)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._files import FileSet, damaged, table

__all__ = ["find", "load_data"]

_SET = FileSet("timeseries", ("daily-min-temperatures.csv",), "https://github.com/jbrownlee/Datasets")


def load_data(path: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Load the daily series.

    Parameters
    ----------
    path : folder with ``daily-min-temperatures.csv``, or the folder above it (``timeseries/``)
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    float32 (3650,)
        Degrees Celsius, 0 to 26.3.

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> from fastnn.datasets import temperature
    >>> series = temperature.load_data()  # doctest: +SKIP
    >>> series.shape  # doctest: +SKIP
    (3650,)
    """
    ((file, text),) = _SET.read(path)
    rows = table(file, text, 2, ",")
    try:
        return np.array([row[1] for row in rows]).astype(np.float32)
    except ValueError as error:
        raise damaged(file, "a number in column 2", str(error)) from None


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import temperature
    >>> temperature.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)
