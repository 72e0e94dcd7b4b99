"""The books' scripts over fastnn and over plain NumPy: ``python -m bench.books``.

``fastnn.compat.book`` and the classes of ``tests/compat/book/plain``, which compute as the books' own do, run the same
scripts on the same numbers, in turn, in one process. The first losses must agree before anything is timed. Every step
is timed but the first of a turn. Shown are the median step (and the best), and the median over turns of plain NumPy's
median over fastnn's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import fastnn.compat.book as fast
from tests.compat.book import made_data, plain
from tests.compat.book.scripts import SCRIPTS

TOLERANCE = 1e-5  # of the first losses: float32 adds up in another order
BOOKS: dict[str, Any] = {"NumPy": plain, "fastnn": fast}


def losses(book: Any, name: str, steps: int) -> Iterator[Any]:
    """The losses of a script from its beginning."""
    np.random.seed(0)
    return SCRIPTS[name](book, steps, made_data)


def check(name: str) -> None:
    """Refuse to time two scripts whose first losses differ."""
    found = {which: np.array(list(losses(book, name, 2)), float) for which, book in BOOKS.items()}
    np.testing.assert_allclose(found["fastnn"], found["NumPy"], rtol=TOLERANCE, err_msg=name)


def turn(book: Any, name: str, seconds: float, least: int) -> list[float]:
    """Milliseconds of each step but the first, for about so many seconds."""
    times: list[float] = []
    start = before = perf_counter()
    for i, _ in enumerate(losses(book, name, 600)):
        now = perf_counter()
        if i:
            times.append((now - before) * 1e3)
        if i >= least and now - start > seconds:
            break
        before = perf_counter()
    return times


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.books", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scripts", nargs="*", choices=[*SCRIPTS, []], help="which (all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a turn (%(default)s)")
    args = parser.parse_args(argv)
    print(f"{'ms a step':20} {'NumPy':>9} {'fastnn':>20} {'×':>16}")
    for name in args.scripts or SCRIPTS:
        check(name)
        rounds: dict[str, list[list[float]]] = {which: [] for which in BOOKS}
        for _ in range(args.rounds):
            for which, book in BOOKS.items():
                rounds[which].append(turn(book, name, args.seconds, least=3))
        ratios = [median(n) / median(f) for n, f in zip(rounds["NumPy"], rounds["fastnn"], strict=True)]
        steps = {which: [*chain.from_iterable(times)] for which, times in rounds.items()}
        shown = [f"{median(times):9.2f} ({min(times):.2f})".ljust(20) for times in steps.values()]
        print(f"{name:20} {shown[0]} {shown[1]} {median(ratios):6.1f}", flush=True)


if __name__ == "__main__":
    main()
