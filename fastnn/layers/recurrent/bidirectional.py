"""Bidirectional: a recurrent layer that reads forwards beside one that reads backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Shape
from ..support.array_checks import read_values
from ..support.wrapper import described, fresh_copy, made_from
from .recurrent_layer import RecurrentLayer
from .rnn import RNN

__all__ = ["Bidirectional"]


class Bidirectional(RecurrentLayer):
    """Two recurrent layers over the same sequences, one from each end; their outputs are joined.

    x (N, T, D) → (N, 2·units) by "concat", forward then backward; (N, T, 2·units) with ``return_sequences``, in the
    order of time.  Without it the backward half is its output at the first step of time, the last that it processed.
    Weights in order: those of the forward layer, those of the backward layer.  Where sequences are returned, outputs
    at masked steps are zero.

    Parameters
    ----------
    layer : LSTM, GRU, SimpleRNN or RNN
        Its settings are taken for both directions; the weights are new.
    merge_mode : {"concat", "sum", "mul", "ave"} or None
        None gives the list [forward, backward].
    weights : list of array, optional
        Weights to start from.
    backward_layer : LSTM, GRU, SimpleRNN or RNN, optional
        A layer of its own for the way back, with ``go_backwards`` opposite to that of ``layer``.

    Raises
    ------
    TypeError
        If a layer is not recurrent.
    ValueError
        For an unknown merge_mode, or layers that do not belong together.

    References
    ----------
    Schuster, Paliwal: Bidirectional Recurrent Neural Networks, 1997.

    Examples
    --------
    >>> from fastnn.layers import LSTM
    >>> layer = Bidirectional(LSTM(4, return_sequences=True))
    >>> layer(np.zeros((2, 5, 3))).shape, layer.count_params()
    ((2, 5, 8), 256)
    """

    modes = ("concat", "sum", "mul", "ave", None)

    def __init__(
        self,
        layer: RNN,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: RNN | None = None,
        **settings: Any,
    ):
        for one in (layer, *([] if backward_layer is None else [backward_layer])):
            if not isinstance(one, RNN):
                raise TypeError(
                    "Bidirectional runs a recurrent layer: LSTM, GRU, SimpleRNN or RNN. Received: "
                    f"{one.__name__ if isinstance(one, type) else type(one).__name__}. Use Bidirectional(LSTM(64))."
                )
        if merge_mode not in self.modes:
            raise ValueError(
                'merge_mode of Bidirectional must be "concat", "sum", "mul", "ave" or None. Received: '
                f"merge_mode={merge_mode!r}."
            )
        self.forward_layer: RNN = fresh_copy(layer, f"forward_{layer.name}")
        if backward_layer is None:
            self.backward_layer: RNN = fresh_copy(layer, f"backward_{layer.name}")
            self.backward_layer.go_backwards = not layer.go_backwards
        else:
            self.backward_layer = fresh_copy(backward_layer, backward_layer.name)
        self._custom = backward_layer is not None
        self._check_pair()
        inherited: dict[str, Any] = {"dtype": layer.dtype}
        if layer.first_shape is not None and not {"input_shape", "batch_input_shape"} & set(settings):
            inherited["batch_input_shape"] = (layer.first_batch, *layer.first_shape)
        super().__init__(**inherited | settings)
        self.merge_mode = merge_mode
        self._first_weights = weights

    def _check_pair(self) -> None:
        first, second = self.forward_layer, self.backward_layer
        if first.go_backwards == second.go_backwards:
            raise ValueError(
                "The two layers of Bidirectional must run in opposite directions. Received: "
                f"go_backwards={first.go_backwards} for both. Use backward_layer={type(second).__name__}(..., "
                f"go_backwards={not first.go_backwards})."
            )
        for name in ("return_sequences", "return_state", "stateful", "zero_output_for_mask", "dtype"):
            if getattr(first, name) != getattr(second, name):
                raise ValueError(
                    f"The two layers of Bidirectional must have the same {name}. Received: {getattr(first, name)} and "
                    f"{getattr(second, name)}."
                )

    @property
    def children(self) -> list[Any]:
        return [self.forward_layer, self.backward_layer]

    @property
    def return_sequences(self) -> bool:
        """Whether the outputs of all steps are given."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether a call gives the final states of both directions too."""
        return self.forward_layer.return_state

    @property
    def stateful(self) -> bool:
        """Whether rows continue from the final states of the previous batch."""
        return self.forward_layer.stateful

    @property
    def supports_masking(self) -> bool:
        """Whether the mask is passed on: only with the outputs of all steps."""
        return self.return_sequences

    @property
    def gives_several(self) -> bool:
        """Whether a call gives several arrays."""
        return self.return_state or self.merge_mode is None

    # Shapes.

    def build(self, input_shape: Shape) -> None:
        for child in self.children:
            self.build_child(child, input_shape)
        shapes = [child.output_shapes(input_shape)[0] for child in self.children]
        if self.merge_mode not in ("concat", None) and shapes[0] != shapes[1]:
            raise ValueError(
                f"merge_mode={self.merge_mode!r} needs outputs of equal size. Received: outputs of the shapes "
                f'{shapes[0]} and {shapes[1]}. Use merge_mode="concat".'
            )
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def output_shapes(self, input_shape: Shape) -> list[Shape]:
        first, second = (child.output_shapes(input_shape)[0] for child in self.children)
        if self.merge_mode is None:
            return [first, second]
        return [(*first[:-1], first[-1] + second[-1]) if self.merge_mode == "concat" else first]

    def state_shapes(self, batch: int | None) -> list[Shape]:
        return [shape for child in self.children for shape in child.state_shapes(batch)]

    # Running.

    def forward_states(
        self,
        x: np.ndarray,
        states: Sequence[np.ndarray] | None = None,
        training: bool = False,
        mask: np.ndarray | None = None,
    ) -> tuple[Any, list[np.ndarray], Any]:
        """Output, final states of both directions, and ctx."""
        shares = self._shares(states)
        (y, s, run), (y_back, s_back, run_back) = (
            child.sweep(x, own, training, mask) for child, own in zip(self.children, shares, strict=True)
        )
        outputs = [y, y_back]
        gone = None if mask is None or not self.return_sequences or mask.all() else ~mask
        merged = self._merged(outputs)
        for one in merged if isinstance(merged, list) else [merged]:
            if gone is not None:
                one[gone] = 0
        penalty = 0.0
        for child, out in zip(self.children, outputs, strict=True):
            if child.activity_regularizer is not None:
                penalty += float(child.activity_regularizer(out)) / max(len(x), 1)
        kept = outputs if self.merge_mode == "mul" or self.penalizes else None
        return self._in_own_order(merged), [*s, *s_back], (run, run_back, kept, gone, penalty)

    @property
    def penalizes(self) -> bool:
        """Whether a layer inside adds a penalty to the loss."""
        return any(child.activity_regularizer is not None for child in self.children)

    def penalty_of(self, ctx: Any) -> float:
        """What the layers inside add to the loss."""
        return ctx[0][-1]

    def _merged(self, outputs: list[np.ndarray]) -> Any:
        """The outputs joined, in an array that belongs to neither child."""
        y, y_back = outputs
        match self.merge_mode:
            case "concat":
                return np.concatenate(outputs, axis=-1)
            case "sum":
                return y + y_back
            case "ave":
                return (y + y_back) / 2
            case "mul":
                return y * y_back
        return [y.copy(), y_back.copy()]

    def _in_own_order(self, y: Any) -> Any:
        """Outputs in the order in which the forward layer gives them."""
        if y is None or not (self.return_sequences and self.forward_layer.go_backwards):
            return y
        return [self._in_own_order(one) for one in y] if isinstance(y, list) else np.ascontiguousarray(y[:, ::-1])

    def backward_states(
        self,
        dy: Any,
        dstates: Sequence[np.ndarray | None] | None,
        ctx: Any,
        need_dstates: bool = False,
        need_dx: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None]:
        """Gradients of the input and, with ``need_dstates``, of the initial states."""
        run, run_back, outputs, gone, _ = ctx
        slopes = self._split(self._in_own_order(dy), outputs, gone)
        dx: Any = None
        before: list[np.ndarray] = []
        pairs = zip(self.children, slopes, (run, run_back), self._shares(dstates), strict=True)
        for i, (child, slope, one, own) in enumerate(pairs):
            if child.activity_regularizer is not None:
                slope = np.zeros_like(outputs[i]) if slope is None else slope
                slope = slope + child.activity_regularizer.gradient(outputs[i]) * slope.dtype.type(1 / len(slope))
            piece, given = child.sweep_back(slope, own, one, need_dstates, need_dx)
            if need_dx:
                dx = piece if dx is None else np.add(dx, piece, out=dx)
            before += given or []
        return dx, before if need_dstates else None

    def _split(self, dy: Any, outputs: Any, gone: np.ndarray | None) -> list[Any]:
        """The gradients of the outputs of both layers."""
        if dy is None:
            return [None, None]
        match self.merge_mode:
            case "concat":
                cut = dy.shape[-1] * self._width(0) // (self._width(0) + self._width(1))
                found = [np.ascontiguousarray(dy[..., :cut]), np.ascontiguousarray(dy[..., cut:])]
            case "sum":
                found = [dy, dy]
            case "ave":
                found = [dy / 2] * 2
            case "mul":
                found = [dy * outputs[1], dy * outputs[0]]
            case _:
                found = list(dy)
        if gone is None:
            return found
        found = [None if one is None else one.copy() for one in found]
        for one in found:
            if one is not None:
                one[gone] = 0
        return found

    def _width(self, i: int) -> int:
        return self.children[i].output_shapes(self.input_shape)[0][-1]

    def _shares(self, states: Any) -> list[Any]:
        """The states, or their gradients, of the two layers."""
        if states is None:
            return [None, None]
        n = len(self.forward_layer.state_shapes(None))
        return [list(states[:n]), list(states[n:])]

    # Looking inside.

    def trace(self, x: Any, mask: Any = None, initial_state: Any = None) -> dict[str, np.ndarray]:
        """What both layers compute at each step, as ``"forward/hidden"``, ``"backward/hidden"``; see ``RNN.trace``."""
        x = read_values(x, self)
        self.ensure_built((None, *x.shape[1:]))
        shares = self._shares(self.read_states(x, initial_state))
        pairs = zip(("forward", "backward"), self.children, shares, strict=True)
        return {
            f"{side}/{name}": values for side, child, own in pairs for name, values in child.trace(x, mask, own).items()
        }

    # States that are carried.

    @property
    def states(self) -> list[Any]:
        """The states that the two layers continue from, if stateful."""
        return [child.states for child in self.children]

    @states.setter
    def states(self, values: Sequence[Any]) -> None:
        for child, value in zip(self.children, values, strict=True):
            child.states = value

    def reset_state(self) -> None:
        """Let both layers, if stateful, start from zeros again."""
        for child in self.children:
            child.reset_state()

    reset_states = reset_state

    # Settings.

    def get_config(self) -> dict[str, Any]:
        forward = described(self.forward_layer)
        forward["config"]["name"] = self.forward_layer.name.removeprefix("forward_")
        config = super().get_config() | {"merge_mode": self.merge_mode, "layer": forward}
        return config | {"backward_layer": described(self.backward_layer)} if self._custom else config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Bidirectional:
        """A new, unbuilt layer from ``get_config``; ``custom_objects`` names classes of your own."""
        inner = {
            name: made_from(config[name], custom_objects) for name in ("layer", "backward_layer") if config.get(name)
        }
        return cls(**config | inner)
