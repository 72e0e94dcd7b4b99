"""The plan: in which order blocks run, forward and backward.

A block has ``forward(x, training) -> (y, ctx)`` and ``backward(dy, ctx) -> dx``; a layer is one, and so are several
layers joined by ``fusion.py``.  A ``Chain`` runs them one behind the other; a graph would walk its nodes in the same
two directions.

Masks of time steps travel beside the arrays, but only where a layer makes one, which is known when the plan is laid:
then each block is asked for its part in it (``masks.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers.base import Layer, Parameter
from .fusion import blocks_of, parameters_of, split_head
from .masks import part_of

__all__ = ["Chain"]


class Chain:
    """Blocks in a row.

    Parameters
    ----------
    layers : list of Layer
        Leaves, in order.
    trained : collection of Parameter
        The parameters that training changes: gradients go back as far as the first block that holds one.
    fuse : bool
        Join neighbours into one block where no number changes beyond rounding.
    without_head : bool
        Leave out a final softmax or sigmoid, because the loss starts from what enters it.

    Attributes
    ----------
    blocks : list
    head : {"softmax", "sigmoid"} or None
        The final activation, where a loss can start before it.
    mask : array of bool (B, T) or None
        The mask of the last output of ``forward``; None where no layer makes masks.
    """

    mask: np.ndarray | None = None

    def __init__(
        self, layers: Sequence[Layer], trained: Sequence[Parameter], fuse: bool = True, without_head: bool = False
    ):
        blocks = blocks_of(layers, fuse)
        shorter, self.head = split_head(blocks)
        self.blocks = shorter if without_head else blocks
        self.penalties = [block for block in self.blocks if hasattr(block, "penalty")]
        self._forwards = [block.forward for block in self.blocks]
        self._masked = any(layer.makes_mask for layer in layers)
        self._parts = [part_of(block) for block in self.blocks]
        kept = {id(p) for p in trained}
        self._first = next(
            (i for i, block in enumerate(self.blocks) if any(id(p) in kept for p in parameters_of(block))),
            len(self.blocks),
        )
        self._backwards = [block.backward for block in reversed(self.blocks[self._first :])]

    def mark_first(self) -> None:
        """Tell the layers whether a gradient of their input is wanted: not of the first one that learns."""
        for i, block in enumerate(self.blocks):
            for layer in getattr(block, "layers", (block,)):
                layer.needs_input_gradient = i != self._first

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, list[Any]]:
        """Run all blocks; the list of their ``ctx`` is what ``backward`` needs."""
        if self._masked:
            x, tape, self.mask = self.forward_masked(x, training, None)
            return x, tape
        tape = []
        for forward in self._forwards:
            x, ctx = forward(x, training)
            tape.append(ctx)
        return x, tape

    def forward_masked(
        self, x: np.ndarray, training: bool, mask: np.ndarray | None
    ) -> tuple[np.ndarray, list[Any], np.ndarray | None]:
        """``forward`` with a mask of the input, and the mask of the output."""
        tape = []
        for forward, wants, after in self._parts:
            y, ctx = forward(x, training, mask) if wants else forward(x, training)
            mask = after(x, mask)
            tape.append(ctx)
            x = y
        return x, tape, mask

    def infer(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Run all blocks and keep the output alone."""
        if self._masked or mask is not None:
            return self.forward_masked(x, False, mask)[0]
        for forward in self._forwards:
            x = forward(x, False)[0]
        return x

    def backward(self, dy: np.ndarray, tape: list[Any]) -> None:
        """Run the blocks in reverse, down to the first that learns; the gradients land in the parameters."""
        for backward in self._backwards:
            dy = backward(dy, tape.pop())
