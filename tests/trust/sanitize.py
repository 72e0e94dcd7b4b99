"""Kernel tests under AddressSanitizer and UndefinedBehaviorSanitizer: ``make sanitize``.

A copy of the tree is built with ``FASTNN_DEBUG=address,undefined`` and runs tests/kernels once for every tier of this
machine, in processes that load the sanitizer's runtime first.  An access outside a buffer, a signed overflow, a shift
too far or a misaligned load ends the run.  Not part of the suite: it takes minutes, and gcc with its runtimes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.trust.copies import build, copy_tree, run_tests

CHECKS = "address,undefined"
OPTIONS = {
    # Python itself leaks at exit; to be refused huge amounts of memory is a test of ours.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
WORDS = ("runtime error:", "AddressSanitizer", "UndefinedBehaviorSanitizer")


def runtime() -> str:
    """The path of the sanitizer's library, for LD_PRELOAD."""
    compiler = os.environ.get("CC", "gcc").split()
    asked = [*compiler, "-print-file-name=libasan.so"]
    path = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_absolute():
        raise SystemExit(f"{compiler[0]} has no libasan.so here; install its sanitizer runtimes, or set CC=gcc.")
    return str(Path(path).resolve())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.sanitize", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="where to build (a temporary folder); kept, so a second run is quicker"
    )
    parser.add_argument("--built", action="store_true", help="the folder is built: only run the tests")
    parser.add_argument("--tiers", default="", help="such as avx2,avx512; all that this machine can run")
    parser.add_argument("tests", nargs="*", default=["tests/kernels"], help="what pytest runs (%(default)s)")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        tree = given.folder if given.built else copy_tree(given.folder or Path(temporary))
        start = time.perf_counter()
        if not given.built:
            build(tree, FASTNN_DEBUG=CHECKS, FASTNN_BUILD_TIERS=given.tiers)
            print(f"built in {time.perf_counter() - start:.0f} s", flush=True)
        environment = OPTIONS | {"LD_PRELOAD": runtime()}
        ask = "import fastnn.kernels as k; print(*k.available_isas())"
        command = [sys.executable, "-c", ask]
        asked = subprocess.run(command, cwd=tree, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
        failed = []
        for tier in asked.stdout.decode().split():
            start = time.perf_counter()
            arguments = (*given.tests, "-p", "no:faulthandler", "-k", "not reference", "-m", "not slow")
            done = run_tests(tree, *arguments, FASTNN_ISA=tier, **environment)
            good = done.returncode == 0 and not any(word in done.stdout for word in WORDS)
            print(f"{tier}: {'clean' if good else 'FAILED'} after {time.perf_counter() - start:.0f} s", flush=True)
            if not good:
                failed.append(tier)
            print(done.stdout[-300:] if good else done.stdout[-8000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
