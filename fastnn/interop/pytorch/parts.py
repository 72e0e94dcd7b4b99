"""Parts: the layers of a model that have weights, each with its name and its form in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import layers
from ...graph import Graph
from ...layers.base import Layer, Parameter
from ...saving.paths import layer_paths
from .forms import Attention, Depthwise, Form, Plain, Recurrent

__all__ = ["Part", "order_of_features", "parts_of_layer", "parts_of_model"]

_CONV1D, _CONV2D = Plain((2, 1, 0)), Plain((3, 2, 0, 1))
_FORMS: dict[type, Form] = {
    layers.Dense: Plain((1, 0)),
    layers.DepthwiseConv1D: Depthwise(),
    layers.DepthwiseConv2D: Depthwise(),
    layers.Conv1D: _CONV1D,
    layers.Conv2D: _CONV2D,
    layers.Conv1DTranspose: _CONV1D,
    layers.Conv2DTranspose: _CONV2D,
    layers.BatchNormalization: Plain(counts=True),
    layers.LayerNormalization: Plain((2, 0, 1)),
    layers.RMSNormalization: Plain((2, 0, 1)),
    layers.GroupNormalization: Plain(),
    layers.Embedding: Plain(),
    layers.PositionEmbedding: Plain(),
    layers.PReLU: Plain(),
    layers.MultiHeadAttention: Attention(),
}
_GATES: dict[type, tuple[int, ...]] = {
    layers.LSTM: (0, 1, 2, 3),
    layers.GRU: (1, 0, 2),
    layers.SimpleRNN: (0,),
}

_MAKES_IMAGES = (
    layers.Conv1D, layers.Conv2D, layers.Conv1DTranspose, layers.Conv2DTranspose, layers.DepthwiseConv1D,
    layers.DepthwiseConv2D, layers.SeparableConv1D, layers.SeparableConv2D, layers.MaxPooling1D,
    layers.AveragePooling1D, layers.UpSampling1D, layers.ZeroPadding1D, layers.Cropping1D,
)  # fmt: skip
"""Layers whose output has its channels in front in PyTorch, whatever its rank."""

_KEEPS_ORDER = (
    layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU, layers.Dropout, layers.AlphaDropout,
    layers.GaussianDropout, layers.GaussianNoise, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.Identity,
    layers.ActivityRegularization, layers.Rescaling, layers.BatchNormalization, layers.LayerNormalization,
    layers.RMSNormalization,
    layers.GroupNormalization, layers.Softmax, layers.UnitNormalization, layers.MaxPooling2D, layers.AveragePooling2D,
    layers.UpSampling2D, layers.ZeroPadding2D, layers.Cropping2D, layers.StochasticPooling2D, layers.Add,
    layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum, layers.Concatenate,
    layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.GlobalAveragePooling1D,
    layers.GlobalMaxPooling1D,
)  # fmt: skip
"""Layers whose output has the axes of their input."""


@dataclass(frozen=True)
class Part:
    """Weights that one module of PyTorch holds.

    Attributes
    ----------
    name : str
        The path of names to the layer, with dots.
    form : Form
    parameters : list of Parameter
    order : array or None
        Where its features were flattened from channels: PyTorch's feature j is feature order[j] here.
    """

    name: str
    form: Form
    parameters: list[Parameter]
    order: np.ndarray | None = None

    @property
    def names(self) -> list[str]:
        """What the weights are called here."""
        return [parameter.name for parameter in self.parameters]

    @property
    def values(self) -> list[np.ndarray]:
        """The weights."""
        return [parameter.value for parameter in self.parameters]

    def write(self) -> dict[str, np.ndarray]:
        """The weights as PyTorch has them."""
        return self.form.write(self.names, self.values, self.order)

    def read(self, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The weights that PyTorch's arrays give."""
        return self.form.read(self.names, self.values, arrays, self.order)


def order_of_features(features: int, channels: int | None) -> np.ndarray | None:
    """Where PyTorch's flattened features are here, which flattens (positions, channels) and not (channels, positions).

    Examples
    --------
    >>> order_of_features(6, 2).tolist()
    [0, 2, 4, 1, 3, 5]
    """
    if channels is None or channels in (1, features):
        return None
    return np.arange(features).reshape(-1, channels).T.reshape(-1)


