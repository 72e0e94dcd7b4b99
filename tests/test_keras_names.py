"""The page of Keras' names is true, and the names are those of the Keras that is installed."""

import pytest

from tests import keras_names


def test_the_page_is_in_step_with_the_package():
    written = keras_names.PAGE.read_text(encoding="utf-8")
    assert written == keras_names.page(), "write docs/keras_names.md anew by `python -m tests.keras_names`"


@pytest.mark.parametrize("module", ["activations", "constraints", "losses", "metrics", "models", "regularizers"])
def test_these_modules_are_complete(module):
    names = keras_names.stored()[f"keras.{module}"]
    found = {name: keras_names.status(f"keras.{module}", name)[0] for name in names}
    assert set(found.values()) == {keras_names.THERE}, [name for name in found if found[name] != keras_names.THERE]


@pytest.mark.parametrize("module", ["callbacks", "initializers", "layers", "optimizers", "optimizers.schedules"])
def test_of_these_every_name_is_there_or_has_an_answer(module):
    names = keras_names.stored()[f"keras.{module}"]
    missing = [name for name in names if keras_names.status(f"keras.{module}", name)[0] == keras_names.MISSING]
    assert not missing


def test_three_kinds_of_answers():
    assert keras_names.status("keras.layers", "Dense") == (keras_names.THERE, "")
    kind, words = keras_names.status("keras.layers", "ConvLSTM2D")
    assert (kind, words.split()[0]) == (keras_names.REFUSED, "Use")
    assert keras_names.status("keras.layers", "Denze") == (keras_names.MISSING, "")


def test_the_stored_names_are_keras_own():
    keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")
    if keras.__version__.split(".")[:2] != keras_names.version().split(".")[:2]:
        pytest.skip(f"the names are those of Keras {keras_names.version()}, and {keras.__version__} is installed")
    assert keras_names.walked() == keras_names.stored()
