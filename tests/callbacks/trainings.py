"""Trainings that may be killed at any moment and started again: ``python -m tests.callbacks.trainings FOLDER``.

Each backs itself up in the folder, and leaves there at its end what it came to.  A line is written for each batch.
"""

import json
import os
import sys

import numpy as np

from fastnn import Model, Sequential, layers, optimizers, saving, utils
from fastnn.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    JSONLogger,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)  # fmt: skip
from fastnn.data import Dataset
from fastnn.models import load_model

__all__ = ["TRAININGS"]


class Say(Callback):
    """A line for each batch."""

    def on_train_batch_end(self, batch, logs=None):
        print(batch, flush=True)


class Wandering(Callback):
    """A callback of the user's, with numbers and an array that it remembers."""

    remembers = ("seen", "sums")

    def on_train_begin(self, logs=None):
        self.seen, self.sums = 0, [np.zeros(2, "float32")]

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        self.sums.append(self.sums[-1] * np.float32(0.9) + np.float32(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        logs["seen"], logs["sums"] = self.seen, float(self.sums[-1].sum())


def data(rows=46, features=4):
    rng = np.random.default_rng(3)
    return rng.standard_normal((rows, features)).astype("float32"), rng.integers(0, 3, rows)


def chain():
    return Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3, "softmax"),
        ]
    )


def watched(folder):
    """Arrays, and every callback that remembers."""
    x, y = data()
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [
        EarlyStopping(patience=2, restore_best_weights=True),
        BackupAndRestore(f"{folder}/backup", save_freq=3),
        ReduceLROnPlateau(patience=1, factor=0.5),
        LearningRateScheduler(lambda epoch, rate: rate * 0.98),
        ModelCheckpoint(f"{folder}/best.safetensors", save_best_only=True),
        CSVLogger(f"{folder}/log.csv"),
        JSONLogger(f"{folder}/log.jsonl"),
        Wandering(),
        Say(),
    ]
    model.fit(x, y, epochs=5, batch_size=8, validation_split=0.2, callbacks=callbacks, verbose=0)
    return model


def piped(folder):
    """A data set that shuffles, draws with a generator of its own and prefetches; one of validation that caches."""
    rng = np.random.default_rng(5)
    x, y = data()
    train = Dataset.from_tensor_slices((x, y)).shuffle(20).map(lambda a, b: (a + rng.normal(size=4) * 0.1, b))
    train = train.batch(8).prefetch(2)
    validation = Dataset.from_tensor_slices((x[:20], y[:20])).shuffle(20).map(lambda a, b: (a, b)).cache().batch(6)
    model = chain()
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    backup = BackupAndRestore(f"{folder}/backup", save_freq=2, double_checkpoint=True)
    model.fit(train, epochs=3, validation_data=validation, callbacks=[backup, Say()], verbose=0)
    return model


def endless(folder):
    """A data set without end that draws from NumPy's global generator; backups after epochs."""
    x, y = data()
    noisy = Dataset.from_tensor_slices((x, y)).shuffle(46, seed=2).repeat().batch(7)
    noisy = noisy.map(lambda a, b: (a + np.random.normal(size=a.shape), b))  # noqa: NPY002
    model = chain()
    model.compile(optimizers.SGD(0.1, momentum=0.9, use_ema=True), "sparse_categorical_crossentropy")
    backup = BackupAndRestore(f"{folder}/backup")
    model.fit(noisy, epochs=4, steps_per_epoch=3, callbacks=[backup, Say()], verbose=0)
    return model


def stateful(folder):
    """A recurrent model that carries states from batch to batch, with embedded ids; steps that cross epochs."""
    ids = np.random.default_rng(1).integers(0, 9, (24, 5))
    read = [layers.Input((5,), batch_size=4), layers.Embedding(9, 3), layers.LSTM(4, stateful=True, dropout=0.2)]
    model = Sequential([*read, layers.Dense(1)])
    model.compile("adam", "mse")
    backup = BackupAndRestore(f"{folder}/backup", save_freq=1)
    arguments = {"shuffle": False, "epochs": 4, "steps_per_epoch": 4, "callbacks": [backup, Say()], "verbose": 0}
    model.fit(ids, ids[:, :1] * 0.1, batch_size=4, validation_data=(ids[:8], ids[:8, 1:2] * 0.1), **arguments)
    return model


class Written(Model):
    """A model that writes call, with two outputs."""

    def __init__(self):
        super().__init__()
        self.hidden, self.drop = layers.Dense(6, "tanh"), layers.Dropout(0.4)
        self.label, self.value = layers.Dense(1, "sigmoid"), layers.Dense(1)

    def call(self, x):
        h = self.drop(self.hidden(x))
        return {"label": self.label(h), "value": self.value(h)}


def written(folder):
    """Two outputs, metrics with arrays, weights of examples."""
    x, y = data()
    model = Written()
    metrics = {"label": ["AUC", "Precision", "accuracy"], "value": ["mae", "R2Score"]}
    losses = {"label": "binary_crossentropy", "value": "mse"}
    model.compile("nadam", losses, loss_weights={"value": 0.5}, weighted_metrics=metrics)
    targets = {"label": (y > 0).astype("float32")[:, None], "value": x[:, :1]}
    weights = {"label": np.linspace(0, 2, len(x)), "value": np.ones(len(x))}
    backup = BackupAndRestore(f"{folder}/backup", save_freq=4)
    arguments = {"sample_weight": weights, "epochs": 3, "batch_size": 9, "callbacks": [backup, Say()], "verbose": 0}
    model.fit(x, targets, **arguments)
    return model


TRAININGS = (watched, piped, endless, stateful, written)


def outcome(model):
    """All that a training has come to, to the bits."""
    weights = {path: p.value.tobytes().hex() for path, p in saving.weight_paths(model).items()}
    slots = {name: np.asarray(value).tobytes().hex() for name, value in model.optimizer.get_state().items()}
    draws = {path: layer.calls for path, layer in saving.layer_paths(model).items() if hasattr(layer, "calls")}
    states = [s.tobytes().hex() for layer in model.layers for s in getattr(layer, "states", None) or ()]
    history = [model.history.epoch, model.history.history]
    return {"weights": weights, "optimizer": slots, "draws": draws, "states": states, "history": history}


def main(folder):
    for number, train in enumerate(TRAININGS):
        own = os.path.join(folder, train.__name__)
        os.makedirs(own, exist_ok=True)
        done = os.path.join(own, "done.json")
        if os.path.exists(done):
            continue
        utils.clear_session()
        utils.set_random_seed(number)
        model = train(own)
        if os.path.exists(f"{own}/best.safetensors"):
            assert load_model(f"{own}/best.safetensors").count_params() == model.count_params()
        with open(f"{done}.part", "w") as file:
            json.dump(outcome(model), file)
        os.replace(f"{done}.part", done)
    print("all", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
