"""The C core on machines that are not this one: arm64 under emulation, and Windows as far as compiling goes.

A small program calls a kernel of each kind in both precisions and prints what it gets; NEON's numbers are held to those
of this machine. It needs Debian's cross compilers and qemu-user, and is skipped where they are not installed.
"""

import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src_c").glob("*.c"))
ONCE = ("pool.c", "dispatch.c")
NUMBERS = ["-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", *NUMBERS]
TO_RUN = ("-Os",)
TO_CHECK = ("-O0", "-Dalways_inline=unused")  # as setup.py does
LONGEST_SUM = 131  # of the probe, of products of numbers up to 1
PROBE = Path(__file__).parent / "probe.c"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SOURCES, reason="there is no source tree here"),
]


def compile_all(compiler: str, to: Path, *flags: str) -> list[Path]:
    """Compile every file of the C core for the lowest tier; return the objects."""

    def one(job):
        source, bits = job
        target = to / f"{source.stem}_{bits}.o"
        macros = (
            ["-DFNN_TIERS=FNN_HAS(baseline, baseline)", "-D_GNU_SOURCE=1"]
            if source.name in ONCE
            else ["-DFNN_TIER=baseline", f"-DFNN_BITS={bits}"]
        )
        command = [compiler, *FLAGS, *flags, *macros, "-c", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return target

    jobs = [(source, bits) for bits in (32, 64) for source in SOURCES if bits == 32 or source.name not in ONCE]
    with ThreadPoolExecutor() as executor:
        return list(executor.map(one, jobs))


def numbers(compiler: str, folder: Path, *run: str) -> np.ndarray:
    """Build the probe with the C core, run it, and read what it prints."""
    folder.mkdir()
    objects = compile_all(compiler, folder, *TO_RUN)
    program = folder / "probe"
    sources = ["-D_GNU_SOURCE=1", f"-I{ROOT / 'src_c'}", str(PROBE)]
    link = [compiler, *FLAGS, *sources, *map(str, objects), "-o", str(program), "-static", "-pthread", "-lm"]
    done = subprocess.run(link, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    done = subprocess.run([*run, str(program)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return np.array(done.stdout.split(), np.float64)


def test_arm64_gives_the_numbers_of_this_machine(tmp_path):
    cross = shutil.which("aarch64-linux-gnu-gcc")
    qemu = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if not cross or not qemu or not shutil.which("gcc"):
        pytest.skip("apt install gcc gcc-aarch64-linux-gnu qemu-user")
    if platform.machine() != "x86_64":
        pytest.skip("compares with x86-64")
    here = numbers("gcc", tmp_path / "here")
    there = numbers(cross, tmp_path / "arm64", qemu)
    assert len(here) == len(there) > 1000
    for dtype, ours, theirs in zip(("float32", "float64"), np.split(here, 2), np.split(there, 2), strict=True):
        rounding = 2 * LONGEST_SUM * np.finfo(dtype).eps
        np.testing.assert_allclose(theirs, ours, rtol=rounding, atol=rounding)


def test_all_c_compiles_for_windows(tmp_path):
    cross = shutil.which("x86_64-w64-mingw32-gcc")
    if not cross:
        pytest.skip("apt install gcc-mingw-w64-x86-64")
    assert compile_all(cross, tmp_path, *TO_CHECK, "-Wa,-muse-unaligned-vector-move")


@pytest.mark.parametrize("tier", [(), ("-mavx2", "-mfma")], ids=["baseline", "avx2"])
def test_clang_compiles_all_c_without_a_warning(tier, tmp_path):
    clang = shutil.which("clang")
    if not clang:
        pytest.skip("apt install clang")
    if tier and platform.machine() != "x86_64":
        pytest.skip("a tier of x86-64")
    assert compile_all(clang, tmp_path, *TO_CHECK, *tier)
