"""``python -m tests.programs 1234``: run a program again; ``python -m tests.programs 0 5000``: run so many."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator

from fastnn import kernels
from fastnn.utils import clear_session

from .runner import Broken, difference, failing, replayed, script, shrunk
from .writer import Writer

__all__ = ["broken"]


def broken(number: int) -> str | None:
    """What a program breaks, with the script that breaks it, or None."""
    clear_session()
    writer = Writer(number)
    try:
        model = writer.write()
        first = writer.session.outcome()
        with threads(1):
            again = replayed(writer.session.lines, writer.session.title).outcome()
        if again != first:
            raise Broken("repeat", f"Again, and on one thread, it gave other bits: {difference(first, again)}.")
        if model is not None:
            writer.promises(model)
    except Broken as error:
        lines = shrunk(writer.session.lines, error.kind)
        refused, words = failing(lines)
        return f"Program {number} breaks a promise ({error.kind}):\n\n{script(lines, refused)}\n\n{words or error}"
    return None


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for the kernels."""
    before = kernels.get_num_threads()
    kernels.set_num_threads(count)
    try:
        yield
    finally:
        kernels.set_num_threads(before)


def main(arguments: list[str]) -> int:
    first, *rest = map(int, arguments)
    numbers = range(first, rest[0] if rest else first + 1)
    start, found = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number in numbers:
            if words := broken(number):
                found += 1
                print(words, end="\n\n", flush=True)
        os.chdir("/")
    print(f"{len(numbers)} programs in {time.perf_counter() - start:.1f} s; {found} break a promise.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
