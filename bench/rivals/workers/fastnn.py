"""fastnn: ``train_on_batch`` and ``predict_on_batch``."""

from __future__ import annotations

from bench.rivals.workers.worker import Job, Run, serve
from fastnn import kernels
from fastnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from fastnn.models import Sequential


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


MODELS = {"mlp": mlp, "cnn": cnn}


def prepare(job: Job) -> Run:
    weights, x, y = job.load()
    model = MODELS[job.model]()
    model.set_weights(weights)

    def extras() -> dict[str, float]:
        return {"peak_gflops": kernels.peak_gflops("float32", job.threads)}

    if not job.training:
        return Run(lambda i: model.predict_on_batch(x[i % len(x)]), extras=extras)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")

    return Run(lambda i: model.train_on_batch(x[i % len(x)], y[i % len(x)]), extras=extras)


if __name__ == "__main__":
    serve(prepare)
