"""What a model shows of itself: its symbols, the names of its inputs and outputs, its layers, and the summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Graph, Symbol
from ..layers.base import Layer
from .network import Network

__all__ = ["Inspected"]


class Inspected(Network):
    """The part of ``Model`` that answers questions about the graph."""

    objectives: Any

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs."""
        return list(self._graph_or_error().input_symbols)

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs."""
        return list(self._graph_or_error().output_symbols)

    @property
    def input(self) -> Any:
        """The symbol of the input; a list or dict of them where there are several."""
        return self._graph_or_error().inputs

    @property
    def output(self) -> Any:
        """The symbol of the output; a list or dict of them where there are several."""
        return self._graph_or_error().outputs

    def _graph_or_error(self) -> Graph:
        if self.graph is None:
            raise AttributeError(
                f'Model "{self.name}" has no symbolic inputs and outputs. '
                + (
                    "It defines call, which is traced for each data shape. Use Model(inputs, outputs) to get symbols."
                    if self._traced
                    else "It is not built. Start it with Input(shape=...), or call model.build(input_shape)."
                )
            )
        return self.graph

    @property
    def input_names(self) -> list[str] | None:
        """The names of the inputs: the keys of a dict, or those of ``Input``; None if the data determine them."""
        if self.graph is None:
            return None if self._traced else ["x"]
        if isinstance(self.graph.inputs, Mapping):
            return list(self.graph.inputs)
        return [symbol.node.operation.name or symbol.name for symbol in self.graph.input_symbols]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict, or those of the layers that give them."""
        if self.graph is None:
            return list(self.objectives.names)
        if isinstance(self.graph.outputs, Mapping):
            return list(self.graph.outputs)
        names: list[str] = []
        for symbol in self.graph.output_symbols:
            name = _layer_name(symbol)
            count = sum(other == name or other.startswith(f"{name}_") for other in names)
            names.append(f"{name}_{count}" if name in names else name)
        return names

    def get_layer(self, name: Any = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises
        ------
        ValueError
            If there is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"Use name or index. Received: name={name!r}, index={index!r}.")
        if name is not None:
            names = [layer.name for layer in self.layers]
            if isinstance(name, str) and name in names:
                return self.layers[names.index(name)]
            raise ValueError(f"The model has no layer named {name!r}. Known: {names}.")
        number = len(self.layers)
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not -number <= index < number:
            raise ValueError(f"index must be an integer from {-number} to {number - 1}. Received: index={index!r}.")
        return self.layers[index]

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers, their output shapes and numbers of weights.

        Parameters
        ----------
        line_length : int
            Default: 88, or the terminal less 4.
        positions : list of float
            Where columns end, as shares of the line.
        print_fn : callable
            Gets the whole text; default ``print``.
        expand_nested : bool
            Also show the layers of models inside.
        show_trainable : bool
            Add a column that says which layers training changes.
        """
        from .summary import summary_text

        (print_fn or print)(summary_text(self, line_length, positions, expand_nested, show_trainable))

    def _repr_html_(self) -> str:
        """The summary as a table, which notebooks show for a model at the end of a cell."""
        from .summary_html import summary_html

        return summary_html(self)


def _layer_name(symbol: Symbol) -> str:
    """The name of the layer behind a symbol."""
    operation = symbol.node.operation
    if not isinstance(operation, Layer) and symbol.node.inputs:  # an operator, or the penalty of a layer
        return getattr(operation, "name", "") or _layer_name(symbol.node.inputs[0])
    return operation.name
