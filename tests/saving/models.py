"""Models and data that the tests of this folder share, and what it means that two models are the same."""

import json
import zlib

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from fastnn import Model, Sequential, layers, ops, saving
from fastnn.saving.container import sealed

__all__ = ["branched", "chain", "data", "header_of", "rewrite", "same", "trained_alike"]


def data(rows=37, features=6, classes=3, dtype="float32"):
    rng = np.random.default_rng(2)
    return rng.standard_normal((rows, features)).astype(dtype), rng.integers(0, classes, rows)


def chain(**settings):
    """Dense, batch normalization, dropout, dense: weights that training changes, statistics, and draws."""
    return Sequential(
        [
            layers.Input(shape=(6,), **settings),
            layers.Dense(8, "relu", kernel_regularizer="l2", **settings),
            layers.BatchNormalization(**settings),
            layers.Dropout(0.3, **settings),
            layers.Dense(3, "softmax", kernel_constraint="max_norm", name="head", **settings),
        ]
    )


def branched():
    """Two inputs, a shared layer, a model within the model, operators, a mask, attention, two outputs."""
    ids, numbers = layers.Input((5,), dtype="int64", name="ids"), layers.Input((6,), name="numbers")
    words = layers.Embedding(9, 4, mask_zero=True, name="words")(ids)
    words = layers.MultiHeadAttention(2, 3, dropout=0.2, name="attention")(words, words, use_causal_mask=True)
    words = layers.LSTM(4, dropout=0.2, name="reader")(words)
    shared = layers.Dense(4, name="shared")
    within = Sequential([layers.Input((6,)), layers.Dense(6, "tanh"), layers.Dropout(0.2)], name="encoder")
    joined = layers.add([shared(words), shared(layers.Dense(4)(within(numbers)))])
    joined = ops.concatenate([joined * 2.0, joined[:, :2]], axis=-1)
    label = layers.Dense(3, "softmax", activity_regularizer="l2", name="label")(joined)
    return Model({"ids": ids, "numbers": numbers}, {"label": label, "value": layers.Dense(1, name="value")(joined)})


def same(a, b):
    """Whether two models have the same weights, bit for bit, under the same paths."""
    ours, theirs = saving.weight_paths(a), saving.weight_paths(b)
    return list(ours) == list(theirs) and all(
        np.array_equal(ours[path].value, theirs[path].value, equal_nan=True) for path in ours
    )


def trained_alike(model, path, fit, **options):
    """Train, save, load, train both on; give both, whose losses and weights must be the same bits."""
    fit(model)
    model.save(path)
    again = saving.load_model(path, **options)
    assert same(model, again)
    assert fit(again).history == fit(model).history
    assert same(model, again)
    return again


def header_of(path):
    """The header of a file, as data."""
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["fastnn"])


def rewrite(path, to, change, arrays=None):
    """A copy of a file whose header ``change`` has changed, with checksums that are right."""
    with safe_open(path, "np") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()["fastnn"])
    header = change(header) or header
    if arrays is not None:
        found = arrays(found)
        header["crc32"] = {name: zlib.crc32(np.ascontiguousarray(a).tobytes()) for name, a in found.items()}
    header.pop("checksum")
    save_file(found, to, {"fastnn": sealed(json.dumps(header))})
