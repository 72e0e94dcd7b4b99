"""Builds the extension modules; all metadata are in pyproject.toml.

``src_c/*.c`` is compiled once per instruction-set tier and precision and linked into ``fastnn.kernels._core``, which
owns the tables of kernels; the other modules of ``fastnn/kernels`` are thin wrappers that reach them by ``cimport``.

The tiers that this machine can run are built; ``FASTNN_BUILD_TIERS=all`` builds every one, as releases do, and
``FASTNN_BUILD_TIERS=avx2,avx512`` these.  ``FASTNN_WERROR=1`` refuses warnings in ``src_c``; ``FASTNN_CHECK_TIERS=1``
compiles the tiers that are not built as well, without optimisation, so that their errors and warnings are seen;
``FASTNN_DEBUG=1`` builds without optimisation and with bounds checks, ``FASTNN_DEBUG=address,undefined`` (or
``thread``) with those sanitizers too.
"""

import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - pip looks at `requires-python` only when this file has run
    raise SystemExit(
        f"fastnn needs Python 3.11 or newer. Received: Python {platform.python_version()} ({sys.executable}). "
        "Use a newer one: `python3.12 -m pip install fastnn-kernels`, or a new environment: `uv venv --python 3.12`."
    )

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()
SOURCES = sorted((ROOT / "src_c").glob("*.c"))
ONCE = {"pool.c", "dispatch.c"}  # the rest of src_c is compiled per tier and precision

