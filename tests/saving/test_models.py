"""Models in files: they come back whole, and train on to the bits of the training that was not interrupted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fastnn
from fastnn import Model, Sequential, callbacks, layers, losses, metrics, ops, optimizers, saving, utils
from fastnn.models import clone_model, load_model, model_from_json
from tests.saving.models import branched, chain, data, header_of, same, trained_alike


@pytest.fixture(autouse=True)
def _seeded():
    utils.clear_session()
    utils.set_random_seed(5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(centered=True, momentum=0.5),
    "adagrad": optimizers.Adagrad,
    "adadelta": optimizers.Adadelta,
    "adam": lambda: optimizers.Adam(amsgrad=True, clipnorm=0.1),
    "adamw": lambda: optimizers.AdamW(global_clipnorm=0.5, use_ema=True, ema_overwrite_frequency=5),
    "adamax": optimizers.Adamax,
    "lion": optimizers.Lion,
    "lamb": optimizers.Lamb,
    "ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    "adafactor": optimizers.Adafactor,
    "muon": lambda: optimizers.Muon(exclude_layers=["head"]),
    "nadam": lambda: optimizers.Nadam(gradient_accumulation_steps=2),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.CosineDecay(0.01, 20)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_goes_on_to_the_same_bits(name, dtype, path):
    x, y = data(dtype=dtype)
    model = chain(dtype=dtype)
    model.compile(OPTIMIZERS[name](), "sparse_categorical_crossentropy", metrics=["accuracy"])
    again = trained_alike(model, path, lambda m: m.fit(x, y, batch_size=8, epochs=2, verbose=0))
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.optimizer.iterations == model.optimizer.iterations >= 10
    assert again.get_layer("head").weights[0].constraint is not None


def test_a_branched_model_goes_on_to_the_same_bits(path):
    rng = np.random.default_rng(1)
    x = {"ids": rng.integers(0, 9, (21, 5)), "numbers": rng.standard_normal((21, 6)).astype("float32")}
    y = {"label": rng.integers(0, 3, 21), "value": rng.standard_normal((21, 1))}
    model = branched()
    model.compile(
        "adam",
        {"label": losses.SparseCategoricalCrossentropy(), "value": "mae"},
        loss_weights={"label": 1.0, "value": 0.5},
        metrics={"label": [metrics.SparseTopKCategoricalAccuracy(2), "accuracy"]},
        weighted_metrics={"value": ["mse"]},
    )
    again = trained_alike(model, path, lambda m: m.fit(x, y, batch_size=5, epochs=2, verbose=0))
    assert again.output_names == model.output_names
    assert again.get_layer("shared").weights[0] is again.get_layer("shared").weights[0]
    assert sum("shared" in name for name in saving.weight_paths(again)) == 2, "a shared layer is stored once"
    assert again.count_params() == model.count_params()


def test_another_process_goes_on_to_the_same_bits(path, tmp_path):
    x, y = data()
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(path)
    code = (
        "import sys; from fastnn.models import load_model; from tests.saving.models import data; x, y = data()\n"
        "m = load_model(sys.argv[1]); m.fit(x, y, epochs=2, verbose=0); m.save_weights(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", code, path, tmp_path / "w.safetensors"], check=True, timeout=120)
    model.fit(x, y, epochs=2, verbose=0)
    there = chain()
    there.load_weights(tmp_path / "w.safetensors")
    assert same(there, model)


def test_loading_leaves_the_stream_of_the_process_alone_and_a_new_seed_wins(path):
    x, y = data()
    model = chain()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(path)
    utils.set_random_seed(8)
    key = utils.draw_key()
    utils.set_random_seed(8)
    again = load_model(path)
    assert utils.draw_key() == key
    runs = []
    for seed in (1, 2, 1):
        again = load_model(path)
        utils.set_random_seed(seed)
        runs.append(again.fit(x, y, epochs=1, verbose=0).history["loss"])
    assert runs[0] == runs[2] != runs[1]


def test_a_loaded_model_is_saved_to_the_same_bytes(path, tmp_path):
    x, y = data()
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, verbose=0)
    model.save(path)
    load_model(path).save(tmp_path / "again.safetensors")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_what_a_file_holds_is_under_names_to_read(path):
    model = branched()
    model.save(path)
    names = header_of(path)["weights"]
    assert "attention/query/kernel" in names
    assert "encoder/dense/kernel" in names
    assert "reader/cell/recurrent_kernel" in names
    assert len(names) == len(set(names)) == len(model.weights)
    assert "pickle" not in sys.modules or b"pickle" not in path.read_bytes()


def test_frozen_layers_stay_frozen(path):
    x, y = data()
    model = chain()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    again = trained_alike(model, path, lambda m: m.fit(x, y, verbose=0))
    assert not again.layers[0].trainable
    assert len(again.trainable_weights) == len(model.trainable_weights) == 4


def test_weights_without_decay_stay_without(path):
    x, y = data()
    model = chain()
    optimizer = optimizers.AdamW(weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    again = trained_alike(model, path, lambda m: m.fit(x, y, verbose=0))
    assert len(again.optimizer.excluded) == 2


def test_a_table_goes_on_by_rows(path):
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 40, (30, 4)), rng.standard_normal((30, 1))
    model = Sequential([layers.Input((4,)), layers.Embedding(40, 3), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    trained_alike(model, path, lambda m: m.fit(x, y, batch_size=4, epochs=2, verbose=0))


def test_stateful_layers_go_on_from_their_states(path):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((8, 5, 3)).astype("float32"), rng.standard_normal((8, 1))
    model = Sequential([layers.Input(batch_shape=(4, 5, 3)), layers.LSTM(4, stateful=True), layers.Dense(1)])
    model.compile("adam", "mse")
    again = trained_alike(model, path, lambda m: m.fit(x, y, batch_size=4, shuffle=False, verbose=0))
    assert again.layers[0].states is not None


def test_lengths_that_were_open_stay_open(path):
    model = Sequential([layers.Embedding(9, 3), layers.LSTM(4), layers.Dense(1)])
    model.predict_on_batch(np.ones((2, 5), "int64"))
    model.save(path)
    again = load_model(path)
    assert again.predict_on_batch(np.ones((2, 7), "int64")).shape == (2, 1)


def test_a_model_without_weights_yet_and_one_that_is_not_compiled(path):
    model = Sequential([layers.Dense(3), layers.Dense(1)])
    model.save(path)
    again = load_model(path)
    assert not again.built
    assert not again.compiled
    x, y = data()
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    model.save(path)
    assert not load_model(path, compile=False).compiled
    model.save(path, include_optimizer=False)
    again = load_model(path)
    assert again.compiled
    assert again.optimizer.iterations == 0
    assert not [name for name in header_of(path)["crc32"] if name.startswith("$")]


def test_weights_go_into_a_model_made_by_the_same_code_whatever_was_made_before(path):
    layers.Dense(1), layers.Dense(1)  # names count on
    first, second = chain(), chain()
    assert first.layers[0].name != second.layers[0].name
    first.save_weights(path)
    second.load_weights(path)
    assert same(first, second)
    first.save(path)  # the weights of a whole model will do
    third = chain()
    third.load_weights(path)
    assert same(first, third)


def test_weights_of_another_model_are_refused_and_nothing_changes(path):
    chain().save_weights(path)
    other = Sequential([layers.Input((6,)), layers.Dense(8), layers.Dense(4, name="head")])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"head/kernel: shape \(8, 4\) in the model, \(8, 3\) in the file"):
        other.load_weights(path)
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))
    with pytest.warns(UserWarning, match=r"were left unchanged.*head/kernel"):
        other.load_weights(path, skip_mismatch=True)
    assert (before[0] != other.get_weights()[0]).any()
    assert (before[2] == other.get_weights()[2]).all()


def test_float64_weights_go_into_a_float32_model(path):
    wide, narrow = chain(dtype="float64"), chain()
    wide.save_weights(path)
    narrow.load_weights(path)
    for a, b in zip(wide.get_weights(), narrow.get_weights(), strict=True):
        np.testing.assert_array_equal(a.astype("float32"), b)


# The user's own.


class Block(layers.Layer):
    """Writes call, holds layers, and is called on two arrays."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units
        self.parts = [layers.Dense(units, "relu"), layers.Dense(units)]
        self.drop = layers.Dropout(0.2)

    def call(self, x, other, scale=1.0):
        return self.drop(self.parts[1](self.parts[0](x)) * scale + other)

    def get_config(self):
        return super().get_config() | {"units": self.units}


