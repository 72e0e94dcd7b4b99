"""Files of models: architecture, weights, what compile was given, and all state, so that training goes on."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import custom, seeds
from .._version import __version__
from ..layers.support.unfilled import unfilled
from .architecture import architecture, model_from
from .container import check_path, read_file, write_file
from .formats import format_of
from .paths import weight_paths
from .state import (
    compile_again,
    compiled_state,
    optimizer_state,
    random_state,
    restore_optimizer,
    restore_random,
    restore_states,
    states,
    stream_of,
)

__all__ = ["load_model", "refuse_overwriting", "save_model"]


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None, include_optimizer: bool = True
) -> None:
    """Write a model to one file; ``model.save`` says more."""
    path = check_path(filepath, "save")
    refuse_overwriting(path, overwrite)
    other = format_of(path)
    if other is not None:
        other.save_model(model, path, include_optimizer)
        return
    weights = {name: p.value for name, p in weight_paths(model).items()}
    trains = getattr(model.optimizer, "built", False)
    # After freezing layers, users compile again, as the loaded model does: that optimizer starts afresh.
    settled = trains and {id(p) for p in model.optimizer.parameters} == {id(p) for p in model.trainable_weights}
    optimizer, slots = optimizer_state(model) if include_optimizer and settled else (None, {})
    header = {
        "kind": "model",
        "fastnn_version": __version__,
        "architecture": architecture(model),
        "weights": list(weights),
        "compile": compiled_state(model),
        "optimizer": optimizer,
        "random": {"stream": list(stream_of(model).position()), "layers": random_state(model)},
    }
    write_file(path, weights | slots | states(model), header)


def refuse_overwriting(path: str, overwrite: bool) -> None:
    """Raise if the file is there and may not be replaced."""
    if not overwrite and os.path.exists(path):
        raise FileExistsError(
            f'"{path}" exists already. Received: overwrite=False. Use overwrite=True, or another name.'
        )


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that ``model.save`` wrote, or Keras, compiled as it was, with its weights and all state.

    ``fit`` goes on to the bits of the training that was not interrupted, the order of the data included, unless
    ``set_random_seed`` is called in between.  No code from the file is run.

    Parameters
    ----------
    filepath : path
        Of a file of this package, or of Keras: one that ends in ``.keras`` or ``.h5``.
    custom_objects : dict, optional
        Classes and functions of the user's own by name; those that are registered are known.
    compile : bool
        False leaves the model as it is before ``compile``.
    safe_mode : bool
        Accepted as Keras does; a file holds no code.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is damaged or of another format, or names a class or function that is not known.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> model = Sequential([Dense(3, input_shape=(2,))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(os.path.join(folder, "m.safetensors"))
    ...     again = load_model(os.path.join(folder, "m.safetensors"))
    >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
    True
    """
    path = check_path(filepath, "load_model")
    other = format_of(path)
    with custom.scope(custom_objects):
        return _load(path, compile) if other is None else other.load_model(path, compile, safe_mode)


def _load(path: str, compile: bool) -> Any:
    arrays, header = read_file(path)
    if header.get("kind") != "model":
        raise ValueError(
            f'"{path}" holds only weights. Create the model from its code, and call model.load_weights("{path}").'
        )
    try:
        return _loaded(arrays, header, os.path.getsize(path), compile)
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f'"{path}" cannot be read as a model. {error}') from error


def _loaded(arrays: dict[str, np.ndarray], header: dict[str, Any], size: int, compile: bool) -> Any:
    with unfilled(size):
        model = model_from(header["architecture"])
    parameters = weight_paths(model)
    if set(parameters) != set(header["weights"]):
        lacking, beyond = set(parameters) - set(header["weights"]), set(header["weights"]) - set(parameters)
        raise ValueError(f"Its weights do not match its layers: {sorted(lacking | beyond)}.")
    for name, parameter in parameters.items():
        parameter.assign(arrays[name])
    restore_random(model, header["random"]["layers"])
    restore_states(model, arrays)
    model.random_stream = seeds.Stream(*header["random"]["stream"])
    if compile and header["compile"] is not None:
        compile_again(model, header["compile"])
        if header["optimizer"] is not None:
            restore_optimizer(model, header["optimizer"], arrays)
    return model
