"""The ``.keras`` file: a zip of ``metadata.json``, ``config.json`` and ``model.weights.h5``."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

__all__ = ["KERAS_VERSION", "read_archive", "read_json", "write_archive"]

KERAS_VERSION = "3.15.0"
"""The version of Keras whose format is written."""

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_GROWTH, _FLOOR = 8, 1 << 20
"""What is unpacked may be larger than the file by a small factor; Keras packs without compression."""


def read_archive(path: str, size: int) -> tuple[dict[str, Any], io.BytesIO]:
    """The config and the file of weights of an archive of this many bytes.

    Raises
    ------
    ValueError
        If it is not such an archive, or unpacks to much more than its size.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in (CONFIG, WEIGHTS):
            if names.count(name) != 1:
                raise ValueError(f"it holds {'no' if name not in names else 'two of'} {name}; its parts are {names}.")
        left = _GROWTH * size + _FLOOR
        parts = {}
        for name in (CONFIG, WEIGHTS):
            info = archive.getinfo(name)
            if info.file_size > left:
                raise ValueError(f"{name} unpacks to {info.file_size} bytes, from a file of {size}.")
            with archive.open(info) as part:
                parts[name] = part.read(left + 1)  # the directory may lie about the size
            left -= len(parts[name])
            if left < 0:
                raise ValueError(f"{name} unpacks to more than its stated size.")
    return read_json(parts[CONFIG], CONFIG), io.BytesIO(parts[WEIGHTS])


def read_json(text: str | bytes, name: str) -> dict[str, Any]:
    """A JSON object.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{name} does not describe a model: it is a {type(found).__name__}.")
    return found


def write_archive(path: str, config: dict[str, Any], write_weights: Callable[[Any], None]) -> None:
    """Write an archive; ``write_weights`` fills the file of weights."""
    weights = io.BytesIO()
    write_weights(weights)
    metadata = {"keras_version": KERAS_VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(METADATA, json.dumps(metadata))
        archive.writestr(CONFIG, json.dumps(config, allow_nan=False))
        archive.writestr(WEIGHTS, weights.getbuffer())
