"""The models that are raced: their parameters, their batches, and the operations that they need.

To add one: a row in ``MODELS`` and a builder of that name in each worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from pathlib import Path

import numpy as np

BATCHES = 64  # distinct batches of a run, taken in turn


@dataclass(frozen=True)
class Product:
    """One layer's dense product: multiply-adds for one example, forward.

    The first layer makes no gradient of its input.
    """

    multiply_adds: int
    first: bool = False

    def operations(self, training: bool) -> int:
        passes = (2 if self.first else 3) if training else 1
        return 2 * passes * self.multiply_adds


@dataclass(frozen=True)
class Model:
    """A row of the table.

    ``shapes`` are the parameters in the order of Keras' ``get_weights()``; ``draw`` makes a run's inputs and labels,
    ``(BATCHES, batch, …)``.
    """

    name: str
    batch: int
    kinds: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    products: tuple[Product, ...]
    draw: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]

    def operations(self, kind: str, batch: int) -> int:
        """Floating-point operations of one step when every product is computed in full."""
        return batch * sum(product.operations(kind != "inference") for product in self.products)

    def weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Glorot-uniform kernels and zero biases."""
        return [_glorot(rng, shape) if len(shape) > 1 else np.zeros(shape, np.float32) for shape in self.shapes]

    def write(self, path: Path, kind: str, batch: int, seed: int) -> None:
        """Write weights and batches for all contenders to one .npz file: w0, w1, …, x, y."""
        rng = np.random.default_rng(seed)
        weights = self.weights(rng)
        x, y = mnist_batches(rng, batch) if kind == "mnist" else self.draw(rng, batch)
        np.savez(path, x=x, y=y, **{f"w{i}": w for i, w in enumerate(weights)})


def _glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    field = prod(shape[:-2])
    limit = sqrt(6 / (field * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def images(*shape: int) -> Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]:
    """Random images in [0, 1) and labels 0 to 9."""

    def draw(rng: np.random.Generator, batch: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.random((BATCHES, batch, *shape), dtype=np.float32), rng.integers(0, 10, (BATCHES, batch))

    return draw


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
            shapes=((784, 256), (256,), (256, 10), (10,)),
            products=(Product(784 * 256, first=True), Product(256 * 10)),
            draw=images(28, 28),
        ),
        Model(
            name="cnn",
            batch=32,
            kinds=("train", "inference"),
            shapes=(
                *((3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (3, 3, 64, 64), (64,)),
                *((64, 64), (64,), (64, 10), (10,)),
            ),
            products=(
                Product(26 * 26 * 9 * 1 * 32, first=True),
                Product(11 * 11 * 9 * 32 * 64),
                Product(3 * 3 * 9 * 64 * 64),
                Product(64 * 64),
                Product(64 * 10),
            ),
            draw=images(28, 28, 1),
        ),
    )
}
