"""Memory of training, each contender in a fresh process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from bench.rivals.contenders import FASTNN, Rival
from bench.rivals.models import Model
from bench.rivals.race import job_of, run_worker

BATCHES = 4


def memory_table(models: list[Model], rivals: list[Rival], rounds: int, threads: int) -> str:
    """A row a model: megabytes beyond NumPy and the data at the peak of training; in brackets, without the import."""
    contenders = [FASTNN, *(rival for rival in rivals if "train" in rival.kinds)]
    lines = ["| model | batch | " + " | ".join(rival.title for rival in contenders) + " |"]
    lines.append("| --- |" + " ---: |" * (len(contenders) + 1))
    with tempfile.TemporaryDirectory(prefix="fastnn-rivals-") as folder:
        data = Path(folder) / "data.npz"
        for model in models:
            model.write(data, "train", model.batch, seed=1, batches=BATCHES)
            job = job_of(model, "train", "default", data, seconds=0.0, threads=threads)
            cells = [cell(rival, job, rounds) for rival in contenders]
            lines.append(f"| {model.name} | {model.batch} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(rival: Rival, job: dict, rounds: int) -> str:
    """Medians over the rounds."""
    try:
        results = [run_worker(rival, job, "memory", rival.key) for _ in range(rounds)]
    except RuntimeError as error:
        return f"failed: {error}"
    total, imported = (median(result[key] for result in results) for key in ("total", "imported"))
    return f"{total:.0f} ({total - imported:.0f})"
