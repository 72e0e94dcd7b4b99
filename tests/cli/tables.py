"""Small data files for the tests of the command line."""

import csv
import json
from pathlib import Path

import numpy as np

MLP = [
    {"Dense": {"units": 16, "activation": "relu"}},
    {"Dropout": {"rate": 0.1}},
    {"Dense": {"units": 3, "activation": "softmax"}},
]
NAMES = ["red, dark", "green", "blau"]


def flowers(path: Path, count: int = 90, seed: int = 0) -> np.ndarray:
    """Write a CSV file of three classes that lie apart, sorted by class; return the numbers of the classes."""
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.integers(0, 3, count))
    x = rng.normal(size=(count, 3)) * 0.3 + np.array([[0, 0, 100], [3, 0, 100], [0, 3, 100]])[labels]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["width", "length", "height", "colour"])
        writer.writerows([*map(repr, map(float, row)), NAMES[label]] for row, label in zip(x, labels, strict=True))
    return labels


def model(path: Path, layers=MLP) -> str:
    """Write the description of a model as JSON."""
    path.write_text(json.dumps(layers))
    return str(path)
