"""State dicts of PyTorch: the weights of a model in its names and layouts, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...data.foreign import is_arraylike, to_array
from .forms import COUNTER
from .parts import Part, parts_of_model

__all__ = ["load_torch_state_dict", "to_torch_state_dict"]

Place = tuple[str, int]
"""A module by its prefix, and which of its stacked layers."""

_STACKED = re.compile(r"((?:weight|bias)_(?:ih|hh)_l)(\d+)(_reverse)?")


def to_torch_state_dict(
    model: Any, names: Mapping[str, Any] | None = None, like: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """The weights of a model as a state dict of PyTorch: NumPy arrays by PyTorch's names, in PyTorch's layouts.

    Parameters
    ----------
    model : Model
    names : dict of str, optional
        The prefix in PyTorch for names of layers, ``{"dense": "head"}``; a layer of a stacked module is a pair,
        ``("rnn", 1)``. Layers that are left out keep their own names.
    like : state dict, or list of its keys, optional
        Whose names to take, module by module in order.

    Returns
    -------
    dict of array
        ``module.load_state_dict({k: torch.from_numpy(v) for k, v in result.items()})`` reads it.

    Raises
    ------
    ValueError
        If the model is not built, a layer has no counterpart in PyTorch, or ``like`` has other modules.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import LSTM, Dense
    >>> model = Sequential([LSTM(3, input_shape=(7, 2), name="reader"), Dense(1, name="head")])
    >>> {key: array.shape for key, array in to_torch_state_dict(model).items() if "bias" not in key}
    {'reader.weight_ih_l0': (12, 2), 'reader.weight_hh_l0': (12, 3), 'head.weight': (1, 3)}
    """
    parts = _parts(model, "to_torch_state_dict")
    if like is None:
        places = _named(parts, names)
    else:
        if names is not None:
            raise ValueError("Use names or like, not both. Received: both.")
        groups = _grouped(dict.fromkeys(like))
        places = _in_order(parts, {place: set(group) for place, group in groups.items()}, "like")
    written = {
        _key(place, leaf): np.ascontiguousarray(array)
        for part, place in zip(parts, places, strict=True)
        for leaf, array in part.write().items()
    }
    return written if like is None else {key: written[key] for key in like}


def load_torch_state_dict(model: Any, state_dict: Any, names: Mapping[str, Any] | None = None) -> None:
    """Set the weights of a model from a state dict of PyTorch.

    Modules are found by the names of the layers, if the state dict has all of these; otherwise they are taken in the
    order of the dict. Nothing changes if a name or a shape does not fit.

    Parameters
    ----------
    model : Model
        Built.
    state_dict : dict of array or tensor, or path of a safetensors file
    names : dict of str, optional
        The prefix in PyTorch for names of layers; see ``to_torch_state_dict``.

    Raises
    ------
    TypeError
        If it is not a dict of arrays.
    ValueError
        If the model is not built, names or shapes do not fit, or it is a pickle: these run code when they are opened.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> load_torch_state_dict(model, {"fc.weight": np.array([[1.0, 2.0]]), "fc.bias": np.array([3.0])})
    >>> model.predict(np.ones((1, 2)), verbose=0).tolist()
    [[6.0]]
    """
    parts = _parts(model, "load_torch_state_dict")
    groups = _grouped(_read(state_dict))
    from_file = isinstance(state_dict, (str, os.PathLike))
    if names is not None or all(place in groups for place in _named(parts, None)):
        places = _named(parts, names)
    else:
        if from_file:
            groups = _sorted(groups, [part.name for part in parts])
        places = _in_order(parts, {place: set(group) for place, group in groups.items()}, "state_dict")
    spare = [_key(place, leaf) for place in groups if place not in places for leaf in groups[place]]
    missing = [part.name for part, place in zip(parts, places, strict=True) if place not in groups]
    if spare or missing:
        raise ValueError(
            f'The state dict and model "{model.name}" must have the same modules. Received: '
            + "; ".join(
                ([f"no arrays for the layers {missing}"] if missing else [])
                + ([f"no layer for {spare[:8]}"] if spare else [])
            )
            + '. Use names={"layer": "prefix in PyTorch"} for layers of other names, and leave out other arrays.'
        )
    found = [(part, part.read(_checked(part, place, groups[place]))) for part, place in zip(parts, places, strict=True)]
    with model._lock:
        for part, values in found:
            for parameter, value in zip(part.parameters, values, strict=True):
                parameter.assign(value)


def _parts(model: Any, what: str) -> list[Part]:
    if not getattr(model, "built", False):
        raise ValueError(f"{what} needs a built model. Call model.build(input_shape), or model(x) on a batch, first.")
    parts = parts_of_model(model)
    names = [part.name for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"The layers with weights must have names of their own. Received: {twice} twice.")
    return parts


# Names.


def _named(parts: list[Part], names: Mapping[str, Any] | None) -> list[Place]:
    """The places of parts by their names."""
    unknown = sorted(set(names or ()) - {part.name for part in parts})
    if unknown:
        raise ValueError(f"names must name layers with weights, {[part.name for part in parts]}. Received: {unknown}.")
    return [_place(part, (names or {}).get(part.name, part.name)) for part in parts]


def _place(part: Part, name: Any) -> Place:
    if isinstance(name, tuple):
        return name[0], int(name[1])
    stacked = re.fullmatch(r"(.+)_l(\d+)", name) if part.form.stacks else None
    return (stacked[1], int(stacked[2])) if stacked else (name, 0)


def _in_order(parts: list[Part], groups: Mapping[Place, set[str]], what: str) -> list[Place]:
    """The places of parts by their order."""
    if len(parts) != len(groups):
        raise ValueError(
            f"The modules of {what} and the layers with weights must pair up in order. Received: "
            f"{len(groups)} modules, {[_key(place, '').rstrip('.') for place in groups]}, and {len(parts)} layers, "
            f'{[part.name for part in parts]}. Use names={{"layer": "prefix in PyTorch"}}.'
        )
    for part, (place, leaves) in zip(parts, groups.items(), strict=True):
        expected = set(part.write())
        if leaves - {COUNTER} != expected - {COUNTER}:
            raise ValueError(
                f'Layer "{part.name}" pairs up with {_key(place, "").rstrip(".")!r} of {what}, in order, and needs '
                f'{sorted(expected)}. Received: {sorted(leaves)}. Use names={{"layer": "prefix in PyTorch"}}.'
            )
    return list(groups)


def _sorted(groups: Mapping[Place, dict[str, Any]], names: list[str]) -> dict[Place, dict[str, Any]]:
    """The groups of a file, which lists its arrays by name: only numbers give their order back."""
    if not all(re.fullmatch(r"\d+(\.\d+)*", prefix) for prefix, _ in groups):
        raise ValueError(
            f"A safetensors file keeps no order of its arrays, and its modules {sorted({p for p, _ in groups})} are "
            f'not the layers {names}. Use names={{"layer": "prefix in PyTorch"}}.'
        )
    return {place: groups[place] for place in sorted(groups, key=lambda p: ([*map(int, p[0].split("."))], p[1]))}


def _grouped(state_dict: Mapping[str, Any]) -> dict[Place, dict[str, Any]]:
    """The arrays of each module, by their names in it as if it had one layer."""
    groups: dict[Place, dict[str, Any]] = {}
    for key, value in state_dict.items():
        prefix, _, leaf = key.rpartition(".")
        stacked = _STACKED.fullmatch(leaf)
        outer = prefix.rpartition(".")[0]
        if stacked:
            place, leaf = (prefix, int(stacked[2])), f"{stacked[1]}0{stacked[3] or ''}"
        elif prefix.rpartition(".")[2] == "out_proj" and (outer, 0) in groups:  # of attention
            place, leaf = (outer, 0), f"out_proj.{leaf}"
        else:
            place = (prefix, 0)
        groups.setdefault(place, {})[leaf] = value
    return groups


def _key(place: Place, leaf: str) -> str:
    prefix, layer = place
    leaf = re.sub(r"(?<=_l)0(?=$|_reverse$)", str(layer), leaf)
    return f"{prefix}.{leaf}" if prefix else leaf


# Arrays.


def _read(state_dict: Any) -> dict[str, Any]:
    if isinstance(state_dict, (str, os.PathLike)):
        path = os.fspath(state_dict)
        if not path.endswith(".safetensors"):
            raise ValueError(
                f"A state dict is read from a safetensors file; pickles run code when they are opened. Received: "
                f'{path!r}. Call safetensors.torch.save_file(module.state_dict(), "weights.safetensors") where PyTorch '
                "is, or pass module.state_dict() itself."
            )
        from safetensors.numpy import load_file

        return load_file(path)
    if hasattr(state_dict, "state_dict"):
        raise TypeError(
            f"load_torch_state_dict needs a state dict. Received: {type(state_dict).__name__}. Use "
            "module.state_dict(), or from_torch(module) to make the model too."
        )
    if not isinstance(state_dict, Mapping) or not all(isinstance(key, str) for key in state_dict):
        raise TypeError(
            f"A state dict must be a dict of arrays by name. Received: {type(state_dict).__name__}. Use "
            "module.state_dict()."
        )
    for key, value in state_dict.items():
        if not is_arraylike(value):
            raise TypeError(
                f"A state dict must be a dict of arrays by name. Received: {type(value).__name__} for {key!r}. Of a "
                'checkpoint with more in it, use the entry with the weights, such as checkpoint["state_dict"].'
            )
    return dict(state_dict)


def _checked(part: Part, place: Place, group: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of one module, with the names and shapes that the part has."""
    expected = part.write()
    names = {_key(place, leaf) for leaf in expected if leaf != COUNTER}
    given = {_key(place, leaf) for leaf in group if leaf != COUNTER}
    if names != given:
        raise ValueError(f'Layer "{part.name}" needs the arrays {sorted(names)}. Received: {sorted(given)}.')
    arrays = {leaf: to_array(_key(place, leaf), value) for leaf, value in group.items() if leaf != COUNTER}
    for leaf, array in arrays.items():
        if array.shape != expected[leaf].shape:
            raise ValueError(
                f'{_key(place, leaf)} must have shape {expected[leaf].shape} for layer "{part.name}". '
                f"Received: {array.shape}."
            )
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{_key(place, leaf)} must hold numbers. Received: dtype {array.dtype}.")
    return arrays
