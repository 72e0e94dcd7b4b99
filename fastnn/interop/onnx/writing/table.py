"""The tables of converters: for each class of layers and operations, the function that writes it as ONNX nodes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ....layers.base import Layer
from .value import Shape, Value

__all__ = ["Call", "converter_of", "converts", "mask_rule_of", "masks"]

_ROOMS = (
    "activations",
    "attention",
    "core",
    "convolution",
    "indexing",
    "merging",
    "normalization",
    "operations",
    "pooling",
    "recurrent",
    "reductions",
    "regularization",
    "reshaping",
)
_CONVERTERS: dict[type, Callable[..., Any]] = {}
_MASKS: dict[type, Callable[..., Any]] = {}


@dataclass
class Call:
    """One use of a layer or operation, as its converter sees it.

    Attributes
    ----------
    inputs : list of Value
    masks : list of Value or None
        One for each input; behind them may stand those of something else, as of pairs of queries and keys.
    options : dict
        Call arguments that are not arrays.
    shapes : list of tuple
        Of the outputs, as the model foretells them.
    apply : callable
        ``apply(operation, inputs, masks=None)`` gives the outputs of an operation inside.
    writer : callable
        Write a graph within this one, for the body of a loop.
    """

    inputs: list[Value]
    masks: list[Value | None]
    options: dict[str, Any]
    shapes: list[Shape]
    apply: Callable[..., list[Value]]
    outputs: list[Value] = field(default_factory=list)

    @property
    def x(self) -> Value:
        """The first input."""
        return self.inputs[0]

    @property
    def mask(self) -> Value | None:
        """The mask of the first input."""
        return self.masks[0] if self.masks else None


def converts(*classes: type) -> Callable[[Any], Any]:
    """Enter a function ``(writer, layer, call) -> Value or list of Value`` as the converter of some classes."""

    def enter(function: Any) -> Any:
        _CONVERTERS.update((cls, function) for cls in classes)
        return function

    return enter


def masks(*classes: type) -> Callable[[Any], Any]:
    """Enter a function ``(writer, layer, call) -> Value or None`` as what gives the mask of the output."""

    def enter(function: Any) -> Any:
        _MASKS.update((cls, function) for cls in classes)
        return function

    return enter


def converter_of(cls: type, inherited: bool = False) -> Callable[..., Any] | None:
    """The converter of a class, or of a class that it computes the same as.

    Parameters
    ----------
    cls : type
    inherited : bool
        Whether the class's own ``call`` is left aside, because it is what asks.
    """
    _fill()
    for base in cls.__mro__:
        if base in _CONVERTERS:
            return _CONVERTERS[base]
        own = vars(base)
        if base is Layer or ("forward" in own and not (inherited and own.get("_traced"))):
            return None
    return None


def mask_rule_of(cls: type) -> Callable[..., Any] | None:
    """What gives the mask of the output of a class; None where it is the class's own code, on arrays."""
    _fill()
    for base in cls.__mro__:
        if base in _MASKS:
            return _MASKS[base]
        if "compute_mask" in vars(base):
            return None
    return None


def _fill() -> None:
    """Load the modules of converters, which register themselves."""
    if not _CONVERTERS:
        for room in _ROOMS:
            importlib.import_module(f"{__package__}.{room}")
