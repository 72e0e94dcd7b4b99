"""A fit that is killed and started again comes to the bits of one that was not; a backup of another is refused."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from fastnn import layers, utils
from fastnn.callbacks import BackupAndRestore, Callback
from fastnn.data import Dataset
from tests.callbacks.trainings import TRAININGS, chain, data


def begin(folder):
    command = [sys.executable, "-W", "error", "-m", "tests.callbacks.trainings", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_until_done(folder, seed, most):
    """Start the trainings again and again, each time killed after up to ``most`` batches; how often that was."""
    rng, kills = random.Random(seed), 0
    while True:
        child = begin(folder)
        with child.stdout:
            left = rng.randrange(1, most)
            while (line := child.stdout.readline()) and left:
                if line == "all\n":
                    assert child.wait() == 0
                    return kills
                left -= 1
            for _ in range(rng.randrange(2000)):  # some way into the next batch, or into a write
                pass
            child.kill()
        assert child.wait() == -9, "it ended by itself"
        kills += 1


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    child = begin(folder)
    with child.stdout:
        assert child.stdout.read().endswith("all\n")
    assert child.wait() == 0
    return folder


def listing(folder):
    """The files in a folder, but for what a kill within a save of ModelCheckpoint has left."""
    return sorted(name for name in os.listdir(folder) if not name.startswith((".best.safetensors.", ".tmp")))


def same_outcomes(folder, unbroken):
    for train in TRAININGS:
        ours, theirs = (f"{where}/{train.__name__}" for where in (folder, unbroken))
        assert listing(ours) == listing(theirs), "backups are deleted at the end"
        for name in ("done.json", "log.csv", "log.jsonl"):
            if os.path.exists(f"{theirs}/{name}"):
                with open(f"{ours}/{name}") as a, open(f"{theirs}/{name}") as b:
                    assert a.read() == b.read(), f"{train.__name__}: {name}"


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_trainings_that_are_killed_come_to_the_same_bits(tmp_path, unbroken):
    assert killed_until_done(tmp_path, 1, 20) >= 3
    same_outcomes(tmp_path, unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_trainings_that_are_killed_often(seed, tmp_path, unbroken):
    assert killed_until_done(tmp_path, seed, 8) >= 8
    same_outcomes(tmp_path, unbroken)


# In one process.


class Break(Callback):
    """Breaks training off after so many batches, or at an epoch's end."""

    def __init__(self, batches=0, epoch=None):
        super().__init__()
        self.batches, self.epoch = batches, epoch

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


KEEP = {"delete_checkpoint": False}


def compiled(**settings):
    model = chain()
    model.compile(**({"optimizer": "adam", "loss": "sparse_categorical_crossentropy"} | settings))
    return model


def fit(model, folder, *callbacks, save_freq=2, x=None, options=None, **arguments):
    a, b = data()
    backup = BackupAndRestore(folder, save_freq, **(options or {}))
    given = {"x": a, "y": b, "epochs": 3, "batch_size": 8} if x is None else {"x": x, "epochs": 3}
    return model.fit(**(given | {"callbacks": [backup, *callbacks], "verbose": 0} | arguments))


def broken(folder, batches=9, model=None, **arguments):
    """Leaves the backup of a training that was broken off."""
    with pytest.raises(KeyboardInterrupt):
        fit(compiled() if model is None else model, folder, Break(batches), **arguments)


@pytest.mark.parametrize("batches", [3, 6, 7, 13, 17])
@pytest.mark.parametrize("save_freq", [1, 2, 5, "epoch"])
def test_every_place_of_an_interruption(batches, save_freq, tmp_path):
    """Here without the seed of the first process: all that arrays need is in the file."""
    utils.set_random_seed(4)
    model = compiled()
    whole = fit(model, tmp_path / "a", save_freq=save_freq).history
    utils.set_random_seed(4)
    (tmp_path / "b").mkdir()
    broken(tmp_path / "b", batches, save_freq=save_freq)
    utils.set_random_seed(5 if os.listdir(tmp_path / "b") else 4)
    again = compiled()
    assert fit(again, tmp_path / "b", save_freq=save_freq).history == whole
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert utils.random_generator().random() == _next_after(tmp_path / "c", save_freq), "the stream goes on too"


