"""The command line: ``fastnn demo``, ``fastnn info``, ``fastnn bench``; also ``python -m fastnn``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

__all__ = ["main"]


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
    options = _parser().parse_args(argv)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except (ImportError, OSError, ValueError) as error:
        print(f"fastnn {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    from fastnn._version import __version__

    parser = argparse.ArgumentParser(
        prog="fastnn", description="Neural-network kernels for the CPU: run, measure, check."
    )
    parser.add_argument("--version", action="version", version=f"fastnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="train a CNN on images and draw its curves",
        description="Train the CNN of the notes on Fashion-MNIST if it is found, otherwise on the built-in digits.",
    )
    demo.add_argument("--epochs", type=_positive, default=5, help="passes over the data (default: %(default)s)")
    demo.add_argument("--samples", type=_positive, help="train on the first N images only", metavar="N")
    demo.add_argument("--batch-size", type=_positive, default=32, help="images per step (default: %(default)s)")
    demo.add_argument("--output", default="fastnn-demo.png", help="file for the picture (default: %(default)s)")
    demo.add_argument(
        "--backend", choices=["compiled", "reference"], help="kernels to run on (default: the current backend)"
    )
    demo.set_defaults(run=_run_demo)

    info = commands.add_parser("info", help="what this machine and this build can do")
    info.set_defaults(run=_run_info)

    bench = commands.add_parser(
        "bench",
        help="check every kernel against its twin, then time both",
        description="Check every kernel in the registry against its NumPy twin, then time both.",
    )
    bench.add_argument("--family", action="append", help="only this family, for example conv; may be repeated")
    bench.set_defaults(run=_run_bench)
    return parser


def _positive(argument: str) -> int:
    if not argument.isascii() or not argument.isdigit() or int(argument) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1. Received: {argument!r}")
    return int(argument)


def _run_demo(options: argparse.Namespace) -> int:
    from fastnn.cli.demo import demo

    demo(options.epochs, options.samples, options.batch_size, options.output, options.backend)
    return 0


def _run_info(options: argparse.Namespace) -> int:
    from fastnn.cli.info import report

    print(report())
    return 0


def _run_bench(options: argparse.Namespace) -> int:
    from fastnn.cli.bench import bench

    return 0 if bench(options.family) else 1
