"""Numbers that are asked for, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["whole"]


def whole(name: str, value: Any, least: int) -> int:
    """An integer not below ``least``.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is an integer, at least {least}. Received: {name}={value!r}.")
    return int(value)
