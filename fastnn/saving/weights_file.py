"""Files of weights alone, each under its path."""

from __future__ import annotations

import warnings
from typing import Any

from .._version import __version__
from .container import check_path, read_file, write_file
from .formats import format_of
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
    _require_built(model, "save_weights")
    weights = {name: p.value for name, p in weight_paths(model).items()}
    write_file(path, weights, {"kind": "weights", "fastnn_version": __version__, "weights": list(weights)})


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read the weights of a model; ``model.load_weights`` says more."""
    path = check_path(filepath, "load_weights")
    other = format_of(path)
    if other is not None:
        other.load_weights(model, path, skip_mismatch)
        return
    _require_built(model, "load_weights")
    arrays, header = read_file(path)
    saved, mine = {name: arrays.get(name) for name in header["weights"]}, weight_paths(model)
    wrong = [f"{name}: the file does not hold it" for name in mine if saved.get(name) is None]
    wrong += [f"{name}: the model has no such weight" for name in saved if name not in mine]
    wrong += [
        f"{name}: shape {mine[name].shape} in the model, {array.shape} in the file"
        for name, array in saved.items()
        if array is not None and name in mine and array.shape != mine[name].shape
    ]
    if wrong and not skip_mismatch:
        raise ValueError(
            f'The weights of "{path}" are not those of model "{model.name}". Received: {"; ".join(wrong[:8])}'
            + (f"; and {len(wrong) - 8} more" if len(wrong) > 8 else "")
            + ". Use the code that made the model which was saved, or skip_mismatch=True to leave these as they are."
        )
    if wrong:
        warnings.warn(f"These weights stay as they are. {'; '.join(wrong)}.", stacklevel=3)
    for name, parameter in mine.items():
        if saved.get(name) is not None and saved[name].shape == parameter.shape:
            parameter.assign(saved[name])


def _require_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f'Model "{model.name}" has no weights yet, so {what} has nothing to do. Call it once, model(x), or '
            "model.build(input_shape)."
        )
