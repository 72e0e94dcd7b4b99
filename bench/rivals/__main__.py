"""Command line: ``python -m bench.rivals [models…] [--kind …] [--rivals …]``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.rivals.contenders import RIVALS
from bench.rivals.memory import memory_table
from bench.rivals.models import MODELS
from bench.rivals.race import Event, race
from bench.rivals.table import as_json, notes, table

KINDS = ("train", "mnist", "inference")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.rivals", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="model", help=f"of {', '.join(MODELS)}; all if none is named")
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all", help="what is timed (%(default)s)")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="comma-separated, of %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes of every contender (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="timed in each process (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads of each contender (%(default)s)")
    parser.add_argument("--memory", action="store_true", help="measure the memory of training instead of time (Linux)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    chosen = parser.parse_args(argv)
    chosen.models = chosen.models or list(MODELS)
    chosen.rivals = [name for name in chosen.rivals.split(",") if name]
    for given, known in ((chosen.models, MODELS), (chosen.rivals, RIVALS)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"expected some of {', '.join(known)}. Received: {', '.join(unknown)}")
    return chosen


def events(models: list[str], kind: str) -> list[Event]:
    """Training at the model's batch size; inference at that and at 1."""
    return [
        Event(model, each, batch)
        for model in map(MODELS.__getitem__, models)
        for each in model.kinds
        if kind in (each, "all")
        for batch in ((model.batch, 1) if each == "inference" else (model.batch,))
    ]


def main(argv: list[str] | None = None) -> None:
    options = arguments(argv)
    present = []
    for name in options.rivals:
        if RIVALS[name].interpreter():
            present.append(RIVALS[name])
        else:
            print(
                f"{RIVALS[name].title}: absent (install {RIVALS[name].module}, or set FASTNN_RIVALS: bench/README.md)"
            )
    if options.memory:
        print("\nMegabytes beyond NumPy and the data at the peak of training; in brackets, without the import.\n")
        print(memory_table([MODELS[name] for name in options.models], present, options.rounds, options.threads))
        return
    outcomes = []
    for event in events(options.models, options.kind):
        print(event, flush=True)
        takers = [rival for rival in present if event.kind in rival.kinds]
        outcomes.append(race(event, takers, options.rounds, options.seconds, options.threads))
    print("\nMilliseconds a step, median (best); × is the rival's over fastnn's.")
    print(f"{options.threads} threads, {options.rounds} rounds.\n\n{table(outcomes)}\n")
    print("\n".join(notes(outcomes)))
    if options.json:
        options.json.write_text(json.dumps(as_json(outcomes), indent=1))


if __name__ == "__main__":
    main()
