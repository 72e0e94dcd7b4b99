"""CellRNN: what SimpleRNN, LSTM and GRU add to RNN, a cell of their own whose settings and weights are theirs."""

from __future__ import annotations

from typing import Any

from ..base import Layer, plain
from .cell import Cell
from .rnn import RNN

__all__ = ["CellRNN", "of_cell"]


def of_cell(name: str) -> property:
    """A setting or weight of the cell as one of the layer."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"``{name}`` of the cell.")


class CellRNN(RNN):
    """An RNN whose cell is built in.

    Parameters
    ----------
    cell : Cell
    **settings
        Those of ``RNN``.
    """

    cell: Cell
    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")
    kernel = of_cell("kernel")
    recurrent_kernel = of_cell("recurrent_kernel")
    bias = of_cell("bias")

    def get_config(self) -> dict[str, Any]:
        cell = {name: plain(getattr(self.cell, name)) for name in self.cell.fields}
        return Layer.get_config(self) | cell | self._options()
