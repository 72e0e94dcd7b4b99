"""Sequential: layers one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layers.base import Layer, Shape
from ..layers.core.input_layer import InputLayer, read_shape
from ..layers.support.wrapper import Wrapper, classes_above
from .model import Model

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
        If something is no layer.
    ValueError
        If two layers have one name, or a layer cannot take what the one before gives; the layer is not added then.

    Examples
    --------
    >>> from fastnn.layers import Dense, Input
    >>> model = Sequential([Input(shape=(4,)), Dense(8, activation="relu"), Dense(1)])
    >>> model.count_params(), model.output_shape
    (49, (None, 1))
    """

    def __init__(self, layers: Sequence[Layer] | None = None, trainable: bool = True, name: str | None = None):
        self._layers: list[Layer] = []
        self._built_here: list[Layer] = []
        super().__init__(name=name, trainable=trainable)
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(
                f"Sequential takes a list of layers. Received: {type(layers).__name__}. Type Sequential([...])."
            )
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input layer."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def leaves(self) -> list[tuple[Layer, bool]]:
        found: list[tuple[Layer, bool]] = []
        for layer in self.layers:
            inner = layer.leaves() if isinstance(layer, Model) else [(layer, True)]
            found += [(leaf, free and self._trainable) for leaf, free in inner]
        return found

    # Adding and taking away.

    def add(self, layer: Layer, rebuild: bool = True) -> None:
        """Add a layer at the end."""
        if not isinstance(layer, Layer):
            raise TypeError(
                f"A Sequential is made of layers. Received: {layer!r}"
                + (
                    f". Type {layer.__name__}(...) with parentheses."
                    if isinstance(layer, type)
                    else f" of type {type(layer).__name__}."
                )
                + " A layer of your own is a subclass of fastnn.layers.Layer with forward and backward."
            )
        if layer.gives_several:
            raise ValueError(
                f'The layers of a Sequential give one array each. Received: layer "{layer.name}" '
                f"({type(layer).__name__}), which gives several: its output and its final states, or both directions. "
                "Leave out return_state=True (and merge_mode=None), or call the layer itself: y, *states = layer(x)."
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                f'Two layers of a model cannot share a name. Received: "{layer.name}" twice. '
                "Make a second layer, or give it another name=."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f'Input stands first. Received: Input "{layer.name}" behind {len(self._layers)} layers.')
        added: list[Layer] = [layer]
        if not self._layers and not isinstance(layer, InputLayer):
            shape = layer.first_shape
            if shape is not None:
                added.insert(0, InputLayer(read_shape(shape), layer.first_batch))
            elif isinstance(layer, Sequential) and layer.built:
                added.insert(0, InputLayer(layer.input_shape[1:], layer.input_shape[0]))
        if self._layers and self.output_shape is not None:
            self.output_shape = self._grow(layer, self.output_shape)
        elif isinstance(added[0], InputLayer):
            shape = added[0].output_shape
            output = self._grow(added[1], shape) if len(added) > 1 else shape
            self.input_shape, self.output_shape = shape, output
        self._layers += added
        self.built = self.output_shape is not None and bool(self.layers)
        self.forget_plan()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away, and give it back.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self.layers:
            raise ValueError(f'Sequential "{self.name}" has no layer to take away.')
        layer = self._layers.pop()
        if self.built:
            self.output_shape = self.layers[-1].output_shape if self.layers else self.input_shape
            self.built = bool(self.layers)
        self.forget_plan()
        return layer

    def _grow(self, layer: Layer, input_shape: Shape) -> Shape:
        """Build a layer on ``input_shape``; gives its output shape."""
        return layer.ensure_built(input_shape)

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
        if input_shape is None and self.input_shape is not None:
            input_shape = self.input_shape
        if not self.layers:
            raise ValueError(f'Sequential "{self.name}" has no layers yet. Type model.add(...).')
        if input_shape is None:
            raise ValueError("build needs the shape of the input, batch first: model.build((None, 28, 28)).")
        batch = None if self.input_shape is None else self.input_shape[0]
        shape = (batch, *tuple(input_shape)[1:])
        self._built_here = [layer for layer in self.layers if not layer.built]
        output = shape
        try:
            for layer in self.layers:
                output = layer.ensure_built(output)
        except BaseException:
            self._forget_layers()
            raise
        self.input_shape, self.output_shape, self.built = shape, output, True
        self.forget_plan()

    def take_length(self, x_shape: tuple[int, ...]) -> bool:
        if self.shape_declared:
            return False
        batch, *sizes = self.input_shape
        shape = (batch, *(n if n == m else None for n, m in zip(sizes, x_shape[1:], strict=True)))
        try:
            self.compute_output_shape((batch, *x_shape[1:]))
            self.compute_output_shape(shape)
        except ValueError:
            return False
        self._note_shapes(shape)
        return True

    def _note_shapes(self, shape: Shape) -> None:
        """Write down new input and output shapes of all layers; no weight depends on them."""
        self.input_shape = shape
        for layer in self.layers:
            if isinstance(layer, Sequential):
                layer._note_shapes(shape)
            layer.input_shape, layer.output_shape = shape, layer.compute_output_shape(shape)
            shape = layer.output_shape
        self.output_shape = shape

    def unbuild(self) -> None:
        """Undo ``build``, because what it was built for turned out wrong."""
        self._forget_layers()
        self.built, self.input_shape, self.output_shape, self.shape_declared = False, None, None, True
        self.forget_plan()

    def _forget_layers(self) -> None:
        for layer in self._built_here:
            layer.unbuild()
        self._built_here = []

    def ensure_built(self, input_shape: Sequence[int | None]) -> Shape:
        if not self.built:
            self.build(input_shape)
        return self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Shape of the output for an input shape, batch first."""
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self) -> dict[str, Any]:
        """Name, layers and input shape, as plain data."""
        layers = [{"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self._layers]
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": layers,
            "build_input_shape": self.input_shape,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> Sequential:
        """A model of new layers from ``get_config``.

        Parameters
        ----------
        custom_objects : dict, optional
            Classes of the user's own layers by name.

        Raises
        ------
        ValueError
            For a layer class that is not known.
        """
        from .. import layers as known

        layers = []
        for entry in config["layers"]:
            name = entry["class_name"]
            found = (custom_objects or {}).get(name) or (cls if name == cls.__name__ else getattr(known, name, None))
            if found is None:
                raise ValueError(f"There is no layer class {name!r}. Pass custom_objects={{{name!r}: {name}}}.")
            inner = {} if not issubclass(found, (Model, Wrapper)) else {"custom_objects": custom_objects}
            layers.append(found.from_config(entry["config"], **inner))
        model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
        if config.get("build_input_shape") is not None and not model.built:
            model.build(config["build_input_shape"])
        return model


classes_above["Sequential"] = Sequential
