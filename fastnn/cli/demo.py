"""``fastnn demo``: train the CNN of the notes on images and draw its curves."""

from __future__ import annotations

import argparse
import time

import numpy as np

from fastnn import backend, callbacks, datasets, layers, models, utils
from fastnn.cli.limits import measure
from fastnn.cli.pictures import save_demo

__all__ = ["demo", "run"]


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    demo(options.epochs, options.samples, options.batch_size, options.output, options.backend)
    return 0


def demo(
    epochs: int, samples: int | None, batch_size: int, output: str, kernels: str | None = None
) -> dict[str, float]:
    """Train, evaluate and draw; return the figures that were printed.

    Parameters
    ----------
    epochs, batch_size : as in ``fit``
    samples : number of training images, or ``None`` for all
    output : file for the picture
    kernels : ``"compiled"``, ``"reference"``, or ``None`` for the current backend

    Returns
    -------
    ``accuracy`` (test), ``images_per_second`` (training), ``gflops``, and ``share_of_peak`` on compiled kernels
    """
    if kernels is None:
        return _demo(epochs, samples, batch_size, output)
    with backend.use(kernels):
        return _demo(epochs, samples, batch_size, output)


def _demo(epochs: int, samples: int | None, batch_size: int, output: str) -> dict[str, float]:
    utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test), names = _load(samples)
    model = _cnn()
    model.summary()
    clock = _TrainingClock()
    history = model.fit(
        x_train, y_train, epochs=epochs, batch_size=batch_size, validation_data=(x_test, y_test), callbacks=[clock]
    )

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    images = epochs * len(x_train) / clock.seconds
    figures = {"accuracy": accuracy, "images_per_second": images, "gflops": images * _training_flops(model) / 1e9}
    print(f"\ntest accuracy  {accuracy:.4f} (loss {loss:.4f})")
    print(f"training       {images:,.0f} images/s, {clock.seconds:.1f} s in total")
    print(f"arithmetic     {figures['gflops']:.1f} GFLOP/s, every operation of the dense step counted{_share(figures)}")
    print(save_demo(output, history.history, x_test, y_test, model.predict(x_test[:24], verbose=0), names))
    return figures


def _load(samples: int | None) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], list[str]]:
    """Load Fashion-MNIST if it is on this machine, else the digits; pixels are float32 from 0 to 1, one channel."""
    place = datasets.fashion_mnist.find()
    if place is None:
        source, names = "the built-in digits", datasets.digits.class_names
        (x_train, y_train), (x_test, y_test) = datasets.digits.load_data(n_train=samples or 10000)
        print("Fashion-MNIST was not found on this machine; fastnn.datasets.fashion_mnist.load_data() downloads it.")
    else:
        source, names = f"Fashion-MNIST from {place}", datasets.fashion_mnist.class_names
        (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist.load_data()
    x_train, y_train = x_train[:samples], y_train[:samples]
    print(f"Training on {source}: {len(x_train):,} images, tested on {len(x_test):,}.\n")
    return (_scaled(x_train), y_train), (_scaled(x_test), y_test), names


def _scaled(images: np.ndarray) -> np.ndarray:
    return images[..., None] * np.float32(1 / 255)


def _cnn() -> models.Sequential:
    """Three convolutions with pooling, then two Dense layers: 60,554 parameters."""
    model = models.Sequential(
        [
            layers.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class _TrainingClock(callbacks.Callback):
    """Measures the seconds spent in training steps, without validation."""

    seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._start = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self.seconds += time.perf_counter() - self._start


def _training_flops(model: models.Sequential) -> float:
    """Return the operations of a training step on one image: two per multiply-add, for the forward pass, dw and dx.

    Each output position of a Conv2D or Dense layer uses each of its weights once. The first layer has no dx.
    Operations that the kernels skip because a factor is known to be zero are counted too.
    """
    weighted = [layer for layer in model.layers if layer.get_weights()]
    products = [layer.get_weights()[0].size * int(np.prod(layer.output_shape[1:-1])) for layer in weighted]
    return 2.0 * (3 * sum(products) - products[0])


def _share(figures: dict[str, float]) -> str:
    """Describe the share of the machine's peak and add it to ``figures``; no share for the twins or a busy machine."""
    if backend.name() != "compiled":
        return " (NumPy twins)"
    limits = measure()
    if not limits.trusted:
        return f"\n{limits.note()}"
    figures["share_of_peak"] = figures["gflops"] / limits.peak
    text = f"; {figures['share_of_peak']:.0%} of this machine's peak of {limits.peak:.0f}"
    return f"{text}\n{limits.note()}" if limits.busy else text
