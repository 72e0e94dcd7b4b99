"""The source distribution is complete: a wheel built of nothing else passes a part of the suite.

It builds the lowest tier, which every machine runs and which is made of the same files as the others, in an environment
that holds only what pyproject.toml asks for; minutes.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_TREE = (ROOT / "src_c").is_dir()
PART_OF_THE_SUITE = (
    "tests/kernels/test_dense.py",
    "tests/kernels/test_gather.py",
    "tests/models/test_sequential.py",
    "tests/text",
)
NOT_SOURCES = shutil.ignore_patterns(".git", "build", "dist", "*.egg-info", "*.so", "*.o", "__pycache__", ".*_cache")

pytestmark = pytest.mark.skipif(not SOURCE_TREE, reason="there is no source tree here")


def run(*command, cwd: Path, **variables: str) -> str:
    """Run a command in a folder, out of reach of this process's paths; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FASTNN_", "PYTEST"))}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=kept | variables, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with these packages; return its Python."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages, cwd=folder)
    return python


def make_sdist(python: str | Path, source: Path, to: Path) -> Path:
    to.mkdir(exist_ok=True)
    make = "import sys; from setuptools import build_meta as b; print(b.build_sdist(sys.argv[1]))"
    run(python, "-c", make, to, cwd=source)
    (sdist,) = to.glob("*.tar.gz")
    return sdist


def copy_of_the_tree(to: Path) -> Path:
    shutil.copytree(ROOT, to, ignore=NOT_SOURCES)
    return to


@pytest.mark.slow
def test_wheel_of_the_sdist_passes_a_part_of_the_suite(tmp_path):
    source = copy_of_the_tree(tmp_path / "source")
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    builder = environment(tmp_path / "builder", *requires)
    sdist = make_sdist(builder, source, tmp_path / "dist")
    shutil.rmtree(source)

    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    for folder in ("src_c", "fastnn", "tests"):
        ours = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        made = {path for path in ours if path.suffix in (".so", ".pyc", ".o") or path.match("fastnn/kernels/*.c")}
        theirs = {path.relative_to(unpacked) for path in (unpacked / folder).rglob("*") if path.is_file()}
        assert theirs == ours - made, folder

    wheels = tmp_path / "wheels"
    lowest = {"FASTNN_BUILD_TIERS": "baseline"}
    make_wheel = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, sdist)
    run(builder, *make_wheel, cwd=tmp_path, **lowest, PATH=f"{builder.parent}{os.pathsep}{os.environ['PATH']}")
    (wheel,) = wheels.glob("*.whl")
    assert "none-any" not in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        assert any(Path(name).name.startswith("_core.") for name in archive.namelist())
        assert {Path(name).parts[0] for name in archive.namelist() if "dist-info" not in name} == {"fastnn"}

    python = environment(tmp_path / "user", f"{wheel}[test]")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(unpacked / "tests", elsewhere / "tests")
    shutil.copy(unpacked / "pyproject.toml", elsewhere)
    where = run(python, "-c", "import fastnn.kernels; print(fastnn.__file__)", cwd=elsewhere).strip()
    assert Path(where).is_relative_to(tmp_path / "user")
    run(python, "-m", "pytest", "-q", "-x", *PART_OF_THE_SUITE, cwd=elsewhere, FASTNN_BACKEND="compiled")


@pytest.mark.parametrize(
    ("taken_away", "missing"),
    [("fastnn/kernels/*.pyx", "*.pyx"), ("src_c/*.c", "src_c/*.c"), ("src_c/kernels.def", "kernels.def")],
)
def test_a_tree_without_its_kernels_is_refused(taken_away, missing, tmp_path):
    pytest.importorskip("Cython", reason="setup.py needs Cython")
    source = copy_of_the_tree(tmp_path / "source")
    for path in list(source.glob(taken_away)):
        path.unlink()
    done = subprocess.run([sys.executable, "setup.py", "--version"], cwd=source, capture_output=True, text=True)
    assert done.returncode != 0
    assert missing in done.stderr
    assert "Use a complete source tree" in done.stderr