TIER_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
}
TIERS = list(TIER_FLAGS) if platform.machine().lower() in ("x86_64", "amd64") else ["baseline"]  # of this architecture
CHECK_TIERS = os.environ.get("FASTNN_CHECK_TIERS", "") not in ("", "0")
DEBUG = os.environ.get("FASTNN_DEBUG", "")
SANITIZERS = [f"-fsanitize={DEBUG}", "-fno-omit-frame-pointer"] if DEBUG not in ("", "0", "1") else []
CHECKED = [] if DEBUG in ("", "0") else ["-DFNN_CHECKED"]
DEBUGGING = ["-O1" if SANITIZERS else "-O0", "-g"] if DEBUG not in ("", "0") else []
WARNINGS = ["-Wall", "-Wextra", *(["-Werror"] if os.environ.get("FASTNN_WERROR", "") not in ("", "0") else [])]
NUMBERS = ["-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
# Windows: the library carries winpthreads with it; GCC aligns no stack to 32 bytes there, so moves may not rely on it.
POSITION = ["-fPIC"] if os.name != "nt" else ["-Wa,-muse-unaligned-vector-move"]
LINK = ["-pthread"] if os.name != "nt" else ["-static", "-pthread"]
CALLS = ["-fno-plt"] if sys.platform.startswith("linux") else []  # a wrapper is calls into Python for the most part
if sys.platform.startswith("linux") and DEBUG in ("", "0"):
    LINK += ["-Wl,-s", "-Wl,-z,noseparate-code"]  # no table of local symbols, no pages left empty
# C code raises nothing, and the tables that unwind its stack at any instruction are 3% of a wheel.
C_FLAGS = [
    "-std=gnu11",
    "-fvisibility=hidden",
    "-fno-asynchronous-unwind-tables",
    *WARNINGS,
    *NUMBERS,
    *CHECKED,
    *SANITIZERS,
]


def optimisation(tier, bits):
    """Speed in single precision on the tiers that people train on; size elsewhere.

    Double precision and the tier without AVX2 are two thirds of the code of a release.  ``-Os`` makes them 40% smaller;
    the models of the benchmark then take 0.8 to 1.25 of the time that they take with ``-O3`` (measured on a Zen 3).
    """
    quick = bits == 32 and (tier != "baseline" or TIERS == ["baseline"])
    return DEBUGGING or ["-O3" if quick else "-Os", "-g0"]


# An object that is made to be checked only: functions that must be inlined are three quarters of what -O0 takes.
TO_CHECK = ["-O0", "-g0", "-Dalways_inline=unused"]

RUNS_HERE = """
#include <stdio.h>
int main(void) {
#if defined(__x86_64__)
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2) printf("avx2\\n");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        printf("avx512\\n");
#endif
    return 0;
}
"""
NO_COMPILER = """fastnn is built from C, and the compiler does not work here: {command}
{answer}
Install gcc or clang (Debian and Ubuntu: apt install gcc; Fedora: dnf install gcc; macOS: xcode-select --install; \
Windows: use a wheel), or name one with CC=… ; `pip install --only-binary :all: fastnn-kernels` needs none."""


def wanted_tiers(names, here):
    """The tiers to build, of those that this architecture has, and why; ``here`` are those that this machine runs."""
    wanted = os.environ.get("FASTNN_BUILD_TIERS")
    if wanted == "all":
        return names, "all of them"
    if wanted:
        unknown = set(wanted.split(",")) - set(names)
        if unknown:
            received = ",".join(sorted(unknown))
            raise SystemExit(f"FASTNN_BUILD_TIERS: expected all, or some of {','.join(names)}. Received: {received}")
        return [name for name in names if name in wanted.split(",")], "as FASTNN_BUILD_TIERS says"
    return [name for name in names if name in here], "what this machine runs; FASTNN_BUILD_TIERS=all builds every one"


def tier_of_float64(tier, built):
    """The tier whose float64 kernels a tier uses: AVX-512 takes those of AVX2; its own would be a tenth of a wheel."""
    return "avx2" if tier == "avx512" and "avx2" in built else tier


def objects(tier, bits, folder, optimisation):
    """What to compile for a tier and precision: sources, the folder of their objects, macros, flags."""
    macros = [("FNN_TIER", tier), ("FNN_BITS", str(bits))]
    flags = [*TIER_FLAGS[tier], *optimisation]
    return [(source, folder, macros, flags) for source in SOURCES if source.name not in ONCE]


class BuildKernels(build_ext):
    """build_ext that first compiles the C kernels, in parallel, and only what has changed."""

    def finalize_options(self):
        if os.name == "nt" and not self.compiler:
            self.compiler = "mingw32"  # the kernels are written in GNU C, which Microsoft's compiler does not read
        super().finalize_options()

    def build_extensions(self):
        self.parallel = self.parallel or os.cpu_count()
        self.tiers, why = wanted_tiers(TIERS, self.tiers_of_this_machine())
        print(f"fastnn: building for {', '.join(self.tiers)} ({why})", flush=True)
        if CHECK_TIERS:
            self.check_tiers([tier for tier in TIERS if tier not in self.tiers])
        core = next(extension for extension in self.extensions if extension.name.endswith("._core"))
        core.extra_objects = self.compile_kernels()
        core.depends = [*core.depends, *core.extra_objects]
        super().build_extensions()

    def tiers_of_this_machine(self):
        """Ask the processor, by a small program that also shows whether the compiler works."""
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder, "runs_here.c"), Path(folder, "runs_here.exe")
            source.write_text(RUNS_HERE)
            command = [*self.compiler.compiler_so, str(source), "-o", str(program)]
            try:
                made = subprocess.run([word for word in command if word != "-c"], capture_output=True, text=True)
            except OSError as error:
                raise SystemExit(NO_COMPILER.format(command=command[0], answer=error)) from None
            if made.returncode:
                raise SystemExit(NO_COMPILER.format(command=" ".join(command), answer=made.stderr))
            try:
                said = subprocess.run([program], capture_output=True, text=True)
            except OSError:  # built for another machine
                return list(TIER_FLAGS)
        return ["baseline", *said.stdout.split()]

    def compile_kernels(self):
        listed = " ".join(f"FNN_HAS({tier}, {tier_of_float64(tier, self.tiers)})" for tier in self.tiers)
        once = [("FNN_TIERS", listed), ("_GNU_SOURCE", "1")]
        jobs = [(source, "once", once, DEBUGGING or ["-O2", "-g0"]) for source in SOURCES if source.name in ONCE]
        for tier, bits in product(self.tiers, (32, 64)):
            if bits == 32 or tier_of_float64(tier, self.tiers) == tier:
                jobs += objects(tier, bits, f"{tier}_f{bits}", optimisation(tier, bits))
        return self.compile_all(jobs)

    def check_tiers(self, tiers):
        """Compile tiers that are not built; nothing is linked with these objects."""
        print(f"fastnn: checking {', '.join(tiers) or 'no other tier'}", flush=True)
        jobs = []
        for tier, bits in product(tiers, (32, 64)):
            jobs += objects(tier, bits, f"{tier}_f{bits}_checked", TO_CHECK)
        self.compile_all(jobs)

    def compile_all(self, jobs):
        with ThreadPoolExecutor(os.cpu_count()) as executor:
            return list(executor.map(lambda job: self.compile_one(*job), jobs))

    def compile_one(self, source, variant, macros, flags):
        folder = Path(self.build_temp) / ("debug-" + DEBUG.replace(",", "-") if DEBUG else "") / variant
        target = folder / source.with_suffix(".o").name
        stamp = target.with_suffix(".macros")  # the list of tiers is part of what an object was made from
        key = repr((macros, flags, C_FLAGS))
        if stamp.exists() and stamp.read_text() == key and is_newer(target, prerequisites(target)):
            return str(target)
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            *self.compiler.compiler_so,
            *C_FLAGS,
            *flags,
            *[f"-D{name}={value}" for name, value in macros],
            f"-I{ROOT / 'src_c'}",
            *POSITION,
            "-MMD",  # writes the prerequisites beside the object
            "-c",
            str(source),
            "-o",
            str(target),
        ]
        self.spawn(command)
        stamp.write_text(key)
        return str(target)


