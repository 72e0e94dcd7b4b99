"""Run Python in a separate process, from the root of the tree."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap

from tests.trust.copies import ROOT

__all__ = ["CLEAN", "TIERS", "python"]

try:
    TIERS = importlib.import_module("fastnn.kernels").available_isas()
except ImportError:  # not built: conftest.py skips
    TIERS = ["none"]

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("FASTNN_")} | {
    "PYTHONPATH": str(ROOT)
}


def python(*arguments: str, code: str = "", timeout: float = 120, **environment: str) -> subprocess.CompletedProcess:
    """Run ``python <arguments>``, or ``python -c code``; a process that hangs fails the test."""
    if code:
        arguments = (*arguments, "-c", textwrap.dedent(code))
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=CLEAN | environment, capture_output=True, text=True, timeout=timeout
    )
