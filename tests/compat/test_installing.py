"""``fastnn.compat.install()``: scripts find fastnn under the names of TensorFlow and Keras, if these are not there."""

import subprocess
import sys
import textwrap

import pytest

import fastnn
from fastnn.compat import installing

HIDE = """
import importlib.machinery, sys

class Hide:  # as on a machine where neither is installed
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("tensorflow", "keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

class Path(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ("tensorflow", "keras") else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Path
"""


def run(script: str, *, hidden: bool = True) -> str:
    """What a script prints, in a process of its own, where neither TensorFlow nor Keras is found."""
    command = [sys.executable, "-W", "error", "-c", (HIDE if hidden else "") + textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_of_every_form_find_fastnn():
    run(
        """
        import fastnn
        fastnn.compat.install()
        fastnn.compat.install()
        import tensorflow as tf
        import keras
        import tensorflow.keras as tk
        import tensorflow.keras.layers as tl
        import keras.utils
        from tensorflow import keras as k2
        from tensorflow.keras import layers, models
        from tensorflow.keras.datasets import mnist
        from tensorflow.keras.preprocessing.sequence import pad_sequences
        from tensorflow.keras.preprocessing.text import Tokenizer
        from tensorflow.keras.optimizers.schedules import CosineDecay
        from tensorflow.keras.layers import Dense
        from keras.layers import Dense as D2
        from tensorflow.data import Dataset
        from tensorflow.keras import backend as K
        import keras.backend as K2
        assert tf is fastnn.compat.tensorflow and keras is k2 is tk is tf.keras is fastnn.keras
        assert layers is tl is fastnn.layers and models is fastnn.models and mnist is fastnn.datasets.mnist
        assert Dense is D2 is fastnn.layers.Dense and Dataset is fastnn.data.Dataset and K is K2 is fastnn.keras.backend
        assert fastnn.keras.__spec__.name == "fastnn.keras" and fastnn.keras.__name__ == "fastnn.keras"
        assert keras.utils is fastnn.utils and fastnn.layers.__spec__.name == "fastnn.layers"
        """
    )


def test_names_that_are_not_there_say_what_to_use():
    run(
        """
        import fastnn
        fastnn.compat.install()
        for line, words in (
            ("import tensorflow.nothing", "No module named"),
            ("from tensorflow import lite", "export_onnx"),
            ("from tensorflow.keras.layers import Denze", "Did you mean Dense"),
            ("import keras.nothing.at_all", "No module named"),
        ):
            try:
                exec(line)
            except ImportError as error:
                assert words in str(error), (line, error)
            else:
                raise AssertionError(line)
        """
    )


def test_uninstall_takes_the_names_away():
    run(
        """
        import sys
        import fastnn
        before = list(sys.meta_path)
        fastnn.compat.install("keras")
        import keras.layers
        try:
            import tensorflow
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError("only keras was asked for")
        fastnn.compat.uninstall()
        fastnn.compat.uninstall()
        assert sys.meta_path == before and "keras" not in sys.modules and "keras.layers" not in sys.modules
        assert "fastnn.keras.layers" in sys.modules
        try:
            import keras
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError("keras is still found")
        """
    )


def test_an_installed_package_is_never_shadowed(tmp_path):
    (tmp_path / "keras.py").write_text("real = True\n")
    run(
        f"""
        import sys, warnings
        sys.path.insert(0, {str(tmp_path)!r})
        import fastnn
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fastnn.compat.install("keras")
        for words in ("keras is installed", "Use import fastnn.keras as keras for fastnn"):
            assert words in str(caught[0].message)
        import keras
        assert keras.real
        """,
        hidden=False,
    )


def test_libraries_that_are_extras_are_not_taken_for_the_stand_in():
    run(
        """
        import fastnn
        fastnn.compat.install()
        model = fastnn.Sequential([fastnn.layers.Dense(1, input_shape=(2,))])
        try:
            fastnn.interop.to_keras(model)
        except ImportError as error:
            assert "needs keras, which is not installed" in str(error), error
        else:
            raise AssertionError("there is no Keras here")
        """
    )


def test_other_names_are_refused():
    with pytest.raises(ValueError, match=r"install can stand in for tensorflow and keras. Received: 'torch'"):
        fastnn.compat.install("torch")
    assert not installing._finder.names
