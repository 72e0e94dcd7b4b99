"""Mutation check: ``python -m tests.trust.mutants``; each deliberate fault in the C must make a kernel test fail.

A copy of the tree is built for one tier, with one fault of ``tests/trust/faults.py`` at a time.  Tests of the family
run first, all kernel tests if those pass; a fault that passes them too *survives*, and a test is missing.  Not part of
the suite: all of them take the better part of an hour.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.trust.copies import build, copy_tree, run_tests
from tests.trust.faults import FAULTS, Fault

__all__ = ["main"]

INCLUDE = re.compile(r'^#include "(.+)"', re.MULTILINE)
TESTS = ("-p", "no:cacheprovider", "-k", "not reference", "-m", "not slow", "--tb=line")


def reached(folder: Path, path: Path) -> set[Path]:
    """A C file or header, and all headers in `folder` that it includes, however indirectly."""
    found, new = set(), {path}
    while new:
        found |= new
        named = {folder / name for file in new for name in INCLUDE.findall(file.read_text(encoding="utf-8"))}
        new = {header for header in named - found if header.is_file()}
    return found


def write(tree: Path, file: Path, text: str) -> None:
    """Write a C file; objects that do not depend on it stay fresh for the build, which would make all of them anew
    after any change to a header.
    """
    sources = {path.stem: reached(file.parent, path) for path in file.parent.glob("*.c")}
    kept = []
    for path in tree.glob("build/temp*/**/*.o"):
        needs = sources.get(path.stem, {file})
        if file not in needs and path.stat().st_mtime > max(need.stat().st_mtime for need in needs):
            kept.append(path)
    file.write_text(text, encoding="utf-8")
    for path in kept:
        os.utime(path)


def verdict(tree: Path, fault: Fault, tier: str) -> str:
    """Build the tree with the fault and run the tests: what became of it."""
    source = tree / "src_c" / fault.file
    original = source.read_text(encoding="utf-8")
    if original.count(fault.original) != 1:
        return f"STALE: {fault.file} has {original.count(fault.original)} times {fault.original!r}"
    write(tree, source, original.replace(fault.original, fault.faulty))
    try:
        build(tree, FASTNN_BUILD_TIERS=tier)
        for tests in (f"tests/kernels/test_{fault.family}.py", "tests/kernels"):
            done = run_tests(tree, tests, *TESTS, FASTNN_ISA=tier)
            if done.returncode < 0 or done.returncode > 1:
                return f"caught in {tests}: pytest ended with {done.returncode}"
            if done.returncode == 1:
                failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
                return f"caught by {failed[0].split(' - ')[0].removeprefix('FAILED ')}"
        return "SURVIVES"
    finally:
        write(tree, source, original)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to build, kept for a quicker second run")
    parser.add_argument("--tier", default="avx2", help="the tier that is built and tested (%(default)s)")
    parser.add_argument("--only", default="", help="faults with this text in their name or file")
    given = parser.parse_args(argv)
    chosen = [fault for fault in FAULTS if given.only in fault.name or given.only in fault.file]
    bad = []
    with tempfile.TemporaryDirectory() as temporary:
        tree = copy_tree(given.folder or Path(temporary))
        build(tree, FASTNN_BUILD_TIERS=given.tier)
        for fault in chosen:
            start = time.perf_counter()
            found = verdict(tree, fault, given.tier)
            if not found.startswith("caught"):
                bad.append(fault.name)
            print(f"{fault.name} ({fault.file}), {time.perf_counter() - start:.0f} s: {found}", flush=True)
    print(f"{len(chosen) - len(bad)} of {len(chosen)} caught" + (f"; not: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
