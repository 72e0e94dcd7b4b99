"""What RNN and Bidirectional share: calls with initial states, final states as outputs, and gradients of both.

A call with ``initial_state=`` is a call on several arrays, [x, *states].  So states are edges of a model like any
other: an encoder's final states may be a decoder's initial states, and gradients flow back through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Symbol, Tensor, is_tracing
from ..base import Shape
from ..parameter import as_input
from ..support.array_checks import read_values
from ..support.wrapper import Wrapper

__all__ = ["RecurrentLayer", "flat_states"]


class RecurrentLayer(Wrapper):
    """Base of layers that run sequences from initial states to final states.

    A subclass writes ``forward_states`` and ``backward_states``, ``state_shapes``, and what ``output_shapes`` gives.
    """

    uses_mask = True
    selects_gradients = True
    return_state: bool

    def state_shapes(self, batch: int | None) -> list[Shape]:
        """The shape of each state, for a batch of this size."""
        raise NotImplementedError

    def output_shapes(self, input_shape: Shape) -> list[Shape]:
        """The shape of each output, without the states."""
        raise NotImplementedError

    def forward_states(
        self,
        x: np.ndarray,
        states: Sequence[np.ndarray] | None = None,
        training: bool = False,
        mask: np.ndarray | None = None,
    ) -> tuple[Any, list[np.ndarray], Any]:
        """Output (or a list of outputs), final states and ctx; from given states, or from those that are carried."""
        raise NotImplementedError

    def backward_states(
        self,
        dy: Any,
        dstates: Sequence[np.ndarray | None] | None,
        ctx: Any,
        need_dstates: bool = False,
        need_dx: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None]:
        """Gradients of the input and, with ``need_dstates``, of the initial states, from those of output and states."""
        raise NotImplementedError

    def arranged(self, states: Sequence[Any]) -> list[Any]:
        """The final states as a call gives them."""
        return list(states)

    # Calls.

    def __call__(self, x: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """The output for an array, or the symbol of it for a symbol; builds the layer if need be.

        Parameters
        ----------
        x : array or Symbol (N, T, D)
        initial_state : list of array or Symbol (N, units), optional
            One a state: [h] or h, [h, c] for LSTM; of Bidirectional those of the forward layer, then those of the
            backward layer.
        mask : array of bool (N, T), optional
        training : bool, optional
            None: False for arrays, and for symbols whether the model around it is training.

        Returns
        -------
        array or Symbol, or list
            ``[output, *final states]`` with ``return_state``; ``[forward, backward, …]`` for a Bidirectional with
            ``merge_mode=None``.
        """
        x = as_input(x)
        states = [] if initial_state is None else flat_states(initial_state)
        if not is_tracing() and not any(isinstance(one, Symbol) for one in (x, *states)):
            x = self._read(x)
            states = [] if initial_state is None else self.read_states(x, states)
        if states:
            found = self.call_on([x, *states], training, None if mask is None else [mask, *[None] * len(states)])
        else:
            found = self.call_on(x, training, mask)
        if not self.return_state:
            return found
        count = len(self.state_shapes(None))
        return [*found[:-count], *self.arranged(found[-count:])]

    def is_several(self, x: Any) -> bool:
        return isinstance(x, list) and bool(x) and all(isinstance(one, (np.ndarray, Symbol)) for one in x)

    def read_states(self, x: np.ndarray, given: Any) -> list[np.ndarray] | None:
        """States from the user, flat and checked; None stays None.

        Raises
        ------
        ValueError
            If their number or a shape differs.
        """
        if given is None:
            return None
        states = [self._read(s) for s in flat_states(given)]
        self._check_states([s.shape for s in states], len(x))
        return states

    def _read(self, x: Any) -> np.ndarray:
        """An array, checked; a tensor stays the one that a tape may follow."""
        values = read_values(x, self)
        return x if isinstance(x, Tensor) else values

    def _check_states(self, shapes: list[Shape], batch: int | None) -> None:
        expected = self.state_shapes(batch)
        if batch is None:
            shapes = [(None, *shape[1:]) for shape in shapes]
        if shapes != expected:
            raise ValueError(
                f'Layer "{self.name}" ({type(self).__name__}) must have states of shapes {expected}. Received: '
                f"{shapes}."
            )

    # Shapes.

    def ensure_built(self, input_shape: Any, **options: Any) -> Any:
        if isinstance(input_shape, list):
            super().ensure_built(input_shape[0], **options)
            return self.compute_output_shape(input_shape)
        return super().ensure_built(input_shape, **options)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape, *states = input_shape
            self._check_states([tuple(shape) for shape in states], None)
        shapes = self.output_shapes(input_shape)
        if self.return_state:
            shapes += self.state_shapes(input_shape[0])
        return shapes if self.gives_several else shapes[0]

    def compute_mask(self, x: Any, mask: Any = None) -> np.ndarray | None:
        """The mask of the output: that of the sequences, where the outputs of all steps are given."""
        return super().compute_mask(x, mask[0] if isinstance(mask, list) else mask)

    # Running.

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        states = None
        if isinstance(x, list):
            x, *states = x
            mask = mask[0] if isinstance(mask, list) else mask
        y, final, ctx = self.forward_states(x, states, training, mask)
        if self.gives_several:
            y = [*(y if isinstance(y, list) else [y]), *(final if self.return_state else [])]
        return y, (ctx, 0 if states is None else len(states))

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> Any:
        ctx, given = ctx
        need = need_dx if isinstance(need_dx, tuple) else (need_dx,) * (1 + given)
        dstates = None
        if self.gives_several:
            count = len(dy) - (len(self.state_shapes(None)) if self.return_state else 0)
            dy, dstates = list(dy[:count]), list(dy[count:]) or None
            dy = dy if count > 1 else dy[0]
        dx, before = self.backward_states(dy, dstates, ctx, any(need[1:]), need[0])
        return [dx, *(before or [None] * given)] if given else dx


def flat_states(states: Any) -> list[Any]:
    """States in a flat list; they may be nested, one entry a cell, and a state alone needs no list."""
    parts = (np.ndarray, Symbol, list, tuple)
    if isinstance(states, (list, tuple)) and any(isinstance(s, parts) for s in states):
        return [one for s in states for one in (flat_states(s) if isinstance(s, (list, tuple)) else [s])]
    return [states]
