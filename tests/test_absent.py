"""Names that are not there: the errors say what there is instead, at an attribute and at an import."""

import importlib
import re
import sys

import pytest

import fastnn
from fastnn import absent, layers

MODULES = (
    "layers", "losses", "metrics", "optimizers", "callbacks", "activations", "initializers", "regularizers",
    "constraints", "utils", "datasets", "models", "saving",
)  # fmt: skip

COMING = {"NumPy", "MaxNorm"}
"""Names in the answers that are not layers of this version."""


@pytest.mark.parametrize("module", MODULES)
def test_every_part_answers(module):
    part = importlib.import_module(f"fastnn.{module}")
    assert not hasattr(part, "NothingOfTheKind")
    assert getattr(part, "NothingOfTheKind", 7) == 7
    with pytest.raises(
        AttributeError, match=rf"fastnn.{module} has no NothingOfTheKind. (There is: \w|Did you mean \w)"
    ):
        part.NothingOfTheKind  # noqa: B018
    with pytest.raises(ImportError, match=rf"fastnn.{module} has no NothingOfTheKind. (There is: \w|Did you mean \w)"):
        exec(f"from fastnn.{module} import NothingOfTheKind")


def test_known_names_of_keras_say_what_to_use():
    with pytest.raises(AttributeError, match=r"fastnn.layers has no ConvLSTM2D. Use TimeDistributed\(Conv2D\(...\)\)"):
        fastnn.layers.ConvLSTM2D  # noqa: B018
    with pytest.raises(ImportError, match=r"fastnn.layers has no ConvLSTM2D. Use TimeDistributed\(Conv2D\(...\)\)"):
        from fastnn.layers import ConvLSTM2D
    with pytest.raises(ImportError, match=r"fastnn.layers has no ConvLSTM2D. Use TimeDistributed"):
        from fastnn.keras.layers import ConvLSTM2D  # noqa: F401
    with pytest.raises(AttributeError, match=r"fastnn.losses has no Reduction. Use reduction="):
        fastnn.losses.Reduction  # noqa: B018
    with pytest.raises(AttributeError, match=r"fastnn.optimizers has no LossScaleOptimizer. There is"):
        fastnn.optimizers.LossScaleOptimizer  # noqa: B018
    with pytest.raises(ImportError, match=r"fastnn.activations has no rellu. Did you mean relu"):
        from fastnn.activations import rellu  # noqa: F401
    with pytest.raises(ImportError, match=r"fastnn has no applications. There are no trained models"):
        from fastnn import applications  # noqa: F401
    with pytest.raises(AttributeError, match=r"fastnn has no applications. There are no trained models"):
        fastnn.applications  # noqa: B018
    with pytest.raises(AttributeError, match=r"fastnn.keras has no applications"):
        fastnn.keras.applications  # noqa: B018


@pytest.mark.parametrize(
    ("name", "meant"),
    [("conv2d", "Conv2D"), ("Conv2d", "Conv2D"), ("Dens", "Dense"), ("MaxPool2d", "MaxPool2D"), ("lstm", "LSTM")],
)
def test_the_nearest_name_is_offered(name, meant):
    with pytest.raises(AttributeError, match=rf"Did you mean {meant}( or |\?)"):
        getattr(layers, name)
    with pytest.raises(AttributeError, match=r"fastnn.initializers has no glorot_unifrom. Did you mean"):
        fastnn.initializers.glorot_unifrom  # noqa: B018


def test_what_python_itself_asks_for_gets_its_own_error():
    with pytest.raises(AttributeError, match=r"module 'fastnn.layers' has no attribute '__wrapped__'"):
        layers.__wrapped__  # noqa: B018


def test_names_that_are_there_are_found_as_ever(tmp_path, monkeypatch):
    from fastnn.layers import core, support  # noqa: F401

    (tmp_path / "uses_fastnn.py").write_text(
        "from fastnn.layers import Dense as D, LSTM\nfrom fastnn import Sequential\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("uses_fastnn")
    monkeypatch.delitem(sys.modules, "uses_fastnn")
    assert module.D is layers.Dense


def test_the_table_holds_names_that_are_not_there():
    for module, table in absent.INSTEAD.items():
        part = fastnn if module == "fastnn" else importlib.import_module(f"fastnn.{module}")
        there = {name for name in table if name in dir(part) or name in vars(part)}
        assert not there, f"fastnn.{module} has {sorted(there)}: take them out of absent.INSTEAD"


def test_what_is_advised_is_there():
    """Dotted paths to the package, and classes named in the answers of their own package."""
    for module, table in absent.INSTEAD.items():
        part = fastnn if module == "fastnn" else importlib.import_module(f"fastnn.{module}")
        for name, words in table.items():
            for path in re.findall(r"fastnn(?:\.\w+)+", words):
                found = fastnn
                for step in path.split(".")[1:]:
                    found = getattr(found, step)
            if module == "layers":
                for word in re.findall(r"[A-Z][a-z]+[A-Za-z]*[0-9A-Z]\w*|[A-Z]\w+(?=\()", words):
                    assert hasattr(part, word) or word in COMING, f"{name}: {word}"


def test_every_public_name_of_keras_is_there_or_has_its_answer():
    pytest.importorskip("keras", reason="Keras is not installed")
    lacking = {}
    for module in MODULES:
        theirs = importlib.import_module(f"keras.{module}")
        ours = importlib.import_module(f"fastnn.{module}")
        names = (
            {name for name in dir(theirs) if not name.startswith("_")} - set(dir(ours)) - set(absent.INSTEAD[module])
        )
        spelt = {name for name in names if absent._letters(name) in absent._public(f"fastnn.{module}")}
        lacking[module] = sorted(names - spelt)
    assert not any(lacking.values()), lacking
