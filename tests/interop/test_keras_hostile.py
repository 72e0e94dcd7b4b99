"""Files of Keras that are damaged, or made to do harm: a clear error, no code run, no memory beyond the file's."""

import contextlib
import gzip
import json
import os
import random
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from fastnn import Sequential, layers
from fastnn.models import load_model
from tests.interop.fuzzing import mutated, mutated_json, repacked, unpacked
from tests.interop.test_keras_files import classifier, rewrite
from tests.interop.test_keras_stored import FILES

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


@contextlib.contextmanager
def peak_below(limit):
    """Fail if Python's memory grows beyond the limit, in bytes."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit


@pytest.fixture
def path(tmp_path):
    classifier().save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def weights_of(tmp_path, change):
    """A file of weights whose HDF5 is changed."""
    model = classifier()
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        change(file)
    return model, tmp_path / "m.weights.h5"


# HDF5.


def external_link(file):
    with h5py.File(os.path.join(os.path.dirname(file.filename), "secret.h5"), "w") as other:
        other["k"] = np.zeros((5, 4), "float32")
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("secret.h5", "k")


def soft_link(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense/vars/1")


def external_storage(file):
    secret = os.path.join(os.path.dirname(file.filename), "secret.bin")
    with open(secret, "wb") as other:
        other.write(b"\1" * 80)
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (5, 4), "float32", external=[(secret, 0, 80)])


def virtual(file):
    layout = h5py.VirtualLayout((5, 4), "float32")
    layout[:] = h5py.VirtualSource("secret.h5", "k", (5, 4))
    del file["layers/dense/vars/0"]
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def compressed(file):
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (5, 4), "float32", compression="gzip")


def objects(file):
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (5, 4), h5py.string_dtype())


def shape(file):
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (1 << 40, 1 << 20), "float32", chunks=(1, 1))


def group(file):
    del file["layers/dense/vars/0"]
    file.create_group("layers/dense/vars/0")


def circle(file):
    file["layers/dense/more"] = file["layers"]
    del file["layers/dense/vars/0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external_link, "is a link to elsewhere"),
        (soft_link, "is a link to elsewhere"),
        (external_storage, "are in another file"),
        (virtual, "are in another file"),
        (compressed, "is compressed"),
        (objects, "must hold numbers"),
        (shape, r"layers/dense/vars/0: shape \(5, 4\) in the model"),
        (group, r"layers/dense/vars/0: missing from the file"),
        (circle, r"layers/dense/vars/0: missing from the file"),
    ],
    ids=lambda part: part.__name__ if callable(part) else "",
)
def test_what_leads_out_of_an_hdf5_file_or_is_no_array_is_refused(change, message, tmp_path):
    model, path = weights_of(tmp_path, change)
    before = model.get_weights()
    with pytest.raises(ValueError, match=rf"m\.weights\.h5.*{message}"):
        model.load_weights(path)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


# The archive.


def test_an_archive_that_unpacks_to_much_more_than_its_size_is_refused(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(60 << 20))
    assert os.path.getsize(path) < 100_000
    message = r"model\.weights\.h5 unpacks to 62914560 bytes, from a file of"
    with peak_below(8 << 20), pytest.raises(ValueError, match=message):
        load_model(path)


def test_an_archive_without_its_parts_or_with_two_of_them(path):
    parts = unpacked(path.read_bytes())
    for name in ("config.json", "model.weights.h5"):
        path.write_bytes(repacked({other: part for other, part in parts.items() if other != name}))
        with pytest.raises(ValueError, match=rf"holds no {name}"):
            load_model(path)
    path.write_bytes(repacked(parts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("config.json", parts["config.json"])
    with pytest.raises(ValueError, match=r"holds two of config\.json"):
        load_model(path)


def test_names_of_parts_are_never_paths_to_write_to(path):
    parts = unpacked(path.read_bytes())
    path.write_bytes(repacked(parts | {"../out.txt": b"x", "/tmp/out.txt": b"x", "assets/x": b"x"}))
    before = sorted(os.listdir(path.parent.parent)), sorted(os.listdir(path.parent))
    assert load_model(path).built
    assert (sorted(os.listdir(path.parent.parent)), sorted(os.listdir(path.parent))) == before


# The config.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["layers"][1]["config"].update(units=10**12), "units of Dense"),
        (lambda c: c["layers"][1]["config"].update(units=10**8), r"needs \d+ bytes, more than the whole file"),
        (lambda c: c["layers"][1]["config"].update(units=-3), "units"),
        (lambda c: c["layers"][0]["config"].update(batch_shape=[None, 10**15]), r"needs \d+ bytes, more than"),
        (lambda c: c["layers"][1].update(class_name="os.system"), "unknown class"),
        (lambda c: c["layers"][1].update(class_name="Layer"), ""),
        (lambda c: c["layers"][1]["config"].update(activation={"class_name": "function", "config": "eval",
                                                               "module": "builtins"}), "function 'eval'"),
        (lambda c: c["layers"][1]["config"].update(kernel_initializer={"class_name": "get", "module":
                   "keras.initializers", "config": {}}), "a get of keras.initializers, which fastnn does not know"),
        (lambda c: c["layers"][2]["config"].update(renorm=True), "renorm=True"),
        (lambda c: c["layers"][1]["config"].update(dtype="float16"), "float16|float32"),
        (lambda c: c.update(layers=7), "list of layers"),
    ],
)  # fmt: skip
def test_a_hostile_config_is_an_error_that_names_the_file(change, message, path):
    rewrite(path, lambda config: change(config["config"]))
    with peak_below(16 << 20), pytest.raises(ValueError, match=rf"m\.keras.*(?:{message})"):
        load_model(path)


def test_a_config_that_is_nested_without_end(path):
    parts = unpacked(path.read_bytes())
    entry = parts["config.json"].decode()
    for text in ("[" * 100_000, '{"class_name": "Sequential", "config": {"name": "s", "layers": [' * 2_000):
        path.write_bytes(repacked(parts | {"config.json": text.encode()}))
        with pytest.raises(ValueError, match=r"m\.keras"):
            load_model(path)
    deep = json.loads(entry)
    inner = deep["config"]["layers"][1]
    for _ in range(300):
        inner = {"class_name": "TimeDistributed", "module": "keras.layers", "config": {"name": "t", "layer": inner}}
    deep["config"]["layers"][1] = inner
    path.write_bytes(repacked(parts | {"config.json": json.dumps(deep).encode()}))
    with pytest.raises(ValueError, match=r"m\.keras"):
        load_model(path)


def test_metrics_make_no_arrays_beyond_reason(path):
    metric = {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**10}}
    rewrite(path, lambda config: config["compile_config"].update(metrics=[metric]))
    with pytest.raises(ValueError, match=r"compile\(metrics=\.\.\.\) has a number above"):
        load_model(path)


# Mutations.


def attempt(call):
    """Run a loader: it gives a model or raises ValueError, and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except ValueError:
            return False
    return True