def prerequisites(target):
    """The source and all headers that an object was made from, as the compiler noted them in a makefile rule."""
    rule = target.with_suffix(".d")
    if not rule.exists():
        return []
    words = rule.read_text().replace("\\\n", " ").split(": ", 1)[1]
    return [Path(word.replace("\0", " ")) for word in words.replace("\\ ", "\0").split()]


def is_newer(target, paths):
    """Whether a file exists and nothing that it was made from has changed since."""
    if not paths or not target.exists() or not all(path.exists() for path in paths):
        return False
    return target.stat().st_mtime > max(path.stat().st_mtime for path in paths)


def refuse_missing_sources():
    """A package without its kernels would build, and fail at import."""
    needed = ("fastnn/kernels/*.pyx", "fastnn/kernels/*.pxd", "src_c/*.c", "src_c/*.h", "src_c/kernels.def")
    missing = [pattern for pattern in needed if not any(ROOT.glob(pattern))]
    if missing:
        raise SystemExit(
            f"fastnn cannot be built from {ROOT}, where its kernels are missing: {', '.join(missing)}. "
            "Use a complete source tree: a clone of the repository, or its source distribution unpacked."
        )


def write_stubs(families):
    """Types for editors and type checkers: a kernel has the signature and the hints of its twin."""
    note = "# Written by setup.py.\n"
    stubs = {f"kernels/{family}.pyi": note + f"from fastnn.reference.{family} import *\n" for family in families}
    for package, others in (("kernels", ["_core", "_machine"]), ("reference", [])):
        lines = [f"from fastnn.{package}.{name} import *\n" for name in [*others, *families]]
        stubs[f"{package}/__init__.pyi"] = note + "".join(lines)
    for name, text in stubs.items():
        path = ROOT / "fastnn" / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def extensions():
    refuse_missing_sources()
    names = sorted(path.stem for path in (ROOT / "fastnn/kernels").glob("*.pyx"))
    write_stubs([name for name in names if not name.startswith("_")])
    return [
        Extension(
            f"fastnn.kernels.{name}",
            [f"fastnn/kernels/{name}{ending}"],
            include_dirs=["src_c", numpy.get_include()],
            depends=["src_c/fnn.h", "src_c/kernels.def"],  # the table of kernels: where each pointer stands
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION"),
                ("CYTHON_COMPRESS_STRINGS", "0"),  # a wheel compresses better what is not compressed yet
            ],
            extra_compile_args=[
                "-O0" if DEBUG == "1" else "-Os",  # nothing loops in wrappers; a fifth smaller
                "-g0",
                "-fvisibility=hidden",
                "-fno-asynchronous-unwind-tables",
                "-Wno-unused-function",  # Cython's
                "-Werror=incompatible-pointer-types",  # as newer compilers have it by themselves
                *CALLS,
                *SANITIZERS,
            ],
            extra_link_args=[*LINK, *SANITIZERS],
        )
        for name, ending in [*((name, ".pyx") for name in names), (SHARED, ".c")]
    ]


DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "binding": True,
    "boundscheck": DEBUG not in ("", "0"),
    "cdivision": True,
}

# What Cython would write into every module once more, its class of functions above all.  No wrapper has memory views.
SHARED = "_shared"
SHARING = {
    "shared_utility_qualified_name": f"fastnn.kernels.{SHARED}",
    "shared_utility_features_disabled": ["MemoryView"],
}

# Another way to start processes would run this file again in each.
PROCESSES = os.cpu_count() if multiprocessing.get_start_method() == "fork" else 0

setup(
    ext_modules=cythonize(
        extensions(), compiler_directives=DIRECTIVES, build_dir="build/cython", nthreads=PROCESSES, **SHARING
    ),
    cmdclass={"build_ext": BuildKernels},
)
