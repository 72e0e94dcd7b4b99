"""Recurrent layers: ONNX's LSTM, GRU and RNN where they compute the same, else a Scan over the steps of the cell.

ONNX's operators know lengths, but no masks with holes or with padding in front, and not every activation; a Scan knows
all of them.  Both run over (T, N, D).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....activations import Activation
from ....layers import RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from ....layers.recurrent.recurrent_layer import RecurrentLayer
from ....layers.recurrent.steps import as_shape, output_size, state_sizes
from .cells import step
from .merging import _folded
from .table import Call, converts, masks
from .value import Value
from .writer import Writer

__all__: list[str] = []

_ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softplus": "Softplus"}
"""The activations of ONNX's recurrent operators without numbers of their own, which runtimes read differently."""


@masks(RecurrentLayer)
def sequence_mask(w: Writer, layer: Any, call: Call) -> Value | None:
    return call.mask if layer.return_sequences else None


@converts(RNN)
def rnn(w: Writer, layer: RNN, call: Call) -> Any:
    y, final = _swept(w, layer, call.x, call.inputs[1:], call.mask)
    if call.mask is not None and layer.zero_output_for_mask:
        y = _zeroed(w, layer, y, call.mask)
    if layer.return_sequences and layer.go_backwards:
        y = w.flip(y, 1)
    return [y, *final] if layer.return_state else y


@converts(Bidirectional)
def bidirectional(w: Writer, layer: Bidirectional, call: Call) -> Any:
    """Both directions over the same steps, merged; at masked steps of sequences the output is 0."""
    x, *states = call.inputs
    n = len(layer.forward_layer.state_shapes(None))
    shares = [states[:n], states[n:]]
    (y, final), (y_back, final_back) = (
        _swept(w, child, x, own, call.mask)
        for child, own in zip((layer.forward_layer, layer.backward_layer), shares, strict=True)
    )
    outputs = [y, y_back]
    match layer.merge_mode:
        case "concat":
            outputs = [w.concat(outputs, -1)]
        case "sum" | "ave":
            total = _folded(w, "Add", outputs)
            outputs = [w.add("Mul", total, 0.5) if layer.merge_mode == "ave" else total]
        case "mul":
            outputs = [_folded(w, "Mul", outputs)]
    if layer.return_sequences:
        if call.mask is not None:
            outputs = [_zeroed(w, layer.forward_layer, one, call.mask) for one in outputs]
        if layer.forward_layer.go_backwards:
            outputs = [w.flip(one, 1) for one in outputs]
    outputs += [*final, *final_back] if layer.return_state else []
    return outputs if layer.gives_several else outputs[0]


def _zeroed(w: Writer, layer: RNN, y: Value, mask: Value) -> Value:
    """The output, 0 where its step is masked."""
    if not layer.return_sequences:
        return w.where(_step_of(w, mask, 0 if layer.go_backwards else -1), y, 0.0, y.dtype)
    return w.where(w.expand_dims(mask, 2), y, 0.0, y.dtype)


def _step_of(w: Writer, x: Value, place: int) -> Value:
    """One step (N, 1) of a mask (N, T)."""
    return w.slice(x, 1, place, place + 1 or None)


def _swept(w: Writer, layer: RNN, x: Value, states: Sequence[Value], mask: Value | None) -> tuple[Value, list[Value]]:
    """The outputs in the order of time, or the last one, and the final states."""
    if layer.stateful:
        raise NotImplementedError(
            f'Layer "{layer.name}" ({type(layer).__name__}) carries its states from call to call (stateful=True), and '
            "an ONNX file has no memory. Use return_state=True and initial_state=..., with the states among the inputs "
            "and outputs of the model."
        )
    cells = layer.cell.cells if isinstance(layer.cell, StackedRNNCells) else [layer.cell]
    if mask is not None or any(_named(cell) is None for cell in cells):
        return _scanned(w, layer, x, states, mask)
    final: list[Value] = []
    shares = list(states)
    for cell in cells:
        own, shares = shares[: len(state_sizes(cell))], shares[len(state_sizes(cell)) :]
        last = cell is cells[-1]
        x, given = _operator(w, cell, x, own, layer.go_backwards, layer.return_sequences or not last)
        final += given
    return x, final


def _named(cell: Any) -> list[str] | None:
    """The activations of a cell for ONNX's operator; None where it has none for this cell."""
    rules = {LSTMCell: "gate_rule rule rule", GRUCell: "gate_rule rule", SimpleRNNCell: "rule"}.get(type(cell))
    if rules is None:
        return None
    found = [getattr(cell, name).activation for name in rules.split()]
    plain = all(type(one) is Activation and one.name in _ACTIVATIONS for one in found)
    return [_ACTIVATIONS[one.name] for one in found] if plain else None


