"""Weights of a model in Keras' files: by place (``.weights.h5``, ``.keras``) and by layer (``.h5`` of Keras 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...layers.base import Layer, Parameter
from ...saving.misfits import refuse_misfits
from .hdf5 import Hdf5File
from .layout import own_weights, places

__all__ = ["Found", "fill", "legacy_weights", "placed_weights", "weight_groups"]

Found = list[tuple[str, Parameter, Any]]
"""Where a weight stands in a file, the weight, and its data set; None if the file does not hold it."""

_OLD = "_layer_checkpoint_dependencies"
"""What Keras 2.13 calls the list of layers."""


def weight_groups(model: Any) -> dict[str, tuple[str, list[np.ndarray]]]:
    """The weights of a model as Keras' files group them: path → name and arrays."""
    return {path: (layer.name, [p.value for p in own_weights(layer)]) for path, layer in places(model).items()}


def placed_weights(
    file: Hdf5File, model: Any, orders: Mapping[int, Sequence[Layer]] | None = None
) -> tuple[Found, list[str]]:
    """The weights of a model in a file that keeps them by place, and the paths in the file that belong to none."""
    found: Found = []
    mine = set()
    old = file.group("layers") is None and file.group(_OLD) is not None
    for path, layer in places(model, orders).items():
        place = f"{path}/vars" if path else "vars"
        place = place.replace("layers", _OLD) if old else place
        arrays = file.arrays(place)
        for i, parameter in enumerate(own_weights(layer)):
            found.append((f"{place}/{i}", parameter, arrays.get(str(i))))
            mine.add(f"{place}/{i}")
    root = file.group(_OLD if old else "layers")
    prefix = _OLD if old else "layers"
    held = [] if root is None else [f"{prefix}/{path}" for path in file.paths(root)]
    return found, [path for path in held if path not in mine and "seed_generator" not in path]


def legacy_weights(file: Hdf5File, model: Any) -> tuple[Found, list[str]]:
    """The same in a file of Keras 2, which keeps the weights of each layer of the model in a row.

    Raises
    ------
    ValueError
        If the file lists no layers, or others than the model has.
    """
    root = file.group("model_weights") if file.group("model_weights") is not None else file.group("")
    names = file.texts(root, "layer_names")
    if names is None:
        raise ValueError("it lists no layers.")
    held = []
    for name in names:
        group = file.group_below(root, name)
        weights = [] if group is None else file.texts(group, "weight_names") or []
        if weights:
            held.append((name, group, weights))
    layers = [layer for layer in model.layers if layer.weights]
    if len(layers) != len(held):
        raise ValueError(
            f'Model "{model.name}" has {len(layers)} layers with weights, {[layer.name for layer in layers][:8]}. '
            f"Received: {len(held)} of them, {[name for name, _, _ in held][:8]}."
        )
    found: Found = []
    beyond: list[str] = []
    for layer, (name, group, weights) in zip(layers, held, strict=True):
        mine = [*(p for p in layer.weights if p.trainable), *(p for p in layer.weights if not p.trainable)]
        arrays = [file.array(group, path) for path in weights]
        beyond += [f"{name}/{path}" for path in weights[len(mine) :]]
        for i, parameter in enumerate(mine):
            path = weights[i] if i < len(weights) else f"{parameter.name}"
            found.append((f"{name}/{path}", parameter, arrays[i] if i < len(arrays) else None))
    return found, beyond


def fill(file: Hdf5File, model: Any, found: Found, beyond: list[str], skip_mismatch: bool = False) -> None:
    """Give the weights of a model the numbers of a file; nothing is written if one does not fit.

    Raises
    ------
    ValueError
        If the file lacks a weight, has others, or one of another shape.
    """
    refuse_misfits(
        model,
        "its weights",
        (path for path, _, dataset in found if dataset is None),
        beyond,
        ((path, parameter.shape, dataset.shape) for path, parameter, dataset in found if dataset is not None),
        skip_mismatch,
    )
    pairs = [(p, d) for _, p, d in found if d is not None and d.shape == p.shape]
    arrays = [file.numbers(dataset) for _, dataset in pairs]
    for (parameter, _), array in zip(pairs, arrays, strict=True):
        parameter.assign(array)