class Forgets(layers.Layer):
    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units

    def call(self, x):
        return x * self.units


def bent(x):
    return ops.tanh(x) + 0.1 * x


def gap(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def own_model():
    x = layers.Input((6,))
    y = layers.Dense(4, bent)(x)
    y = Block(4, name="block")(y, other=layers.Dense(4)(x), scale=0.5)
    model = Model(x, layers.Dense(1)(y))
    model.compile("adam", gap, metrics=[gap])
    return model


def test_classes_and_functions_of_the_users_own_by_custom_objects(path):
    x, y = data()
    objects = {"Block": Block, "bent": bent, "gap": gap}
    again = trained_alike(own_model(), path, lambda m: m.fit(x, y[:, None], verbose=0), custom_objects=objects)
    assert "block/parts/0/kernel" in saving.weight_paths(again)
    with saving.custom_object_scope(objects):
        assert same(load_model(path), load_model(path))
    with pytest.raises(ValueError, match=r"Pass custom_objects=\{'Block': Block\}|no activation named 'bent'"):
        load_model(path)
    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        load_model(path, custom_objects=[Block])


def test_what_is_registered_is_known_everywhere(path):
    x, y = data()

    @saving.register_keras_serializable(package="tests")
    class Grown(layers.Layer):
        fields = ("by",)

        def __init__(self, by=2.0, **settings):
            super().__init__(**settings)
            self.by = by

        def call(self, x):
            return x * self.by

    @saving.register_keras_serializable(package="tests", name="own_gap")
    def distance(y_true, y_pred):
        return gap(y_true, y_pred)

    model = Sequential([layers.Input((6,)), Grown(3.0), layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), distance)
    again = trained_alike(model, path, lambda m: m.fit(x, y[:, None], verbose=0))
    assert type(again.layers[0]) is Grown
    assert "tests>Grown" in path.read_bytes().decode("latin-1")
    assert saving.get_registered_name(distance) == "tests>own_gap"
    assert saving.get_registered_object("tests>own_gap") is distance
    assert saving.get_custom_objects()["tests>Grown"] is Grown
    assert losses.get("tests>own_gap").function is distance


def test_functions_entered_in_the_table_are_found_by_name():
    saving.get_custom_objects()["own_bent"] = bent
    try:
        assert layers.Dense(2, "own_bent").activation.function is bent
    finally:
        del saving.get_custom_objects()["own_bent"]
    with pytest.raises(ValueError, match="no activation named 'own_bent'"):
        layers.Dense(2, "own_bent")


def test_a_layer_that_does_not_say_what_makes_it_is_refused(path):
    model = Sequential([layers.Input((6,)), Forgets(2, name="poor")])
    with pytest.raises(
        ValueError, match=r'Layer "poor".*takes units.*super\(\).get_config\(\) \| \{"units": self.units'
    ):
        model.save(path)
    assert not path.exists()


class Written(Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.first, self.rest = layers.Dense(4, "relu"), [layers.Dense(3), layers.Dense(1)]

    def call(self, x):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return x


def test_a_model_that_writes_call_has_its_weights_saved(path):
    x, _ = data()
    model = Written()
    with pytest.raises(ValueError, match="no weights yet"):
        model.save_weights(path)
    expected = model.predict(x, verbose=0)
    with pytest.raises(NotImplementedError, match=r"defines call.*save_weights"):
        model.save(path)
    with pytest.raises(NotImplementedError, match="defines call"):
        model.to_json()
    with pytest.raises(NotImplementedError, match="defines call"):
        clone_model(model)
    model.save_weights(path)
    assert list(saving.weight_paths(model))[:3] == ["first/kernel", "first/bias", "rest/0/kernel"]
    again = Written()
    again(x[:1])
    again.load_weights(path)
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)
    with pytest.raises(ValueError, match="holds only weights"):
        load_model(path)


# Architectures.


def test_json_makes_the_same_layers_with_new_weights():
    for model in (chain(), branched()):
        again = model_from_json(model.to_json())
        assert json.loads(again.to_json()) == json.loads(model.to_json())
        assert [p.shape for p in again.weights] == [p.shape for p in model.weights]
        assert not same(again, model)
    for bad in ("{", "[1]", "{}", None, '{"class_name": "Dense", "config": {"units": 3}}'):
        with pytest.raises(ValueError, match=r"JSON|model"):
            model_from_json(bad)


def test_clones_have_the_same_layers_and_weights_of_their_own():
    for model in (chain(), branched()):
        again = clone_model(model)
        assert list(saving.weight_paths(again)) == list(saving.weight_paths(model))
        assert not same(again, model)
        assert not again.compiled
        again.set_weights(model.get_weights())
        assert same(again, model)
    model = clone_model(chain(), clone_function=lambda layer: type(layer).from_config(
        layer.get_config() | ({"rate": 0.9} if isinstance(layer, layers.Dropout) else {})
    ))  # fmt: skip
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.9]
    twice = branched()
    inner = clone_model(twice, clone_function=lambda layer: type(layer).from_config(layer.get_config()), recursive=True)
    assert list(saving.weight_paths(inner)) == list(saving.weight_paths(twice))
    with pytest.raises(ValueError, match="no input_tensors"):
        clone_model(model, input_tensors=[layers.Input((6,))])


