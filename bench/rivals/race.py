"""The race: every contender in a fresh process, in turn, round after round, from the same weights and batches."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench import cores
from bench.rivals.contenders import FASTNN, Contender, Rival, modes
from bench.rivals.models import Model

ROOT = Path(__file__).parents[2]
HOPELESS = 2.0  # after the first round a mode that is so many times slower than its rival's best mode rests
TIME_LIMIT = 300  # seconds, for one process


@dataclass(frozen=True)
class Event:
    """What is run: a model, a kind of run, a batch size."""

    model: Model
    kind: str
    batch: int

    def __str__(self) -> str:
        return f"{self.model.name} {self.kind}, batch {self.batch}"


@dataclass
class Lane:
    """One contender's results, a dict for each round."""

    contender: Contender
    results: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""  # why it dropped out

    @property
    def median(self) -> float:
        return median(result["median"] for result in self.results)

    @property
    def best(self) -> float:
        return min(result["best"] for result in self.results)


@dataclass
class Outcome:
    """An event's fastnn lane and the lane of each rival's fastest mode."""

    event: Event
    fastnn: Lane
    rivals: dict[str, Lane]
    notes: list[str]

    def ratio(self, lane: Lane) -> float:
        """How many times fastnn's speed is the rival's: the median over rounds of the ratio of median steps."""
        pairs = zip(lane.results, self.fastnn.results, strict=True)
        return median(rival["median"] / fastnn["median"] for rival, fastnn in pairs)

    def ratio_of_best(self, lane: Lane) -> float:
        return lane.best / self.fastnn.best

    @property
    def peak(self) -> float:
        """Multiply-adds held in registers, 10⁹ operations a second, measured in fastnn's processes: the best."""
        return max(result["peak_gflops"] for result in self.fastnn.results)

    def share(self, peak: float) -> float:
        """Dense operations over fastnn's median step, as a share of the peak."""
        operations = self.event.model.operations(self.event.kind, self.event.batch)
        return operations / (self.fastnn.median * 1e6) / peak


def race(
    event: Event, rivals: list[Rival], rounds: int, seconds: float, threads: int, say: Callable[[str], None] = print
) -> Outcome:
    """Run one event.

    Raises
    ------
    RuntimeError
        If fastnn's worker fails. A rival's mode that fails, or whose numbers disagree, drops out with a note.
    """
    lanes = [Lane(Contender(FASTNN, "default"))]
    lanes += [
        Lane(Contender(rival, mode)) for rival in rivals for mode in modes(rival.key, event.model.family, event.kind)
    ]
    with tempfile.TemporaryDirectory(prefix="fastnn-rivals-") as folder:
        data = Path(folder) / "data.npz"
        event.model.write(data, event.kind, event.batch, seed=1)
        for turn in range(rounds):
            for lane in lanes:
                if lane.note:
                    continue
                job = job_of(event.model, event.kind, lane.contender.mode, data, seconds, threads)
                run_lane(lane, lanes[0], job)
                if lane.results and not lane.note:
                    say(f"  round {turn + 1}: {lane.contender.label:32} {lane.results[-1]['median']:9.4f} ms a step")
                else:
                    say(f"  round {turn + 1}: {lane.note}")
            if turn == 0:
                rest_hopeless(lanes)
    fastest = {}
    for lane in lanes[1:]:
        key = lane.contender.rival.key
        if not lane.note and (key not in fastest or lane.median < fastest[key].median):
            fastest[key] = lane
    return Outcome(event, lanes[0], fastest, [lane.note for lane in lanes if lane.note])


def job_of(model: Model, kind: str, mode: str, data: Path, seconds: float, threads: int) -> dict[str, Any]:
    """What a worker is told."""
    return {
        "model": model.name,
        "kind": kind,
        "mode": mode,
        "threads": threads,
        "seconds": seconds,
        "data": str(data),
        "dropout": model.dropout,
        "check": model.check,
    }


def run_lane(lane: Lane, fastnn: Lane, job: dict[str, Any]) -> None:
    """One process; its result joins the lane, or the lane drops out."""
    try:
        result = run_worker(lane.contender.rival, job)
    except RuntimeError as error:
        if lane is fastnn:
            raise
        lane.note = f"{lane.contender.label} failed: {error}"
        return
    lane.results.append(result)
    if gap := disagreement(result["answers"], fastnn.results[0]["answers"], job["kind"]):
        lane.note = f"{lane.contender.label} disagrees with fastnn: {gap}"
        if lane is fastnn:
            raise RuntimeError(lane.note)


def run_worker(rival: Rival, job: dict[str, Any], script: str = "", *arguments: str) -> dict[str, Any]:
    """Start a rival's worker or another script under its interpreter, wait for it, read its line of JSON."""
    module = f"bench.rivals.workers.{script or rival.key}"
    command = [rival.interpreter(), "-m", module, *arguments, json.dumps(job)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=cores.environment(job["threads"]), preexec_fn=lambda: cores.keep_to(job["threads"]),
            capture_output=True, text=True, timeout=TIME_LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no answer within {TIME_LIMIT} seconds") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise RuntimeError(last[0])
    return json.loads(done.stdout.strip().splitlines()[-1])


def disagreement(answers: list[float], expected: list[float], kind: str) -> str:
    """Where two lists of losses (or of outputs) differ by more than 1e-4 of their size; empty if nowhere."""
    floor = 1e-6 if kind == "inference" else 0.0
    if len(answers) != len(expected):
        return f"{len(answers)} numbers, expected {len(expected)}"
    for i, (a, b) in enumerate(zip(answers, expected, strict=True)):
        if not math.isclose(a, b, rel_tol=1e-4, abs_tol=floor):
            return f"{'output' if kind == 'inference' else 'loss of step'} {i}: {a:.7g}, expected {b:.7g}"
    return ""


def rest_hopeless(lanes: list[Lane]) -> None:
    """Let modes rest that stand far behind; judged by best steps, which a busy machine disturbs least."""
    for lane in lanes:
        same = [other.best for other in lanes if other.contender.rival is lane.contender.rival and not other.note]
        if not lane.note and lane.best > HOPELESS * min(same):
            lane.note = (
                f"{lane.contender.label} rested after one round: best {lane.best:.3g} ms, of all modes {min(same):.3g}"
            )
