"""How recurrent layers scale, and what their options cost: ``python -m bench.sequences``.

The LSTM classifier's training step against the length of its sequences and against their number, with the exponent of
the growth (1 is linear); the memory of that step; and of each layer, forward and backward, the time with an option over
the time without. What is compared runs in turn, round after round; a memory is that of a fresh process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench import cores
from fastnn import Sequential, layers

VOCABULARY, WIDTH, UNITS = 10_000, 32, 64
BATCH, STEPS = 32, 100
LENGTHS = (50, 100, 200, 500, 1000, 2000, 5000)
BATCHES = (16, 32, 64, 128, 256, 512, 1024)
LONG = (1250, 2500, 5000)
CELLS = {"SimpleRNN": layers.SimpleRNN, "GRU": layers.GRU, "LSTM": layers.LSTM}


@dataclass
class Timing:
    """Milliseconds, one number a round."""

    medians: list[float] = field(default_factory=list)
    bests: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.medians)

    @property
    def best(self) -> float:
        return min(self.bests)

    def over(self, other: Timing) -> str:
        """This time over another one: the median of the rounds, and the best."""
        middle = median(a / b for a, b in zip(self.medians, other.medians, strict=True))
        return f"{middle:.2f} ({self.best / other.best:.2f})"


@dataclass(frozen=True)
class Option:
    """One way of calling a layer beside the plain one: the last state of all, nothing masked, nothing dropped."""

    name: str
    settings: dict[str, object] = field(default_factory=dict)
    mask: Callable[[np.random.Generator], np.ndarray] | None = None


def padded(rng: np.random.Generator) -> np.ndarray:
    """Sequences of 1 to STEPS words, padded behind: half of the steps are valid."""
    return np.arange(STEPS) < rng.integers(1, STEPS + 1, (BATCH, 1))


OPTIONS = (
    Option("return_sequences", {"return_sequences": True}),
    Option("return_state", {"return_state": True}),
    Option("go_backwards", {"go_backwards": True}),
    Option("stateful", {"stateful": True}),
    Option("dropout=0.2", {"dropout": 0.2}),
    Option("recurrent_dropout=0.2", {"recurrent_dropout": 0.2}),
    Option("mask, every step valid", mask=lambda _: np.ones((BATCH, STEPS), bool)),
    Option("mask, one step in ten at random", mask=lambda rng: rng.random((BATCH, STEPS)) < 0.9),
    Option("mask, padding: half of the steps", mask=padded),
)


def classifier_step(batch: int, steps: int) -> Callable[[], object]:
    """A training step of Embedding, LSTM, Dense 1 on one batch of random words."""
    rng = np.random.default_rng(1)
    model = Sequential(
        [layers.Input((steps,)), layers.Embedding(VOCABULARY, WIDTH), layers.LSTM(UNITS), layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy")
    x, y = rng.integers(0, VOCABULARY, (batch, steps)), rng.integers(0, 2, (batch, 1)).astype(np.float32)
    return lambda: model.train_on_batch(x, y)


def layer_step(cell: type, option: Option) -> Callable[[], object]:
    """Forward and backward of one layer, from gradients of its output and, if it gives them, of its final states."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((BATCH, STEPS, WIDTH), np.float32)
    layer = cell(UNITS, **option.settings)
    layer.ensure_built(x.shape)
    mask = option.mask(rng) if option.mask else None
    y, states, _ = layer.forward_states(x, None, True, mask)
    dy = rng.standard_normal(y.shape, np.float32)
    dstates = [rng.standard_normal(s.shape, np.float32) for s in states] if layer.return_state else None

    def step() -> None:
        ctx = layer.forward_states(x, None, True, mask)[2]
        layer.backward_states(dy, dstates, ctx)

    return step


