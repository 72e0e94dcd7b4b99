"""LSTM and its cell: a memory that gates keep, write and read."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import initializers
from ...backend import active
from ..support.arguments import flag
from ..support.fused_activation import fused_activation
from .cell import Cell
from .cell_rnn import CellRNN, of_cell
from .dropped_products import products, products_back
from .sweep import Sweep

__all__ = ["LSTM", "LSTMCell"]


class LSTMCell(Cell):
    """One step of an LSTM: i, f, g, o from x·W + h·U + b; c' = f·c + i·g; h' = o·act(c').

    Weights in order: kernel (D, 4·units), recurrent_kernel (units, 4·units), bias (4·units,); gates input, forget,
    candidate, output.

    Parameters
    ----------
    units : int
    activation, recurrent_activation : str, function or object
        Of candidate and memory; of the gates.
    unit_forget_bias : bool
        Start the bias of the forget gate at 1, so that memory is kept at first.
    use_bias, kernel_initializer, ..., dropout, recurrent_dropout, seed
        As for ``LSTM``.

    Examples
    --------
    >>> cell = LSTMCell(2)
    >>> y, (h, c) = cell(np.ones((1, 3)), [np.zeros((1, 2)), np.zeros((1, 2))])
    >>> bool((y == h).all()), cell.bias.value.tolist()
    (True, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    """

    gates = 4
    state_names = ("hidden", "cell")
    fields = ("units", "activation", "recurrent_activation", "unit_forget_bias", *Cell.shared_fields)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        unit_forget_bias: bool = True,
        **settings: Any,
    ):
        super().__init__(units, **settings)
        self.rule, self.gate_rule = fused_activation(activation), fused_activation(recurrent_activation)
        self.activation, self.recurrent_activation = self.rule.activation, self.gate_rule.activation
        self.unit_forget_bias = flag("unit_forget_bias", unit_forget_bias, self)

    @property
    def rules(self) -> tuple[Any, ...]:
        return (self.rule, self.gate_rule)

    @property
    def state_size(self) -> list[int]:
        """Hidden state and memory."""
        return [self.units, self.units]

    @property
    def first_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        first, n = initializers.get(self.bias_initializer), self.units

        def forget_at_one(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
            return np.concatenate([first((n,), dtype=dtype), np.ones(n, dtype), first((2 * n,), dtype=dtype)])

        return forget_at_one

    def forward(
        self, x: np.ndarray, states: list[np.ndarray], training: bool = False
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        h, c = states
        w, u, b = self.values()
        x_dropout, h_dropout = self._factors
        z = products(x, w, x_dropout) + products(h, u, h_dropout)
        rules = (self.gate_rule, self.gate_rule, self.rule, self.gate_rule)
        parts = np.split(z if b is None else z + b, 4, axis=1)
        results = [rule.forward(np.ascontiguousarray(part)) for rule, part in zip(rules, parts, strict=True)]
        i, f, g, o = gates = [result[0] for result in results]
        memory = f * c + i * g
        seen, after = self.rule.forward(memory)
        y = o * seen
        return y, [y, memory], (x, h, c, gates, [r[1] for r in results], seen, after, x_dropout, h_dropout)

    def backward(self, dy: np.ndarray, dstates: list[np.ndarray], ctx: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        x, h, c, (i, f, g, o), afters, seen, after, x_dropout, h_dropout = ctx
        dh = dy + dstates[0]
        dc = dstates[1] + self.rule.backward(dh * o, after)
        rules = (self.gate_rule, self.gate_rule, self.rule, self.gate_rule)
        slopes = (dc * g, dc * c, dc * i, dh * seen)
        d = np.concatenate([r.backward(s, a) for r, s, a in zip(rules, slopes, afters, strict=True)], 1)
        if self.bias is not None:
            self.bias.grad += d.sum(0)
        dx = products_back(d, x, self.kernel.value, self.kernel.grad, x_dropout)
        return dx, [products_back(d, h, self.recurrent_kernel.value, self.recurrent_kernel.grad, h_dropout), dc * f]

    def look(self, ctx: Any) -> dict[str, np.ndarray]:
        i, f, g, o = ctx[3]
        return {"input_gate": i, "forget_gate": f, "candidate": g, "output_gate": o}

    def kernel_forward(self, run: Sweep, keep: bool) -> tuple[np.ndarray | None, list[np.ndarray], Any]:
        y, h, c, gates, cells = active().lstm_forward(
            run.x,
            *self.values(),
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
            need_y=keep or run.sequences,
            need_gates=keep,
        )
        return y, [h, c], (y, gates, cells)

    def kernel_backward(
        self, dy: Any, last: list[Any], run: Sweep, need_dx: bool, need_dstates: bool, need_steps: bool
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        w, u, _ = self.values()
        dx, _, _, _, dh0, dc0, steps = active().lstm_backward(
            dy,
            *last,
            run.x,
            w,
            u,
            *run.saved,
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
            need_dx=need_dx,
            need_dstate0=need_dstates,
            need_dstates=need_steps,
            **self.gradients(),
        )
        return dx, [dh0, dc0] if need_dstates else None, steps

    def look_at_sweep(self, run: Sweep) -> dict[str, np.ndarray]:
        y, gates, cells = run.saved
        i, f, g, o = np.split(gates, 4, axis=2)
        return {"input_gate": i, "forget_gate": f, "candidate": g, "output_gate": o, "cell": cells, "hidden": y}


class LSTM(CellRNN):
    """Long short-term memory: c_t = f·c_{t−1} + i·g, h_t = o·act(c_t); gates i, f, o and candidate g from x_t, h_{t−1}.

    x (N, T, D) → (N, units), or (N, T, units) with ``return_sequences``.  Weights in order: kernel (D, 4·units),
    recurrent_kernel (units, 4·units), bias (4·units,), blocks i f g o.

    Parameters
    ----------
    units : int
    activation, recurrent_activation : str, function or object
        Of candidate and memory; of the gates.
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str or object
    unit_forget_bias : bool
        Start the bias of the forget gate at 1, so that memory is kept at first.
    kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, recurrent_constraint, bias_constraint : optional
    dropout, recurrent_dropout : float
        Shares of the input and of the state that are zero in training, the same ones at all steps of a sequence.
    seed : int, optional
        A fixed start of these draws.
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask : bool
        As for ``RNN``; the states are [h, c].

    References
    ----------
    Hochreiter, Schmidhuber: Long Short-Term Memory, 1997.
    Gers, Schmidhuber, Cummins: Learning to Forget, 2000.

    Examples
    --------
    >>> layer = LSTM(4, return_state=True)
    >>> y, h, c = layer(np.zeros((2, 5, 3)))
    >>> y.shape, c.shape, layer.count_params()
    ((2, 4), (2, 4), 128)
    """

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **settings: Any,
    ):
        cell = LSTMCell(
            units=units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            unit_forget_bias=unit_forget_bias,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=settings.get("dtype"),
        )
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
