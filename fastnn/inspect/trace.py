"""What a recurrent layer within a model computes at each time step."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    from fastnn.models.inputs import ready_rows

    x = ready_rows(model, x)
    leaves = [leaf for leaf, _ in model.leaves()]
    place = next((i for i, leaf in enumerate(leaves) if leaf is layer or leaf.name == layer), None)
    if place is None:
        raise ValueError(f"The model has the layers {[leaf.name for leaf in leaves]}. Received: layer={layer!r}.")
    if not hasattr(leaves[place], "trace"):
        able = [leaf.name for leaf in leaves if hasattr(leaf, "trace")]
        raise TypeError(
            f"A trace is of a recurrent layer; this model has {able}. Received: {leaves[place].name!r}, "
            f"a {type(leaves[place]).__name__}."
        )
    mask = None
    for leaf in leaves[:place]:
        carried = leaf.states if getattr(leaf, "stateful", False) else None
        if carried is not None:
            leaf.reset_state()
        y = leaf.forward(x, False, mask)[0] if leaf.uses_mask else leaf.forward(x, False)[0]
        if getattr(leaf, "stateful", False):
            leaf.states = carried
        mask = leaf.compute_mask(x, mask)
        x = y
    return leaves[place].trace(x, mask)
