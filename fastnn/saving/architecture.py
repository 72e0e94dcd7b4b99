"""Architectures: the layers of a model and their settings, without weights, as plain data, as JSON, as a new model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .. import custom
from ..layers.support.wrapper import described, made_from
from ..seeds import given_back
from .plain_data import from_plain, to_plain

__all__ = ["architecture", "clone_model", "model_from", "model_from_json", "to_json"]


def architecture(model: Any) -> dict[str, Any]:
    """Class, layers and settings of a model, as plain data.

    Raises
    ------
    NotImplementedError
        For a model that writes ``call``.
    ValueError
        For settings that cannot be written down.
    """
    if model.graph is None and model._traced:
        raise NotImplementedError(
            f'Model "{model.name}" ({type(model).__name__}) defines call, so only its code can recreate it. Use '
            "model.save_weights(path); then create the model from its code, call it once, and call "
            "model.load_weights(path)."
        )
    return to_plain(described(model), f'"{model.name}"')


def model_from(entry: dict[str, Any]) -> Any:
    """The new model that ``architecture`` described.

    Raises
    ------
    ValueError
        If it is not a model, or names an unknown class.
    """
    import fastnn  # models are on a higher level and register themselves as classes of layers; this loads them

    with given_back():
        model = made_from(from_plain(entry))
    if not isinstance(model, fastnn.Model):
        raise ValueError(f"A model file must describe a model. Received: a {type(model).__name__}.")
    return model


def to_json(model: Any, **options: Any) -> str:
    """The architecture of a model as JSON."""
    return json.dumps(architecture(model), **{"ensure_ascii": False, **options})


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """A new model, with new weights, from what ``model.to_json()`` gave.

    Parameters
    ----------
    json_string : str
    custom_objects : dict, optional
        Custom classes and functions by name.

    Raises
    ------
    ValueError
        If it is not such JSON, or names an unknown class or function.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> model_from_json(Sequential([Dense(3, input_shape=(2,))]).to_json()).count_params()
    9
    """
    try:
        entry = json.loads(json_string)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"This is not JSON: {error}. Received: {json_string!r:.80}. Use model.to_json().") from error
    if not isinstance(entry, dict) or "class_name" not in entry:
        raise ValueError(f"This JSON does not describe a model. Received: {json_string!r:.80}. Use model.to_json().")
    with custom.scope(custom_objects):
        return model_from(entry)


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Any = None,
    recursive: bool = False,
    **unknown: Any,
) -> Any:
    """A new model of new layers with the same settings and new weights; not compiled.

    Parameters
    ----------
    model : Model or Sequential
    input_tensors, call_function
        As in Keras, and not supported: None.
    clone_function : callable, optional
        Makes the new layer from one of the model's, in place of ``from_config(get_config())``.
    recursive : bool
        Whether ``clone_function`` is called for layers of models inside too.

    Raises
    ------
    NotImplementedError
        For a model that writes ``call``.
    ValueError
        For arguments that are not supported.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> model = Sequential([Dense(3, input_shape=(2,))])
    >>> bool((clone_model(model).get_weights()[0] == model.get_weights()[0]).all())
    False
    """
    for name, value in {"input_tensors": input_tensors, "call_function": call_function, **unknown}.items():
        if value is not None:
            raise ValueError(f"clone_model has no {name}. Received: {value!r}. Call the new model on the symbols.")
    if model.graph is None and model._traced:
        architecture(model)  # says why not
    with given_back():
        return made_from(_with_clones(model, clone_function, recursive))


def _with_clones(model: Any, clone: Callable[[Any], Any] | None, recursive: bool) -> dict[str, Any]:
    """The description of a model, with new layers in place of the descriptions of theirs."""
    entry = described(model)
    if clone is None:
        return entry
    by_name = {layer.name: layer for layer in model.layers}
    layers = []
    for part in entry["config"]["layers"]:
        layer = by_name.get(part["config"]["name"])
        if layer is None or part["class_name"] == "InputLayer":
            layers.append(part)
        elif recursive and getattr(layer, "graph", None) is not None:
            layers.append(_with_clones(layer, clone, recursive))
        else:
            layers.append(clone(layer))
    return {**entry, "config": {**entry["config"], "layers": layers}}
