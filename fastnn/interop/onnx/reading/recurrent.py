"""LSTM, GRU and RNN as layers: weights in Keras' order of gates, both directions as Bidirectional."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import layers, ops
from .node import OnnxNode
from .reader import Reader, filled
from .table import reads
from .values import Known, Tensor

__all__: list[str] = []

_KINDS: dict[str, tuple[Any, tuple[int, ...], list[str]]] = {
    "LSTM": (layers.LSTM, (0, 2, 3, 1), ["Sigmoid", "Tanh", "Tanh"]),
    "GRU": (layers.GRU, (0, 1, 2), ["Sigmoid", "Tanh"]),
    "RNN": (layers.SimpleRNN, (0,), ["Tanh"]),
}
"""The layer, the place of each of its gates in ONNX's order (i o f c, and z r h), and ONNX's activations."""

_ACTIVATIONS = {name: name.lower() for name in ("Sigmoid", "Tanh", "Relu", "Softplus", "Softsign", "Elu")}


@reads("LSTM", "GRU", "RNN")
def recurrent(r: Reader, node: OnnxNode) -> list[Any]:
    """The outputs of all steps (T, directions, N, units), and the final states (directions, N, units)."""
    kind, gates, _ = _KINDS[node.op]
    direction = node.attribute("direction", "forward")
    both = direction == "bidirectional"
    _refuse_what_differs(node)
    w, u = node.array(1, "weights"), node.array(2, "recurrent weights")
    bias = node.array(3, "biases") if node.get(3) is not None else None
    units = u.shape[-1]
    weights = [
        one for d in range(len(w)) for one in _weights(node, gates, w[d], u[d], None if bias is None else bias[d])
    ]
    settings = _settings(node, bias is not None)
    sequences = node.used[0]
    settings |= {"return_sequences": sequences, "return_state": any(node.used[1:])}
    x = r.transpose(node.x(), (1, 0, 2)) if not node.attribute("layout", 0) else node.x()
    states = _initial(r, node, len(w))

    def make(**named: Any) -> Any:
        layer = kind(units, **settings, dtype=named["dtype"], go_backwards=direction == "reverse")
        return layers.Bidirectional(layer, merge_mode=None, **named) if both else _named(layer, named["name"])

    found = _called(r, node, make, weights, x, states)
    return _arranged(r, node, found, len(w), sequences)


def _named(layer: Any, name: str) -> Any:
    layer.name = name
    return layer


def _called(r: Reader, node: OnnxNode, make: Any, weights: Any, x: Tensor, states: list[Tensor]) -> list[Tensor]:
    symbols = [r.plain(one).symbol for one in (x, *states)]
    layer = make(name=r.unique(node.proto.name or node.proto.output[0]), dtype=symbols[0].dtype)
    output = filled(layer, weights, symbols[0], initial_state=symbols[1:] or None)
    return r.record(output if isinstance(output, list) else [output])


def _refuse_what_differs(node: OnnxNode) -> None:
    lengths = node.get(4)
    if lengths is not None:
        raise node.refusal("sequences of one length", "sequence_lens", "Use sequences of one length in each batch.")
    if node.get(7) is not None:
        raise node.refusal("no peepholes", "weights of peepholes")
    if node.attribute("clip") is not None or node.attribute("input_forget", 0):
        raise node.refusal("plain gates", "clip or input_forget")


def _settings(node: OnnxNode, use_bias: bool) -> dict[str, Any]:
    """The activations and options of the layer, alike in both directions."""
    *_, usual = _KINDS[node.op]
    given = node.attribute("activations") or usual
    if given[: len(usual)] != given[-len(usual) :] or (len(usual) == 3 and given[1] != given[2]):
        raise node.refusal("one set of activations", f"activations={given}")
    words = [_ACTIVATIONS.get(name) for name in given[: len(usual)]]
    if None in words or node.attribute("activation_alpha"):
        raise node.refusal(f"activations among {', '.join(_ACTIVATIONS)}", f"activations={given}")
    settings: dict[str, Any] = {"activation": words[-1], "use_bias": use_bias}
    if node.op != "RNN":
        settings["recurrent_activation"] = words[0]
    if node.op == "GRU":
        settings["reset_after"] = bool(node.attribute("linear_before_reset", 0))
    return settings


def _weights(
    node: OnnxNode, gates: tuple[int, ...], w: np.ndarray, u: np.ndarray, b: np.ndarray | None
) -> list[np.ndarray]:
    """Kernel, recurrent kernel and bias of one direction."""

    def arranged(array: np.ndarray) -> np.ndarray:
        parts = np.split(array, len(gates))
        return np.ascontiguousarray(np.concatenate([parts[gate] for gate in gates]).T)

    found = [arranged(w), arranged(u)]
    if b is None:
        return found
    of_input, of_state = (arranged(half) for half in np.split(b, 2))
    if node.op == "GRU" and node.attribute("linear_before_reset", 0):
        return [*found, np.stack([of_input, of_state])]
    return [*found, of_input + of_state]


def _initial(r: Reader, node: OnnxNode, directions: int) -> list[Tensor]:
    """The initial states, direction by direction; none where they are zeros."""
    given: list[Any] = [node.get(place) for place in ((5, 6) if node.op == "LSTM" else (5,))]
    if all(one is None or (isinstance(one, Known) and not one.array.any()) or r.is_zero(one) for one in given):
        return []
    if any(not isinstance(one, Tensor) for one in given):
        raise node.refusal("initial states of the model, or zeros", "constants")
    first = 1 if node.attribute("layout", 0) else 0
    return [r.apply(lambda a, d=d: a[(slice(None),) * first + (d,)], one) for d in range(directions) for one in given]


def _arranged(r: Reader, node: OnnxNode, found: list[Tensor], directions: int, sequences: bool) -> list[Any]:
    """The outputs of the layer as those of the node."""
    layout = node.attribute("layout", 0)
    count = 2 if node.op == "LSTM" else 1
    outputs, states = found[:directions], found[directions:]
    y: Any = None
    if sequences:
        if node.attribute("direction", "forward") == "reverse":
            outputs = [r.apply(lambda a: ops.flip(a, 1), outputs[0])]
        whole = _stacked(r, outputs, 2)  # (N, T, directions, units)
        y = whole if layout else r.transpose(whole, (1, 2, 0, 3))
    if not states:
        return [y]
    final = [_stacked(r, states[place::count], 1 if layout else 0) for place in range(count)]
    return [y, *final]


def _stacked(r: Reader, parts: list[Tensor], axis: int) -> Tensor:
    if len(parts) == 1:
        return r.apply(lambda a: ops.expand_dims(a, axis), parts[0])
    return r.apply(lambda *a: ops.stack(list(a), axis=axis), *parts)
