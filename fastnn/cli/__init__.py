"""The command line: ``fastnn train``, ``predict``, ``evaluate``, … ; also ``python -m fastnn``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from .options import parser

__all__ = ["main"]

_REFUSALS = (ArithmeticError, ImportError, LookupError, NotImplementedError, OSError, TypeError, ValueError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status of the process: 0, 1 after an error, or 130 after Ctrl-C.

    Parameters
    ----------
    argv : the arguments after ``fastnn``; by default those of the process

    Raises
    ------
    SystemExit
        With status 2, if the arguments are invalid; argparse has printed why.

    Examples
    --------
    >>> from fastnn.cli import main
    >>> main(["--version"])  # doctest: +SKIP
    fastnn 0.1.0
    """
    options = parser().parse_args(argv)
    try:
        status = importlib.import_module(f"{__name__}.{options.command}").run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _REFUSALS as error:
        print(f"fastnn {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
