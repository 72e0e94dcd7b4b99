"""What commands print: results on stdout, as lines or as one JSON object; messages on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from ..plain import plain

__all__ = ["print_json", "say"]


def say(message: str) -> None:
    """Print a message for the person at the terminal."""
    print(message, file=sys.stderr)


def print_json(answer: dict[str, Any]) -> None:
    """Print one JSON object; numbers that are not finite become null, for JSON has none."""
    print(json.dumps(plain(answer), ensure_ascii=False, allow_nan=False))
