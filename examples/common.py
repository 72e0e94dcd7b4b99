"""What the examples share: three options of the command line, and a picture of the curves."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence


def options(description: str, epochs: int, output: str) -> argparse.Namespace:
    """Read ``--epochs``, ``--samples`` and ``--output``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the data (default: %(default)s)")
    parser.add_argument("--samples", type=int, help="train on that many images only (default: all)")
    parser.add_argument("--output", default=output, help="file of the picture (default: %(default)s)")
    return parser.parse_args()


def save_curves(runs: Mapping[str, Mapping[str, Sequence[float]]], keys: Sequence[str], output: str) -> None:
    """Draw one plot for each key, one line for each run; validation dashed. Needs matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("No picture: matplotlib is not installed. Type pip install 'fastnn-kernels[plot]'.")
        return
    figure = Figure(figsize=(6 * len(keys), 4), layout="constrained")
    for axes, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
        for number, (name, history) in enumerate(runs.items()):
            for full, style in ((key, "-"), (f"val_{key}", "--")):
                if full in history:
                    epochs = range(1, len(history[full]) + 1)
                    axes.plot(epochs, history[full], style, marker=".", color=f"C{number}", label=f"{name}, {full}")
        axes.set(xlabel="epoch", ylabel=key)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(fontsize="small")
    figure.savefig(output, dpi=120)
    print(f"Curves in {output}.")
