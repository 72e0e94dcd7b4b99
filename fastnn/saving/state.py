"""State beside weights: the optimizer's arrays, the counters of random draws, the states that layers carry."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import losses, metrics, optimizers, seeds
from ..ops.random import SeedGenerator
from .paths import layer_paths, weight_paths
from .plain_data import from_plain, to_plain

__all__ = [
    "compile_again",
    "compiled_state",
    "optimizer_state",
    "put_optimizer_state",
    "random_state",
    "restore_optimizer",
    "restore_random",
    "restore_states",
    "states",
    "stream_of",
]

_GETTERS = {"loss": losses.get, "metrics": metrics.get, "weighted_metrics": metrics.get}


# What compile was given.


def compiled_state(model: Any) -> dict[str, Any] | None:
    """What ``compile`` was given, as plain data; None if it was not called."""
    if not model.compiled:
        return None
    given = {"optimizer": model.optimizer, **model.objectives.given, "fuse": model._fuse}
    return {name: to_plain(value, f"compile({name}=...)") for name, value in given.items()}


def compile_again(model: Any, saved: dict[str, Any]) -> None:
    """Compile a model as it was."""
    given = from_plain(saved)
    given["optimizer"] = optimizers.get(given["optimizer"])
    for name, get in _GETTERS.items():
        given[name] = _objects(given[name], get)
    model.compile(**given)


def _objects(given: Any, get: Any) -> Any:
    """Descriptions of losses and metrics made into objects, wherever they stand."""
    if isinstance(given, dict):
        return get(given) if "class_name" in given else {name: _objects(part, get) for name, part in given.items()}
    return [_objects(part, get) for part in given] if isinstance(given, list) else given


# The optimizer.


def optimizer_state(model: Any) -> tuple[dict[str, Any] | None, dict[str, np.ndarray]]:
    """Numbers for the header, and arrays by name, one for each weight and kind of state; None before the first step."""
    optimizer = model.optimizer
    names = {id(parameter): path for path, parameter in weight_paths(model).items()}
    if optimizer is None or not optimizer.built or any(id(p) not in names for p in optimizer.parameters):
        return None, {}
    state = optimizer.get_state()
    slots = [name for name, value in state.items() if isinstance(value, np.ndarray)]
    paths = [names[id(p)] for p in optimizer.parameters]
    header = {
        "slots": slots,
        "weights": paths,
        "numbers": to_plain({name: value for name, value in state.items() if name not in slots}, "the optimizer"),
        "excluded": [names[id(p)] for p in optimizer.excluded],
    }
    arrays = {
        f"$optimizer/{slot}/{path}": part
        for slot in slots
        for path, part in zip(paths, optimizer.split(state[slot]), strict=True)
    }
    return header, arrays


def restore_optimizer(model: Any, saved: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Give a compiled model's optimizer the state that was saved.

    Raises
    ------
    ValueError
        If it is the state of other weights.
    """
    if saved["excluded"]:
        parameters = weight_paths(model)
        model.optimizer.exclude_from_weight_decay(var_list=[parameters[path] for path in saved["excluded"]])
    model.ensure_ready([])
    model.trained_step()
    put_optimizer_state(model, saved, arrays)


def put_optimizer_state(model: Any, saved: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Give an optimizer that is built the state that was saved.

    Raises
    ------
    ValueError
        If it is the state of other weights.
    """
    optimizer, parameters = model.optimizer, weight_paths(model)
    names = {id(parameter): path for path, parameter in parameters.items()}
    trained = [names[id(p)] for p in optimizer.parameters]
    if sorted(trained) != sorted(saved["weights"]):
        raise ValueError(
            f"The optimizer's state belongs to the weights {saved['weights']}. Received: a model that trains {trained}."
        )
    state = from_plain(saved["numbers"]) | {slot: optimizer.state[slot].copy() for slot in saved["slots"]}
    for slot in saved["slots"]:
        for path, part in zip(trained, optimizer.split(state[slot]), strict=True):
            part[...] = _fitting(arrays[f"$optimizer/{slot}/{path}"], part, path)
    optimizer.set_state(state)


def _fitting(array: np.ndarray, wanted: np.ndarray, path: str) -> np.ndarray:
    if array.shape != wanted.shape:
        raise ValueError(f"State of {path!r} must have shape {wanted.shape}. Received: {array.shape}.")
    return array


# Random draws.


def stream_of(model: Any) -> seeds.Stream:
    """Where ``fit`` draws the order of the data: the model's own stream, or as far as the process has come."""
    return seeds.Stream() if model.random_stream is None else model.random_stream


def random_state(model: Any) -> dict[str, Any]:
    """The key and the counter of each layer that draws, and those of streams among its attributes."""
    found: dict[str, Any] = {}
    for path, layer in layer_paths(model).items():
        own = {name: vars(layer)[name] for name in ("key", "calls") if isinstance(vars(layer).get(name), int)}
        streams = {name: [s.key, s.calls] for name, s in vars(layer).items() if isinstance(s, SeedGenerator)}
        if own or streams:
            found[path] = own | ({"streams": streams} if streams else {})
    return found


def restore_random(model: Any, saved: dict[str, Any]) -> None:
    """Let layers draw on from where they were.

    Raises
    ------
    ValueError
        If there are other layers that draw.
    """
    layers, expected = layer_paths(model), random_state(model)
    if set(expected) != set(saved):
        raise ValueError(f"The layers that draw random numbers must be {sorted(expected)}. Received: {sorted(saved)}.")
    for path, numbers in saved.items():
        layer = layers[path]
        for name, value in numbers.get("streams", {}).items():
            if name in expected[path].get("streams", {}):
                getattr(layer, name).key, getattr(layer, name).calls = (_counter(number) for number in value)
        for name in ("key", "calls"):
            if name in numbers:
                setattr(layer, name, _counter(numbers[name]))


def _counter(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 64:
        raise ValueError(f"A counter must be an integer from 0 to 2**64 - 1. Received: {number!r}.")
    return number


# The states that stateful layers carry.


def states(model: Any) -> dict[str, np.ndarray]:
    """The states that stateful layers carry from batch to batch, by name."""
    return {
        f"$states/{path}/{i}": state
        for path, layer in layer_paths(model).items()
        if getattr(layer, "stateful", False)
        for i, state in enumerate(vars(layer).get("states") or ())
    }


def restore_states(model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Let stateful layers continue from the saved states."""
    for path, layer in layer_paths(model).items():
        found = []
        while (name := f"$states/{path}/{len(found)}") in arrays:
            found.append(arrays[name])
        if found:
            layer.reset_state(found)
