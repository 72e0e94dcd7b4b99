"""Estimators in pickles: their models go in as the bytes of safetensors files, and come out with all state."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from ...models import Model, load_model, model_from_json

__all__ = ["packed", "unpacked"]

_FILE = "model.safetensors"


def packed(state: Any) -> dict[str, Any]:
    """The state of an estimator with plain data in place of models: the fitted one, and the one that was given."""
    fitted, given = state.get("model_"), state.get("model")
    if isinstance(fitted, Model):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, _FILE)
            fitted.save(path)
            with open(path, "rb") as file:
                state = state | {"model_": file.read()}
    if isinstance(given, Model):
        state = state | {"model": given.to_json()}
    return state


def unpacked(state: dict[str, Any]) -> dict[str, Any]:
    """What ``packed`` was given."""
    if isinstance(state.get("model_"), bytes):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, _FILE)
            with open(path, "wb") as file:
                file.write(state["model_"])
            fitted = load_model(path, custom_objects=_functions(state))
        fitted.random_stream = None  # the estimator holds the stream that training continues from
        state = state | {"model_": fitted}
    if isinstance(state.get("model"), str):
        state = state | {"model": model_from_json(state["model"])}
    return state


def _functions(state: dict[str, Any]) -> dict[str, Any]:
    """Losses, metrics and activations that were given as custom functions or classes, by name."""
    metrics = state.get("metrics")
    given = [state.get("loss"), state.get("activation"), *(metrics if isinstance(metrics, (list, tuple)) else ())]
    return {name: thing for thing in given if callable(thing) and (name := getattr(thing, "__name__", None))}
