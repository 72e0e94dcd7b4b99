"""The stubs of the compiled modules name what the modules have, with the parameters that they take."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import fastnn
import fastnn.keras
from fastnn import kernels, reference, registry

FOLDER = Path(fastnn.__file__).parent
FAMILIES = registry.families()
BY_HAND = ["_core", "_machine"]


def names_in(stub: str) -> dict[str, object]:
    """The public names of a stub, which is run as Python."""
    names: dict[str, object] = {}
    exec("from __future__ import annotations\n" + stub, names)
    hidden = {"Any", "Self", "annotations"}
    return {name: value for name, value in names.items() if not name.startswith("_") and name not in hidden}


def parameters(function: object) -> list[tuple[object, ...]]:
    """Name, kind and whether there is a default; the defaults of stubs may be left out."""
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default is p.empty) for p in found]


def differences(stub: str, module: object) -> list[str]:
    """What a stub says otherwise than the module that it describes."""
    said = names_in(stub)
    found = sorted(set(said) ^ set(module.__all__))
    for name in sorted(set(said) & set(module.__all__)):
        written, compiled = said[name], getattr(module, name)
        if inspect.isclass(compiled):
            members = {member for member in vars(written) if callable(getattr(written, member)) or member[0] != "_"}
            found += [f"{name}.{member}" for member in sorted(members) if not hasattr(compiled, member)]
        elif parameters(written) != parameters(compiled):
            found.append(name)
    return found


@pytest.mark.parametrize("module", [*BY_HAND, *FAMILIES])
def test_a_stub_has_the_names_and_parameters_of_its_module(module):
    path = FOLDER / f"kernels/{module}.pyi"
    assert path.is_file(), f"{path.name} is missing. Build again: `pip install -e .`"
    assert differences(path.read_text(encoding="utf-8"), importlib.import_module(f"fastnn.kernels.{module}")) == []


@pytest.mark.parametrize(
    ("stub", "differing"),
    [
        ("def exp(x, *, y=...): ...", ["log", "sigmoid", "tanh"]),
        ("from fastnn.reference.vmath import *\nfrom fastnn.reference.gemm import gemm_nn", ["gemm_nn"]),
        ("from fastnn.reference.vmath import *\ndef exp(x): ...", ["exp"]),  # the kernel has gained a parameter
        ("from fastnn.reference.vmath import *\ndef exp(x, *, y): ...", ["exp"]),
        ("from fastnn.reference.vmath import *\ndef exp(x, y=None): ...", ["exp"]),
    ],
)
def test_a_stub_that_differs_from_its_module_is_found(stub, differing):
    assert differences(stub, importlib.import_module("fastnn.kernels.vmath")) == differing


@pytest.mark.parametrize("package", [kernels, reference], ids=["kernels", "reference"])
def test_the_packages_have_the_names_of_their_families(package):
    said = names_in((Path(package.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    functions = {name for name, value in vars(package).items() if callable(value) and not name.startswith("_")}
    assert set(said) == functions - {"not_built"}
    for family in FAMILIES:
        assert {row.name for row in registry.kernels(family)} <= set(said)


def test_the_modules_under_the_name_keras_have_stubs():
    """They are entered at import, where type checkers do not see them."""
    entered = {name: module.__name__ for name, module in sys.modules.items() if name.startswith("fastnn.keras.")}
    del entered["fastnn.keras.backend"]  # a module of its own
    stubs = {}
    for path in (FOLDER / "keras").rglob("*.pyi"):
        parts = path.relative_to(FOLDER.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        (stubs[name],) = re.findall(r"^from (\S+) import \*\n$", path.read_text(encoding="utf-8"))
    assert stubs == entered


def test_the_package_says_that_it_is_typed():
    assert (FOLDER / "py.typed").is_file()
