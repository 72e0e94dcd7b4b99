"""Functions that layers and losses are written in: on arrays they compute at once, on symbols they record nodes."""

from __future__ import annotations

from typing import Any


def _missing(*arguments: Any) -> Any:
    raise NotImplementedError


OPERATORS = dict.fromkeys(
    [
        "add",
        "subtract",
        "multiply",
        "divide",
        "power",
        "matmul",
        "floor_divide",
        "mod",
        "logical_and",
        "logical_or",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "equal",
        "not_equal",
        "negative",
        "absolute",
        "logical_not",
        "getitem",
    ],
    _missing,
)
