"""ModelCheckpoint: what it saves, when, and under which name."""

import os

import numpy as np
import pytest

from fastnn import utils
from fastnn.callbacks import Callback, ModelCheckpoint
from fastnn.models import load_model
from tests.saving.models import chain, data, same


@pytest.fixture
def model():
    utils.set_random_seed(3)
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_each_epoch_has_its_file_and_training_goes_on_from_it(model, tmp_path):
    x, y = data()
    name = str(tmp_path / "runs" / "{epoch:02d}-{val_loss:.2f}.safetensors")
    history = model.fit(x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=[ModelCheckpoint(name)]).history
    files = sorted(os.listdir(tmp_path / "runs"))
    assert files == [f"{i + 1:02d}-{loss:.2f}.safetensors" for i, loss in enumerate(history["val_loss"])]
    last = load_model(tmp_path / "runs" / files[-1])
    assert same(last, model)
    assert last.optimizer.iterations == model.optimizer.iterations


def test_only_the_best_is_kept(model, tmp_path, capsys):
    path = tmp_path / "best.safetensors"
    checkpoint = ModelCheckpoint(path, monitor="val_loss", save_best_only=True, verbose=1)
    checkpoint.set_model(model)
    x, _ = data()
    kept = []
    for epoch, loss in enumerate([3.0, 2.0, 2.5, 1.0]):
        model.layers[0].weights[0].value[...] = epoch
        checkpoint.on_epoch_end(epoch, {"val_loss": loss})
        kept.append(load_model(path).layers[0].weights[0].value.flat[0])
    assert kept == [0, 1, 1, 3]
    assert checkpoint.best == 1.0
    said = capsys.readouterr().out
    assert "Epoch 3: val_loss did not improve from 2.00000" in said
    assert f"Epoch 4: val_loss improved to 1.00000, saving to {path}" in said
    assert x.shape[1] == 6


@pytest.mark.parametrize(("mode", "expected"), [("min", [1, 1, 0.5]), ("max", [1, 2, 2])])
def test_the_mode_says_which_way_is_better(model, tmp_path, mode, expected):
    checkpoint = ModelCheckpoint(tmp_path / "m.safetensors", "number", mode=mode, save_best_only=True)
    checkpoint.set_model(model)
    found = []
    for epoch, value in enumerate([1, 2, 0.5]):
        checkpoint.on_epoch_end(epoch, {"number": value})
        found.append(checkpoint.best)
    assert found == expected


def test_accuracy_is_better_when_it_is_more(model, tmp_path):
    x, y = data()
    checkpoint = ModelCheckpoint(tmp_path / "m.safetensors", "accuracy", save_best_only=True)
    history = model.fit(x, y, epochs=4, verbose=0, callbacks=[checkpoint]).history
    assert checkpoint.best == max(history["accuracy"])


def test_a_threshold_to_begin_with(model, tmp_path):
    path = tmp_path / "m.safetensors"
    checkpoint = ModelCheckpoint(path, "loss", save_best_only=True, initial_value_threshold=0.5)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0, {"loss": 0.6})
    assert not path.exists()
    checkpoint.on_epoch_end(1, {"loss": 0.4})
    assert path.exists()


def test_every_so_many_batches_across_epochs(model, tmp_path):
    x, y = data(rows=40)  # five batches an epoch
    name = str(tmp_path / "{epoch}-{batch}.safetensors")
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[ModelCheckpoint(name, save_freq=3)])
    assert sorted(os.listdir(tmp_path)) == ["1-3.safetensors", "2-1.safetensors", "2-4.safetensors"]


def test_a_save_in_the_middle_of_an_epoch_holds_what_was_trained(model, tmp_path):
    x, y = data(rows=40)
    seen = []

    class Watch(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights())

    path = tmp_path / "m.safetensors"
    checkpoint = ModelCheckpoint(path, save_freq=4, save_weights_only=True)
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[Watch(), checkpoint])
    other = chain()
    other.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), seen[3], strict=True))
    with pytest.raises(ValueError, match="holds only weights"):
        load_model(path)


def test_what_is_not_in_the_logs(model, tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "m.safetensors", save_best_only=True)
    checkpoint.set_model(model)
    with pytest.warns(UserWarning, match=r"ModelCheckpoint watches 'val_loss'.*validation_data"):
        checkpoint.on_epoch_end(0, {"loss": 1.0})
    checkpoint = ModelCheckpoint(str(tmp_path / "{val_loss}.safetensors"))
    checkpoint.set_model(model)
    with pytest.raises(KeyError, match=r"names .*val_loss.*, which is not in the logs. Available: loss, epoch"):
        checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "batch", True, None])
def test_arguments_that_are_refused(bad):
    with pytest.raises(ValueError, match="save_freq"):
        ModelCheckpoint("m.safetensors", save_freq=bad)
    with pytest.raises(ValueError, match=r"Models are written as .*\.keras"):
        ModelCheckpoint("w.weights.h5")
    with pytest.raises(ValueError, match=r"Weights are written as .*\.weights\.h5"):
        ModelCheckpoint("m.keras", save_weights_only=True)
