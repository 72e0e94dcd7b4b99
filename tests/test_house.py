"""Rules of the code base: one kernel family, one base name, everywhere; dependencies point one way."""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from fastnn import reference, registry

ROOT = Path(__file__).parent.parent
SOURCE_TREE = (ROOT / "src_c").is_dir()
FAMILIES = registry.families()
PLACES = {
    "C source": "src_c/{}.c",
    "wrapper": "fastnn/kernels/{}.pyx",
    "twin": "fastnn/reference/{}.py",
    "registry": "fastnn/registry/{}.py",
    "tests": "tests/kernels/test_{}.py",
    "benchmark": "bench/bench_{}.py",
    "page": "docs/kernels/{}.md",
}


def stems(pattern: str) -> set[str]:
    """Base names of the files of one place."""
    prefix, suffix = (re.escape(part) for part in Path(pattern).name.split("{}"))
    names = (re.fullmatch(f"{prefix}(.+){suffix}", path.name) for path in (ROOT / pattern).parent.glob("*"))
    return {name[1] for name in names if name and not name[1].startswith("_")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_stands_in_every_place(family, place):
    path = ROOT / PLACES[place].format(family)
    assert path.is_file(), f"the family {family} lacks its {place}: {path.relative_to(ROOT)}"


@pytest.mark.parametrize("place", ["wrapper", "twin", "registry", "tests", "page"])
def test_no_place_holds_a_family_that_the_registry_lacks(place):
    assert stems(PLACES[place]) == set(FAMILIES)


def test_every_twin_has_its_row_and_every_row_its_twin():
    for family in FAMILIES:
        module = importlib.import_module(f"fastnn.reference.{family}")
        assert sorted(row.name for row in registry.kernels(family)) == sorted(module.__all__), family
        assert {row.family for row in registry.kernels(family)} == {family}


def test_both_backends_have_the_same_names():
    kernels = importlib.import_module("fastnn.kernels")
    for row in registry.kernels():
        assert callable(getattr(kernels, row.name, None)), f"fastnn.kernels lacks {row.name}"
        assert callable(getattr(reference, row.name))
    for family in FAMILIES:
        compiled, twin = (importlib.import_module(f"fastnn.{package}.{family}") for package in ("kernels", "reference"))
        assert sorted(compiled.__all__) == sorted(twin.__all__), family


@pytest.mark.parametrize("row", registry.kernels(), ids=lambda row: row.name)
def test_compiled_and_twin_have_one_signature(row):
    def plain(function):
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert plain(row.compiled()) == plain(row.twin())


@pytest.mark.parametrize("row", registry.kernels(), ids=lambda row: row.name)
def test_signatures_are_those_of_the_conventions(row):
    """Each name of the conventions page, with its arguments in that order."""
    page = (ROOT / "docs/conventions.md").read_text(encoding="utf-8")
    written = re.search(rf"(?m)^{row.name}\((.*?)\)(?=$|\s|  )", page.replace(",\n", ", "), re.DOTALL) or re.search(
        rf"(?<![\w.]){row.name}\(([^\n]*?)\)(?:\s|$)", page
    )
    assert written, f"docs/conventions.md does not mention {row.name}"
    text = re.sub(r"\([^()]*\)", "()", written[1])  # tuples of defaults
    names = [part.split("=")[0].strip() for part in text.split(",")]
    expected = []
    for parameter in inspect.signature(row.twin()).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in expected:
            expected.append("*")
        expected.append(parameter.name)
    assert names == expected


@pytest.mark.parametrize("row", registry.kernels(), ids=lambda row: row.name)
def test_every_twin_says_what_it_computes(row):
    """One line, shapes, errors, an example that runs."""
    text = inspect.getdoc(row.twin())
    assert text.splitlines()[0].endswith((".", ":")), f"the first line of {row.name} is a sentence"
    for section in ("Parameters", "Raises", "Examples"):
        assert f"{section}\n---" in text, f"{row.name} has no section {section}"
    assert ">>> " in text
    assert len(inspect.getsource(row.twin()).split('"""')[-1].splitlines()) <= 40


FLOORS = (
    {"_version", "absent", "checks", "custom", "extras", "plain", "seeds", "shapes", "user_warnings"},
    {"lookup"},
    {"kernels", "reference"},
    {"_threadpoolctl", "arena", "backend", "registry"},
    {"graph"},
    {"activations", "constraints", "data", "datasets", "initializers", "regularizers"},
    {"utils"},
    {"ops"},
    {"callbacks", "layers", "losses", "optimizers", "random"},
    {"metrics", "text"},
    {"preprocessing", "saving"},
    {"models"},
    {"inspect", "interop", "keras"},
    {"cli", "compat"},
    {"__init__", "__main__"},
)
"""The parts of the package, from the ground up: each imports itself and what stands below it, and nothing else."""

HEIGHT = {part: height for height, parts in enumerate(FLOORS) for part in parts}
CYTHON_IMPORT = re.compile(r"(?m)^[ \t]*((?:from[ \t]+\S+[ \t]+)?c?import[ \t]+(?:\([^)]*\)|\w[^\n#]*))")
MODULES = sorted(path for kind in ("py", "pyx", "pxd") for path in (ROOT / "fastnn").glob(f"**/*.{kind}"))


def part_of(path: Path) -> str:
    """The package or module right below ``fastnn`` that a file belongs to."""
    return path.relative_to(ROOT / "fastnn").with_suffix("").parts[0]


def imports(path: Path, text: str | None = None) -> set[str]:
    """Absolute names of all that a file imports, wherever in it; relative and written-out imports come to the same."""
    package = path.relative_to(ROOT).parent.parts
    text = path.read_text(encoding="utf-8") if text is None else text
    if path.suffix != ".py":  # Cython: the statements that import, as Python
        text = "\n".join(re.sub(r"\bcimport\b", "import", found[1]) for found in CYTHON_IMPORT.finditer(text))
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return found


def too_high(path: Path, text: str | None = None) -> list[str]:
    """The imports of a file that do not point downwards."""
    here, found = part_of(path), set()
    for name in imports(path, text):
        top, *rest = name.split(".")
        if top != "fastnn" or (not rest and f"{name}.{here}" not in HEIGHT):
            continue
        part = rest[0] if rest else "__init__"
        if part != here and HEIGHT.get(part, len(FLOORS)) >= HEIGHT[here]:
            found.add(name)
    return sorted(found)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / "fastnn" / package).glob("**/*.py"))


