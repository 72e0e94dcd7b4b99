"""The models that are raced: their layers and their batches.

To add one: a row in ``MODELS`` and a builder of that name in each worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.rivals.layers import Layer, bidirectional, conv, dense, embedding, gru, lstm, simple_rnn

BATCHES = 64  # distinct batches of a run, taken in turn

Batches = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Model:
    """A row of the table; ``draw`` makes a run's inputs and labels, ``(BATCHES, batch, …)``."""

    name: str
    batch: int
    kinds: tuple[str, ...]
    layers: tuple[Layer, ...]
    draw: Batches

    def operations(self, kind: str, batch: int) -> int:
        """Floating-point operations of one step when every product is computed in full."""
        return batch * sum(layer.operations(kind != "inference") for layer in self.layers)

    def weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """All parameters, in the order of Keras' ``get_weights()``."""
        return [draw(rng) for layer in self.layers for draw in layer.parameters]

    def write(self, path: Path, kind: str, batch: int, seed: int) -> None:
        """Write weights and batches for all contenders to one .npz file: w0, w1, …, x, y."""
        rng = np.random.default_rng(seed)
        weights = self.weights(rng)
        x, y = mnist_batches(rng, batch) if kind == "mnist" else self.draw(rng, batch)
        np.savez(path, x=x, y=y, **{f"w{i}": w for i, w in enumerate(weights)})


def images(*shape: int) -> Batches:
    """Random images in [0, 1) and labels 0 to 9."""

    def draw(rng: np.random.Generator, batch: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.random((BATCHES, batch, *shape), dtype=np.float32), rng.integers(0, 10, (BATCHES, batch))

    return draw


def words(length: int, vocabulary: int) -> Batches:
    """Random ids, all words equally likely, and labels 0 or 1."""

    def draw(rng: np.random.Generator, batch: int) -> tuple[np.ndarray, np.ndarray]:
        ids = rng.integers(0, vocabulary, (BATCHES, batch, length))
        return ids, rng.integers(0, 2, (BATCHES, batch, 1)).astype(np.float32)

    return draw


def classifier(name: str, cell: Callable[[int, int, int], Layer]) -> Model:
    """Embedding 32, a cell of 64 units of which the last state counts, Dense 1."""
    return Model(
        name=name,
        batch=32,
        kinds=("train", "inference"),
        layers=(embedding(10_000, 32), cell(32, 64, 100), dense(64, 1)),
        draw=words(100, 10_000),
    )


def mnist_batches(rng: np.random.Generator, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Shuffled training images of MNIST, scaled to [0, 1]: 81% of the values are zero."""
    from fastnn.datasets import mnist

    if mnist.find() is None:
        raise FileNotFoundError(
            "The kind 'mnist' reads real images: set FASTNN_DATA to a folder that holds mnist/, or choose --kind train."
        )
    (pixels, labels), _ = mnist.load_data()
    rows = rng.permutation(len(pixels))[: BATCHES * batch].reshape(BATCHES, batch)
    return (pixels[rows] / 255).astype(np.float32), labels[rows].astype(np.int64)


MODELS = {
    model.name: model
    for model in (
        Model(
            name="mlp",
            batch=32,
            kinds=("train", "mnist", "inference"),
            layers=(dense(784, 256, first=True), dense(256, 10)),
            draw=images(28, 28),
        ),
        Model(
            name="cnn",
            batch=32,
            kinds=("train", "inference"),
            layers=(
                conv((3, 3), 1, 32, pixels=26 * 26, first=True),
                conv((3, 3), 32, 64, pixels=11 * 11),
                conv((3, 3), 64, 64, pixels=3 * 3),
                dense(64, 64),
                dense(64, 10),
            ),
            draw=images(28, 28, 1),
        ),
        Model(
            name="bilstm",
            batch=16,
            kinds=("train", "inference"),
            layers=(
                embedding(20_000, 64),
                bidirectional(lstm(64, 64, 30)),
                bidirectional(lstm(128, 32, 30)),
                dense(64, 64),
                dense(64, 1),
            ),
            draw=words(30, 20_000),
        ),
        classifier("simplernn", simple_rnn),
        classifier("gru", gru),
        classifier("lstm", lstm),
    )
}
