"""What a model's numbers mean: the columns that it reads, the classes that it tells apart; a file beside the model's.

``iris.safetensors``, ``iris.keras`` and ``iris.onnx`` all have ``iris.schema.json``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..saving.atomic import replace_file

__all__ = ["Schema", "read_schema", "schema_path", "write_schema"]

_VERSION = 1


@dataclass(frozen=True)
class Schema:
    """How the rows of a file become the inputs and targets of a model.

    Attributes
    ----------
    inputs : list of str
        Columns of a CSV file in the order of the model's inputs, or the one array of an NPZ file; none of an IDX file.
    target : str or None
        The column or array to learn.
    classes : list or None
        The value of the target for each class, by class number; None for a target of numbers.
    shift, scale : list of float
        Inputs are (x - shift) / scale; empty where they are taken as they are, one number for all, or one a column.
    """

    inputs: list[str]
    target: str | None = None
    classes: list[Any] | None = None
    shift: list[float] | None = None
    scale: list[float] | None = None

    def prepare(self, x: np.ndarray) -> np.ndarray:
        """Return the inputs (N, …) as float32, shifted and scaled."""
        if self.scale is None or self.shift is None:
            return x.astype(np.float32)
        return ((x - np.array(self.shift)) / np.array(self.scale)).astype(np.float32)


def schema_path(model: str) -> str:
    """Return the path of the schema of a model.

    Examples
    --------
    >>> schema_path("models/iris.safetensors")
    'models/iris.schema.json'
    """
    return f"{os.path.splitext(model)[0]}.schema.json"


def write_schema(model: str, schema: Schema) -> None:
    """Write the schema beside its model, whole or not at all."""
    text = json.dumps({"version": _VERSION, **asdict(schema)}, ensure_ascii=False, indent=1)
    replace_file(schema_path(model), _writer(text))


def _writer(text: str) -> Callable[[str], None]:
    def write(path: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    return write


def read_schema(model: str) -> Schema | None:
    """Read the schema beside a model; None if there is none.

    Raises
    ------
    ValueError
        If the file is damaged, or of a later version.
    """
    path = schema_path(model)
    try:
        with open(path, encoding="utf-8") as file:
            entry = json.load(file)
        version = entry.pop("version")
        if version == _VERSION:
            return _checked(Schema(**entry))
    except FileNotFoundError:
        return None
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not describe the data of a model: {error}. Use the file that fastnn train wrote."
        ) from None
    raise ValueError(f"{path} has version {version!r}, and this fastnn reads version {_VERSION}. Install a newer one.")


def _checked(schema: Schema) -> Schema:
    """Refuse fields of other types than those that ``write_schema`` writes."""
    for name, of in (("inputs", str), ("classes", (str, int, float)), ("shift", (int, float)), ("scale", (int, float))):
        value = getattr(schema, name)
        if not (value is None and name != "inputs") and not (
            isinstance(value, list) and all(isinstance(one, of) for one in value)
        ):
            raise ValueError(f"{name} must be a list. Received: {value!r:.80}")
    if not isinstance(schema.target, (str, type(None))):
        raise ValueError(f"target must be a name. Received: {schema.target!r:.80}")
    return schema
