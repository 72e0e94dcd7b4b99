"""The runs under sanitizers say what they find; ThreadSanitizer finds no race between two trainings (slow)."""

import shutil
import subprocess
import sys
import textwrap

import pytest

from tests.trust.sanitize import CHECKS, is_clean, main, run

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("gcc") is None, reason="the sanitizers are run on Linux, with gcc"
)
FAULTS = {
    "overflow": ("int f(int n) { return n + 2147483647; }", "runtime error: signed integer overflow"),
    "address": (
        "#include <stdlib.h>\nint f(int n) { return ((int *)malloc(4))[n]; }",
        "AddressSanitizer: heap-buffer-overflow",
    ),
    "none": ("int f(int n) { return n; }", None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_sanitizer_finds_is_told(fault, tmp_path, monkeypatch):
    """A test that calls a library with a fault ends its process; the words of the sanitizer are not lost with it."""
    monkeypatch.setenv("CC", "gcc")
    source, words = FAULTS[fault]
    (tmp_path / "f.c").write_text(source)
    build = ["gcc", "-shared", "-fPIC", "-fsanitize=address,undefined", "f.c", "-o", "f.so"]
    if subprocess.run(build, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("gcc has no runtimes of its sanitizers here")
    (tmp_path / "test_f.py").write_text(
        textwrap.dedent("""
        import ctypes

        def test_f():
            assert ctypes.CDLL("./f.so").f(1)
        """)
    )
    done = run(tmp_path, CHECKS["address,undefined"], "test_f.py")
    assert is_clean(done) is (words is None), done.stdout
    assert words is None or words in done.stdout


@pytest.mark.slow
def test_two_trainings_at_once_race_nowhere():
    from fastnn import kernels

    assert main(["--checks", "thread", "--tiers", kernels.isa()]) == 0
