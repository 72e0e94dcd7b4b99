"""What ``fit`` adds to a step: ``python -m bench.fit_overhead``.

``fit`` shuffles, gathers and casts rows, calls callbacks, sums up losses. The bare loop calls ``train_on_batch`` with
ready batches of the same rows. Both train the MLP in turn, in one process; the difference a step is the overhead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import fastnn
from fastnn import layers
from fastnn.callbacks import Callback

BATCH = 32
STEPS = 400
EPOCHS = 3


def build() -> fastnn.Sequential:
    model = fastnn.Sequential(
        [layers.Input((28, 28)), layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(10, "softmax")]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


class EpochTimes(Callback):
    """Seconds of each epoch; what ``fit`` does before the first and after the last is not paid by the step."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.start)


def loop(model: fastnn.Sequential, x: np.ndarray, y: np.ndarray) -> list[float]:
    """Microseconds a step of the bare loop, epoch by epoch."""
    batches = list(zip(np.split(x, STEPS), np.split(y, STEPS), strict=True))
    times = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for rows, labels in batches:
            model.train_on_batch(rows, labels)
        times.append((time.perf_counter() - start) / STEPS * 1e6)
    return times


def fit(model: fastnn.Sequential, x: np.ndarray, y: np.ndarray) -> list[float]:
    """Microseconds a step of ``fit``, epoch by epoch."""
    watch = EpochTimes()
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0, callbacks=[watch])
    return [seconds / STEPS * 1e6 for seconds in watch.seconds]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fit_overhead", description="What fit adds to a step.")
    parser.add_argument("--rounds", type=int, default=10, help="turns of loop and fit (%(default)s)")
    rounds = parser.parse_args(argv).rounds
    rng = np.random.default_rng(1)
    x, y = rng.random((STEPS * BATCH, 28, 28), dtype=np.float32), rng.integers(0, 10, STEPS * BATCH)
    wide = x.astype(np.float64)
    ways: dict[str, Callable[[], list[float]]] = {
        "train_on_batch, ready batches": lambda: loop(model, x, y),
        "fit, float32": lambda: fit(model, x, y),
        "fit, float64": lambda: fit(model, wide, y),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            model = build()  # every turn starts afresh: a trained network has other zeros
            times[name] += way()
    bare = times["train_on_batch, ready batches"]
    print(f"{'µs a step':32} median     best   overhead: median   best")
    for name, measured in times.items():
        extra = (
            f"{median(measured) - median(bare):16.1f} {min(measured) - min(bare):6.1f}" if measured is not bare else ""
        )
        print(f"{name:32} {median(measured):6.1f}   {min(measured):6.1f}   {extra}")


if __name__ == "__main__":
    main()
