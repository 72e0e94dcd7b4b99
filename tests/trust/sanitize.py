"""Tests under sanitizers: ``make sanitize``.

A copy of the tree is built with ``FASTNN_DEBUG=address,undefined`` and runs tests/kernels once for every tier of this
machine, in processes that load the sanitizer's runtime first.  An access outside a buffer, a signed overflow, a shift
too far or a misaligned load ends the run.  ``--checks thread`` trains models in several threads under ThreadSanitizer:
Python is not built with it, but what orders its threads, the locks of pthreads, is seen.  Not part of the suite: it
takes minutes, and gcc with its runtimes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.trust.copies import build, copy_tree, run_tests


class Checks(NamedTuple):
    """The runtime that a process loads first, its options, and the tests that are run if no others are named."""

    library: str
    options: dict[str, str]
    tests: tuple[str, ...]


CHECKS = {
    "address,undefined": Checks(
        "libasan.so",
        {
            # Python itself leaks at exit; to be refused huge amounts of memory is a test of ours.
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        },
        ("tests/kernels",),
    ),
    "thread": Checks(
        "libtsan.so",
        {"TSAN_OPTIONS": "halt_on_error=1:report_signal_unsafe=0"},
        ("tests/trust/test_threads.py::test_threads_train_models_at_once[two]",),
    ),
}
WORDS = ("runtime error:", "Sanitizer")


def runtime(library: str) -> str:
    """The path of a sanitizer's library, for LD_PRELOAD."""
    compiler = os.environ.get("CC", "gcc").split()
    asked = [*compiler, f"-print-file-name={library}"]
    path = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_absolute():
        raise SystemExit(f"{compiler[0]} has no {library} here; install its sanitizer runtimes, or set CC=gcc.")
    return str(Path(path).resolve())


def run(tree: Path, checks: Checks, *tests: str, **environment: str) -> subprocess.CompletedProcess:
    """Run tests of a tree that is built with these checks; what pytest and the sanitizer wrote is in ``stdout``.

    A sanitizer writes to the file descriptor, which pytest would take, and lose with the process.
    """
    options = ("--capture=sys", "-p", "no:faulthandler", "-k", "not reference", "-m", "not slow")
    loaded = checks.options | {"LD_PRELOAD": runtime(checks.library)}
    return run_tests(tree, *tests, *options, **loaded, **environment)


def is_clean(done: subprocess.CompletedProcess) -> bool:
    """Whether the tests passed and no sanitizer had anything to say."""
    return done.returncode == 0 and not any(word in done.stdout for word in WORDS)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.sanitize", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="where to build (a temporary folder); kept, so a second run is quicker"
    )
    parser.add_argument("--built", action="store_true", help="the folder is built: only run the tests")
    parser.add_argument("--tiers", default="", help="such as avx2,avx512; all that this machine can run")
    parser.add_argument("--checks", choices=list(CHECKS), default="address,undefined", help="(%(default)s)")
    parser.add_argument("tests", nargs="*", help="what pytest runs (tests/kernels; of threads, trainings at once)")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        tree = given.folder if given.built else copy_tree(given.folder or Path(temporary))
        start = time.perf_counter()
        if not given.built:
            build(tree, FASTNN_DEBUG=given.checks, FASTNN_BUILD_TIERS=given.tiers)
            print(f"built in {time.perf_counter() - start:.0f} s", flush=True)
        checks = CHECKS[given.checks]
        environment = os.environ | {"LD_PRELOAD": runtime(checks.library)}
        ask = "import fastnn.kernels as k; print(*k.available_isas())"
        command = [sys.executable, "-c", ask]
        asked = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, check=True)
        failed = []
        for tier in asked.stdout.decode().split():
            start = time.perf_counter()
            done = run(tree, checks, *(given.tests or checks.tests), FASTNN_ISA=tier)
            good = is_clean(done)
            print(f"{tier}: {'clean' if good else 'FAILED'} after {time.perf_counter() - start:.0f} s", flush=True)
            if not good:
                failed.append(tier)
            print(done.stdout[-300:] if good else done.stdout[-8000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
