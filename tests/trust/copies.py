"""Copies of the source tree, built separately so that the installed kernels are not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "build", "copy_tree", "run_tests"]

ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("src_c", "fastnn", "tests", "bench", "docs", "setup.py", "pyproject.toml", "README.md", "LICENSE")


def copy_tree(target: Path) -> Path:
    """This tree under `target`, without anything built; files that are the same there keep their times."""
    for part in _PARTS:
        source = ROOT / part
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            made = path.suffix in (".so", ".o", ".pyc") or (path.suffix == ".c" and path.parent.name == "kernels")
            goal = target / path.relative_to(ROOT)
            if path.is_dir() or made or (goal.is_file() and goal.read_bytes() == path.read_bytes()):
                continue
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)
    return target


def build(tree: Path, **environment: str) -> None:
    """Build the kernels of `tree` in place.

    Raises
    ------
    RuntimeError
        With the compiler's words, if it refuses.
    """
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=tree, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The build in {tree} failed.\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def run_tests(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run pytest in `tree` on the compiled kernels there; what it wrote is in ``stdout``."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FASTNN_BACKEND")}
    return subprocess.run(
        command, cwd=tree, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
