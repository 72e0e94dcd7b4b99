"""Warnings name the line of the user's program, however deep in the package they arise."""

import ast
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import backend, callbacks, layers, losses
from tests.test_house import MODULES, ROOT

X = np.ones((4, 3), np.float32)


def dense(units):
    return fastnn.Sequential([layers.Input((3,)), layers.Dense(units, name="dense")])


def weights_that_do_not_fit(path: Path, save: str):
    getattr(dense(2), save)(path)
    dense(5).load_weights(path, skip_mismatch=True)


def twice_softmax():
    model = fastnn.Sequential([layers.Input((3,)), layers.Dense(2, "softmax")])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, [0, 1, 0, 1], verbose=0)


def watches_nothing():
    model = dense(1)
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], callbacks=[callbacks.EarlyStopping("val_loss")], verbose=0)


CALLS = {
    "safetensors": lambda folder: weights_that_do_not_fit(folder / "w.safetensors", "save_weights"),
    "keras weights": lambda folder: weights_that_do_not_fit(folder / "w.weights.h5", "save_weights"),
    "keras model": lambda folder: weights_that_do_not_fit(folder / "m.keras", "save"),
    "from_logits": lambda folder: twice_softmax(),
    "monitor": lambda folder: watches_nothing(),
    "setting": lambda folder: layers.Embedding(3, 2, input_length=4),
    "backend": lambda folder: backend.use("reference") and None,
}


@pytest.mark.parametrize("call", CALLS)
def test_the_file_is_the_user_s(call, tmp_path):
    if call.startswith("keras"):
        pytest.importorskip("h5py", reason="h5py is not installed")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[call](tmp_path)
    assert [one.filename for one in caught] == [__file__]


def test_a_call_from_the_user_s_thread_of_nothing_else():
    """Code without a file of its own, as in a notebook's cell."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile("\n\nEmbedding(3, 2, input_length=4)", "<cell>", "exec"), {"Embedding": layers.Embedding})
    assert [(one.filename, one.lineno) for one in caught] == [("<cell>", 3)]


@pytest.mark.parametrize("path", [one for one in MODULES if one.suffix == ".py"], ids=lambda path: path.stem)
def test_the_package_warns_by_one_function(path):
    found = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "warnings.warn"
    ]
    assert not found or path == ROOT / "fastnn" / "user_warnings.py", f"{path}: use fastnn.user_warnings.warn"
