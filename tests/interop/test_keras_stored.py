"""Files that Keras 3.15 wrote, kept beside this test, and one in the layout of Keras 2, written out by hand."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from fastnn import layers
from fastnn.models import load_model

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

FILES = Path(__file__).parent / "files"


def stored(name, folder):
    """The file, unpacked."""
    path = folder / name
    path.write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    return path


def test_a_functional_model_of_keras_3_predicts_what_it_predicted_there(tmp_path):
    model, kept = load_model(stored("keras_3.keras", tmp_path)), np.load(FILES / "keras_3.npz")
    x = {"left": kept["left"], "right": kept["right"].astype("int64")}
    np.testing.assert_allclose(model.predict(x, verbose=0)["y"], kept["y"], rtol=1e-5, atol=1e-6)
    assert model.optimizer.iterations == 3
    assert model.optimizer.learning_rate == pytest.approx(0.01)
    assert any(array.any() for array in model.optimizer.variables[2:])
    history = model.fit(x, {"y": np.array([0, 1, 1])}, epochs=4, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], kept["losses"], rtol=1e-4)


def test_the_weights_of_an_archive_fill_a_model_of_the_same_config(tmp_path):
    path, kept = stored("keras_3.keras", tmp_path), np.load(FILES / "keras_3.npz")
    model = load_model(path, compile=False)
    assert not model.compiled
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(path)
    x = {"left": kept["left"], "right": kept["right"].astype("int64")}
    np.testing.assert_allclose(model.predict(x, verbose=0)["y"], kept["y"], rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The optimizer starts afresh")
def test_an_h5_of_keras_3_in_the_words_of_keras_2(tmp_path):
    model, kept = load_model(stored("keras_3.h5", tmp_path)), np.load(FILES / "keras_3_h5.npz")
    np.testing.assert_allclose(model.predict(kept["x"], verbose=0), kept["y"], rtol=1e-5, atol=1e-6)
    assert model.compiled


# Keras 2.

KERNEL = np.arange(12, dtype="float32").reshape(4, 3) / 10 - 0.5
BIAS = np.array([0.1, -0.2, 0.3], "float32")
STATISTICS = [np.array(values, "float32") for values in ([1, 2, 3], [0, 1, 0], [0.5, -0.5, 0], [1, 4, 9])]


def zeros():
    return {"class_name": "Zeros", "config": {}}


def keras_2_model():
    """The config of a functional model, as Keras 2.9 writes it."""

    def node(name, **options):
        return [[name, 0, 0, options]]

    dense = {
        "name": "dense", "trainable": True, "dtype": "float32", "units": 3, "activation": "linear", "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}, "shared_object_id": 1},
        "bias_initializer": zeros(), "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
        "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    norm = {
        "name": "bn", "trainable": True, "dtype": "float32", "axis": [1], "momentum": 0.99, "epsilon": 0.001,
        "center": True, "scale": True, "beta_initializer": zeros(),
        "gamma_initializer": {"class_name": "Ones", "config": {}},
        "moving_mean_initializer": zeros(), "moving_variance_initializer": {"class_name": "Ones", "config": {}},
        "beta_regularizer": None, "gamma_regularizer": None, "beta_constraint": None, "gamma_constraint": None,
    }  # fmt: skip
    inner = {
        "name": "inner",
        "layers": [
            {"class_name": "InputLayer", "config": {
                "batch_input_shape": [None, 4], "dtype": "float32", "sparse": False, "ragged": False,
                "name": "inner_in"}},
            {"class_name": "Dense", "config": dense},
        ],
    }  # fmt: skip
    outer = {
        "class_name": "InputLayer", "name": "x", "inbound_nodes": [],
        "config": {"batch_input_shape": [None, 4], "dtype": "float32", "sparse": False, "ragged": False, "name": "x"},
    }  # fmt: skip
    leaky = {"name": "leaky", "trainable": True, "dtype": "float32", "alpha": 0.25}
    config = {
        "name": "model",
        "layers": [
            outer,
            {"class_name": "Sequential", "config": inner, "name": "inner", "inbound_nodes": [node("x")]},
            {"class_name": "BatchNormalization", "config": norm, "name": "bn",
             "inbound_nodes": [[["inner", 1, 0, {}]]]},
            {"class_name": "LeakyReLU", "config": leaky, "name": "leaky", "inbound_nodes": [node("bn")]},
            {"class_name": "Add", "config": {"name": "add", "trainable": True, "dtype": "float32"}, "name": "add",
             "inbound_nodes": [[["leaky", 0, 0, {}], ["inner", 1, 0, {}]]]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["add", 0, 0]],
    }  # fmt: skip
    return {"class_name": "Functional", "config": config}


def write_keras_2(path, whole=True):
    weights = {
        "x": {},
        "inner": {"dense/kernel:0": KERNEL, "dense/bias:0": BIAS},
        "bn": dict(
            zip(("bn/gamma:0", "bn/beta:0", "bn/moving_mean:0", "bn/moving_variance:0"), STATISTICS, strict=True)
        ),
        "leaky": {},
        "add": {},
    }
    training = {
        "loss": "mse", "metrics": [["mae"]], "weighted_metrics": None, "loss_weights": None,
        "optimizer_config": {"class_name": "Adam", "config": {
            "name": "Adam", "learning_rate": 0.02, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
            "amsgrad": False}},
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        root = file
        if whole:
            file.attrs["model_config"] = json.dumps(keras_2_model()).encode()
            file.attrs["training_config"] = json.dumps(training).encode()
            file.create_group("optimizer_weights")
            root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in weights]
        root.attrs["backend"], root.attrs["keras_version"] = b"tensorflow", b"2.9.0"
        for layer, arrays in weights.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in arrays]
            for name, array in arrays.items():
                group[name] = array


def expected(x):
    y = x @ KERNEL + BIAS
    gamma, beta, mean, variance = STATISTICS
    normed = (y - mean) / np.sqrt(variance + 0.001) * gamma + beta
    return np.where(normed > 0, normed, 0.25 * normed) + y


def test_a_model_of_keras_2(tmp_path):
    write_keras_2(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match=r"The optimizer starts afresh.*Keras 2"):
        model = load_model(tmp_path / "m.h5")
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected(x), rtol=1e-5, atol=1e-6)
    assert [type(layer).__name__ for layer in model.layers[1:]] == [
        "Sequential",
        "BatchNormalization",
        "LeakyReLU",
        "Add",
    ]
    assert isinstance(model.layers[1].layers[0], layers.Dense)
    assert model.optimizer.learning_rate == pytest.approx(0.02)
    assert set(model.evaluate(x, expected(x), verbose=0, return_dict=True)) == {"loss", "mae"}
    assert not load_model(tmp_path / "m.h5", compile=False).compiled


def test_weights_of_keras_2_alone(tmp_path):
    write_keras_2(tmp_path / "m.h5")
    write_keras_2(tmp_path / "w.h5", whole=False)
    model = load_model(tmp_path / "m.h5", compile=False)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(tmp_path / "w.h5")
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="holds only weights"):
        load_model(tmp_path / "w.h5")
