"""The command line: ``fastnn train``, ``predict``, ``evaluate``, … ; also ``python -m fastnn``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from .options import parser

__all__ = ["main"]

_REFUSALS = (FloatingPointError, ImportError, NotImplementedError, OSError, ValueError)
"""What is raised for the user's input.  Python raises the others for our mistakes too: "Received:" is what we say."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status of the process: 0, 1 after an error, or 130 after Ctrl-C.

    Parameters
    ----------
    argv : the arguments after ``fastnn``; by default those of the process

    Raises
    ------
    SystemExit
        With status 2, if the arguments are invalid; argparse has printed why.
    Exception
        If the command itself, or Python code of the user's, is at fault; Python shows the traceback.

    Examples
    --------
    >>> from fastnn.cli import main
    >>> main(["--version"])  # doctest: +SKIP
    fastnn 0.2.0
    """
    options = parser().parse_args(argv)
    try:
        status = importlib.import_module(f"{__name__}.{options.command}").run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not isinstance(error, _REFUSALS) and "Received: " not in str(error):
            raise
        print(f"fastnn {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