def test_every_part_of_the_package_has_its_floor():
    parts = {part_of(path) for path in MODULES}
    assert parts == set(HEIGHT), "enter what is new in FLOORS, above all that it imports, and take out what is gone"
    assert sum(map(len, FLOORS)) == len(HEIGHT), "a part stands on one floor"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "fastnn")))
def test_imports_point_downwards(path):
    assert not too_high(path), f"{path.relative_to(ROOT)} imports what does not stand below it"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("callbacks/history.py", "from fastnn.models.progress import ProgressBar"),
        ("callbacks/history.py", "def f():\n    from ..models import progress"),
        ("layers/core/dense.py", "from ...models.model import Model"),
        ("layers/core/dense.py", "from ... import models"),
        ("layers/core/__init__.py", "from ...models import Model"),
        ("losses/loss.py", "import fastnn.metrics"),
        ("losses/loss.py", "from .. import metrics"),
        ("losses/loss.py", "import importlib\nimportlib.import_module('fastnn.optimizers')"),
        ("layers/core/dense.py", "from ...losses import get"),
        ("models/plan.py", "from fastnn import Sequential"),
        ("utils/names.py", "from ..layers.core import dense"),
        ("kernels/dense.pyx", "    from fastnn.backend import active"),
        ("kernels/dense.pyx", "from fastnn.backend cimport (\n    active,\n)"),
        ("kernels/_core.pxd", "cimport fastnn.registry"),
    ],
)
def test_imports_that_point_elsewhere_are_found(file, line):
    assert too_high(ROOT / "fastnn" / file, line)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("models/plan.py", "from ..callbacks import History\nfrom . import step\nfrom fastnn.layers.core import dense"),
        ("layers/core/dense.py", "from ..base import Layer\nfrom ... import backend\nfrom ...layers import recurrent"),
        ("layers/core/__init__.py", "from . import dense\nfrom .. import base"),
        ("kernels/dense.pyx", "from fastnn.kernels._core cimport ANY\nfrom fastnn import checks\nimport numpy"),
        ("losses/loss.py", "import fastnn_other.models\nimport numpy as np"),
    ],
)
def test_imports_that_point_downwards_pass(file, line):
    assert not too_high(ROOT / "fastnn" / file, line)


STANDARD = {"__future__", "collections", "functools", "importlib", "itertools", "math", "operator", "pkgutil", "typing"}


@pytest.mark.parametrize("path", modules("reference"), ids=lambda path: path.name)
def test_twins_import_numpy_shapes_checks_and_each_other_only(path):
    for name in imports(path):
        top = name.split(".")[0]
        ours = name.startswith(("fastnn.reference", "fastnn.checks", "fastnn.shapes")) or name == "fastnn"
        assert top == "numpy" or top in STANDARD or ours, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "path", modules("layers") + modules("models"), ids=lambda path: str(path.relative_to(ROOT / "fastnn"))
)
def test_layers_and_models_reach_kernels_through_the_backend_only(path):
    for name in imports(path):
        assert not name.startswith("fastnn.reference"), f"{path.name} imports {name}"
        if "layers" in path.parts:
            assert not name.startswith("fastnn.kernels"), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "fastnn/kernels").glob("*.pyx")), ids=lambda path: path.name)
def test_wrappers_do_not_use_the_twins(path):
    assert "fastnn.reference" not in re.sub(r"(#.*|twin: \S+)", "", path.read_text(encoding="utf-8"))


def test_discovery_finds_every_registry_file():
    found = {m.name for m in pkgutil.iter_modules(registry.__path__) if not m.name.startswith("_")}
    assert found == set(FAMILIES)
    with pytest.raises(ValueError, match="Received"):
        registry.kernels("nothing")
    with pytest.raises(ValueError, match="Received"):
        registry.kernel("nothing")
