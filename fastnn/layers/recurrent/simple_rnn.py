"""SimpleRNN and its cell: what a step computes feeds back into the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..support.fused_activation import fused_activation
from .cell import Cell
from .cell_rnn import CellRNN, of_cell
from .dropped_products import products, products_back
from .output_rnn import OutputRNNCell
from .sweep import Sweep

__all__ = ["SimpleRNN", "SimpleRNNCell"]


class SimpleRNNCell(Cell):
    """One step of h' = act(x·W + h·U + b).

    Weights in order: kernel W (D, units), recurrent_kernel U (units, units), bias b (units,).

    Parameters
    ----------
    units : int
    activation : str, function or object
    use_bias, kernel_initializer, ..., dropout, recurrent_dropout, seed
        As for ``SimpleRNN``.

    Examples
    --------
    >>> cell = SimpleRNNCell(2, kernel_initializer="ones", recurrent_initializer="zeros", activation="linear")
    >>> y, states = cell(np.ones((1, 3)), [np.zeros((1, 2))])
    >>> y.tolist()
    [[3.0, 3.0]]
    """

    fields = ("units", "activation", *Cell.shared_fields)

    def __init__(self, units: int, activation: Any = "tanh", **settings: Any):
        super().__init__(units, **settings)
        self.rule = fused_activation(activation)
        self.activation = self.rule.activation

    @property
    def rules(self) -> tuple[Any, ...]:
        return (self.rule,)

    def forward(
        self, x: np.ndarray, states: list[np.ndarray], training: bool = False
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        w, u, b = self.values()
        x_dropout, h_dropout = self._factors
        z = products(x, w, x_dropout) + products(states[0], u, h_dropout)
        y, after = self.rule.forward(z if b is None else z + b)
        return y, [y], (x, states[0], after, x_dropout, h_dropout)

    def backward(self, dy: np.ndarray, dstates: list[np.ndarray], ctx: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        x, h, after, x_dropout, h_dropout = ctx
        d = self.rule.backward(dy + dstates[0], after)
        if self.bias is not None:
            self.bias.grad += d.sum(0)
        dx = products_back(d, x, self.kernel.value, self.kernel.grad, x_dropout)
        dh = products_back(d, h, self.recurrent_kernel.value, self.recurrent_kernel.grad, h_dropout)
        return dx, [dh]

    def kernel_forward(self, run: Sweep, keep: bool) -> tuple[np.ndarray | None, list[np.ndarray], Any]:
        y, h = active().simple_rnn_forward(
            run.x,
            *self.values(),
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
            need_y=keep or run.sequences,
        )
        return y, [h], y

    def kernel_backward(
        self, dy: Any, last: list[Any], run: Sweep, need_dx: bool, need_dstates: bool, need_steps: bool
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        w, u, _ = self.values()
        dx, _, _, _, dh0, steps = active().simple_rnn_backward(
            dy,
            *last,
            run.x,
            w,
            u,
            run.saved,
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
            need_dx=need_dx,
            need_dh0=need_dstates,
            need_dstates=need_steps,
            **self.gradients(),
        )
        return dx, [dh0] if need_dstates else None, steps

    def look_at_sweep(self, run: Sweep) -> dict[str, np.ndarray]:
        return {"hidden": run.saved}


class SimpleRNN(CellRNN):
    """Recurrent layer: h_t = act(x_t·W + h_{t−1}·U + b).

    x (N, T, D) → (N, units), or (N, T, units) with ``return_sequences``.  Weights in order: kernel W (D, units),
    recurrent_kernel U (units, units), bias b (units,).

    With ``recurrence="output"`` the output of the step before feeds back, and not the hidden state:
    a_t = act(x_t·W + y_{t−1}·U + b), y_t = out(a_t·V + c); two more weights, output_kernel V (units, output_units) and
    output_bias c.

    Parameters
    ----------
    units : int
    activation : str, function or object
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str or object
    kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, recurrent_constraint, bias_constraint : optional
    dropout, recurrent_dropout : float
        Shares of the input and of the state that are zero in training, the same ones at all steps of a sequence.
    seed : int, optional
        A fixed start of these draws.
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask : bool
        As for ``RNN``.
    recurrence : {"hidden", "output"}
        What feeds back.
    output_units, output_activation
        For ``recurrence="output"``: the size of the output (default: units) and its activation.

    References
    ----------
    Elman: Finding Structure in Time, 1990 (hidden).  Jordan: Serial Order, 1986 (output).

    Examples
    --------
    >>> layer = SimpleRNN(4, return_sequences=True)
    >>> layer(np.zeros((2, 5, 3))).shape, layer.count_params()
    ((2, 5, 4), 32)
    """

    output_units = of_cell("output_units")
    output_activation = of_cell("output_activation")
    output_kernel = of_cell("output_kernel")
    output_bias = of_cell("output_bias")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        recurrence: str = "hidden",
        output_units: int | None = None,
        output_activation: Any = None,
        **settings: Any,
    ):
        if recurrence not in ("hidden", "output"):
            raise ValueError(
                f'recurrence of SimpleRNN must be "hidden" or "output". Received: recurrence={recurrence!r}.'
            )
        if recurrence == "hidden" and (output_units is not None or output_activation is not None):
            raise ValueError(
                'output_units and output_activation need recurrence="output". Received: '
                f'output_units={output_units!r}, output_activation={output_activation!r} and recurrence="hidden".'
            )
        shared = {
            "units": units,
            "activation": activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "seed": seed,
            "dtype": settings.get("dtype"),
        }
        if recurrence == "hidden":
            cell: Cell = SimpleRNNCell(**shared)
        else:
            cell = OutputRNNCell(**shared, output_units=output_units, output_activation=output_activation)
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **settings,
        )

    @property
    def recurrence(self) -> str:
        """What feeds back, "hidden" or "output"."""
        return "output" if isinstance(self.cell, OutputRNNCell) else "hidden"

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"recurrence": self.recurrence}
