"""The results as a Markdown table and as JSON."""

from __future__ import annotations

from typing import Any

from bench.rivals.contenders import RIVALS
from bench.rivals.race import Lane, Outcome


def table(outcomes: list[Outcome]) -> str:
    """One row an event: median (best) milliseconds, and how many times faster fastnn's median (best) step is."""
    present = [key for key in RIVALS if any(key in outcome.rivals for outcome in outcomes)]
    header = ["model", "kind", "batch", "fastnn", *(RIVALS[key].title for key in present)]
    header += ["against the fastest", "share of peak"]
    rows = [header, ["---"] * 3 + ["---:"] * (len(header) - 3)]
    peak = best_peak(outcomes)
    rows += [row(outcome, present, peak) for outcome in outcomes]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def best_peak(outcomes: list[Outcome]) -> float:
    """The machine's peak is the best of the run: a busy moment can only lower it."""
    return max(outcome.peak for outcome in outcomes)


def row(outcome: Outcome, present: list[str], peak: float) -> list[str]:
    event = outcome.event
    cells = [event.model.name, event.kind, str(event.batch), times(outcome.fastnn)]
    for key in present:
        lane = outcome.rivals.get(key)
        cells.append(f"{times(lane)} {outcome.ratio(lane):.2f}×" if lane else "–")
    if outcome.rivals:
        lane = min(outcome.rivals.values(), key=lambda lane: lane.median)
        cells.append(f"**{outcome.ratio(lane):.2f}×** ({outcome.ratio_of_best(lane):.2f}×)")
    else:
        cells.append("–")
    return [*cells, f"{outcome.share(peak):.0%}"]


def times(lane: Lane) -> str:
    return f"{figure(lane.median)} ({figure(lane.best)})"


def figure(milliseconds: float) -> str:
    return f"{milliseconds:.3g}"


def notes(outcomes: list[Outcome]) -> list[str]:
    """The mode that stands for each rival, and who dropped out."""
    lines = [f"Peak {best_peak(outcomes):.0f} GFLOP/s."]
    for outcome in outcomes:
        chosen = ", ".join(lane.contender.label for lane in outcome.rivals.values())
        lines.append(f"{outcome.event}: {chosen or 'no rival'}")
        lines += [f"  {note}" for note in outcome.notes]
    return lines


def as_json(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Everything measured, round by round."""
    peak = best_peak(outcomes)
    return [
        {
            "model": outcome.event.model.name,
            "kind": outcome.event.kind,
            "batch": outcome.event.batch,
            "operations": outcome.event.model.operations(outcome.event.kind, outcome.event.batch),
            "peak_gflops": peak,
            "share": outcome.share(peak),
            "fastnn": lane_json(outcome.fastnn),
            "rivals": {
                key: lane_json(lane) | {"ratio": outcome.ratio(lane), "ratio_of_best": outcome.ratio_of_best(lane)}
                for key, lane in outcome.rivals.items()
            },
            "notes": outcome.notes,
        }
        for outcome in outcomes
    ]


def lane_json(lane: Lane) -> dict[str, Any]:
    rounds = [{key: value for key, value in result.items() if key != "answers"} for result in lane.results]
    return {"mode": lane.contender.mode, "median": lane.median, "best": lane.best, "rounds": rounds}
