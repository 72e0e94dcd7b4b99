"""What every worker shares: read the job, answer for the check, warm up, time every step, print one line of JSON.

The job comes as JSON in the first argument: model, kind ("train", "mnist" or "inference"), mode, threads, seconds,
``data``, an .npz file with the weights w0, w1, … and the batches x and y, the rates of dropout and of learning, and
``check``, the settings that are others in the check, where what is timed could not be compared.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import median
from typing import Any

import numpy as np

CHECKED_STEPS = 10
CHECKED_OUTPUTS = 4096
MOST_STEPS = 20_000
LEAST_STEPS = 10


@dataclass(frozen=True)
class Job:
    model: str
    kind: str
    mode: str
    threads: int
    seconds: float
    data: str
    dropout: float = 0.0
    learning_rate: float = 1e-3
    check: dict[str, float] = field(default_factory=dict)

    @property
    def training(self) -> bool:
        return self.kind != "inference"

    def load(self) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Weights in Keras' order, input batches, label batches."""
        return arrays(self.data)


@cache
def arrays(path: str) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    with np.load(path) as file:
        weights = [file[f"w{i}"] for i in range(sum(name.startswith("w") for name in file.files))]
        return weights, list(file["x"]), list(file["y"])


def is_binary(weights: list[np.ndarray]) -> bool:
    """Whether the model has one output: sigmoid and binary cross-entropy; otherwise softmax over classes."""
    return weights[-1].size == 1


@dataclass
class Run:
    """A prepared model.

    ``step(i)`` trains on batch i (taken modulo their number) and gives the loss, or gives the outputs for batch i; it
    is complete when it returns. ``times(seconds)``, where a framework has a loop of its own, gives milliseconds a step.
    """

    step: Callable[[int], Any]
    times: Callable[[float], list[float]] | None = None
    extras: Callable[[], dict[str, Any]] = field(default=dict)


def time_steps(step: Callable[[int], Any], seconds: float, block: int = 1) -> list[float]:
    """Milliseconds of each step (of each ``block`` steps, divided by it) for so many seconds."""
    milliseconds = []
    clock = time.perf_counter
    end = clock() + seconds
    i = 0
    while (now := clock()) < end or i < LEAST_STEPS:
        for _ in range(block):
            step(i)
            i += 1
        milliseconds.append((clock() - now) * 1e3 / block)
        if i >= MOST_STEPS:
            break
    return milliseconds


def answers(run: Run, training: bool) -> list[float]:
    """What all contenders must agree on: the first losses, or outputs for the first batch, evenly spaced if many."""
    if training:
        return [float(run.step(i)) for i in range(CHECKED_STEPS)]
    outputs = np.asarray(run.step(0), dtype=np.float64).ravel()
    return outputs[:: -(-outputs.size // CHECKED_OUTPUTS)].tolist()


def serve(prepare: Callable[[Job], Run]) -> None:
    """Do the job of the command line: answer for the check, then time."""
    job = Job(**json.loads(sys.argv[1]))
    run = prepare(replace(job, **job.check))
    result = {"answers": answers(run, job.training)}
    if job.check and job.training:
        run = prepare(job)
        if job.dropout and float(run.step(0)) == result["answers"][0]:
            raise RuntimeError("The first loss is the same with dropout and without it.")
    times = run.times or (lambda seconds: time_steps(run.step, seconds))
    times(job.seconds / 4)
    milliseconds = times(job.seconds)
    result |= {"median": median(milliseconds), "best": min(milliseconds), "steps": len(milliseconds)}
    print(json.dumps(result | run.extras()), flush=True)
