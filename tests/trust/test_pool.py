"""The thread pool under the sanitizers: many callers, changing counts, forks, sleep, busy and nested jobs.

``pool_stress.c`` is compiled together with ``src_c/pool.c`` and says itself what it demands; ThreadSanitizer adds
data races, AddressSanitizer the scratch memory of threads that come and go. One scene runs without them: a fork in
the middle of another thread's job may leave locks of a sanitizer's own allocator closed in the child (seen with GCC).
"""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src_c"
SCENES = ["several_callers", "changing_threads", "forks", "sleepers", "short_lived_callers"]
PLAIN = "none"  # no sanitizer
COMPILER = next((path for name in ("gcc", "cc", "clang") if (path := shutil.which(name))), None)
OPTIONS = {
    "TSAN_OPTIONS": "halt_on_error=1:die_after_fork=0",  # starting threads in the child is what the scene is about
    "ASAN_OPTIONS": "detect_leaks=0",  # workers are detached and never joined
    "UBSAN_OPTIONS": "halt_on_error=1",
}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **more)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """``build(sanitizer)``: the program, built with that sanitizer once."""
    return functools.cache(lambda sanitizer: build_stress(sanitizer, tmp_path_factory.mktemp("pool")))


def build_stress(sanitizer, folder):
    if not SOURCES.is_dir():
        pytest.skip("the C sources are not here: fastnn is tested as installed")
    if COMPILER is None:
        pytest.skip("no C compiler is installed; install gcc or clang")
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", f"-I{SOURCES}", "-pthread"]
    if sanitizer != PLAIN:
        flags.append(f"-fsanitize={sanitizer}")
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    if run(COMPILER, *flags, str(folder / "empty.c"), "-o", str(folder / "empty")).returncode:
        pytest.skip(f"{COMPILER} has no runtime for -fsanitize={sanitizer}")
    if run(str(folder / "empty")).returncode:
        pytest.skip(f"programs with -fsanitize={sanitizer} do not start on this machine")
    program = str(folder / "pool_stress")
    built = run(
        COMPILER,
        *flags,
        "-Wall",
        "-Wextra",
        "-Werror",
        str(HERE / "pool_stress.c"),
        str(SOURCES / "pool.c"),
        "-o",
        program,
    )
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.parametrize(
    ("sanitizer", "scene"),
    [(sanitizer, scene) for sanitizer in ("thread", "address,undefined") for scene in SCENES]
    + [(PLAIN, "forks_amid_jobs"), (PLAIN, "surplus"), ("thread", "surplus")],
)
def test_scene(build, sanitizer, scene):
    done = run(build(sanitizer), scene, env=os.environ | OPTIONS)
    assert done.returncode == 0, done.stderr[-4000:]


def test_an_unknown_scene_is_an_error(build):
    assert run(build(PLAIN), "nothing").returncode == 2