def in_turn(ways: dict[Any, Callable[[], object]], rounds: int, seconds: float) -> dict[Any, Timing]:
    """Time all ways, one after the other, round after round; a first round only warms up."""
    timings = {name: Timing() for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            times, end = [], time.perf_counter() + seconds
            while (now := time.perf_counter()) < end or not times:
                way()
                times.append((time.perf_counter() - now) * 1e3)
            if turn:
                timings[name].medians.append(median(times))
                timings[name].bests.append(min(times))
    return timings


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The slope of log time over log size."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def growth(title: str, shapes: list[tuple[int, int]], axis: int, rounds: int, seconds: float) -> None:
    """A table of steps at several shapes (batch, length) and the exponent along one of the two axes."""
    measured = in_turn({shape: classifier_step(*shape) for shape in shapes}, rounds, seconds)
    print(f"\n{title}\n")
    print("| batch | length | ms, median (best) | ns a step of a row |\n| ---: | ---: | ---: | ---: |")
    for (batch, steps), timing in measured.items():
        each = timing.best * 1e6 / (batch * steps)
        print(f"| {batch} | {steps} | {timing.median:.3g} ({timing.best:.3g}) | {each:.0f} |")
    bests = [timing.best for timing in measured.values()]
    print(f"\nExponent {exponent([shape[axis] for shape in shapes], bests):.2f}.")


def memory(threads: int) -> None:
    """A table of the memory that a step takes beyond the model and its data."""
    print("\nMemory of a training step of the LSTM classifier\n")
    print("| batch | length | MB at the peak | bytes a step of a row |\n| ---: | ---: | ---: | ---: |")
    for steps in LONG:
        command = [sys.executable, "-m", "bench.sequences", "--peak-of", str(steps)]
        done = subprocess.run(command, env=cores.environment(threads), check=True, capture_output=True, text=True)
        taken = int(done.stdout)
        print(f"| {BATCH} | {steps} | {taken / 1e6:.0f} | {taken / (BATCH * steps):.0f} |")


def peak_of_step(steps: int) -> int:
    """Bytes that the first two training steps take beyond what this process held before them (Linux)."""
    step = classifier_step(BATCH, steps)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = status("VmRSS")
    step()
    step()
    return status("VmHWM") - before


def status(name: str) -> int:
    """A size of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def options(rounds: int, seconds: float) -> None:
    """A table of ratios: with the option over without."""
    rows: dict[str, list[str]] = {name: [] for name in ("plain", *(option.name for option in OPTIONS))}
    for cell in CELLS.values():
        measured = in_turn({each.name: layer_step(cell, each) for each in (Option("plain"), *OPTIONS)}, rounds, seconds)
        plain = measured.pop("plain")
        rows["plain"].append(f"{plain.median:.3g} ms ({plain.best:.3g} ms)")
        for name, timing in measured.items():
            rows[name].append(timing.over(plain))
    print(f"\nForward and backward of a layer, batch {BATCH}, {STEPS} steps, {WIDTH} features, {UNITS} units\n")
    print(f"| option | {' | '.join(CELLS)} |\n| --- |{' ---: |' * len(CELLS)}")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sequences", description="Scaling and options of RNNs.")
    parser.add_argument(
        "parts", nargs="*", metavar="part", help="of length, batch, memory, options; all if none is named"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each row in a turn (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores that are used (%(default)s)")
    parser.add_argument("--peak-of", type=int, metavar="LENGTH", help="print the bytes of one step and leave")
    chosen = parser.parse_args(argv)
    cores.keep_to(chosen.threads)
    if chosen.peak_of:
        print(peak_of_step(chosen.peak_of))
        return
    each = chosen.rounds, chosen.seconds
    parts = {
        "length": lambda: growth("Step against the length", [(BATCH, steps) for steps in LENGTHS], 1, *each),
        "batch": lambda: growth("Step against the batch", [(batch, STEPS) for batch in BATCHES], 0, *each),
        "memory": lambda: memory(chosen.threads),
        "options": lambda: options(*each),
    }
    if unknown := [name for name in chosen.parts if name not in parts]:
        parser.error(f"expected some of {', '.join(parts)}. Received: {', '.join(unknown)}")
    for name in chosen.parts or parts:
        parts[name]()


if __name__ == "__main__":
    main()
