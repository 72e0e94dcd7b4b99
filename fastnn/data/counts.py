"""Checks of integer arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["whole"]


def whole(name: str, value: Any, least: int) -> int:
    """Return ``value`` as an integer of at least ``least``.

    Raises
    ------
    ValueError
        If it is not such an integer.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}. Received: {name}={value!r}.")
    return int(value)
