"""``fastnn predict``: the answers of a trained model to the rows of a data file."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from typing import Any, TextIO

import numpy as np

from ..saving.atomic import replace_file
from .answer import print_json, say
from .data_files import find_inputs, separator_of
from .examples import read_examples
from .model_files import read_model
from .schema import Schema, read_schema

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Predict, and print the answers or write them to a file."""
    if options.output and not options.output.lower().endswith((".csv", ".npy")):
        raise ValueError(f"Predictions must be written to a .csv or .npy file. Received: {options.output}.")
    separator = separator_of(options.data, options.separator)
    schema = known_schema(options.model) or Schema(find_inputs(options.data, None, options.inputs, [], separator))
    model = read_model(options.model, options.custom)
    x, _ = read_examples(options.data, schema, model, separator, with_target=False)
    outputs = model.predict(x, batch_size=options.batch_size, verbose=0)
    if not isinstance(outputs, np.ndarray):
        raise ValueError(
            f"The model has outputs {model.output_names}, and the command line writes only one. Use model.predict in "
            "Python."
        )
    names, columns = _columns(schema, outputs, options.probabilities)
    if options.output:
        _write(options.output, outputs, names, columns)
        say(f"{len(outputs):,} predictions written to {options.output}.")
    if options.json:
        answer = {"examples": len(outputs), "predictions": columns[0] if schema.classes else outputs}
        if schema.classes:
            answer |= {"classes": schema.classes, "probabilities": outputs}
        print_json(answer | ({"output": options.output} if options.output else {}))
    elif not options.output:
        _rows(sys.stdout, names, columns)
    return 0


def known_schema(model: str) -> Schema | None:
    """The schema beside a model, with a word to the user if there is none."""
    schema = read_schema(model)
    if schema is None:
        say(f"{os.path.splitext(model)[0]}.schema.json was not found: columns are read in order, outputs are numbers.")
    return schema


def _columns(schema: Schema, outputs: np.ndarray, probabilities: bool) -> tuple[list[str], list[Any]]:
    """Names and columns: the class and its probability, or the numbers of the output."""
    name = schema.target or "output"
    if schema.classes is None or outputs.ndim != 2:
        flat = outputs.reshape(len(outputs), -1)
        return [name] if flat.shape[1] == 1 else [f"{name}_{i}" for i in range(flat.shape[1])], list(flat.T)
    each = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
    best = each.argmax(axis=1)
    names, columns = [name, "probability"], [[schema.classes[i] for i in best], each.max(axis=1)]
    if probabilities:
        names, columns = [*names, *map(str, schema.classes)], [*columns, *each.T]
    return names, columns


def _write(path: str, outputs: np.ndarray, names: list[str], columns: list[Any]) -> None:
    def write(beside: str) -> None:
        if path.lower().endswith(".npy"):
            with open(beside, "wb") as file:
                np.save(file, outputs)
        else:
            with open(beside, "w", newline="", encoding="utf-8") as file:
                _rows(file, names, columns)

    replace_file(path, write)


def _rows(file: TextIO, names: list[str], columns: list[Any]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in zip(*columns, strict=True):
        writer.writerow([f"{value:.6g}" if isinstance(value, np.floating) else value for value in row])
