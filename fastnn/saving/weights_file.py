"""Files of weights alone, each under its path."""

from __future__ import annotations

from typing import Any

from .._version import __version__
from .container import check_path, read_file, write_file
from .formats import format_of
from .misfits import refuse_misfits, require_built
from .model_file import refuse_overwriting
from .paths import weight_paths

__all__ = ["load_weights", "save_weights"]


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights of a model; ``model.save_weights`` says more."""
    path = check_path(filepath, "save_weights")
    refuse_overwriting(path, overwrite)
    other = format_of(path)
    if other is not None:
        other.save_weights(model, path)
        return
    require_built(model, "save_weights")
    weights = {name: p.value for name, p in weight_paths(model).items()}
    write_file(path, weights, {"kind": "weights", "fastnn_version": __version__, "weights": list(weights)})


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read the weights of a model; ``model.load_weights`` says more."""
    path = check_path(filepath, "load_weights")
    other = format_of(path)
    if other is not None:
        other.load_weights(model, path, skip_mismatch)
        return
    require_built(model, "load_weights")
    arrays, header = read_file(path)
    saved, mine = {name: arrays.get(name) for name in header["weights"]}, weight_paths(model)
    refuse_misfits(
        model,
        f'The weights of "{path}"',
        (name for name in mine if saved.get(name) is None),
        (name for name in saved if name not in mine),
        ((name, mine[name].shape, array.shape) for name, array in saved.items() if array is not None and name in mine),
        skip_mismatch,
    )
    for name, parameter in mine.items():
        array = saved.get(name)
        if array is not None and array.shape == parameter.shape:
            parameter.assign(array)
