"""Files of Keras without Keras: written here and read again, and files that Keras wrote, kept beside this test."""

import io
import json
import os
import sys
import zipfile

import numpy as np
import pytest

import fastnn
from fastnn import Model, Sequential, layers, ops, saving
from fastnn.graph import flatten
from fastnn.models import load_model
from tests.layers.examples import EXAMPLES
from tests.layers.test_every_layer import NAMES, made

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

from fastnn.interop.keras.names import OWN  # noqa: E402

X = np.random.default_rng(0).standard_normal((9, 5)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 9)


def classifier(**settings):
    stack = [layers.Input((5,)), layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(3, "softmax")]
    model = Sequential(stack)
    model.compile(settings.pop("optimizer", "adam"), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def same(left, right):
    return all(
        (a.shape == b.shape) and (a == b).all() for a, b in zip(left.get_weights(), right.get_weights(), strict=True)
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.keras"


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.rsplit("-", 1)[0] not in {*OWN, "Lambda", "InputLayer"}]
)
def test_a_model_with_this_layer_comes_back(name, tmp_path):
    layer, x, options = made(name)
    xs = x if isinstance(x, list) else [x]
    inputs = [layers.Input(one.shape[1:], dtype=one.dtype.name) for one in xs]
    inputs = inputs if isinstance(x, list) else inputs[0]
    model = Model(inputs, layer(inputs, **options))
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert same(model, again)
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    for one, two in zip(flatten(model(x, training=False)), flatten(again(x, training=False)), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_layer_that_keras_lacks_is_refused_by_name(name, tmp_path):
    layer, x, options = made(f"{name}-0")
    model = Model(inputs := layers.Input(x.shape[1:], dtype=x.dtype.name), layer(inputs, **options))
    with pytest.raises(ValueError, match=rf"\({name}\) is not a layer of Keras"):
        model.save(tmp_path / "m.keras")
    assert not os.listdir(tmp_path)
    assert name in EXAMPLES


@pytest.mark.parametrize(
    "optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "lion"]
)
def test_training_goes_on_from_a_file(optimizer, path):
    model = classifier(optimizer=optimizer)
    model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    model.save(path)
    again = load_model(path)
    assert again.optimizer.iterations == model.optimizer.iterations == 6
    left, right = (m.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history for m in (model, again))
    assert left["accuracy"] == right["accuracy"]
    np.testing.assert_allclose(left["loss"], right["loss"], rtol=1e-6)


def test_weights_alone_and_weights_of_a_whole_model(tmp_path, path):
    model, other = classifier(), classifier()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert same(model, other)
    model.save(path)
    third = classifier()
    third.load_weights(path)
    assert same(model, third)


def test_endings_say_what_can_be_written(tmp_path, path):
    model = classifier()
    with pytest.raises(ValueError, match=r"written as \.keras.*m\.keras"):
        model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"ends in \.weights\.h5"):
        model.save_weights(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"ends in \.weights\.h5"):
        model.save_weights(path)
    with pytest.raises(ValueError, match=r"has no weights yet"):
        Sequential([layers.Dense(3)]).save(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_model(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        model.load_weights(tmp_path / "m.h5")
    assert not os.listdir(tmp_path)
    model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="holds only weights"):
        load_model(tmp_path / "m.weights.h5")
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save_weights(tmp_path / "m.weights.h5", overwrite=False)
    assert os.listdir(tmp_path) == ["m.weights.h5"]


def test_other_weights_are_refused_and_nothing_is_written(tmp_path):
    classifier().save_weights(tmp_path / "m.weights.h5")
    other = Sequential([layers.Input((5,)), layers.Dense(4), layers.Dense(3), layers.Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"layers/dense_2/vars/0: missing from the file.*batch_normalization"):
        other.load_weights(tmp_path / "m.weights.h5")
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))
    with pytest.warns(UserWarning, match=r"left unchanged.*dense_2"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    assert not (other.get_weights()[0] == before[0]).all()
    assert (other.get_weights()[4] == before[4]).all()


# Functional models.


def shared_and_nested():
    left, right = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    tower = Model(inner := layers.Input((4,)), layers.Dense(3, "tanh", name="shared")(layers.Dense(4)(inner)))
    head = Sequential([layers.Input((6,)), layers.Dense(5), layers.LayerNormalization()], name="head")
    joined = layers.concatenate([tower(left), tower(right)])
    features = head(joined)
    outputs = {"score": layers.Dense(1)(features), "mean": ops.mean(features * 2.0 + 1.0, axis=-1, keepdims=True)}
    return Model({"right": right, "left": left}, outputs)


def test_shared_layers_nested_models_operations_and_names_come_back(path):
    model = shared_and_nested()
    x = {"left": X[:, :4], "right": X[:, 1:]}
    model.save(path)
    again = load_model(path)
    expected, found = model.predict(x, verbose=0), again.predict(x, verbose=0)
    assert list(found) == ["score", "mean"]
    for name, one in expected.items():
        np.testing.assert_array_equal(found[name], one)
    assert again.count_params() == model.count_params()
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


OPERATIONS = {
    "arithmetic": lambda x: (2 * x - 1) / (x * x + 3.0) ** 0.5 - ops.abs(-x),
    "comparisons": lambda x: ops.where(x > 0.5, x, -x),
    "indexing": lambda x: x[:, 1:3, ..., None][..., 0] + x[:, -1:, :],
    "shapes": lambda x: ops.transpose(ops.reshape(ops.expand_dims(x, 1), (-1, 4, 3)), (0, 2, 1)),
    "reductions": lambda x: x - ops.mean(x, axis=(1, 2), keepdims=True) + ops.max(x, axis=-1, keepdims=True),
    "products": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "constants": lambda x: x * np.linspace(0, 1, 4, dtype="float32"),
    "joining": lambda x: ops.concatenate([x, ops.tanh(x)], axis=1),
    "nonlinear": lambda x: ops.softmax(ops.gelu(x), axis=1) + ops.clip(x, -0.5, 0.5) + ops.leaky_relu(x, 0.3),
    "casts": lambda x: ops.cast(ops.cast(x * 3, "int64"), "float32"),
    "roots": lambda x: ops.rsqrt(ops.exp(x)) + ops.log(ops.square(x) + 1.0) + ops.sigmoid(x) + ops.silu(x),
    "flips": lambda x: ops.flip(x, 1) + ops.roll(x, 1, axis=1),
}


def of_operations(name):
    x = layers.Input((3, 4))
    return Model(x, OPERATIONS[name](layers.Dense(4)(x))), np.linspace(-2, 2, 24, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_between_layers_come_back(name, path):
    model, x = of_operations(name)
    model.save(path)
    np.testing.assert_allclose(load_model(path)(x), model(x), rtol=1e-6, atol=1e-6)


# The user's own.


@saving.register_keras_serializable("tests_keras")
class Scaled(layers.Layer):
    def __init__(self, by, **settings):
        super().__init__(**settings)
        self.by, self.inner = by, layers.Dense(5)

    def build(self, input_shape):
        self.shift = self.add_weight((input_shape[-1],), "uniform", name="shift")

    def call(self, x):
        return self.inner(x * self.by + self.shift)

    def get_config(self):
        return super().get_config() | {"by": self.by}


@saving.register_keras_serializable("tests_keras")
def bent(x):
    return ops.tanh(x) + 0.1 * x


def test_classes_and_functions_of_the_user_are_found_by_their_registered_names(path):
    model = Sequential([layers.Input((5,)), Scaled(2.0), layers.Dense(3, bent), layers.Lambda(bent)])
    model.save(path)
    again = load_model(path)
    assert again.layers[0].by == 2.0
    assert isinstance(again.layers[0], Scaled)
    np.testing.assert_array_equal(again(X), model(X))


def test_a_class_or_function_that_is_not_known_says_what_to_pass(path):
    class Own(layers.Layer):
        def call(self, x):
            return x

    Sequential([layers.Input((5,)), layers.Dense(2), Own(name="own")]).save(path)
    with pytest.raises(ValueError, match=r'm\.keras".*Layer "own" \(Own\).*custom_objects=\{.Own.: Own\}'):
        load_model(path)
    assert isinstance(load_model(path, custom_objects={"Own": Own}).layers[1], Own)


def test_a_function_without_a_name_is_not_written_and_code_is_never_run(path):
    with pytest.raises(ValueError, match=r'Layer "odd" \(Lambda\)'):
        Sequential([layers.Input((5,)), layers.Lambda(lambda x: x, name="odd")]).save(path)
    classifier().save(path)
    code = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    for held in (code, {"class_name": "function", "config": ["4wAAAA==", None, None], "module": "builtins"}):
        entry = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "odd", "function": held}}
        rewrite(path, lambda config, entry=entry: config["config"]["layers"].insert(2, entry))
        with pytest.raises(ValueError, match=r'Layer "odd" \(Lambda\) holds a Python function as code, which is never'):
            load_model(path, safe_mode=False)
        rewrite(path, lambda config: config["config"]["layers"].pop(2))
    assert load_model(path).built