# Paths of files.


def test_a_file_of_keras_under_another_name_is_told_by_its_first_bytes(path):
    for begins, end in ((b"PK\x03\x04 rest", ".keras"), (b"\x89HDF\r\n\x1a\n rest", ".h5")):
        path.write_bytes(begins)
        with pytest.raises(ValueError, match=rf"whatever its ending.* ends in \{end}"):
            load_model(path)


def test_paths_that_lead_nowhere(path, tmp_path):
    model = chain()
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_model(path)
    with pytest.raises(FileNotFoundError, match=r"folder .* does not exist"):
        model.save(tmp_path / "none" / "m.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        model.save(tmp_path)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        load_model(tmp_path)
    with pytest.raises(TypeError, match="path of a file"):
        model.save(3)
    model.save(str(path))
    with pytest.raises(FileExistsError, match="overwrite=False"):
        model.save(path, overwrite=False)
    model.save(os.fsencode(path))


def test_names_of_keras_are_there():
    from fastnn.keras.models import load_model as of_keras
    from fastnn.keras.saving import register_keras_serializable
    from fastnn.keras.utils import custom_object_scope

    assert of_keras is load_model is fastnn.saving.load_model
    assert register_keras_serializable is saving.register
    assert custom_object_scope is saving.custom_object_scope
    assert utils.get_custom_objects is saving.get_custom_objects
    assert callbacks is fastnn.callbacks
