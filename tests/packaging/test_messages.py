"""A build or an import that cannot work says what to do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "fastnn"


def copy_of_the_package(to: Path) -> Path:
    """The package without anything compiled, as in a source tree that has not been built; its folder of kernels."""
    shutil.copytree(PACKAGE, to / "fastnn", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.c"))
    return to / "fastnn/kernels"


def message_of_import(folder: Path) -> str:
    """The last line that Python prints when ``fastnn.kernels`` is imported from a folder or an archive."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "import fastnn.kernels"], env=environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    return last


def test_a_source_tree_that_is_not_built(tmp_path):
    copy_of_the_package(tmp_path)
    (tmp_path / "src_c").mkdir()
    message = message_of_import(tmp_path)
    assert "not built in this folder" in message
    assert "pip install -e ." in message
    assert "FASTNN_BACKEND=reference" in message


def test_an_installation_for_another_python(tmp_path):
    folder = copy_of_the_package(tmp_path)
    (folder / "_core.cpython-27-riscv64-linux-gnu.so").touch()
    message = message_of_import(tmp_path)
    assert "_core.cpython-27-riscv64-linux-gnu.so, built for another Python" in message
    assert "--force-reinstall" in message


@pytest.mark.parametrize("source_tree", [False, True])
def test_a_module_that_is_damaged(source_tree, tmp_path):
    import importlib.machinery

    folder = copy_of_the_package(tmp_path)
    (folder / f"_core{importlib.machinery.EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
    if source_tree:
        (tmp_path / "src_c").mkdir()
    message = message_of_import(tmp_path)
    assert ("pip install -e ." if source_tree else "--force-reinstall") in message
    assert "_core" in message


def test_an_archive(tmp_path):
    copy_of_the_package(tmp_path / "unpacked")
    archive = shutil.make_archive(str(tmp_path / "fastnn"), "zip", tmp_path / "unpacked")
    message = message_of_import(Path(archive))
    assert "cannot be loaded from an archive" in message
    assert "pip install fastnn-kernels" in message


def test_a_build_that_lacks_a_family(tmp_path):
    from fastnn.kernels._advice import not_built

    for name in ("_core", "gemm", "dense"):
        (tmp_path / f"{name}.pyx").touch()
    assert not_built(tmp_path, ["gemm"]) == ["dense"]
    assert not_built(tmp_path, ["gemm", "dense"]) == []


def test_a_processor_that_runs_no_tier_of_the_build():
    core = pytest.importorskip("fastnn.kernels._core", exc_type=ImportError)
    message = core.no_tier(["avx2", "avx512"])
    assert "built for avx2, avx512" in message
    assert "FASTNN_BUILD_TIERS=all" in message


@pytest.mark.skipif(not (ROOT / "src_c").is_dir(), reason="there is no source tree here")
@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_no_compiler(compiler, tmp_path):
    pytest.importorskip("Cython", reason="setup.py needs Cython")
    shutil.copytree(ROOT / "src_c", tmp_path / "src_c")
    folder = copy_of_the_package(tmp_path)
    for path in folder.glob("*.pyx"):
        if path.name != "_core.pyx":  # one is enough, and quicker
            path.unlink()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    environment = {**os.environ, "CC": compiler}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"the compiler does not work here: {compiler}" in done.stderr
    assert "apt install gcc" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not (ROOT / "src_c").is_dir(), reason="there is no source tree here")
def test_a_python_that_is_too_old(tmp_path):
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    older = f"import sys; sys.version_info = (3, {int(oldest) - 1}, 9); exec(open('setup.py').read())"
    (tmp_path / "setup.py").write_text((ROOT / "setup.py").read_text())
    done = subprocess.run([sys.executable, "-c", older], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"fastnn needs Python 3.{oldest} or newer" in done.stderr
    assert "Traceback" not in done.stderr