def rewrite(path, change, weights=None):
    """Change the config of an archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    if weights is not None:
        parts["model.weights.h5"] = weights
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def test_the_file_is_what_keras_describes(path):
    classifier().save(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json"))["keras_version"].startswith("3.")
        config = json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            found = []
            file.visititems(lambda name, one: found.append(name) if isinstance(one, h5py.Dataset) else None)
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert [entry["class_name"] for entry in config["config"]["layers"]] == [
        "InputLayer", "Dense", "BatchNormalization", "Dense",
    ]  # fmt: skip
    assert sorted(found) == sorted(
        f"layers/{name}/vars/{i}" for name, count in (("dense", 2), ("batch_normalization", 4), ("dense_1", 2))
        for i in range(count)
    )  # fmt: skip


def test_a_model_that_writes_call_is_refused_and_its_weights_are_kept(tmp_path):
    class Own(fastnn.Model):
        def __init__(self):
            super().__init__()
            self.first, self.rest = layers.Dense(4), [layers.Dense(3), layers.Dense(2)]

        def call(self, x):
            return self.rest[1](self.rest[0](self.first(x)))

    model, other = Own(), Own()
    model(X)
    other(X)
    with pytest.raises(NotImplementedError, match=r"defines call.*save_weights"):
        model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert list(file) == ["first", "rest", "vars"]
        assert list(file["rest"]) == ["dense", "dense_1"]
    other.load_weights(tmp_path / "m.weights.h5")
    assert same(model, other)


def test_without_h5py_the_error_names_the_extra_and_an_older_file_stays(path, monkeypatch):
    model = classifier()
    model.save(path)
    before = path.read_bytes()
    monkeypatch.setitem(sys.modules, "h5py", None)
    for call in (model.save, load_model, model.load_weights):
        with pytest.raises(ImportError, match=r"needs h5py.*fastnn-kernels\[keras\]"):
            call(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["m.keras"]


def test_a_save_that_fails_on_the_way_leaves_the_older_file(path, monkeypatch):
    model = classifier()
    model.save(path)
    before = path.read_bytes()

    def fail(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr("zipfile.ZipFile.writestr", fail)
    with pytest.raises(OSError, match="no space"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["m.keras"]
