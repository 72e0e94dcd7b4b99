"""The thread pool under the sanitizers: many callers, changing counts, forks, sleep, busy and nested jobs.

``pool_stress.c`` is compiled together with ``src_c/pool.c`` and says itself what it demands; ThreadSanitizer adds data
races, AddressSanitizer the scratch memory of threads that come and go.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src_c"
SCENES = ["several_callers", "changing_threads", "forks", "sleepers", "short_lived_callers"]
COMPILER = next((path for name in ("gcc", "cc", "clang") if (path := shutil.which(name))), None)
OPTIONS = {
    "TSAN_OPTIONS": "halt_on_error=1:die_after_fork=0",  # starting threads in the child is what the scene is about
    "ASAN_OPTIONS": "detect_leaks=0",  # workers are detached and never joined
    "UBSAN_OPTIONS": "halt_on_error=1",
}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **more)


@pytest.fixture(scope="module", params=["thread", "address,undefined"])
def stress(request, tmp_path_factory):
    """The program, built with one of the sanitizers."""
    if not SOURCES.is_dir():
        pytest.skip("the C sources are not here: fastnn is tested as installed")
    if COMPILER is None:
        pytest.skip("no C compiler is installed; install gcc or clang")
    folder = tmp_path_factory.mktemp("pool")
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", f"-fsanitize={request.param}", f"-I{SOURCES}", "-pthread"]
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    if run(COMPILER, *flags, str(folder / "empty.c"), "-o", str(folder / "empty")).returncode:
        pytest.skip(f"{COMPILER} has no runtime for -fsanitize={request.param}")
    if run(str(folder / "empty")).returncode:
        pytest.skip(f"programs with -fsanitize={request.param} do not start on this machine")
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


@pytest.mark.parametrize("scene", SCENES)
def test_scene(stress, scene):
    done = run(stress, scene, env=os.environ | OPTIONS)
    assert done.returncode == 0, done.stderr[-4000:]


def test_an_unknown_scene_is_an_error(stress):
    assert run(stress, "nothing").returncode == 2
