"""What ``compile`` was given, and the state of the optimizer, in Keras' words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import losses, metrics, optimizers
from ...user_warnings import warn
from .layout import weights_in_order
from .settings import read_value, write_value

__all__ = ["compile_again", "compile_entry", "optimizer_arrays", "restore_optimizer"]

_MOST = 1 << 20
"""Of thresholds or classes in a metric, whose arrays would not be bounded by the size of the file."""


def compile_entry(model: Any) -> dict[str, Any] | None:
    """What ``compile`` was given; None if it was not called.

    Raises
    ------
    ValueError
        For losses, metrics or settings that Keras cannot read.
    """
    if not model.compiled:
        return None
    given = model.objectives.given
    optimizer = write_value(model.optimizer, "compile(optimizer=...)", "optimizers")
    found = {"optimizer": optimizer}
    for name, package in (("loss", "losses"), ("metrics", "metrics"), ("weighted_metrics", "metrics")):
        found[name] = write_value(given[name], f"compile({name}=...)", package)
    return found | {
        "loss_weights": write_value(given["loss_weights"], "compile(loss_weights=...)"),
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": False,
    }


def compile_again(model: Any, saved: Any) -> None:
    """Compile a model as it was in Keras.

    Raises
    ------
    ValueError
        For an optimizer, loss or metric that is not known here.
    """
    try:
        given = _compiled(saved)
        model.compile(**given)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(
            f"It cannot be compiled as it was. {error} Use load_model(path, compile=False), and compile it again."
        ) from error


def _compiled(saved: dict[str, Any]) -> dict[str, Any]:
    optimizer = read_value(saved.get("optimizer", "rmsprop"), "compile(optimizer=...)", "optimizers")
    if isinstance(optimizer, dict):
        rate = optimizer["config"].get("learning_rate")
        if isinstance(rate, dict) and "class_name" not in rate:
            raise ValueError(f"compile(optimizer=...) has a learning rate that is not known here. Received: {rate!r}.")
    given = {"optimizer": optimizers.get(optimizer)}
    getters = (("loss", "losses", losses.get), ("metrics", "metrics", metrics.get))
    for name, package, get in (*getters, ("weighted_metrics", "metrics", metrics.get)):
        value = read_value(saved.get(name), f"compile({name}=...)", package)
        _refuse_large(value, name)
        given[name] = _objects(value, get)
    weights = saved.get("loss_weights")
    return given | {"loss_weights": weights}


def _refuse_large(value: Any, name: str) -> None:
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(part, (dict, list)):
            _refuse_large(part, name)
        elif isinstance(part, int) and part > _MOST:
            raise ValueError(f"compile({name}=...) has a number above {_MOST}. Received: {part}.")


def _objects(given: Any, get: Any) -> Any:
    """Descriptions of losses and metrics made into objects, wherever they occur."""
    if isinstance(given, dict):
        return get(given) if "class_name" in given else {name: _objects(part, get) for name, part in given.items()}
    return [_objects(part, get) for part in given] if isinstance(given, list) else given


# The optimizer.


def optimizer_arrays(model: Any) -> list[np.ndarray]:
    """The optimizer's state in the order of Keras: steps, learning rate, then its slots for each weight."""
    arrays = model.optimizer.variables_of(_trained(model, {}))
    return [arrays[0].astype("int64"), *arrays[1:]]


def _trained(model: Any, orders: Mapping[int, Any]) -> list[Any]:
    """The weights that the optimizer trains, in the order of Keras."""
    mine = {id(parameter) for parameter in model.optimizer.parameters}
    return [parameter for parameter in weights_in_order(model, orders) if id(parameter) in mine]


def restore_optimizer(model: Any, arrays: list[np.ndarray], orders: Mapping[int, Any]) -> None:
    """Give a compiled model's optimizer the state of a file; state of another optimizer is left out, with a warning."""
    model.ensure_ready([])
    model.trained_step()
    parameters = _trained(model, orders)
    expected = model.optimizer.variables_of(parameters)
    if [array.shape for array in arrays] != [array.shape for array in expected]:
        if len(arrays) > 2:  # before its first step an optimizer of Keras has no more than these
            warn(
                f"The optimizer starts afresh: its state in the file has {len(arrays)} arrays, and "
                f"{type(model.optimizer).__name__} of this model {len(expected)}, of other shapes or another order.",
            )
        return
    model.optimizer.set_variables(arrays, parameters)