def parts_of_layer(layer: Layer, name: str, order: np.ndarray | None = None) -> list[Part]:
    """The parts of one layer, its inner layers included.

    Raises
    ------
    ValueError
        If PyTorch has no module with these weights.
    """
    if not layer.weights:
        return []
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        point = _CONV1D if isinstance(layer, layers.SeparableConv1D) else _CONV2D
        return [
            Part(f"{name}.depthwise", Depthwise(), layer.weights[:1]),
            Part(f"{name}.pointwise", point, layer.weights[1:]),
        ]
    form = _recurrent_form(layer) or next((form for kind, form in _FORMS.items() if isinstance(layer, kind)), None)
    if form is not None and not (isinstance(form, Attention) and len(layer.weights) not in (4, 8)):
        return [Part(name, form, layer.weights, order)]
    if isinstance(layer, layers.TimeDistributed):
        return parts_of_layer(layer.layer, name)
    paths = {id(child): path for path, child in layer_paths(layer).items()}
    ours = type(layer).__module__.startswith("fastnn.")  # custom layers have the names of their attributes
    found = [
        part
        for child in layer.children
        for part in parts_of_layer(child, f"{name}.{child.name if ours else paths[id(child)].replace('/', '.')}")
    ]
    if {id(p) for part in found for p in part.parameters} != {id(p) for p in layer.weights}:
        raise ValueError(
            f'The weights of layer "{layer.name}" ({type(layer).__name__}) have no counterpart in PyTorch. Use '
            "saving.save_weights for a file with all weights, or the layer's get_weights()."
        )
    return found


def _recurrent_form(layer: Layer) -> Form | None:
    directions = 1
    inner: Any = layer
    if isinstance(layer, layers.Bidirectional):
        directions, inner = 2, next(child for child in layer.children)
    kind = next((kind for kind in _GATES if isinstance(inner, kind)), None)
    count = len(layer.weights) // directions
    if kind is None or count > 3:  # a custom cell; an output that feeds back
        return None
    two = isinstance(inner, layers.GRU) and count == 3
    if isinstance(inner, layers.GRU) and not getattr(inner.cell, "reset_after", True):
        raise ValueError(
            f'PyTorch applies the reset gate after the product. Received: layer "{layer.name}" with reset_after=False. '
            "Use reset_after=True."
        )
    return Recurrent(_GATES[kind], two, directions)


def parts_of_model(model: Any) -> list[Part]:
    """All parts of a built model, in the order in which they run."""
    found: list[Part] = []
    if model.graph is None:
        found = parts_of_layer(model, "")
        return [Part(part.name.removeprefix("."), part.form, part.parameters, part.order) for part in found]
    _walk(model.graph, "", {}, found, set())
    return found


def _walk(graph: Graph, prefix: str, known: dict[int, tuple[bool, Any]], found: list[Part], seen: set[int]) -> None:
    """Visit the nodes of a graph; ``known`` says of a symbol whether its channels are in front in PyTorch, and how
    its features were flattened."""
    for symbol in graph.input_symbols:
        known.setdefault(id(symbol), (len(symbol.shape) == 4, None))
    for node in graph.nodes:
        layer = node.operation
        states = [known.get(id(symbol), (False, None)) for symbol in node.inputs]
        image, order = states[0] if len(states) == 1 else (bool(states) and all(s[0] for s in states), None)
        if isinstance(layer, Layer) and id(layer) not in seen:
            seen.add(id(layer))
            name = f"{prefix}{layer.name}"
            inner = getattr(layer, "graph", None)
            if inner is not None:
                at = {id(own): state for own, state in zip(inner.input_symbols, states, strict=True)}
                _walk(inner, f"{name}.", at, found, seen)
                known |= {id(s): at[id(own)] for s, own in zip(node.outputs, inner.output_symbols, strict=True)}
            else:
                found += parts_of_layer(layer, name, order)
        for symbol in node.outputs:
            if id(symbol) not in known:
                known[id(symbol)] = _after(
                    layer, image, order, [tuple(s.shape) for s in node.inputs], len(symbol.shape)
                )


def _after(layer: Any, image: bool, order: Any, shapes: list[tuple], rank: int) -> tuple[bool, Any]:
    if isinstance(layer, _MAKES_IMAGES):
        return True, None
    if isinstance(layer, layers.Flatten):
        rest = shapes[0][1:]
        if not image or None in rest:
            return False, order if len(rest) == 1 else None
        return False, order_of_features(int(np.prod(rest)), rest[-1])
    if isinstance(layer, layers.Reshape):
        return rank == 4, None
    if isinstance(layer, _KEEPS_ORDER):
        return image and rank > 2, order
    return False, None