def sequence_model():
    model = Sequential(
        [
            layers.Input((5, 4)),
            layers.Bidirectional(layers.GRU(3, return_sequences=True, kernel_regularizer="l2")),
            layers.RNN([layers.LSTMCell(2), layers.SimpleRNNCell(3)]),
            layers.BatchNormalization(),
            layers.Dense(2, "softmax", kernel_initializer="he_normal"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((4, 5, 4)), np.zeros(4, int), verbose=0)
    return model


def fuzz(kind, seeds, folder):
    """Load mutated files of a kind; how many were read all the same."""
    model = sequence_model()
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    data, weights = (folder / "m.keras").read_bytes(), (folder / "m.weights.h5").read_bytes()
    legacy = gzip.decompress((FILES / "keras_3.h5.gz").read_bytes())
    parts = unpacked(data)
    read = 0
    for seed in seeds:
        rng = random.Random(seed)
        if kind == "archive":
            (folder / "x.keras").write_bytes(mutated(rng, data))
            read += attempt(lambda: load_model(folder / "x.keras"))
        elif kind == "config":
            config = json.dumps(mutated_json(rng, json.loads(parts["config.json"])))
            (folder / "x.keras").write_bytes(repacked(parts | {"config.json": config.encode()}))
            read += attempt(lambda: load_model(folder / "x.keras"))
        elif kind == "weights":
            (folder / "x.weights.h5").write_bytes(mutated(rng, weights))
            read += attempt(lambda: model.load_weights(folder / "x.weights.h5"))
        else:
            (folder / "x.h5").write_bytes(mutated(rng, legacy))
            read += attempt(lambda: load_model(folder / "x.h5"))
    return read


@pytest.mark.parametrize("kind", ["archive", "config", "weights", "legacy"])
def test_mutated_files_are_read_or_refused(kind, tmp_path):
    assert fuzz(kind, range(80), tmp_path) < 80


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["archive", "config", "weights", "legacy"])
def test_many_mutated_files_are_read_or_refused(kind, tmp_path):
    assert fuzz(kind, range(1000, 11_000), tmp_path) < 10_000
