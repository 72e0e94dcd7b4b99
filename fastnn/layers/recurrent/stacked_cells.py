"""StackedRNNCells: cells on top of each other, as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.wrapper import Wrapper, described, made_from
from .cell import checked_cell
from .steps import as_shape, output_size, state_sizes

__all__ = ["StackedRNNCells"]


class StackedRNNCells(Wrapper):
    """Cells on top of each other as one cell: the output of each is the input of the next.

    Where all of them are built in, a whole sequence runs through one kernel a cell.

    Parameters
    ----------
    cells : list of cells

    Raises
    ------
    TypeError
        If an element of the list is not a cell.
    ValueError
        If the list is empty.

    Examples
    --------
    >>> from fastnn.layers import GRUCell, LSTMCell
    >>> StackedRNNCells([LSTMCell(4), GRUCell(2)]).state_size
    [[4, 4], 2]
    """

    def __init__(self, cells: Sequence[Any], **settings: Any):
        self.cells = [checked_cell(cell) for cell in cells]
        if not self.cells:
            raise ValueError("StackedRNNCells stacks at least one cell. Received: cells=[].")
        super().__init__(**{"dtype": self.cells[0].dtype} | settings)

    @property
    def children(self) -> list[Layer]:
        return self.cells

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells, from the lowest up."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Size of the output of the highest cell."""
        return output_size(self.cells[-1])

    @property
    def output_state(self) -> int | None:
        """Which of all states is the output."""
        place = getattr(self.cells[-1], "output_state", None)
        return None if place is None else sum(len(state_sizes(cell)) for cell in self.cells[:-1]) + place

    @property
    def state_names(self) -> list[str]:
        """What a trace calls the states."""
        names = []
        for i, cell in enumerate(self.cells):
            own = getattr(cell, "state_names", None) or [f"state_{k}" for k in range(len(state_sizes(cell)))]
            names += [f"{i}/{name}" for name in own]
        return names

    @property
    def fusible(self) -> bool:
        """Whether a kernel computes whole sequences of every cell."""
        return all(getattr(cell, "fusible", False) for cell in self.cells)

    def nested(self, states: Sequence[Any]) -> list[Any]:
        """A flat list of states as one entry a cell: the state, or the list of them."""
        found, rest = [], list(states)
        for cell in self.cells:
            n = len(state_sizes(cell))
            found.append(rest[:n] if isinstance(cell.state_size, (list, tuple)) else rest[0])
            rest = rest[n:]
        return found

    def _shares(self, states: Sequence[Any]) -> list[list[Any]]:
        """A flat list of states as one list a cell."""
        return [one if isinstance(one, list) else [one] for one in self.nested(states)]

    def build(self, input_shape: Shape) -> None:
        for cell in self.cells:
            if not cell.built:
                self._built_here.append(cell)
                cell.build(input_shape)
                cell.built, cell.input_shape = True, input_shape
            input_shape = (input_shape[0], *as_shape(output_size(cell)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *as_shape(self.output_size))

    # Step by step.

    def begin(self, batch: int, training: bool) -> None:
        """Draw for a sequence that is then computed step by step."""
        for cell in self.cells:
            if hasattr(cell, "begin"):
                cell.begin(batch, training)

    def forward(
        self, x: np.ndarray, states: Sequence[np.ndarray], training: bool = False
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        new: list[np.ndarray] = []
        tape = []
        for cell, own in zip(self.cells, self._shares(states), strict=True):
            x, given, ctx = cell.forward(x, own, training)
            new += given
            tape.append(ctx)
        return x, new, tape

    def backward(self, dy: np.ndarray, dstates: Sequence[np.ndarray], ctx: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        before: list[np.ndarray] = []
        for cell, own, piece in zip(reversed(self.cells), reversed(self._shares(dstates)), reversed(ctx), strict=True):
            dy, given = cell.backward(dy, own, piece)
            before = [*given, *before]
        return dy, before

    def __call__(self, x: Any, states: Any, training: bool = False) -> tuple[np.ndarray, list[Any]]:
        """One step for arrays: output and new states, one entry a cell."""
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            x, given = cell(x, own, training)
            new.append(given if isinstance(cell.state_size, (list, tuple)) else given[0])
        return x, new

    # Whole sequences.

    def sweep(
        self,
        x: np.ndarray,
        states: Sequence[np.ndarray] | None,
        mask: np.ndarray | None = None,
        backwards: bool = False,
        sequences: bool = True,
        training: bool = False,
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        """As ``Cell.sweep``, cell by cell."""
        shares = [None] * len(self.cells) if states is None else self._shares(states)
        final: list[np.ndarray] = []
        tape = []
        for cell, own in zip(self.cells, shares, strict=True):
            x, given, run = cell.sweep(x, own, mask, backwards, sequences or cell is not self.cells[-1], training)
            final += given
            tape.append(run)
        return x, final, tape

    def sweep_back(
        self,
        dy: np.ndarray | None,
        dstates: Sequence[np.ndarray | None] | None,
        run: Any,
        need_dx: bool = True,
        need_dstates: bool = False,
        need_steps: bool = False,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        """As ``Cell.sweep_back``; the gradients of the steps are those of the highest cell."""
        shares = [None] * len(self.cells) if dstates is None else self._shares(dstates)
        before: list[np.ndarray] = []
        steps = None
        for i in reversed(range(len(self.cells))):
            top = i == len(self.cells) - 1
            dy, given, seen = self.cells[i].sweep_back(
                dy, shares[i], run[i], need_dx or i > 0, need_dstates, need_steps and top
            )
            before = [*(given or []), *before]
            steps = seen if top else steps
        return dy, before if need_dstates else None, steps

    # Looking inside.

    def look(self, ctx: Any) -> dict[str, np.ndarray]:
        """What a step computed besides its states, by the number of the cell and name."""
        looks = [cell.look(piece) if hasattr(cell, "look") else {} for cell, piece in zip(self.cells, ctx, strict=True)]
        return {f"{i}/{name}": values for i, seen in enumerate(looks) for name, values in seen.items()}

    def look_through(
        self, x: np.ndarray, states: Sequence[np.ndarray] | None, mask: np.ndarray | None, backwards: bool
    ) -> dict[str, np.ndarray]:
        """What whole sequences compute inside, by the number of the cell and name."""
        shares = [None] * len(self.cells) if states is None else self._shares(states)
        seen = {}
        for i, (cell, own) in enumerate(zip(self.cells, shares, strict=True)):
            inside = cell.look_through(x, own, mask, backwards)
            x = np.ascontiguousarray(inside["output" if "output" in inside else "hidden"])
            seen |= {f"{i}/{name}": values for name, values in inside.items()}
        return seen

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"cells": [described(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> StackedRNNCells:
        """New, unbuilt cells from ``get_config``; ``custom_objects`` names cells of your own."""
        return cls(**config | {"cells": [made_from(cell, custom_objects) for cell in config["cells"]]})
