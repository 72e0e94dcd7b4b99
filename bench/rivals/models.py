"""The models that are raced: their layers and their batches.

To add one: a row in ``MODELS`` and a builder of that name in each worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from bench.rivals.layers import (
    Layer,
    attention,
    batch_norm,
    bidirectional,
    conv,
    dense,
    embedding,
    gru,
    layer_norm,
    lstm,
    simple_rnn,
    steps,
)

BATCHES = 64  # distinct batches of a run, taken in turn

Batches = Callable[[np.random.Generator, tuple[int, int]], tuple[np.ndarray, np.ndarray]]
"""Inputs and labels of a run, from a generator and (number of batches, examples in each)."""


@dataclass(frozen=True)
class Model:
    """A row of the table.

    ``family`` is what its time goes to ("dense", "convolution", "recurrence" or "attention"): modes are chosen by it.
    ``check`` are settings of the job that are others while losses are compared: masks of dropout cannot agree, and
    where a step of 0.001 multiplies rounding errors too fast, a smaller one keeps the losses together.
    """

    name: str
    family: str
    batch: int
    kinds: tuple[str, ...]
    layers: tuple[Layer, ...]
    draw: Batches
    dropout: float = 0.0
    check: dict[str, float] = field(default_factory=dict)

    def operations(self, kind: str, batch: int) -> int:
        """Floating-point operations of one step when every product is computed in full."""
        return batch * sum(layer.operations(kind != "inference") for layer in self.layers)

    def weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """All parameters, in the order of Keras' ``get_weights()``."""
        return [draw(rng) for layer in self.layers for draw in layer.parameters]

    def write(self, path: Path, kind: str, batch: int, seed: int, batches: int = BATCHES) -> None:
        """Write weights and batches for all contenders to one .npz file: w0, w1, …, x, y."""
        rng = np.random.default_rng(seed)
        weights = self.weights(rng)
        x, y = (mnist_images if kind == "mnist" else self.draw)(rng, (batches, batch))
        np.savez(path, x=x, y=y, **{f"w{i}": w for i, w in enumerate(weights)})


def images(*shape: int) -> Batches:
    """Random images in [0, 1) and labels 0 to 9."""

    def draw(rng: np.random.Generator, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        return rng.random((*sizes, *shape), dtype=np.float32), rng.integers(0, 10, sizes)

    return draw


def words(length: int, vocabulary: int) -> Batches:
    """Random ids, all words equally likely, and labels 0 or 1."""

    def draw(rng: np.random.Generator, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        ids = rng.integers(0, vocabulary, (*sizes, length))
        return ids, rng.integers(0, 2, (*sizes, 1)).astype(np.float32)

    return draw


def text(length: int, vocabulary: int) -> Batches:
    """Random characters, all equally likely; the label of each is the next one."""

    def draw(rng: np.random.Generator, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        ids = rng.integers(0, vocabulary, (*sizes, length + 1))
        return np.ascontiguousarray(ids[..., :-1]), np.ascontiguousarray(ids[..., 1:])

    return draw


def classifier(name: str, cell: Callable[[int, int, int], Layer]) -> Model:
    """Embedding 32, a cell of 64 units of which the last state counts, Dense 1."""
    return Model(
        name=name,
        family="recurrence",
        batch=32,
        kinds=("train", "inference"),
        layers=(embedding(10_000, 32), cell(32, 64, 100), dense(64, 1)),
        draw=words(100, 10_000),
    )


def residual_block(channels: int, filters: int, side: int) -> tuple[Layer, ...]:
    """Two convolutions with batch normalization; where the shape changes, a 1×1 projection beside the second one."""
    pixels = side * side
    first, second = (conv((3, 3), inputs, filters, pixels, bias=False) for inputs in (channels, filters))
    if channels == filters:
        return first, batch_norm(filters), second, batch_norm(filters)
    projection = conv((1, 1), channels, filters, pixels, bias=False)
    return first, batch_norm(filters), second, projection, batch_norm(filters), batch_norm(filters)


def resnet() -> Model:
    """Convolution of 32 filters; stages of 32, 64 and 128 filters, two blocks each; global average; Dense 10.

    At Adam's usual rate, weights that differ by 1e-7 of their size give losses that differ by 1e-3 after five steps; at
    a hundredth of it, by less than 1e-5 after ten.
    """
    stages = ((32, 32, 28), (32, 32, 28), (32, 64, 14), (64, 64, 14), (64, 128, 7), (128, 128, 7))
    blocks = (layer for stage in stages for layer in residual_block(*stage))
    stem = conv((3, 3), 1, 32, pixels=28 * 28, first=True, bias=False), batch_norm(32)
    return Model(
        name="resnet",
        family="convolution",
        batch=64,
        kinds=("train", "inference"),
        layers=(*stem, *blocks, dense(128, 10)),
        draw=images(28, 28, 1),
        check={"learning_rate": 1e-5},
    )


def feed_forward(width: int, hidden: int, length: int) -> tuple[Layer, Layer]:
    return steps(dense(width, hidden), length), steps(dense(hidden, width), length)


def transformer() -> Model:
    """Two encoder blocks, each sum behind a layer normalized (post-norm); mean over time; Dense 1."""
    length, vocabulary, width = 100, 10_000, 64
    attend = attention(width, heads=4, depth=16, steps=length)
    block = (attend, layer_norm(width), *feed_forward(width, 256, length), layer_norm(width))
    return Model(
        name="transformer",
        family="attention",
        batch=32,
        kinds=("train", "inference"),
        layers=(embedding(vocabulary, width), embedding(length, width), *block, *block, dense(width, 1)),
        draw=words(length, vocabulary),
        dropout=0.1,
        check={"dropout": 0.0},
    )


def gpt() -> Model:
    """Four decoder blocks, the input of each layer normalized (pre-norm); Dense 96 at every step."""
    length, vocabulary, width = 128, 96, 128
    attend = attention(width, heads=4, depth=32, steps=length)
    block = (layer_norm(width), attend, layer_norm(width), *feed_forward(width, 4 * width, length))
    ends = layer_norm(width), steps(dense(width, vocabulary), length)
    return Model(
        name="gpt",
        family="attention",
        batch=32,
        kinds=("train", "inference"),
        layers=(embedding(vocabulary, width), embedding(length, width), *4 * block, *ends),
        draw=text(length, vocabulary),
    )


def mnist_images(rng: np.random.Generator, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Shuffled training images of MNIST, scaled to [0, 1]: 81% of the values are zero."""
    from fastnn.datasets import mnist

    if mnist.find() is None:
        raise FileNotFoundError(
            "The kind 'mnist' reads real images: set FASTNN_DATA to a folder that holds mnist/, or choose --kind train."
        )
    (pixels, labels), _ = mnist.load_data()
    rows = rng.permutation(len(pixels))[: prod(sizes)].reshape(sizes)
    return (pixels[rows] / 255).astype(np.float32), labels[rows].astype(np.int64)


MODELS = {
    model.name: model
    for model in (
        Model(
            name="mlp",
            family="dense",
            batch=32,
            kinds=("train", "mnist", "inference"),
            layers=(dense(784, 256, first=True), dense(256, 10)),
            draw=images(28, 28),
        ),
        Model(
            name="cnn",
            family="convolution",
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
            family="recurrence",
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
        transformer(),
        resnet(),
        gpt(),
    )
}
