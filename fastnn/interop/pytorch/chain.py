"""Chain: the layers that a row of modules becomes, and the shapes of the arrays between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import layers
from ...layers.base import Layer
from .parts import order_of_features, parts_of_layer
from .state_dict import _checked, _grouped

__all__ = ["Chain", "Conversion", "described", "refuse", "require"]


class Chain:
    """Layers in the making.

    Attributes
    ----------
    layers : list of Layer
    dtype : str
        Of all layers: that of the module's parameters.
    image : bool
        Whether PyTorch has the channels in front of the positions here; then they come last in fastnn.
    rank : int or None
        Axes of the array with its batch, where that is known.
    channels : int or None
    nonnegative : bool
        Whether no number is below zero here.
    """

    def __init__(self, dtype: str, input_shape: Sequence[int | None] | None = None):
        self.layers: list[Layer] = []
        self.dtype = dtype
        self.nonnegative = False
        self.rank: Any = None if input_shape is None else 1 + len(input_shape)
        self.image = self.rank == 4
        self.channels: int | None = input_shape[-1] if input_shape is not None and self.image else None
        self._flatten: int | None = None
        """Where the Flatten stands whose features have another order than PyTorch's."""

    def add(self, layer: Layer) -> None:
        """Add a layer without weights."""
        self.layers.append(layer)

    def add_weighted(self, layer: Layer, module: Any, input_shape: tuple[Any, ...], stack: int = 0) -> None:
        """Add a layer with the weights of a module, or of one layer of a stacked module."""
        layer.build(input_shape)
        if layer.weights:
            (part,) = parts_of_layer(layer, layer.name, self.order(input_shape[-1]))
            place = ("", stack)
            group = _grouped({key: value.detach().cpu() for key, value in module.state_dict().items()})[place]
            values = part.read(_checked(part, place, group))
            for parameter, value in zip(part.parameters, values, strict=True):
                parameter.assign(value)
            if not any(parameter.requires_grad for parameter in module.parameters()):
                layer.trainable = False
        self.layers.append(layer)

    # Flattened images.

    def flatten(self, layer: Layer) -> None:
        """Add a Flatten; the next dense layer gets its rows permuted."""
        if self.image and self.channels != 1:
            self._flatten = len(self.layers)
        self.add(layer)
        self.image, self.rank = False, 2

    def order(self, features: int | None) -> np.ndarray | None:
        """PyTorch's order of flattened features, where it is another."""
        if self._flatten is None or features is None:
            return None
        if self.channels is None:
            self.settle()
            return None
        return order_of_features(features, self.channels)

    def consumed(self) -> None:
        """A layer has read the flattened features, whose order is of no more concern."""
        self._flatten = None

    def settle(self) -> None:
        """Put flattened features into PyTorch's order by a layer, for whatever is not a dense layer."""
        if self._flatten is None:
            return
        flatten = self.layers[self._flatten]
        axes = (2, 1) if self._spatial() == 1 else (3, 1, 2)
        self.layers.insert(self._flatten, layers.Permute(axes, name=f"{flatten.name}_order", dtype=self.dtype))
        self._flatten = None

    def _spatial(self) -> int:
        """Axes of the positions before the last Flatten."""
        for layer in reversed(self.layers[: self._flatten]):
            if "1D" in type(layer).__name__:
                return 1
            if "2D" in type(layer).__name__:
                return 2
        return 2


Conversion = Callable[[Any, str, Chain, list[Any]], None]
"""Adds to a chain the layers of a module: the module, its path, the chain, and the modules behind it."""


def described(module: Any) -> str:
    """A module in an error."""
    lines = repr(module).splitlines()
    return lines[0] if len(lines) == 1 else f"{type(module).__name__}(…)"


def refuse(path: str, module: Any, what: str) -> None:
    """Raise ValueError for a setting without a counterpart."""
    raise ValueError(f"{path or 'This module'} cannot be converted. Received: {described(module)}, {what}.")


def require(ok: bool, path: str, module: Any, what: str) -> None:
    """Raise such an error unless ``ok``."""
    if not ok:
        refuse(path, module, what)
