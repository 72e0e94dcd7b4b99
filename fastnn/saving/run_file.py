"""Files of runs: a model in the middle of ``fit``, with all state that another process needs to go on to the same bits.

Such a file describes no layers: the script that began the run makes the model again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import seeds
from .._version import __version__
from .container import read_file, write_file
from .paths import weight_paths
from .plain_data import from_plain, to_plain
from .state import optimizer_state, put_optimizer_state, random_state, restore_random, restore_states, states, stream_of

__all__ = ["Backup", "check_run", "read_run", "restore_run", "save_run"]

Backup = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays and header of a file."""


def save_run(path: str, model: Any, run: dict[str, Any]) -> None:
    """Write a compiled model and ``run``, plain data and arrays that say where its ``fit`` is."""
    weights = {name: p.value for name, p in weight_paths(model).items()}
    optimizer, slots = optimizer_state(model)
    own: dict[str, np.ndarray] = {}
    header = {
        "kind": "run",
        "fastnn_version": __version__,
        "weights": {name: list(array.shape) for name, array in weights.items()},
        "optimizer": optimizer,
        "rule": type(model.optimizer).__name__,
        "random": {"stream": list(stream_of(model).position()), "layers": random_state(model)},
        "run": to_plain(_without_arrays(run, own), "the state of fit", exact=True),
    }
    write_file(path, weights | slots | states(model) | own, header)


def read_run(path: str) -> Backup:
    """What ``save_run`` wrote.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is damaged, or not the file of a run.
    """
    arrays, header = read_file(path)
    if header.get("kind") != "run":
        raise ValueError(f'"{path}" is not the file of a run, but of kind {header.get("kind")!r}.')
    header["run"] = from_plain(_with_arrays(header["run"], arrays))
    return arrays, header


def check_run(model: Any, backup: Backup) -> None:
    """Refuse the run of another model.

    Raises
    ------
    ValueError
        If weights, optimizer or the layers that draw differ.
    """
    header = backup[1]
    optimizer, now = header["optimizer"] or {}, optimizer_state(model)[0] or {}
    pairs = (
        (header["weights"], {name: list(p.shape) for name, p in weight_paths(model).items()}, "the weights"),
        (header["rule"], type(model.optimizer).__name__, "the optimizer"),
        (sorted(optimizer.get("weights", ())), sorted(now.get("weights", ())), "the trained weights"),
        (sorted(optimizer.get("numbers", ())), sorted(now.get("numbers", ())), "the numbers of the optimizer"),
        (optimizer.get("slots", []), now.get("slots", []), "the arrays of the optimizer"),
        (sorted(header["random"]["layers"]), sorted(random_state(model)), "the layers that draw"),
    )
    for theirs, ours, what in pairs:
        if theirs != ours:
            raise ValueError(f"It has {what} {_beyond(theirs, ours)}. Received: {_beyond(ours, theirs)}.")


def restore_run(model: Any, backup: Backup) -> None:
    """Give a compiled model the weights and all state that ``save_run`` wrote."""
    arrays, header = backup
    for name, parameter in weight_paths(model).items():
        parameter.assign(arrays[name])
    restore_random(model, header["random"]["layers"])
    model.reset_state()
    restore_states(model, arrays)
    if header["optimizer"] is not None:
        put_optimizer_state(model, header["optimizer"], arrays)
    if model.random_stream is None:
        seeds.go_on_from(*header["random"]["stream"])
    else:
        model.random_stream = seeds.Stream(*header["random"]["stream"])


def _beyond(these: Any, those: Any) -> Any:
    """What of these is not among those, where they are dicts or lists."""
    if isinstance(these, dict):
        return {name: value for name, value in these.items() if those.get(name) != value}
    return [one for one in these if one not in those] if isinstance(these, list) else these


def _without_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value with names in place of its arrays of reals, which go into the file as arrays."""
    if isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float64):
        name = f"$run/{len(arrays)}"
        arrays[name] = value
        return {"$tensor": name}
    if isinstance(value, dict):
        return {key: _without_arrays(part, arrays) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without_arrays(part, arrays) for part in value)
    return value


def _with_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        return (
            arrays[value["$tensor"]] if "$tensor" in value else {k: _with_arrays(v, arrays) for k, v in value.items()}
        )
    return [_with_arrays(part, arrays) for part in value] if isinstance(value, list) else value
