"""Keras on TensorFlow: milliseconds a step of a long ``fit`` over ready batches.

Modes: default (jit_compile stays "auto"), steps_per_execution, jit, no_jit.
"""

from __future__ import annotations

import time
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from bench.rivals.workers.keras_graphs import GRAPHS
from bench.rivals.workers.worker import Job, Run, is_binary, serve

EPOCH = 1_000_000  # steps: more than there is time for
AT_ONCE = 16  # steps of an execution in the mode "steps_per_execution"
LEAST_TIMES = 3  # however long a step takes


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


class PositionEmbedding(keras.Layer):
    """A learned vector for each place, in the shape of the input."""

    def __init__(self, sequence_length: int) -> None:
        super().__init__()
        self.sequence_length = sequence_length

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.places = self.add_weight(shape=(self.sequence_length, input_shape[-1]))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return keras.ops.broadcast_to(self.places, keras.ops.shape(x))


WORDS = SimpleNamespace(**vars(layers), PositionEmbedding=PositionEmbedding, Model=keras.Model)


def build(job: Job, weights: list[np.ndarray]) -> keras.Model:
    model = GRAPHS[job.model](WORDS, job.dropout, None) if job.model in GRAPHS else MODELS[job.model]()
    model.set_weights(weights)
    return model


class Adam(keras.optimizers.Adam):
    """Adam on an embedding's whole gradient.

    Given a row of gradient for each place of a word, Keras on TensorFlow adds them up for m but squares each by itself
    for v. If a word occurs twice in a batch, that differs from the dense rule, and it is not faster.
    """

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        super().apply([tf.convert_to_tensor(g) for g in grads], trainable_variables)


class Stopwatch(keras.callbacks.Callback):
    """Milliseconds a step between the ends of batches; stops the training when the time is up."""

    def __init__(self, seconds: float, at_once: int) -> None:
        super().__init__()
        self.seconds, self.at_once = seconds, at_once
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ends.append(time.perf_counter())
        self.model.stop_training = self.ends[-1] > self.ends[0] + self.seconds and len(self.ends) > LEAST_TIMES

    def milliseconds(self) -> list[float]:
        return [(end - start) * 1e3 / self.at_once for start, end in pairwise(self.ends)]


def prepare(job: Job) -> Run:
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    weights, x, y = job.load()
    model = build(job, weights)
    losses = keras.losses
    loss = (losses.BinaryCrossentropy if is_binary(weights) else losses.SparseCategoricalCrossentropy)(from_logits=True)
    at_once = AT_ONCE if job.mode == "steps_per_execution" else 1
    jit = {"jit": True, "no_jit": False}.get(job.mode, "auto")
    model.compile(optimizer=Adam(job.learning_rate), loss=loss, steps_per_execution=at_once, jit_compile=jit)

    @cache
    def checked() -> keras.Model:
        """An equal model for the check, since train_on_batch refuses steps_per_execution."""
        other = build(job, weights)
        other.compile(optimizer=Adam(job.learning_rate), loss=loss, jit_compile=jit)
        return other

    def step(i: int) -> float:
        checked().reset_metrics()
        return checked().train_on_batch(x[i % len(x)], y[i % len(x)])

    def times(seconds: float) -> list[float]:
        watch = Stopwatch(seconds, at_once)
        batches = tf.data.Dataset.from_tensor_slices((tf.stack(x), tf.stack(y))).cache().repeat().prefetch(4)
        model.fit(batches, steps_per_epoch=EPOCH, verbose=0, callbacks=[watch])
        return watch.milliseconds()

    return Run(step, times)


if __name__ == "__main__":
    serve(prepare)
