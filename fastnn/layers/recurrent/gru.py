"""GRU and its cell: a state that one gate keeps and another one resets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..support.arguments import flag
from ..support.fused_activation import fused_activation
from .cell import Cell
from .cell_rnn import CellRNN, of_cell
from .dropped_products import products, products_back
from .sweep import Sweep

__all__ = ["GRU", "GRUCell"]


class GRUCell(Cell):
    """One step of a GRU: z, r from x·W + h·U + b; ĥ from x and r·h; h' = z·h + (1 − z)·ĥ.

    Weights in order: kernel (D, 3·units), recurrent_kernel (units, 3·units), bias (2, 3·units), or (3·units,) without
    ``reset_after``; blocks update z, reset r, candidate ĥ.

    Parameters
    ----------
    units : int
    activation, recurrent_activation : str, function or object
        Of the candidate; of the gates.
    reset_after : bool
        Whether the reset gate multiplies h·U_h + b' (True) or h (False).
    use_bias, kernel_initializer, ..., dropout, recurrent_dropout, seed
        As for ``GRU``.

    Examples
    --------
    >>> cell = GRUCell(2, kernel_initializer="zeros", recurrent_initializer="zeros")
    >>> y, states = cell(np.ones((1, 3)), [np.ones((1, 2))])
    >>> y.tolist()
    [[0.5, 0.5]]
    """

    gates = 3
    fields = ("units", "activation", "recurrent_activation", "reset_after", *Cell.shared_fields)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        reset_after: bool = True,
        **settings: Any,
    ):
        super().__init__(units, **settings)
        self.rule, self.gate_rule = fused_activation(activation), fused_activation(recurrent_activation)
        self.activation, self.recurrent_activation = self.rule.activation, self.gate_rule.activation
        self.reset_after = flag("reset_after", reset_after, self)

    @property
    def rules(self) -> tuple[Any, ...]:
        return (self.rule, self.gate_rule)

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def forward(
        self, x: np.ndarray, states: list[np.ndarray], training: bool = False
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        (h,), (w, u, b), n = states, self.values(), self.units
        x_dropout, h_dropout = self._factors
        given = products(x, w, x_dropout)
        if b is not None:
            given = given + (b[0] if self.reset_after else b)
        if self.reset_after:
            carried = products(h, u, h_dropout)
            if b is not None:
                carried = carried + b[1]
        else:
            carried = products(h, u[:, : 2 * n], None if h_dropout is None else h_dropout[:2])
        gates = np.ascontiguousarray(given[:, : 2 * n] + carried[:, : 2 * n])
        zr = [self.gate_rule.forward(np.ascontiguousarray(part)) for part in np.split(gates, 2, axis=1)]
        z, r = zr[0][0], zr[1][0]
        if self.reset_after:
            inner = carried[:, 2 * n :]
            candidate, after = self.rule.forward(given[:, 2 * n :] + r * inner)
        else:
            inner = r * h if h_dropout is None else r * (h * h_dropout[2])
            candidate, after = self.rule.forward(given[:, 2 * n :] + products(inner, u[:, 2 * n :], None))
        y = z * h + (1 - z) * candidate
        return y, [y], (x, h, z, r, candidate, inner, (zr[0][1], zr[1][1], after), x_dropout, h_dropout)

    def backward(self, dy: np.ndarray, dstates: list[np.ndarray], ctx: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        x, h, z, r, candidate, inner, afters, x_dropout, h_dropout = ctx
        n, u, du, bias = self.units, self.recurrent_kernel.value, self.recurrent_kernel.grad, self.bias
        d = dy + dstates[0]
        dh = d * z
        da = self.rule.backward(d * (1 - z), afters[2])
        dz = self.gate_rule.backward(d * (h - candidate), afters[0])
        if self.reset_after:
            dr = self.gate_rule.backward(da * inner, afters[1])
            back = np.concatenate([dz, dr, da * r], 1)
            dh = dh + products_back(back, h, u, du, h_dropout)
            if bias is not None:
                bias.grad[1] += back.sum(0)
        else:
            dinner = products_back(da, inner, u[:, 2 * n :], du[:, 2 * n :], None)
            factor = 1 if h_dropout is None else h_dropout[2]
            dr = self.gate_rule.backward(dinner * (h * factor), afters[1])
            pair = None if h_dropout is None else h_dropout[:2]
            back = np.concatenate([dz, dr], 1)
            dh = dh + dinner * r * factor + products_back(back, h, u[:, : 2 * n], du[:, : 2 * n], pair)
        d = np.concatenate([dz, dr, da], 1)
        if bias is not None:
            (bias.grad[0] if self.reset_after else bias.grad)[...] += d.sum(0)
        return products_back(d, x, self.kernel.value, self.kernel.grad, x_dropout), [dh]

    def look(self, ctx: Any) -> dict[str, np.ndarray]:
        return {"update_gate": ctx[2], "reset_gate": ctx[3], "candidate": ctx[4]}

    def kernel_forward(self, run: Sweep, keep: bool) -> tuple[np.ndarray | None, list[np.ndarray], Any]:
        y, h, gates, inner = active().gru_forward(
            run.x,
            *self.values(),
            *run.states,
            run.mask,
            *self.fused,
            self.reset_after,
            **run.options,
            need_y=keep or run.sequences,
            need_gates=keep,
        )
        return y, [h], (y, gates, inner)

    def kernel_backward(
        self, dy: Any, last: list[Any], run: Sweep, need_dx: bool, need_dstates: bool, need_steps: bool
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        w, u, _ = self.values()
        dx, _, _, _, dh0, steps = active().gru_backward(
            dy,
            *last,
            run.x,
            w,
            u,
            *run.saved,
            *run.states,
            run.mask,
            *self.fused,
            self.reset_after,
            **run.options,
            need_dx=need_dx,
            need_dh0=need_dstates,
            need_dstates=need_steps,
            **self.gradients(),
        )
        return dx, [dh0] if need_dstates else None, steps

    def look_at_sweep(self, run: Sweep) -> dict[str, np.ndarray]:
        y, gates, _ = run.saved
        z, r, candidate = np.split(gates, 3, axis=2)
        return {"update_gate": z, "reset_gate": r, "candidate": candidate, "hidden": y}


class GRU(CellRNN):
    """Gated recurrent unit: h_t = z·h_{t−1} + (1 − z)·ĥ, gates z and r from x_t and h_{t−1}, ĥ from x_t and r·h_{t−1}.

    x (N, T, D) → (N, units), or (N, T, units) with ``return_sequences``.  Weights in order: kernel (D, 3·units),
    recurrent_kernel (units, 3·units), bias (2, 3·units): a row for the input, a row for the state; without
    ``reset_after`` (3·units,).  Blocks z r ĥ.

    Parameters
    ----------
    units : int
    activation, recurrent_activation : str, function or object
        Of the candidate ĥ; of the gates.
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
    reset_after : bool
        Whether the reset gate multiplies h·U_h + b' (True, as cuDNN) or h (False, as the paper).

    References
    ----------
    Cho et al.: Learning Phrase Representations using RNN Encoder-Decoder, 2014.

    Examples
    --------
    >>> layer = GRU(4)
    >>> layer(np.zeros((2, 5, 3))).shape, layer.count_params()
    ((2, 4), 108)
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        **settings: Any,
    ):
        cell = GRUCell(
            units=units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            reset_after=reset_after,
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
