"""RNN: a cell over sequences, with masks, states that can be given, read and carried on, and either direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...graph import on_refusal
from ..base import Layer, Shape, plain
from ..support.arguments import flag
from ..support.array_checks import checked_mask, read_values
from ..support.wrapper import described, made_from
from .cell import checked_cell
from .recurrent_layer import RecurrentLayer, flat_states
from .stacked_cells import StackedRNNCells
from .steps import as_shape, output_size, state_sizes, step_back, step_through

__all__ = ["RNN"]

States = Sequence[np.ndarray]


class RNN(RecurrentLayer):
    """Runs a cell over sequences: y_t, states_t = cell(x_t, states_{t−1}).

    x (N, T, D) → (N, units), the output of the last step, or (N, T, units) with ``return_sequences``.  Built-in cells
    run as one kernel for the whole sequence, others step by step.  At a step whose mask is False all states are held
    and the output repeats the one before, so a row that is masked throughout gives its initial state.

    Parameters
    ----------
    cell : layer or list of layers
        ``LSTMCell(64)`` and its like, a cell of your own (see ``fastnn.layers.cell``), or a list: cells on top of each
        other.
    return_sequences : bool
        Give the outputs of all steps.
    return_state : bool
        A call of the layer gives ``[y, *final states]``.
    go_backwards : bool
        Start at the last step; outputs come in the order they were computed.
    stateful : bool
        Row i of a batch continues from the final states of row i of the previous batch, until ``reset_state()``.  All
        batches then have one size: that of ``Input(batch_size=...)``, or that of the first batch.
    unroll : bool
        Accepted as Keras does, without effect; so are ``implementation``, ``use_cudnn`` and ``input_length``.
    zero_output_for_mask : bool
        Give zeros at masked steps.
    **settings
        ``name``, ``dtype``, ``trainable``, ``input_shape``, ``batch_input_shape``, ``activity_regularizer``.

    Attributes
    ----------
    states : list of array or None
        The states that a stateful layer continues from.
    listeners : list of callable
        Each gets, at every backward pass, the gradient that reaches the output of each step, (N, T, units).

    Raises
    ------
    TypeError
        If cell is not a cell.
    ValueError
        If the input is not made of sequences of at least one step, or mask or states do not fit it.

    Examples
    --------
    >>> from fastnn.layers import GRUCell, LSTMCell
    >>> layer = RNN([LSTMCell(4), GRUCell(2)], return_sequences=True)
    >>> layer(np.zeros((3, 5, 6))).shape
    (3, 5, 2)
    """

    options = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        use_cudnn: Any = "auto",
        input_length: int | None = None,
        **settings: Any,
    ):
        self.cell: Any = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else checked_cell(cell)
        if input_length is not None and settings.get("input_dim") is not None:
            settings["input_shape"] = (input_length, settings.pop("input_dim"))
        super().__init__(**{"dtype": self.cell.dtype} | settings)
        if self.dtype != self.cell.dtype:
            raise ValueError(
                f"A layer and its cell must have the same dtype. Received: dtype={self.dtype!r} and a cell of "
                f"{self.cell.dtype!r}. Use {type(self.cell).__name__}(..., dtype={self.dtype!r})."
            )
        self.return_sequences = flag("return_sequences", return_sequences, self)
        self.return_state = flag("return_state", return_state, self)
        self.go_backwards = flag("go_backwards", go_backwards, self)
        self.stateful, self.unroll = flag("stateful", stateful, self), flag("unroll", unroll, self)
        self.zero_output_for_mask = flag("zero_output_for_mask", zero_output_for_mask, self)
        self.states: Any = None
        self.listeners: list[Callable[[Any], None]] = []

    @property
    def children(self) -> list[Layer]:
        return [self.cell]

    @property
    def supports_masking(self) -> bool:
        """Whether the mask is passed on: only with the outputs of all steps."""
        return self.return_sequences

    @property
    def gives_several(self) -> bool:
        """Whether a call gives the final states too."""
        return self.return_state

    @property
    def fusible(self) -> bool:
        """Whether one kernel computes whole sequences; otherwise the cell runs step by step."""
        return getattr(self.cell, "fusible", False)

    # Shapes.

    def build(self, input_shape: Shape) -> None:
        self._check_shape(input_shape)
        if not self.cell.built:
            self._built_here.append(self.cell)
            step = (input_shape[0], *input_shape[2:])
            self.cell.build(step)
            self.cell.built, self.cell.input_shape = True, step

    def _check_shape(self, input_shape: Shape) -> None:
        if len(input_shape) < 3 or None in input_shape[2:]:
            hint = (
                "For one number per step use x[..., None]; words need an Embedding first, as ids (batch, steps). Use "
                "dataset.batch(32) to make batches, or x[None] for a single sequence."
            )
            self.refuse_shape(
                "sequences, (batch, steps, features), with a known number of features",
                input_shape,
                hint if len(input_shape) == 2 else "",
            )
        expected = None if self.cell.input_shape is None else self.cell.input_shape[1:]
        if expected is not None and input_shape[2:] != expected:
            self.refuse_shape(f"{', '.join(map(str, expected))} features per step", input_shape)

    def output_shapes(self, input_shape: Shape) -> list[Shape]:
        self._check_shape(input_shape)
        size = as_shape(output_size(self.cell))
        batch, steps = input_shape[:2]
        return [(batch, steps, *size) if self.return_sequences else (batch, *size)]

    def state_shapes(self, batch: int | None) -> list[Shape]:
        return [(batch, *as_shape(size)) for size in state_sizes(self.cell)]

    def arranged(self, states: Sequence[Any]) -> list[Any]:
        """The final states as a call gives them: cells on top of each other have one entry each."""
        return self.cell.nested(states) if isinstance(self.cell, StackedRNNCells) else list(states)

    # Running.

    def forward_states(
        self, x: np.ndarray, states: States | None = None, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        """Output, final states and ctx, from given states; without them from zeros, or from those that are carried."""
        y, states, run = self.sweep(x, states, training, mask)
        zeroed = mask if self.zero_output_for_mask else None
        if zeroed is not None:
            y = y * _factor(self._valid(zeroed), y)
        if self.return_sequences and self.go_backwards:
            y = np.ascontiguousarray(y[:, ::-1])
        return y, states, (run, zeroed)

    def backward_states(
        self,
        dy: np.ndarray | None,
        dstates: Sequence[np.ndarray | None] | None,
        ctx: Any,
        need_dstates: bool = False,
        need_dx: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None]:
        """Gradients of the input and, with ``need_dstates``, of the initial states, from those of output and states."""
        run, mask = ctx
        if dy is not None and self.return_sequences and self.go_backwards:
            dy = np.ascontiguousarray(dy[:, ::-1])
        if dy is not None and mask is not None:
            dy = dy * _factor(self._valid(mask), dy)
        return self.sweep_back(dy, dstates, run, need_dstates, need_dx)

    def sweep(
        self, x: np.ndarray, states: States | None = None, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        """As ``forward_states``, with outputs in the order of time and not zeroed."""
        if x.shape[1] == 0:
            self.refuse_shape("sequences of at least one step", x.shape)
        if states is None and self.stateful:
            states = self._carried(len(x))
        if self.fusible:
            run = self.cell.sweep
        else:
            states = self.zero_states(len(x)) if states is None else states
            run = self._steps
        y, final, ctx = run(x, states, mask, self.go_backwards, self.return_sequences, training)
        if self.stateful:
            on_refusal(partial(setattr, self, "states", self.states))
            self.states = [s.copy() for s in final]
        return y, final, ctx

    def _steps(self, *arguments: Any) -> tuple[np.ndarray, list[np.ndarray], Any]:
        return step_through(self.cell, *arguments)

    def sweep_back(
        self,
        dy: np.ndarray | None,
        dstates: Sequence[np.ndarray | None] | None,
        run: Any,
        need_dstates: bool = False,
        need_dx: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None]:
        """As ``backward_states``, for ``sweep``."""
        need_steps = bool(self.listeners)
        if self.fusible:
            dx, before, steps = self.cell.sweep_back(dy, dstates, run, need_dx, need_dstates, need_steps)
        else:
            dx, before, steps = step_back(self.cell, dy, dstates, run, need_steps)
        for listener in self.listeners:
            listener(steps)
        return dx, before

    def _valid(self, mask: np.ndarray) -> np.ndarray:
        """The mask of the outputs that the layer gives."""
        return mask if self.return_sequences else mask[:, 0 if self.go_backwards else -1]

    # States.

    def zero_states(self, batch: int) -> list[np.ndarray]:
        """The states before the first step when none are given."""
        return [np.zeros(shape, self.dtype) for shape in self.state_shapes(batch)]

    def reset_state(self, states: Any = None) -> None:
        """Let a stateful layer start from zeros again, or from these states, one array each (N, units)."""
        if not self.stateful:
            raise ValueError(
                f'Layer "{self.name}" carries no states. Use {type(self).__name__}(..., stateful=True) when making it.'
            )
        if states is None:
            self.states = None
        else:
            first = np.asarray(flat_states(states)[0])
            self.states = [s.copy() for s in self.read_states(first, states) or ()]

    reset_states = reset_state

    def _carried(self, batch: int) -> list[np.ndarray] | None:
        """The states of the batch before, if this batch has its size."""
        declared = None if self.input_shape is None else self.input_shape[0]
        size = declared if declared is not None else len(self.states[0]) if self.states is not None else batch
        if batch != size:
            why = "as its input shape says" if declared is not None else "as the batch before"
            free = "" if declared is not None else ", or call reset_state() before a batch of another size"
            raise ValueError(
                f'Layer "{self.name}" ({type(self).__name__}) is stateful: row i continues row i of the previous '
                f"batch, so every batch must have {size} rows, {why}. Received: a batch of {batch} rows. Use "
                f"batch_size={size}, with a number of examples that {size} divides{free}."
            )
        return self.states

    # Looking inside.

    def trace(self, x: Any, mask: Any = None, initial_state: Any = None) -> dict[str, np.ndarray]:
        """What the layer computes at each step for a batch: gates, memory, hidden state.

        Parameters
        ----------
        x : array (N, T, D)
        mask : array of bool (N, T), optional
        initial_state : list of array, optional

        Returns
        -------
        dict of array (N, T, units)
            In the order of time.  SimpleRNN: hidden (and output, where that feeds back).  LSTM: input_gate,
            forget_gate, candidate, output_gate, cell, hidden.  GRU: update_gate, reset_gate, candidate, hidden.  Cells
            on top of each other: ``"0/hidden"``, ``"1/hidden"``.  Other cells: output, state_0, state_1, …  At masked
            steps states repeat, and all else is 0: nothing was computed.

        Examples
        --------
        >>> from fastnn.layers import LSTM
        >>> seen = LSTM(4).trace(np.zeros((1, 3, 2)))
        >>> seen["forget_gate"].shape, round(float(seen["forget_gate"][0, 0, 0]), 3)
        ((1, 3, 4), 0.731)
        """
        x = read_values(x, self)
        self.ensure_built((None, *x.shape[1:]))
        states, mask = self.read_states(x, initial_state), None if mask is None else checked_mask(mask, x.shape, self)
        if self.fusible:
            seen = self.cell.look_through(x, states, mask, self.go_backwards)
        else:
            states = self.zero_states(len(x)) if states is None else states
            run = step_through(self.cell, x, states, mask, self.go_backwards)[2]
            seen = self._seen(run)
        return {name: np.array(values) for name, values in seen.items()}

    def _seen(self, run: Any) -> dict[str, np.ndarray]:
        """What a run step by step computed."""
        columns = [np.stack(column, 1) for column in zip(*run.states, strict=True)]
        names = getattr(self.cell, "state_names", None)
        if names is None:
            names = [f"state_{i}" for i in range(len(columns))]
            return {"output": np.stack(run.outputs, 1)} | dict(zip(names, columns, strict=True))
        steps = dict(zip(run.order, run.tape, strict=True))
        looks = [self.cell.look(steps[t]) for t in range(len(steps))]
        seen = {name: np.stack([look[name] for look in looks], 1) for name in looks[0]}
        if run.mask is not None:
            for values in seen.values():
                values[~run.mask] = 0
        return seen | dict(zip(names, columns, strict=True))

    # Settings.

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"cell": described(self.cell)} | self._options()

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.options} | {
            "activity_regularizer": plain(self.activity_regularizer)
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> RNN:
        """A new, unbuilt layer from ``get_config``; ``custom_objects`` names cells of your own."""
        if "cell" in config:
            config = config | {"cell": made_from(config["cell"], custom_objects)}
        return cls(**config)


def _factor(valid: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 where valid, else 0, in the shape and dtype that multiply y."""
    return valid.reshape(*valid.shape, *[1] * (y.ndim - valid.ndim)).astype(y.dtype)
