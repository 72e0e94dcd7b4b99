"""Examples for a model: inputs in its shape and targets as its loss takes them, from a data file and a schema."""

from __future__ import annotations

from typing import Any

import numpy as np

from .data_files import read_inputs, read_target
from .objective import as_classes
from .schema import Schema

__all__ = ["fitted", "read_examples", "read_pairs", "target_name"]


def read_examples(
    path: str, schema: Schema, model: Any, separator: str, *, with_target: bool = True
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return inputs and targets.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it lacks a column, holds a value that is not a number, or does not fit the model.
    """
    if not with_target:
        return fitted(path, schema.prepare(read_inputs(path, schema.inputs, separator)), model), None
    x, y = read_pairs(path, schema.inputs, schema.target, separator)
    y = y if schema.classes is None else as_classes(y, schema.classes, target_name(schema.target))
    return fitted(path, schema.prepare(x), model), y


def read_pairs(path: str, inputs: list[str], target: str | None, separator: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs and targets of a file, unscaled.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it lacks a column, holds a value that is not a number, or does not have a target for each example.
    """
    y = read_target(path, target, separator)
    x = read_inputs(path, inputs, separator)
    if len(y) != len(x):
        raise ValueError(f"{path}: each example must have a target. Received: {len(x)} examples and {len(y)} targets.")
    return x, y


def fitted(path: str, x: np.ndarray, model: Any) -> np.ndarray:
    """Return the inputs in the shape of the model's input, where they have as many numbers.

    Raises
    ------
    ValueError
        If they have not, or the model has several inputs.
    """
    if isinstance(model.input_shape, (list, dict)):
        raise ValueError(
            f"The command line gives a model one input. Received: a model with inputs {model.input_names}. Use "
            "model.fit and model.predict in Python."
        )
    wanted = tuple(model.input_shape[1:]) if model.input_shape is not None else x.shape[1:]
    if None in wanted:
        return x
    if np.prod(wanted) != np.prod(x.shape[1:]):
        raise ValueError(
            f"{path}: an example has the shape {x.shape[1:]}, and the model reads {wanted}. Use a model whose input "
            "has this shape, or choose columns with --inputs or --drop."
        )
    return x.reshape(len(x), *wanted)


def target_name(name: str | None) -> str:
    """Return what messages call a target."""
    return "y" if name is None else repr(name)
