"""Steps of some rows only: the step of the whole, on copies of those rows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

import numpy as np

from fastnn import checks

__all__ = ["by_rows"]


def by_rows(step: Callable[..., None]) -> Callable[..., None]:
    """The step with its argument `rows`: of the tables (V, D) only those rows are read and changed."""
    signature = inspect.signature(step)

    @functools.wraps(step)
    def step_of_rows(*args, **kwargs) -> None:
        bound = signature.bind(*args, **kwargs)
        given = bound.arguments
        rows = given.pop("rows", None)
        if rows is not None:
            tables = {name: array for name, array in given.items() if isinstance(array, np.ndarray)}
            rows = checks.in_place(rows, **tables)
            given |= {name: table[rows].reshape(-1) for name, table in tables.items()}
        step(*bound.args, **bound.kwargs)
        for name, table in tables.items() if rows is not None else ():
            if name != "g":
                table[rows] = given[name].reshape(len(rows), table.shape[1])

    return step_of_rows
