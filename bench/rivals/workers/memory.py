"""Memory of training beyond NumPy and the data: ``python -m bench.rivals.workers.memory <framework> <job>`` (Linux).

Prints a line of JSON with megabytes: ``total``, of which ``imported`` came with the framework.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from bench.rivals.workers.worker import Job

STEPS = 8


def status(name: str) -> float:
    """A size of this process in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


def main() -> None:
    framework, job = sys.argv[1], Job(**json.loads(sys.argv[2]))
    job.load()
    before = status("VmRSS")
    worker = import_module(f"bench.rivals.workers.{framework}")
    imported = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    run = worker.prepare(job)
    if run.times:
        run.times(0.0)
    else:
        for i in range(STEPS):
            run.step(i)
    print(json.dumps({"total": status("VmHWM") - before, "imported": imported - before}))


if __name__ == "__main__":
    main()
