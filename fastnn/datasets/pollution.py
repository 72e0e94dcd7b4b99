"""Hourly fine dust and weather in Beijing, 2010 to 2014 (S. X. Chen; UCI Machine Learning Repository)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._files import FileSet, damaged, table

__all__ = ["column_names", "find", "load_data"]

column_names: list[str] = ["pm2.5", "dew point", "temperature", "pressure", "wind speed", "snow", "rain"]
"""Names of the columns; units: µg/m³, °C, °C, hPa, cumulated m/s, hours of snow, hours of rain."""

_COLUMNS = (5, 6, 7, 8, 10, 11, 12)
_SET = FileSet("timeseries", ("pollution.csv",), "https://github.com/jbrownlee/Datasets")


def load_data(path: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Load the hourly series.

    Parameters
    ----------
    path : folder with ``pollution.csv``, or the folder above it (``timeseries/``)
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache.

    Returns
    -------
    float32 (43824, 7)
        The columns are ``column_names``. Column 0, the dust, is NaN in 2,067 hours, including the first 24.

    Raises
    ------
    FileNotFoundError
        If the set is not found; the message says which files to put where.
    ValueError
        If the file is damaged.

    Notes
    -----
    Source: X. Liang et al., "Assessing Beijing's PM2.5 pollution", Proceedings of the Royal Society A 471, 2015.

    Examples
    --------
    >>> from fastnn.datasets import pollution
    >>> series = pollution.load_data()  # doctest: +SKIP
    >>> pollution.column_names[0]
    'pm2.5'
    """
    ((file, text),) = _SET.read(path)
    rows = [[row[i].replace("NA", "nan") for i in _COLUMNS] for row in table(file, text, 13, ",")]
    try:
        return np.array(rows).astype(np.float32)
    except ValueError as error:
        raise damaged(file, "numbers, or NA", str(error)) from None


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that ``load_data(path)`` would read from, or None.

    Examples
    --------
    >>> from fastnn.datasets import pollution
    >>> pollution.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)
