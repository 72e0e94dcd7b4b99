"""The picture of the demo: training and validation curves above, images with their predictions below."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["save_demo"]

_COLUMNS = 8


def save_demo(
    path: str | os.PathLike[str],
    history: Mapping[str, Sequence[float]],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
) -> str:
    """Draw the picture to a file, if matplotlib is installed; return the line to print.

    Parameters
    ----------
    path : file to write; the extension sets the format
    history : ``accuracy``, ``loss`` and the same with ``val_``, one value per epoch
    images : (n, 28, 28, 1), at least as many as ``probabilities`` has rows
    labels : (n,)
    probabilities : (m, classes), predictions for the first m images
    names : the class names
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "picture        not drawn, because matplotlib is not installed. Run pip install 'fastnn-kernels[plot]'."

    rows = -(-len(probabilities) // _COLUMNS)
    figure = Figure(figsize=(12, 3.6 + 1.5 * rows), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[3.6, 1.5 * rows])
    above, below = parts
    for axes, key in zip(above.subplots(1, 2), ("accuracy", "loss"), strict=True):
        epochs = range(1, len(history[key]) + 1)
        axes.plot(epochs, history[key], "o-", label="training")
        axes.plot(epochs, history[f"val_{key}"], "s--", label="validation")
        axes.set(xlabel="epoch", ylabel=key)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()

    cells = np.ravel(below.subplots(rows, _COLUMNS))
    for cell in cells:
        cell.axis("off")
    for cell, image, label, probability in zip(cells, images, labels, probabilities, strict=False):
        guess = int(np.argmax(probability))
        cell.imshow(image[..., 0], cmap="gray_r")
        right = guess == label
        title = f"{names[guess]} {probability[guess]:.0%}" if right else f"{names[guess]}, not\n{names[label]}"
        cell.set_title(title, fontsize=8, color="black" if right else "crimson")
    figure.savefig(path, dpi=120)
    return f"picture        {os.fspath(path)}"
