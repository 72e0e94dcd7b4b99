"""Small trainings that repeat: what the trust tests run in threads, in children and on several tiers."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import numpy as np

import fastnn
from fastnn import datasets, layers, utils

__all__ = ["MODELS", "build", "digest", "digits", "result", "train"]


def _mlp() -> list[Any]:
    return [
        layers.Input((28, 28)),
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    ]


def _cnn() -> list[Any]:
    return [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(48, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax"),
    ]


def _rnn() -> list[Any]:
    return [
        layers.Input((28, 28)),
        layers.Masking(),
        layers.SimpleRNN(24, dropout=0.1, recurrent_dropout=0.1, return_sequences=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(10, activation="softmax"),
    ]


def _lstm() -> list[Any]:
    return [
        layers.Input((28, 28)),
        layers.Masking(),
        layers.Bidirectional(layers.LSTM(20, dropout=0.1, recurrent_dropout=0.1, return_sequences=True)),
        layers.Dropout(0.1),
        layers.LSTM(16, go_backwards=True),
        layers.Dense(10, activation="softmax"),
    ]


def _gru() -> list[Any]:
    return [
        layers.Input((28,)),
        layers.Embedding(29, 12, mask_zero=True),
        layers.GRU(24, dropout=0.1, recurrent_dropout=0.1, return_sequences=True),
        layers.GRU(16, reset_after=False, recurrent_dropout=0.1),
        layers.Dense(10, activation="softmax"),
    ]


MODELS = {"mlp": _mlp, "cnn": _cnn, "rnn": _rnn, "lstm": _lstm, "gru": _gru}
RATES = {"mlp": 1e-4, "rnn": 1e-2, "lstm": 1e-2, "gru": 1e-2}  # bytes up to 255 go into the MLP


@functools.cache
def digits(kind: str, count: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Embedded digits for the model `kind`: bytes, as the notes feed them to an MLP; images; rows as the steps of a
    sequence, whose blank rows are masked; the number of inked pixels in each row, as ids.
    """
    (x, y), _ = datasets.digits.load_data(count, 0)
    if kind == "mlp":
        return x, y
    if kind == "gru":
        return (x > 127).sum(axis=2), y
    scaled = x / np.float32(255)
    return (scaled[..., None] if kind == "cnn" else scaled), y


def build(kind: str, seed: int = 5) -> fastnn.Sequential:
    """A compiled model, the same for the same seed."""
    utils.set_random_seed(seed)
    model = fastnn.Sequential(MODELS[kind]())
    rate = RATES.get(kind, 1e-3)
    model.compile(fastnn.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def digest(model: fastnn.Sequential) -> str:
    """All bits of all weights in one short word."""
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16]


def train(model: fastnn.Sequential, kind: str, epochs: int = 2, shuffle: bool = True) -> list[float]:
    """Losses of the epochs of one ``fit`` on the digits; the last batch is a smaller one."""
    x, y = digits(kind, 200)
    return model.fit(x, y, batch_size=32, epochs=epochs, shuffle=shuffle, verbose=0).history["loss"]


def result(kind: str) -> tuple[list[float], str]:
    """Losses of a fresh model, and its weights afterwards."""
    model = build(kind)
    return train(model, kind), digest(model)
