"""Steps on some rows only: the full step, applied to copies of those rows."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from fastnn import checks

__all__ = ["by_rows"]


def by_rows(step: Callable[..., None]) -> Callable[..., None]:
    """Add an argument `rows` to a step: only those rows of the tables (V, D) are read and updated."""

    @functools.wraps(step)
    def step_of_rows(*args, rows=None, **kwargs) -> None:
        if rows is None:
            step(*args, **kwargs)
            return
        given = dict(zip(step.__code__.co_varnames, args, strict=False)) | kwargs
        tables = {name: array for name, array in given.items() if isinstance(array, np.ndarray)}
        rows = checks.in_place(rows, **tables)
        given |= {name: table[rows].reshape(-1) for name, table in tables.items()}
        step(**given)
        for name, table in tables.items():
            if name != "g":
                table[rows] = given[name].reshape(table[rows].shape)

    return step_of_rows
