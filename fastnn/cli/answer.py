"""What commands print: results on stdout, as lines or as one JSON object; messages on stderr."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np

__all__ = ["print_json", "say"]


def say(message: str) -> None:
    """Print a message for the person at the terminal."""
    print(message, file=sys.stderr)


def print_json(answer: dict[str, Any]) -> None:
    """Print one JSON object; numbers that are not finite become null, for JSON has none."""
    print(json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
