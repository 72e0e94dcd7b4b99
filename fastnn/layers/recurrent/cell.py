"""Cells: what happens in one time step, and the whole sequence of such steps where one kernel computes it.

A cell of your own is a subclass of ``Layer`` with

    state_size                                            int, or a list of them: one a state
    output_size                                           int; default: the size of the first state
    build(input_shape)                                    makes the weights
    forward(x, states, training=False)                    gives (y, new_states, ctx) for one step, x (N, D)
    backward(dy, dstates, ctx)                            gives (dx, dstates); adds to gradients: p.grad += ...

and optionally ``output_state``, the place of the state that is the output: it is repeated at a masked step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import utils
from ...backend import active
from ...graph import next_draw
from ..base import Layer, Shape
from ..support.arguments import check_parts, flag, fraction, positive, seed_of
from ..support.array_checks import read_values
from .sweep import Sweep

__all__ = ["Cell", "checked_cell"]


class Cell(Layer):
    """What the built-in cells share: settings, weights, dropout, and the two ways to run.

    ``forward`` and ``backward`` compute one step with any activation; ``sweep`` and ``sweep_back`` a whole sequence in
    one kernel, where ``fusible``.

    Parameters
    ----------
    units : int
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str or object
    kernel_regularizer, recurrent_regularizer, bias_regularizer : optional
    kernel_constraint, recurrent_constraint, bias_constraint : optional
    dropout, recurrent_dropout : float
        Shares of the input and of the state that are set to zero in training, the same cells at every step of a
        sequence.  With ``recurrent_dropout`` each gate has cells of its own.
    seed : int, optional
        A fixed start of these draws.

    Raises
    ------
    ValueError
        If units is not a positive integer, or a share is not in [0, 1].
    """

    gates = 1
    output_state = 0
    state_names: tuple[str, ...] = ("hidden",)
    """A name for each state, as ``trace`` gives it."""
    shared_fields = (
        "use_bias",
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
        "dropout",
        "recurrent_dropout",
        "seed",
    )

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.units, self.use_bias = positive("units", units, self), flag("use_bias", use_bias, self)
        self.seed = seed_of(seed, self)
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer, self.recurrent_regularizer = kernel_regularizer, recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint, self.recurrent_constraint = kernel_constraint, recurrent_constraint
        self.bias_constraint = bias_constraint
        check_parts(self)
        self.dropout = fraction("dropout", dropout, self)
        self.recurrent_dropout = fraction("recurrent_dropout", recurrent_dropout, self)
        self.calls = 0
        self.kernel: Any = None
        self.recurrent_kernel: Any = None
        self.bias: Any = None
        self._factors: tuple[np.ndarray | None, np.ndarray | None] = (None, None)

    @property
    def rules(self) -> tuple[Any, ...]:
        """The activations."""
        raise NotImplementedError

    @property
    def state_size(self) -> int | list[int]:
        """How many numbers each state holds."""
        return self.units

    @property
    def output_size(self) -> int:
        """How many numbers the output of a step holds."""
        return self.units

    @property
    def fusible(self) -> bool:
        """Whether a kernel computes whole sequences: all activations are among ``activations.FUSIBLE``."""
        return not any(rule.separate for rule in self.rules)

    @property
    def fused(self) -> list[str]:
        """The activations by the names that kernels know, if ``fusible``."""
        return [rule.fused for rule in self.rules]

    # Weights.

    def build(self, input_shape: Shape) -> None:
        wide, features = self.gates * self.units, input_shape[-1]
        if len(input_shape) != 2 or features is None:
            self.refuse_shape("one time step, (batch, features), of known length", input_shape)
        self.kernel = self.add_weight(
            (features, wide), self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            (self.output_size, wide),
            self.recurrent_initializer,
            self.recurrent_regularizer,
            self.recurrent_constraint,
            name="recurrent_kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                self.bias_shape(), self.first_bias, self.bias_regularizer, self.bias_constraint, name="bias"
            )
        self.key = utils.draw_key() if self.seed is None else self.seed % (1 << 64)

    def bias_shape(self) -> tuple[int, ...]:
        """Shape of the bias."""
        return (self.gates * self.units,)

    @property
    def first_bias(self) -> Any:
        """The initializer of the bias."""
        return self.bias_initializer

    def unbuild(self) -> None:
        super().unbuild()
        self.kernel = self.recurrent_kernel = self.bias = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.kernel is not None and input_shape[-1] != self.kernel.shape[0]:
            self.refuse_shape(f"{self.kernel.shape[0]} features", input_shape)
        return (input_shape[0], self.output_size)

    def values(self) -> list[Any]:
        """The values of kernel, recurrent kernel and bias."""
        return [self.kernel.value, self.recurrent_kernel.value, self.bias.value if self.bias is not None else None]

    def gradients(self) -> dict[str, Any]:
        """Where the kernels write the gradients of the weights."""
        found = {"dw": self.kernel.grad, "du": self.recurrent_kernel.grad, "need_db": self.bias is not None}
        return found if self.bias is None else found | {"db": self.bias.grad}

    # Dropout.

    def draw(self, batch: int, training: bool) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The factors of input and state, 0 or 1/(1 − rate), for all steps of one sequence."""
        if not training or not (self.dropout or self.recurrent_dropout):
            return None, None
        call = 2 * next_draw(self)
        sets = self.gates if self.recurrent_dropout else 1
        draw, x_dropout, h_dropout = active().dropout_forward, None, None
        if self.dropout:
            ones = np.ones((sets, batch, self.kernel.shape[0]), self.dtype)
            x_dropout = draw(ones, self.dropout, self.key, call)
        if self.recurrent_dropout:
            ones = np.ones((sets, batch, self.output_size), self.dtype)
            h_dropout = draw(ones, self.recurrent_dropout, self.key, call + 1)
        return x_dropout, h_dropout

    def begin(self, batch: int, training: bool) -> None:
        """Draw for a sequence that is then computed step by step."""
        self._factors = self.draw(batch, training)

    # A step by itself.

    def __call__(self, x: Any, states: Any, training: bool = False) -> tuple[np.ndarray, list[np.ndarray]]:
        """One step for arrays: output and new states; builds the cell if need be."""
        x = read_values(x, self)
        states = [read_values(s, self) for s in (states if isinstance(states, (list, tuple)) else [states])]
        self.ensure_built((None, *x.shape[1:]))
        self.begin(len(x), training)
        y, states, _ = self.forward(x, states, training)
        return y, states

    def look(self, ctx: Any) -> dict[str, np.ndarray]:
        """What a step computed besides its states, by name, from its ``ctx``."""
        return {}

    # Whole sequences.

    def sweep(
        self,
        x: np.ndarray,
        states: Sequence[np.ndarray] | None,
        mask: np.ndarray | None = None,
        backwards: bool = False,
        sequences: bool = True,
        training: bool = False,
    ) -> tuple[np.ndarray, list[np.ndarray], Sweep]:
        """Outputs of all steps in the order of time, or of the last one processed; the final states; and a ctx."""
        run = Sweep(x, states or self._no_states(), mask, backwards, sequences, *self.draw(len(x), training))
        y, final, saved = self.kernel_forward(run, keep=training)
        run.saved = saved if training else None
        return (y if sequences else final[0]), final, run

    def sweep_back(
        self,
        dy: np.ndarray | None,
        dstates: Sequence[np.ndarray | None] | None,
        run: Sweep,
        need_dx: bool = True,
        need_dstates: bool = False,
        need_steps: bool = False,
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        """Gradients of the input and of the initial states, and the gradient that reaches the output of each step."""
        if run.saved is None:  # forward ran for its outputs alone
            run.saved = self.kernel_forward(run, keep=True)[2]
        last = list(dstates or self._no_states())
        if not run.sequences:
            last[0], dy = dy if last[0] is None else last[0] if dy is None else dy + last[0], None
        return self.kernel_backward(dy, last, run, need_dx, need_dstates, need_steps)

    def _no_states(self) -> list[None]:
        return [None] * len(self.state_names)

    def kernel_forward(self, run: Sweep, keep: bool) -> tuple[Any, list[np.ndarray], Any]:
        """Outputs, final states, and what ``kernel_backward`` needs, complete if ``keep``."""
        raise NotImplementedError

    def kernel_backward(
        self, dy: Any, last: list[Any], run: Sweep, need_dx: bool, need_dstates: bool, need_steps: bool
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        """See ``sweep_back``."""
        raise NotImplementedError

    def look_through(
        self, x: np.ndarray, states: Sequence[np.ndarray] | None, mask: np.ndarray | None, backwards: bool
    ) -> dict[str, np.ndarray]:
        """What whole sequences compute inside, by name, each (N, T, units); dropout is not at work."""
        run = Sweep(x, states or self._no_states(), mask, backwards, True, None, None)
        run.saved = self.kernel_forward(run, keep=True)[2]
        return self.look_at_sweep(run)

    def look_at_sweep(self, run: Sweep) -> dict[str, np.ndarray]:
        """What a kept sweep computed inside, by name, each (N, T, units)."""
        raise NotImplementedError


def checked_cell(cell: Any) -> Any:
    """The cell, or the error that says what a cell is."""
    lacking = [name for name in ("forward", "backward", "state_size") if not hasattr(cell, name)]
    if not isinstance(cell, Layer) or lacking or isinstance(cell, type):
        what = f"{cell!r}" if isinstance(cell, type) else f"{type(cell).__name__}"
        raise TypeError(
            "RNN runs a cell: LSTMCell(64), a list of cells, or a subclass of fastnn.layers.Layer with state_size, "
            f"forward(x, states, training=False) and backward(dy, dstates, ctx). Received: {what}"
            + (f", which lacks {', '.join(lacking)}." if lacking else ".")
        )
    return cell
