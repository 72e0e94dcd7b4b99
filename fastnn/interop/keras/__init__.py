"""Files of Keras: ``.keras`` and ``.weights.h5``, both ways, and ``.h5`` of Keras 2 to read.

``model.save``, ``load_model``, ``save_weights`` and ``load_weights`` come here for paths with these endings
(``saving/formats.py``).  Needs h5py.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from typing import Any

from ... import extras
from ...layers.support.unfilled import unfilled
from ...saving.atomic import replace_file
from ...saving.misfits import require_built
from ...user_warnings import warn
from .archive import read_archive, read_json, write_archive
from .compiling import compile_again, compile_entry, optimizer_arrays, restore_optimizer
from .hdf5 import Hdf5File, opened, written
from .models import Reader
from .weights import fill, legacy_weights, placed_weights, weight_groups
from .writing import model_entry

__all__ = ["from_keras", "load_model", "load_weights", "save_model", "save_weights", "to_keras"]

_ARCHIVE = ".keras"


def save_model(model: Any, path: str, include_optimizer: bool = True) -> None:
    """Write a model as a ``.keras`` file.

    Raises
    ------
    ValueError
        For a path with another ending, and for layers or settings that Keras does not have.
    NotImplementedError
        For a model that writes ``call``.
    """
    if not path.lower().endswith(_ARCHIVE):
        raise ValueError(
            f'Models of Keras are written as .keras; .h5 is the format of Keras 2, which is read. Received: "{path}". '
            f'Use "{os.path.splitext(path)[0]}.keras", or model.save_weights("name.weights.h5").'
        )
    require_built(model, "save")
    extras.library("h5py", "keras", "A file of Keras")
    config = model_entry(model)
    compiled = compile_entry(model)
    groups = weight_groups(model)
    if compiled is not None:
        config["compile_config"] = compiled
        if include_optimizer and model.optimizer.built:
            groups["optimizer"] = (model.optimizer.name, optimizer_arrays(model))
    replace_file(path, lambda beside: write_archive(beside, config, lambda target: written(target, groups)))


def load_model(path: str, compile: bool = True, safe_mode: bool = True) -> Any:
    """The model of a ``.keras`` file, or of an ``.h5`` file of Keras 2, compiled as it was, with its weights.

    No code of the file is run, whatever ``safe_mode`` says.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is damaged, holds weights alone, or a model that cannot be made here.
    """
    _require_file(path)
    return _reading(path, "made into a model", lambda: _model_of(path, compile))


def _model_of(path: str, compile: bool) -> Any:
    size = os.path.getsize(path)
    if not zipfile.is_zipfile(path):
        with opened(path, size) as file:
            return _legacy_model(file, path, compile)
    config, weights = read_archive(path, size)
    size = weights.getbuffer().nbytes
    reader = Reader()
    with unfilled(size):
        model = reader.model(config)
    with opened(weights, size) as file:
        fill(file, model, *placed_weights(file, model, reader.orders))
        compiled = config.get("compile_config")
        if compile and isinstance(compiled, dict) and compiled:
            compile_again(model, compiled)
            arrays = file.arrays("optimizer/vars")
            numbered = [arrays[str(i)] for i in range(len(arrays)) if str(i) in arrays]
            if model.built and numbered:
                restore_optimizer(model, [file.numbers(one) for one in numbered], reader.orders)
    return model


def _legacy_model(file: Hdf5File, path: str, compile: bool) -> Any:
    text = file.text(file.file, "model_config")
    if text is None:
        raise ValueError(
            f'it holds only weights. Create the model from its code, and call model.load_weights("{path}").'
        )
    with unfilled(file.size):
        model = Reader().model(read_json(text, "model_config"))
    fill(file, model, *legacy_weights(file, model))
    training = file.text(file.file, "training_config")
    if compile and training is not None:
        saved = read_json(training, "training_config")
        optimizer = saved.pop("optimizer_config", "rmsprop")
        compile_again(model, saved | {"optimizer": optimizer})
        if file.group("optimizer_weights") is not None:
            warn(
                f'The optimizer starts afresh: the state that Keras 2 keeps of it in "{path}" is not read. Load the '
                "file with Keras 3 and save it as .keras to keep it, or use compile=False.",
            )
    return model


def save_weights(model: Any, path: str) -> None:
    """Write the weights of a model as a ``.weights.h5`` file.

    Raises
    ------
    ValueError
        For a path with another ending, as in Keras, or a model that is not built.
    """
    if not path.lower().endswith(".weights.h5"):
        stem = os.path.splitext(path)[0]
        raise ValueError(
            f'Weights of Keras go into a file that ends in .weights.h5. Received: "{path}". Use "{stem}.weights.h5".'
        )
    require_built(model, "save_weights")
    extras.library("h5py", "keras", "A file of Keras")
    groups = weight_groups(model)
    replace_file(path, lambda beside: written(beside, groups))


def load_weights(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Read the weights of a model from a ``.weights.h5`` or ``.keras`` file, or an ``.h5`` file of Keras 2.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is damaged, or holds other weights; nothing is written then.
    """
    _require_file(path)
    require_built(model, "load_weights")
    _reading(path, "read into the model", lambda: _weights_of(model, path, skip_mismatch))


def _weights_of(model: Any, path: str, skip_mismatch: bool) -> None:
    source: Any = path
    size = os.path.getsize(path)
    if zipfile.is_zipfile(path):
        source = read_archive(path, size)[1]
        size = source.getbuffer().nbytes
    with opened(source, size) as file:
        old = "layer_names" in file.file.attrs or file.group("model_weights") is not None
        found = legacy_weights(file, model) if old else placed_weights(file, model)
        fill(file, model, *found, skip_mismatch)


def _reading(path: str, what: str, read: Callable[[], Any]) -> Any:
    """Run ``read``, whose errors are those of the file."""
    try:
        return read()
    except (MemoryError, ImportError):
        raise
    except Exception as error:
        reason = "it is nested too deeply." if isinstance(error, RecursionError) else error
        raise ValueError(f'"{path}" cannot be {what}: {reason}') from error


def _require_file(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(f'The file "{path}" does not exist.')
    if os.path.isdir(path):
        raise IsADirectoryError(f'"{path}" is a folder. Use the path of a file in it.')
    with open(path, "rb"):  # report why it cannot be read
        pass


def from_keras(model: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The model that a Keras model in memory is, with its weights and what ``compile`` was given.

    Parameters
    ----------
    model : keras.Model
    custom_objects : dict, optional
        Custom classes and functions by name.
    compile : bool
        False leaves optimizer, loss and metrics out.

    Raises
    ------
    ValueError
        For layers that are not known here.
    """
    from ...saving import load_model as load

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        return load(path, custom_objects, compile)


def to_keras(model: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The Keras model that a model is, with its weights and what ``compile`` was given.

    Parameters
    ----------
    model : Model
    custom_objects : dict, optional
        Classes and functions for Keras by name.
    compile : bool
        False leaves optimizer, loss and metrics out.

    Raises
    ------
    ImportError
        If Keras is not installed.
    ValueError
        For layers that Keras does not have.
    """
    saving = extras.library("keras.saving", "keras", "to_keras")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        save_model(model, path)
        return saving.load_model(path, custom_objects=custom_objects, compile=compile)
