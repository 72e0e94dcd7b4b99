"""Shared by the examples: command-line options, and a picture of the curves."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any


def options(description: str, epochs: int, output: str, **more: tuple[Any, str]) -> argparse.Namespace:
    """Read ``--epochs``, ``--samples``, ``--output`` and further options, each given as (default, help text)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the data (default: %(default)s)")
    parser.add_argument("--samples", type=int, help="train on the first N examples only (default: all)")
    parser.add_argument("--output", default=output, help="file for the picture (default: %(default)s)")
    for name, (default, line) in more.items():
        text = f"{line} (default: %(default)s)"
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    return parser.parse_args()


def picture(width: float, height: float) -> Any:
    """Return a matplotlib figure to draw on; without matplotlib, print a hint and return None."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("No picture: matplotlib is not installed. Run pip install 'fastnn-kernels[plot]'.")
        return None
    return Figure(figsize=(width, height), layout="constrained")


def draw_curves(axes: Any, runs: Mapping[str, Mapping[str, Sequence[float]]], key: str) -> None:
    """Draw one line per run; validation is dashed."""
    for number, (name, history) in enumerate(runs.items()):
        for full, style in ((key, "-"), (f"val_{key}", "--")):
            if full in history:
                epochs = range(1, len(history[full]) + 1)
                axes.plot(epochs, history[full], style, marker=".", color=f"C{number}", label=f"{name}, {full}")
    axes.set(xlabel="epoch", ylabel=key)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize="small")


def save_curves(runs: Mapping[str, Mapping[str, Sequence[float]]], keys: Sequence[str], output: str) -> None:
    """Draw one plot per key. Needs matplotlib."""
    if (figure := picture(6 * len(keys), 4)) is None:
        return
    for axes, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
        draw_curves(axes, runs, key)
    figure.savefig(output, dpi=120)
    print(f"Curves in {output}.")
