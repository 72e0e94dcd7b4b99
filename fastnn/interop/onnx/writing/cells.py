"""One time step of each cell, for the body of a loop over steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....layers import GRUCell, LSTMCell, OutputRNNCell, SimpleRNNCell, StackedRNNCells
from ....layers.recurrent.steps import state_sizes
from .activations import activated
from .value import Value
from .writer import Writer

__all__ = ["step"]

States = list[Value]


def step(w: Writer, cell: Any, x: Value, states: Sequence[Value]) -> tuple[Value, States]:
    """Output and new states of a step, x (N, D).

    Raises
    ------
    NotImplementedError
        For a custom cell, which computes on arrays.
    """
    for cls, function in _STEPS.items():
        if isinstance(cell, cls) and type(cell).forward is cls.forward:
            return function(w, cell, x, list(states))
    raise NotImplementedError(
        f'The cell "{cell.name}" ({type(cell).__name__}) computes on arrays in its own forward, so it cannot be '
        "written as ONNX. Use LSTMCell, GRUCell, SimpleRNNCell or OutputRNNCell, or StackedRNNCells of them."
    )


def _sums(w: Writer, cell: Any, x: Value, h: Value, n: int) -> list[Value]:
    """x·W + h·U + b, in n parts of the width of the cell."""
    z = w.add("Add", w.matmul(x, w.weight(cell.kernel)), w.matmul(h, w.weight(cell.recurrent_kernel)))
    if cell.bias is not None:
        z = w.add("Add", z, w.weight(cell.bias))
    return _parts(w, z, n)


def _parts(w: Writer, z: Value, n: int) -> list[Value]:
    wide = (z.shape[-1] or 0) // n
    return [z] if n == 1 else [w.slice(z, -1, i * wide, (i + 1) * wide) for i in range(n)]


def _simple(w: Writer, cell: SimpleRNNCell, x: Value, states: States) -> tuple[Value, States]:
    (z,) = _sums(w, cell, x, states[0], 1)
    y = activated(w, z, cell.rule.activation)
    return y, [y]


def _output(w: Writer, cell: OutputRNNCell, x: Value, states: States) -> tuple[Value, States]:
    (z,) = _sums(w, cell, x, states[0], 1)
    y = w.matmul(activated(w, z, cell.rule.activation), w.weight(cell.output_kernel))
    if cell.output_bias is not None:
        y = w.add("Add", y, w.weight(cell.output_bias))
    y = activated(w, y, cell.output_rule.activation)
    return y, [y]


def _lstm(w: Writer, cell: LSTMCell, x: Value, states: States) -> tuple[Value, States]:
    h, c = states
    gate, rule = cell.gate_rule.activation, cell.rule.activation
    parts = _sums(w, cell, x, h, 4)
    i, f, g, o = (activated(w, z, act) for z, act in zip(parts, (gate, gate, rule, gate), strict=True))
    memory = w.add("Add", w.add("Mul", f, c), w.add("Mul", i, g))
    y = w.add("Mul", o, activated(w, memory, rule))
    return y, [y, memory]


def _gru(w: Writer, cell: GRUCell, x: Value, states: States) -> tuple[Value, States]:
    (h,), n = states, cell.units
    gate, rule = cell.gate_rule.activation, cell.rule.activation
    bias = None if cell.bias is None else cell.bias.value
    given = w.matmul(x, w.weight(cell.kernel))
    if bias is not None:
        given = w.add("Add", given, w.constant(bias[0] if cell.reset_after else bias))
    u = cell.recurrent_kernel.value
    carried = w.matmul(h, w.constant(u if cell.reset_after else u[:, : 2 * n]))
    if bias is not None and cell.reset_after:
        carried = w.add("Add", carried, w.constant(bias[1]))
    xz, xr, xh = _parts(w, given, 3)
    hz, hr, *rest = _parts(w, carried, 3 if cell.reset_after else 2)
    z, r = (activated(w, w.add("Add", a, b), gate) for a, b in ((xz, hz), (xr, hr)))
    inner = w.add("Mul", r, rest[0] if rest else h)
    if not rest:
        inner = w.matmul(inner, w.constant(np.ascontiguousarray(u[:, 2 * n :])))
    candidate = activated(w, w.add("Add", xh, inner), rule)
    kept = w.add("Mul", z, h)
    y = w.add("Add", kept, w.add("Sub", candidate, w.add("Mul", z, candidate)))
    return y, [y]


def _stacked(w: Writer, cell: StackedRNNCells, x: Value, states: States) -> tuple[Value, States]:
    new: States = []
    for one in cell.cells:
        own, states = states[: len(state_sizes(one))], states[len(state_sizes(one)) :]
        x, given = step(w, one, x, own)
        new += given
    return x, new


_STEPS: dict[Any, Any] = {
    SimpleRNNCell: _simple,
    OutputRNNCell: _output,
    LSTMCell: _lstm,
    GRUCell: _gru,
    StackedRNNCells: _stacked,
}
