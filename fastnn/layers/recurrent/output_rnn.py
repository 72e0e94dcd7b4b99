"""The cell of a network whose output, and not whose hidden state, feeds back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Shape
from ..support.arguments import positive
from ..support.fused_activation import fused_activation
from .cell import Cell
from .dropped_products import products, products_back
from .sweep import Sweep

__all__ = ["OutputRNNCell"]


class OutputRNNCell(Cell):
    """One step of a = act(x·W + y·U + b), y' = out(a·V + c): what feeds back is the output y, not the hidden a.

    Weights in order: kernel W (D, units), recurrent_kernel U (outputs, units), bias b (units,), output_kernel V
    (units, outputs), output_bias c (outputs,).  What is said of the kernel and the bias (initializers, regularizers,
    constraints) holds for those of the output too.

    Parameters
    ----------
    units : int
    activation : str, function or object
    output_units : int, optional
        Default: units.
    output_activation : str, function or object
    use_bias, kernel_initializer, ..., dropout, recurrent_dropout, seed
        As for ``SimpleRNN``.

    Examples
    --------
    >>> cell = OutputRNNCell(3, output_units=2)
    >>> y, states = cell(np.ones((1, 4)), [np.zeros((1, 2))])
    >>> [w.shape for w in cell.weights]
    [(4, 3), (2, 3), (3,), (3, 2), (2,)]
    """

    state_names = ("output",)
    fields = ("units", "activation", "output_units", "output_activation", *Cell.shared_fields)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        output_units: int | None = None,
        output_activation: Any = "linear",
        **settings: Any,
    ):
        super().__init__(units, **settings)
        self.rule, self.output_rule = fused_activation(activation), fused_activation(output_activation)
        self.activation, self.output_activation = self.rule.activation, self.output_rule.activation
        self.output_units = self.units if output_units is None else positive("output_units", output_units, self)
        self.output_kernel: Any = None
        self.output_bias: Any = None

    @property
    def rules(self) -> tuple[Any, ...]:
        return (self.rule, self.output_rule)

    @property
    def state_size(self) -> int:
        """How many numbers feed back: those of the output."""
        return self.output_units

    @property
    def output_size(self) -> int:
        """How many numbers the output of a step holds."""
        return self.output_units

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.output_kernel = self.add_weight(
            (self.units, self.output_units),
            self.kernel_initializer,
            self.kernel_regularizer,
            self.kernel_constraint,
            name="output_kernel",
        )
        if self.use_bias:
            self.output_bias = self.add_weight(
                (self.output_units,),
                self.bias_initializer,
                self.bias_regularizer,
                self.bias_constraint,
                name="output_bias",
            )

    def unbuild(self) -> None:
        super().unbuild()
        self.output_kernel = self.output_bias = None

    def values(self) -> list[Any]:
        """The values of all five weights."""
        c = self.output_bias
        return [*super().values(), self.output_kernel.value, None if c is None else c.value]

    def gradients(self) -> dict[str, Any]:
        """Where the kernels write the gradients of the weights."""
        found = super().gradients() | {"dv": self.output_kernel.grad}
        return found if self.output_bias is None else found | {"dc": self.output_bias.grad}

    def forward(
        self, x: np.ndarray, states: list[np.ndarray], training: bool = False
    ) -> tuple[np.ndarray, list[np.ndarray], Any]:
        w, u, b, v, c = self.values()
        x_dropout, h_dropout = self._factors
        z = products(x, w, x_dropout) + products(states[0], u, h_dropout)
        a, after = self.rule.forward(z if b is None else z + b)
        q = active().gemm_nn(a, v)
        y, after_output = self.output_rule.forward(q if c is None else q + c)
        return y, [y], (x, states[0], a, after, after_output, x_dropout, h_dropout)

    def backward(self, dy: np.ndarray, dstates: list[np.ndarray], ctx: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        x, before, a, after, after_output, x_dropout, h_dropout = ctx
        dq = self.output_rule.backward(dy + dstates[0], after_output)
        d = self.rule.backward(products_back(dq, a, self.output_kernel.value, self.output_kernel.grad, None), after)
        if self.bias is not None:
            self.bias.grad += d.sum(0)
            self.output_bias.grad += dq.sum(0)
        dx = products_back(d, x, self.kernel.value, self.kernel.grad, x_dropout)
        dbefore = products_back(d, before, self.recurrent_kernel.value, self.recurrent_kernel.grad, h_dropout)
        return dx, [dbefore]

    def look(self, ctx: Any) -> dict[str, np.ndarray]:
        return {"hidden": ctx[2]}

    def kernel_forward(self, run: Sweep, keep: bool) -> tuple[np.ndarray | None, list[np.ndarray], Any]:
        y, hidden = active().output_rnn_forward(
            run.x,
            *self.values(),
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
        )
        return y, [np.ascontiguousarray(y[:, run.last])], (y, hidden)

    def kernel_backward(
        self, dy: Any, last: list[Any], run: Sweep, need_dx: bool, need_dstates: bool, need_steps: bool
    ) -> tuple[np.ndarray | None, list[np.ndarray] | None, np.ndarray | None]:
        w, u, _, v, _ = self.values()
        results = active().output_rnn_backward(
            dy,
            *last,
            run.x,
            w,
            u,
            v,
            *run.saved,
            *run.states,
            run.mask,
            *self.fused,
            **run.options,
            need_dx=need_dx,
            need_dy0=need_dstates,
            need_dstates=need_steps,
            **self.gradients(),
        )
        return results[0], [results[6]] if need_dstates else None, results[7]

    def look_at_sweep(self, run: Sweep) -> dict[str, np.ndarray]:
        y, hidden = run.saved
        return {"hidden": hidden, "output": y}
