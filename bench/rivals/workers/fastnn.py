"""fastnn: ``train_on_batch`` and ``predict_on_batch``."""

from __future__ import annotations

from bench.rivals.workers.keras_graphs import GRAPHS
from bench.rivals.workers.worker import Job, Run, is_binary, serve
from fastnn import kernels, layers
from fastnn.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Layer,
    MaxPooling2D,
    SimpleRNN,
)
from fastnn.models import Model, Sequential
from fastnn.optimizers import Adam


def mlp() -> Sequential:
    return Sequential([Input((28, 28)), Flatten(), Dense(256, activation="relu"), Dense(10, activation="softmax")])


def cnn() -> Sequential:
    return Sequential([
        Input((28, 28, 1)),
        Conv2D(32, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Flatten(),
        Dense(64, activation="relu"),
        Dense(10, activation="softmax"),
    ])  # fmt: skip


def bilstm() -> Sequential:
    return Sequential([
        Input((30,)),
        Embedding(20_000, 64),
        Bidirectional(LSTM(64, return_sequences=True)),
        Bidirectional(LSTM(32)),
        Dense(64, activation="relu"),
        Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def classifier(cell: Layer) -> Sequential:
    return Sequential([Input((100,)), Embedding(10_000, 32), cell, Dense(1, activation="sigmoid")])


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "bilstm": bilstm,
    "simplernn": lambda: classifier(SimpleRNN(64)),
    "gru": lambda: classifier(GRU(64)),
    "lstm": lambda: classifier(LSTM(64)),
}


class Words:
    """The words that models with branches are written in: all layers, and ``Model``."""

    Model = Model

    def __getattr__(self, name: str) -> type:
        return getattr(layers, name)


def prepare(job: Job) -> Run:
    weights, x, y = job.load()
    binary = is_binary(weights)
    if job.model in GRAPHS:
        model = GRAPHS[job.model](Words(), job.dropout, "sigmoid" if binary else "softmax")
    else:
        model = MODELS[job.model]()
    model.set_weights(weights)

    def extras() -> dict[str, float]:
        return {"peak_gflops": kernels.peak_gflops("float32", job.threads)}

    if not job.training:
        return Run(lambda i: model.predict_on_batch(x[i % len(x)]), extras=extras)
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    model.compile(optimizer=Adam(job.learning_rate), loss=loss)

    return Run(lambda i: model.train_on_batch(x[i % len(x)], y[i % len(x)]), extras=extras)


if __name__ == "__main__":
    serve(prepare)