def _next_after(folder, save_freq):
    utils.set_random_seed(4)
    fit(compiled(), folder, save_freq=save_freq)
    return utils.random_generator().random()


def test_a_shuffle_without_a_seed_goes_on(tmp_path):
    def batches():
        x, y = data()
        return Dataset.zip(Dataset.from_tensor_slices(x), Dataset.from_tensor_slices(y)).shuffle(10).batch(8)

    utils.set_random_seed(4)
    model = compiled()
    whole = fit(model, tmp_path / "a", x=batches()).history
    utils.set_random_seed(4)
    broken(tmp_path / "b", model=compiled(), x=batches())
    utils.set_random_seed(5)
    assert fit(compiled(), tmp_path / "b", x=batches()).history == whole


def test_a_run_that_was_told_to_stop_does_not_train_on(tmp_path):
    """Killed after the backup of its last epoch, before it ended."""

    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.optimizer.iterations == 8

    class Ending(Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    x, y = data()
    stop = {"validation_data": (x[:9], y[:9])}
    utils.set_random_seed(4)
    model = compiled()
    whole = fit(model, tmp_path / "a", Stop(), save_freq="epoch", **stop)
    assert len(whole.epoch) == 2
    for freq in ("epoch", 1):
        utils.set_random_seed(4)
        with pytest.raises(KeyboardInterrupt):
            fit(compiled(), tmp_path / "b", Ending(), Stop(), save_freq=freq, **(stop | {"options": KEEP}))
        again = fit(compiled(), tmp_path / "b", Stop(), save_freq=freq, **stop)
        assert again.history == whole.history


def test_a_schedule_is_not_applied_twice_to_an_epoch(tmp_path):
    from fastnn.callbacks import LearningRateScheduler

    def halved():
        return LearningRateScheduler(lambda epoch, rate: rate / 2)

    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), tmp_path / "b", halved(), Break(9))
    model = compiled()
    fit(model, tmp_path / "b", halved())
    assert model.optimizer.learning_rate == 0.001 / 8