_GATES = {LSTMCell: ("LSTM", (0, 3, 1, 2)), GRUCell: ("GRU", (0, 1, 2)), SimpleRNNCell: ("RNN", (0,))}
"""The operator of a cell, and its gates in the order of ONNX: i o f c, and z r h."""


def _operator(
    w: Writer, cell: Any, x: Value, states: Sequence[Value], backwards: bool, sequences: bool
) -> tuple[Value, list[Value]]:
    op, gates = _GATES[type(cell)]
    n = cell.units

    def arranged(array: np.ndarray) -> np.ndarray:
        """(…, gates · n) as (gates · n, …), the gates in ONNX's order."""
        parts = np.split(array, len(gates), axis=-1)
        return np.concatenate([parts[gate] for gate in gates], axis=-1).T[None]

    bias = None
    if cell.bias is not None:
        both = cell.bias.value if cell.bias.value.ndim == 2 else np.stack([cell.bias.value, 0 * cell.bias.value])
        bias = w.constant(np.concatenate([arranged(both[0])[0], arranged(both[1])[0]])[None])
    inputs = [
        w.transpose(x, (1, 0, 2)),
        w.constant(arranged(cell.kernel.value)),
        w.constant(arranged(cell.recurrent_kernel.value)),
        bias,
        *([None, *(w.expand_dims(state, 0) for state in states)] if states else []),
    ]
    named: dict[str, Any] = {"linear_before_reset": int(cell.reset_after)} if op == "GRU" else {}
    y, *final = w.emit(
        op,
        inputs,
        1 + len(state_sizes(cell)),
        hidden_size=n,
        direction="reverse" if backwards else "forward",
        activations=_named(cell),
        **named,
    )
    batch, steps, _ = x.shape
    last = [w.squeeze(Value(name, (1, batch, n), x.dtype), 0) for name in final]
    if not sequences:
        return last[0], last
    whole = w.squeeze(Value(y, (steps, 1, batch, n), x.dtype), 1)
    return w.transpose(whole, (1, 0, 2)), last


def _scanned(w: Writer, layer: RNN, x: Value, states: Sequence[Value], mask: Value | None) -> tuple[Value, list[Value]]:
    """A Scan: states, and the output of the step before, which a masked step repeats, go from step to step."""
    cell = layer.cell
    batch = w.sizes(x)[0]
    widths = [*(as_shape(size) for size in state_sizes(cell)), as_shape(output_size(cell))]
    zeros = [w.expand(w.constant(np.zeros((1, *width)), x.dtype), [batch, *width]) for width in widths]
    place = getattr(cell, "output_state", None)
    carried = [*states, states[place] if place is not None else zeros[-1]] if states else zeros
    sequences = [w.plain(w.transpose(x, (1, 0, 2)))]
    if mask is not None:
        sequences.append(w.plain(w.expand_dims(w.transpose(mask, (1, 0)), 2)))
    body = _body(w, layer, [w.plain(one) for one in carried], sequences)
    backwards = int(layer.go_backwards)
    names = w.emit(
        "Scan",
        [*carried, *sequences],
        len(carried) + 1,
        body=body,
        num_scan_inputs=len(sequences),
        scan_input_directions=[backwards] * len(sequences),
        scan_output_directions=[backwards],
    )
    final = [Value(name, (x.shape[0], *width), x.dtype) for name, width in zip(names, widths, strict=False)]
    if not layer.return_sequences:
        return final[-1], final[:-1]
    whole = Value(names[-1], (x.shape[1], x.shape[0], *widths[-1]), x.dtype)
    return w.transpose(whole, (1, 0, *range(2, whole.rank))), final[:-1]


def _body(w: Writer, layer: RNN, carried: Sequence[Value], sequences: Sequence[Value]) -> Any:
    """One step as a graph: (states, output before, x[, mask]) → (states, output, output)."""
    inner = Writer(w.opset, w)
    given = [Value(inner.name("before"), one.shape, one.dtype) for one in carried]
    at_step = [Value(inner.name("step"), one.shape[1:], one.dtype) for one in sequences]
    *before, y_before = given
    y, new = step(inner, layer.cell, at_step[0], before)
    if len(at_step) > 1:
        valid = at_step[1]
        new = [inner.where(valid, a, b, a.dtype) for a, b in zip(new, before, strict=True)]
        y = inner.where(valid, y, y_before, y.dtype)
    outputs = [inner.add("Identity", inner.plain(one)) for one in (*new, y, y)]
    return inner.body("step", [*given, *at_step], outputs)
