"""What a recurrent layer within a model computes at each time step."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.layers.base import Layer

__all__ = ["trace"]


def trace(model: Any, layer: Any, x: Any) -> dict[str, np.ndarray]:
    """The gates, memory and states of a recurrent layer of a model, step by step, for a batch of the model's inputs.

    The layers before it run as in ``predict``, masks included; a stateful layer starts from zeros, and what it carries
    is left alone.

    Parameters
    ----------
    model : Model
    layer : Layer or str
        A recurrent layer of the model (SimpleRNN, LSTM, GRU, RNN, Bidirectional), or its name.
    x : array (N, …)
        As for ``predict``.

    Returns
    -------
    dict of array (N, T, units)
        As ``layer.trace`` names them.

    Raises
    ------
    ValueError
        If the model has no such layer.
    TypeError
        If the layer has nothing to trace.

    Examples
    --------
    >>> from fastnn.layers import LSTM, Embedding
    >>> from fastnn.models import Sequential
    >>> model = Sequential([Embedding(10, 4, mask_zero=True), LSTM(3, name="memory")])
    >>> seen = trace(model, "memory", np.array([[5, 2, 0]]))
    >>> seen["input_gate"].shape, seen["input_gate"][0, 2].tolist()
    ((1, 3, 3), [0.0, 0.0, 0.0])
    """
    from fastnn.graph import Graph, Plan
    from fastnn.models.expansion import expanded
    from fastnn.models.inputs import read_batch

    xs = read_batch(model, x)
    nodes, _ = expanded(model.graph)
    places = [node for node in nodes if isinstance(node.operation, Layer)]
    names = [node.operation.name for node in places]
    node = next((node for node in places if node.operation is layer or node.operation.name == layer), None)
    if node is None:
        raise ValueError(f"The model has the layers {names}. Received: layer={layer!r}.")
    found = node.operation
    if not hasattr(found, "trace"):
        able = [node.operation.name for node in places if hasattr(node.operation, "trace")]
        raise TypeError(
            f"Only recurrent layers can be traced; this model has {able}. Received: {found.name!r}, a "
            f"{type(found).__name__}."
        )
    before = Graph(model.graph.input_symbols, node.inputs[0])
    carried = [(n.operation, n.operation.states) for n in before.nodes if getattr(n.operation, "stateful", False)]
    for stateful, states in carried:
        if states is not None:
            stateful.reset_state()
    outputs, _, masks = Plan(before.input_symbols, before.output_symbols, before.nodes).forward(xs, False)
    for stateful, states in carried:
        stateful.states = states
    return found.trace(outputs[0], masks[0])
