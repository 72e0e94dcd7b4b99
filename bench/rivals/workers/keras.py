"""Keras on TensorFlow: milliseconds a step of a long ``fit`` over ready batches.

Modes: default (jit_compile stays "auto"), steps_per_execution, jit.
"""

from __future__ import annotations

import time

import keras
import tensorflow as tf
from keras import layers

from bench.rivals.workers.worker import Job, Run, is_binary, serve

STEPS = 64  # of an epoch; every epoch gives one time


def mlp() -> keras.Sequential:
    return keras.Sequential(
        [layers.Input((28, 28)), layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(10)]
    )


def cnn() -> keras.Sequential:
    return keras.Sequential([
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ])  # fmt: skip


def bilstm() -> keras.Sequential:
    return keras.Sequential([
        layers.Input((30,), dtype="int32"),
        layers.Embedding(20_000, 64),
        layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(32)),
        layers.Dense(64, activation="relu"),
        layers.Dense(1),
    ])  # fmt: skip


def classifier(cell: keras.Layer) -> keras.Sequential:
    return keras.Sequential([layers.Input((100,), dtype="int32"), layers.Embedding(10_000, 32), cell, layers.Dense(1)])


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "bilstm": bilstm,
    "simplernn": lambda: classifier(layers.SimpleRNN(64)),
    "gru": lambda: classifier(layers.GRU(64)),
    "lstm": lambda: classifier(layers.LSTM(64)),
}


class Adam(keras.optimizers.Adam):
    """Adam on an embedding's whole gradient.

    Given a row of gradient for each place of a word, Keras on TensorFlow adds them up for m but squares each by itself
    for v. Where a word stands twice in a batch that is not the dense rule, and it is no faster.
    """

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        super().apply([tf.convert_to_tensor(g) for g in grads], trainable_variables)


class Stopwatch(keras.callbacks.Callback):
    """Milliseconds a step of each epoch after the first; stops the training when the time is up."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.milliseconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.start = time.perf_counter()
        if epoch == 1:
            self.end = self.start + self.seconds

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        now = time.perf_counter()
        if epoch:
            self.milliseconds.append((now - self.start) * 1e3 / STEPS)
            self.model.stop_training = now > self.end


def prepare(job: Job) -> Run:
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    weights, x, y = job.load()
    model = MODELS[job.model]()
    model.set_weights(weights)
    losses = keras.losses
    loss = (losses.BinaryCrossentropy if is_binary(weights) else losses.SparseCategoricalCrossentropy)(from_logits=True)
    at_once = STEPS // 4 if job.mode == "steps_per_execution" else 1
    jit = True if job.mode == "jit" else "auto"
    model.compile(optimizer=Adam(), loss=loss, steps_per_execution=at_once, jit_compile=jit)
    checked = MODELS[job.model]()  # an equal model for the check, since train_on_batch refuses steps_per_execution
    checked.set_weights(weights)
    checked.compile(optimizer=Adam(), loss=loss, jit_compile=jit)

    def step(i: int) -> float:
        checked.reset_metrics()
        return checked.train_on_batch(x[i], y[i])

    def times(seconds: float) -> list[float]:
        watch = Stopwatch(seconds)
        batches = tf.data.Dataset.from_tensor_slices((tf.stack(x), tf.stack(y))).cache().repeat().prefetch(4)
        model.fit(batches, epochs=100_000, steps_per_epoch=STEPS, verbose=0, callbacks=[watch])
        return watch.milliseconds

    return Run(step, times)


if __name__ == "__main__":
    serve(prepare)
