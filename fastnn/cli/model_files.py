"""Models from files: trained ones by their suffix, and descriptions in JSON, YAML or Python."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

from .. import models
from ..custom import scope
from ..extras import library

__all__ = ["DESCRIBED", "TRAINED", "own_names", "read_model", "write_model"]

TRAINED = (".safetensors", ".keras", ".h5", ".onnx")
DESCRIBED = (".json", ".yaml", ".yml", ".py")


def read_model(path: str, custom: str | None = None) -> Any:
    """Load a trained model, or make a new one from a description.

    Parameters
    ----------
    path : str
        A file of a model (``TRAINED``) or a description (``DESCRIBED``): JSON or YAML as ``model.to_json()`` writes it,
        or a list of layers, each its name or its name with settings; or a Python file that defines ``model`` or
        ``build()``.
    custom : str, optional
        A Python file with custom classes and functions.

    Raises
    ------
    ImportError
        If the format needs a library that is not installed.
    OSError
        If the file cannot be read.
    ValueError
        If the suffix is not known, or the file does not hold a model.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.json"
    >>> _ = path.write_text('[{"Dense": {"units": 8, "activation": "relu"}}, {"Dense": {"units": 3}}]')
    >>> [layer.units for layer in read_model(str(path)).layers]
    [8, 3]
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in TRAINED + DESCRIBED:
        raise ValueError(
            f"A model file must end in {', '.join(TRAINED + DESCRIBED)}. Received: {path}. Use one of these."
        )
    if not os.path.exists(path):
        raise FileNotFoundError(f"The file {path} does not exist.")
    with scope(own_names(custom)):
        if suffix == ".onnx":
            from ..interop import import_onnx

            return import_onnx(path)
        if suffix in TRAINED:
            return models.load_model(path)
        return _from_python(path) if suffix == ".py" else _from_description(path, suffix)


def write_model(model: Any, path: str) -> None:
    """Write a model in the format of its suffix.

    Raises
    ------
    ImportError
        If the format needs a library that is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If the suffix is not one that is written, or the model cannot be written in the format.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".onnx":
        from ..interop import export_onnx

        export_onnx(model, path)
    elif suffix == ".json":
        text = model.to_json(indent=1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif suffix in (".safetensors", ".keras"):
        model.save(path)
    else:
        raise ValueError(
            "Model files must end in .safetensors, .keras, .onnx, or .json for the layers without weights. Received: "
            f"{path}. Use one of these."
        )


def own_names(path: str | None) -> dict[str, Any]:
    """Run a Python file and return the classes and functions that it defines, by name; none without a file."""
    if path is None:
        return {}
    return {name: value for name, value in _run(path).items() if callable(value) and not name.startswith("_")}


def _from_description(path: str, suffix: str) -> Any:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    entry = _parsed(path, text, suffix)
    if isinstance(entry, list):
        entry = {"class_name": "Sequential", "config": {"layers": [_layer(path, one) for one in entry]}}
    if not isinstance(entry, dict) or "class_name" not in entry:
        raise ValueError(
            f'{path} does not describe a model. Use a list of layers, as in ["Flatten", {{"Dense": {{"units": 10}}}}], '
            "or what model.to_json() gives."
        )
    try:
        return models.model_from_json(json.dumps(entry))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _parsed(path: str, text: str, suffix: str) -> Any:
    if suffix == ".json":
        try:
            return json.loads(text)
        except (RecursionError, ValueError) as error:
            raise ValueError(f"{path} is not JSON: {error}.") from None
    yaml = library("yaml", "yaml", "A model in YAML")
    try:
        return yaml.safe_load(text)
    except (RecursionError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is not YAML: {error}.") from None


def _layer(path: str, entry: Any) -> dict[str, Any]:
    """The description of a layer, from its name, its name with settings, or what ``model.to_json()`` writes."""
    if isinstance(entry, str):
        return {"class_name": entry, "config": {}}
    if isinstance(entry, dict):
        if "class_name" in entry:
            return entry
        if len(entry) == 1:
            [(name, settings)] = entry.items()
            if isinstance(name, str) and isinstance(settings, (dict, type(None))):
                return {"class_name": name, "config": settings or {}}
    raise ValueError(
        f'{path}: a layer must be its name, or its name with its settings, as in {{"Dense": {{"units": 10}}}}. '
        f"Received: {entry!r:.80}."
    )


def _from_python(path: str) -> Any:
    names = _run(path)
    if isinstance(names.get("model"), models.Model):
        return names["model"]
    if not callable(names.get("build")):
        raise ValueError(f"{path} does not define a model. Write model = ..., or a function build() that returns one.")
    model = _guarded(path, names["build"])
    if not isinstance(model, models.Model):
        raise ValueError(f"build() of {path} must return a model. Received: {type(model).__name__}.")
    return model


def _run(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        source = file.read()
    names: dict[str, Any] = {"__name__": "fastnn_model", "__file__": path}
    _guarded(path, lambda: exec(compile(source, path, "exec"), names))
    return names


def _guarded(path: str, call: Callable[[], Any]) -> Any:
    """Call what a Python file defines; its errors become one line that says where in the file."""
    try:
        return call()
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        where = path if line is None else f"{path}, line {line}"
        raise ValueError(f"{where}: {type(error).__name__}: {error}") from error