def test_more_epochs_go_on_from_a_backup_that_is_kept(tmp_path):
    utils.set_random_seed(4)
    model = compiled()
    whole = fit(model, tmp_path / "a").history
    utils.set_random_seed(4)
    fit(compiled(), tmp_path / "b", epochs=2, save_freq="epoch", options=KEEP)
    assert fit(compiled(), tmp_path / "b", save_freq="epoch").history == whole
    assert not (tmp_path / "b").exists()


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for name in (".latest.safetensors.0123456789abcdef.part", ".tmpAb0xYz"):
        (tmp_path / name).write_text("of a write that was killed")
    fit(compiled(), tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


# Refused.


def state(model):
    return [model.get_weights(), model.optimizer.iterations, model.layers[2].calls]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 4}, r"made with batch_size=8\. Received: batch_size=4"),
        ({"x": data(40)[0], "y": data(40)[1], "batch_size": 8}, r"made with examples=46\. Received: examples=40"),
        ({"shuffle": False}, r"made with shuffle=True\. Received: shuffle=False"),
        ({"steps_per_epoch": 3}, r"made with steps_per_epoch=None\. Received: steps_per_epoch=3"),
        ({"validation_split": 0.1}, r"made with examples=46\. Received: examples=41"),
        ({"validation_data": data()}, r"made with no data of the kind\. Received: .*examples"),
    ],
)
def test_other_data_are_refused(change, message, tmp_path):
    broken(tmp_path)
    model = compiled()
    before = state(model)
    with pytest.raises(ValueError, match=rf"latest.safetensors\" belongs to another training\. It was {message}"):
        fit(model, tmp_path, **change)
    for ours, theirs in zip(before[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert state(model)[1:] == before[1:]
    fit(compiled(), tmp_path)


def wider():
    from fastnn import Sequential

    model = Sequential([layers.Input((4,)), layers.Dense(9, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (wider, r"the weights \{'dense/kernel': \[4, 8\].*Received: \{'dense/kernel': \[4, 9\]"),
        (lambda: compiled(optimizer="sgd"), r"the optimizer Adam\. Received: SGD"),
        (lambda: compiled(metrics=["accuracy"]), r"made with 0 metrics\. Received: 1 metrics"),
    ],
)
def test_another_model_is_refused(make, message, tmp_path):
    broken(tmp_path)
    with pytest.raises(ValueError, match=rf"belongs to another training\. It .*{message}"):
        fit(make(), tmp_path)


def test_a_model_that_trains_other_weights_is_refused(tmp_path):
    broken(tmp_path)
    model = chain()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"the trained weights \['dense/bias', 'dense/kernel'\]\. Received: \[\]"):
        fit(model, tmp_path)


def test_generators_of_batches_are_refused(tmp_path):
    x, y = data()
    with pytest.raises(ValueError, match=r"training data, a generator\. Use fastnn\.data\.Dataset\.from_generator"):
        fit(compiled(), tmp_path, x=((x, y) for _ in range(9)), steps_per_epoch=2)
    made = Dataset.from_generator(lambda: ((x[i : i + 5], y[i : i + 5]) for i in range(0, 45, 5)))
    utils.set_random_seed(4)
    whole = fit(compiled(), tmp_path, x=made).history
    utils.set_random_seed(4)
    broken(tmp_path, x=made, batches=13)
    assert fit(compiled(), tmp_path, x=made).history == whole


def test_data_of_another_length_that_nobody_knows_beforehand(tmp_path):
    x, y = data()

    def batches(count):
        return Dataset.from_generator(lambda: ((x, y) for _ in range(count)))

    broken(tmp_path, x=batches(4))
    with pytest.raises(ValueError, match=r"epochs with 4 batches in total\. Received: data with 3"):
        fit(compiled(), tmp_path, x=batches(3))
    broken(tmp_path / "within", x=batches(4), batches=5)
    with pytest.raises(ValueError, match="fewer batches than the 4"):
        fit(compiled(), tmp_path / "within", x=batches(3))


@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_the_backup_before_takes_the_place_of_a_damaged_one(damage, tmp_path):
    utils.set_random_seed(4)
    whole = fit(compiled(), tmp_path / "a").history
    twice = {"double_checkpoint": True}
    utils.set_random_seed(4)
    broken(tmp_path, options=twice)
    latest = tmp_path / "latest.safetensors"
    latest.write_bytes(latest.read_bytes()[:-1] if damage is None else damage)
    with pytest.warns(UserWarning, match=r"not an intact file.*continues from the previous backup, .*previous"):
        assert fit(compiled(), tmp_path, options=twice).history == whole


def test_a_damaged_backup_without_another_is_an_error(tmp_path):
    broken(tmp_path)
    (tmp_path / "latest.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"The backup cannot be read\. .*Delete the folder .* to start over"):
        fit(compiled(), tmp_path)
    compiled().save(tmp_path / "latest.safetensors")
    with pytest.raises(ValueError, match="not the file of a run, but of kind 'model'"):
        fit(compiled(), tmp_path)


def test_arguments():
    for freq in (0, -1, True, False, 1.5, "batch", None):
        with pytest.raises(ValueError, match=r"save_freq must be .epoch. or a number of batches"):
            BackupAndRestore("folder", freq)
    with pytest.raises(ValueError, match="backup_dir must be the path of a folder"):
        BackupAndRestore("")
