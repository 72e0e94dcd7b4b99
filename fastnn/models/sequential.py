"""Sequential: layers in a row, the simplest graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Graph, Symbol
from ..layers.base import Layer, Shape, as_shape
from ..layers.core.input_layer import InputLayer, read_shape
from ..layers.support.wrapper import classes_above, described, made_from, numbering, remembering
from ..seeds import given_back
from .locks import locked
from .model import Model
from .network import fits

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers in a row; each takes what the one before gives.

    With an ``Input`` at its head, or ``input_shape=`` on the first layer, it is built as layers are added; otherwise
    at the first call, ``fit`` or ``build``.

    Parameters
    ----------
    layers : list of Layer, optional
    name : str, optional
    trainable : bool

    Raises
    ------
    TypeError
        If an element is not a layer.
    ValueError
        If two layers have one name, or a layer cannot take what the one before gives; the layer is not added then.

    Examples
    --------
    >>> from fastnn.layers import Dense, Input
    >>> model = Sequential([Input(shape=(4,)), Dense(8, activation="relu"), Dense(1)])
    >>> model.count_params(), model.output_shape
    (49, (None, 1))
    """

    def __init__(self, layers: Sequence[Layer | Symbol] | None = None, trainable: bool = True, name: str | None = None):
        self._layers: list[Layer] = []
        self._input_layer: Any = None
        self._symbols: list[Symbol] = []
        """What each layer gives, when built; the input first."""
        self._built_here: list[Layer] = []
        super().__init__(name=name, trainable=trainable)
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(
                f"Sequential takes a list of layers. Received: {type(layers).__name__}. Use Sequential([...])."
            )
        try:
            with given_back():
                for layer in layers or ():
                    self.add(layer)
        except BaseException:
            for layer in self._built_here:
                layer.unbuild()
            raise

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input layer."""
        return list(self._layers)

    @property
    def takes_ids(self) -> bool:  # type: ignore[override]
        """Whether the first layer takes ids."""
        return self._layers[0].takes_ids if self._layers else False

    @property
    def takes_texts(self) -> bool:  # type: ignore[override]
        """Whether the first layer takes texts."""
        return self._layers[0].takes_texts if self._layers else False

    # Adding and taking away.

    @locked
    def add(self, layer: Layer | Symbol, rebuild: bool = True) -> None:
        """Add a layer at the end."""
        if isinstance(layer, Symbol) and isinstance(layer.node.operation, InputLayer):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise TypeError(
                f"A Sequential takes only layers. Received: {layer!r}"
                + (
                    f". Use {layer.__name__}(...) with parentheses."
                    if isinstance(layer, type)
                    else f" of type {type(layer).__name__}."
                )
                + " For a layer of your own, subclass fastnn.layers.Layer and define call."
            )
        if layer.gives_several:
            raise ValueError(
                f'Each layer of a Sequential must return one array. Received: layer "{layer.name}" '
                f"({type(layer).__name__}), which returns several: its output and final states, or both directions. "
                "Leave out return_state=True (and merge_mode=None), or use Model(inputs, outputs)."
            )
        names = [other.name for other in self._layers] + ([self._input_layer.name] if self._input_layer else [])
        if layer.name in names:
            raise ValueError(
                f'Layers of a model must have different names. Received: "{layer.name}" twice. Create a second layer, '
                "or give one of them another name=. Use Model(inputs, outputs) to call one layer twice."
            )
        if isinstance(layer, InputLayer):
            if self._layers or self._input_layer is not None:
                raise ValueError(
                    f'Input must come first. Received: Input "{layer.name}" after {len(self._layers)} layers.'
                )
            self._begin(layer)
            return
        if not self._layers and self._input_layer is None:
            first = _input_of(layer)
            if first is not None:
                self._begin(first)
        if self._symbols:
            self._built_here += [layer] if not layer.built else []
            try:
                self._symbols.append(layer(self._symbols[-1]))
            except BaseException:
                if not self._layers and self._input_layer is not None and self._input_layer.name not in names:
                    self._input_layer, self._symbols = None, []
                    self.input_shape = self.output_shape = None
                raise
        self._layers.append(layer)
        if self._symbols:
            self.set_graph(Graph(self._symbols[0], self._symbols[-1]))
        else:
            self.forget_plan()

    def _begin(self, layer: InputLayer) -> None:
        self._input_layer = layer
        self._symbols = [layer.output]
        self.input_shape = self.output_shape = layer.output.shape

    @locked
    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away, and give it back.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self._layers:
            raise ValueError(f'Sequential "{self.name}" has no layer to remove. Call model.add(...) first.')
        layer = self._layers.pop()
        if self._symbols:
            self._symbols.pop()
            if self._layers:
                self.set_graph(Graph(self._symbols[0], self._symbols[-1]))
                return layer
            self.graph, self.built, self.output_shape = None, False, self.input_shape
        self.forget_plan()
        return layer

    # Building.

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Build all layers for an input shape, batch first: ``(None, 28, 28)``.

        Raises
        ------
        ValueError
            If a layer cannot take its input; then nothing is built.
        """
        if self.built:
            return
        if not self._layers:
            raise ValueError(f'Sequential "{self.name}" has no layers yet. Call model.add(...).')
        if input_shape is None:
            raise ValueError("build needs the shape of the input, batch first: model.build((None, 28, 28)).")
        sizes = as_shape(input_shape)
        if isinstance(sizes, list):
            raise ValueError(f'Sequential "{self.name}" has one input. Received: shapes {sizes}.')
        if not sizes:
            raise ValueError(
                "build needs the shape of the input, batch first: model.build((None, 28, 28)). Received: ()."
            )
        batch, *rest = sizes
        self._built_here = [layer for layer in self._layers if not layer.built]
        try:
            self._begin(InputLayer(batch_shape=(batch, *rest), dtype=self._data_dtype(), name=f"{self.name}_input"))
            self._call_layers()
        except BaseException:
            self.unbuild()
            raise

    def _data_dtype(self) -> str | None:
        return _dtype_for(self)

    def _call_layers(self) -> None:
        """Record all layers, from the input on."""
        for layer in self._layers:
            self._symbols.append(layer(self._symbols[-1]))
        self.set_graph(Graph(self._symbols[0], self._symbols[-1]))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.graph, self._symbols = None, []
        if self.built:
            self._begin(self._input_layer)
            self._call_layers()
        elif self._input_layer is not None:
            self._begin(self._input_layer)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in ("graph", "_symbols")}

    def take_lengths(self, x_shapes: Sequence[tuple[int, ...]]) -> bool:
        if self.shape_declared:
            return False
        batch, *sizes = self.input_shape
        if len(sizes) != len(x_shapes[0]) - 1:
            return False
        shape = (batch, *(n if n == m else None for n, m in zip(sizes, x_shapes[0][1:], strict=True)))
        try:
            self.compute_output_shape((batch, *x_shapes[0][1:]))
            self.compute_output_shape(shape)
        except ValueError:
            return False
        self._open_lengths(shape)
        return True

    def _open_lengths(self, shape: Shape) -> None:
        """Have symbols of another shape, now that lengths have been seen to differ; no weight depends on them."""
        entry = self._input_layer
        kept = {name: getattr(self, name) for name in ("_arena", "_step", "_workspaces", "input_dtypes")}
        self._begin(InputLayer(batch_shape=shape, dtype=entry.data_dtype, name=entry.name))
        self._call_layers()
        for layer, symbol, after in zip(self._layers, self._symbols, self._symbols[1:], strict=False):
            layer.input_shape, layer.output_shape = symbol.shape, after.shape
            if isinstance(layer, Sequential) and layer.graph is not None:
                layer._open_lengths(symbol.shape)
        vars(self).update(kept)  # a training run in progress continues
        if self._step is not None:
            self._step.fixed_program = self.program((), True)

    def preparation(self) -> dict[str, Any]:
        shapes = [(layer, layer.input_shape, layer.output_shape) for layer, _ in self.leaves()]
        return super().preparation() | {
            "_symbols": self._symbols,
            "_input_layer": self._input_layer,
            "layer shapes": [] if self.shape_declared else shapes,
        }

    def take_back(self, before: dict[str, Any]) -> None:
        shapes = before.pop("layer shapes")
        super().take_back(before)
        for layer, input_shape, output_shape in shapes if self.built else ():
            layer.input_shape, layer.output_shape = input_shape, output_shape

    def unbuild(self) -> None:
        """Undo ``build``, because the shape it was built for turned out wrong."""
        for layer in self._built_here:
            layer.unbuild()
        self._built_here, self._symbols, self._input_layer, self.graph = [], [], None, None
        self.built, self.input_shape, self.output_shape, self.shape_declared = False, None, None, True
        self.forget_plan()

    def ensure_built(self, input_shape: Sequence[int | None], **options: Any) -> Shape:
        if not self.built:
            self.build(input_shape)
        return self.compute_output_shape(input_shape)

    def _require_layers_or_sequential(self) -> None:
        """A Sequential may be compiled before it is built."""

    def _build_on_symbols(self, x: Any) -> None:
        if not self.built:
            self.build(x.shape)
            self.shape_declared = False

    def call_on_symbols(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        if isinstance(x, Symbol) and not fits(self.graph.input_symbols[0].shape, x.shape):
            self.take_lengths([x.shape])  # what it still does not take is refused there
        return super().call_on_symbols(x, training, mask)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Shape of the output for an input shape, batch first."""
        shape = as_shape(input_shape)
        for layer in self._layers:
            shape = tuple(layer.compute_output_shape(shape))
        return shape

    def get_config(self) -> dict[str, Any]:
        """Name, layers and input shape, as plain data."""
        parts = [*self._entry(), *self._layers]
        with numbering(parts):
            layers = [described(layer) for layer in parts]
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": layers,
            "build_input_shape": self.input_shape,
        }

    def _entry(self) -> tuple[Any, ...]:
        declared = self._input_layer is not None and self.shape_declared
        return (self._input_layer,) if declared else ()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Sequential:
        """A model of new layers from ``get_config``.

        Parameters
        ----------
        custom_objects : dict, optional
            Custom classes and functions by name.

        Raises
        ------
        ValueError
            For a layer class that is not known.
        """
        with remembering():
            layers = [made_from(entry, custom_objects) for entry in config["layers"]]
        model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
        if config.get("build_input_shape") is not None and not model.built:
            model.build(config["build_input_shape"])
            model.shape_declared = False  # a declared shape is listed among the layers, as their input
        return model


def _dtype_for(layer: Layer) -> str | None:
    """The dtype of the input in front of a layer, None for numbers; ids are read where texts may be, too.

    A layer that writes ``call`` takes both: numbers, unless an ``Input`` before it says otherwise.
    """
    while isinstance(layer, Sequential) and layer.layers:
        layer = layer.layers[0]
    return "int64" if layer.takes_ids else "string" if layer.takes_texts and not layer._traced else None


def _input_of(layer: Layer) -> InputLayer | None:
    """The input that a first layer brings along: ``input_shape=``, or that of a model."""
    if layer.first_shape is not None:
        return InputLayer(read_shape(layer.first_shape), layer.first_batch, _dtype_for(layer))
    if isinstance(layer, Model) and layer.graph is not None and not layer.takes_several:
        batch, *shape = layer.input_shape
        return InputLayer(tuple(shape), batch, _dtype_for(layer))
    return None


classes_above["Sequential"] = Sequential
classes_above["Model"] = Model
