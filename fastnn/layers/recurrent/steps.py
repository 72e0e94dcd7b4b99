"""Any cell over a sequence, step by step, there and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Steps", "as_shape", "output_size", "state_sizes", "step_back", "step_through"]


@dataclass(slots=True)
class Steps:
    """A run step by step: the steps in the order they were taken, and the ctx of each."""

    order: range
    tape: list[Any]
    outputs: list[np.ndarray]
    states: list[list[np.ndarray]]
    mask: np.ndarray | None
    shape: tuple[int, ...]
    sequences: bool


def state_sizes(cell: Any) -> list[Any]:
    """The sizes of all states of a cell, in a flat list."""
    inner = getattr(cell, "cells", None)
    if inner is not None:
        return [size for one in inner for size in state_sizes(one)]
    size = cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def as_shape(size: Any) -> tuple[int, ...]:
    """The shape, without the batch, of a state or output of this size: a number of units, or a shape already."""
    return tuple(size) if isinstance(size, (list, tuple)) else (int(size),)


def output_size(cell: Any) -> Any:
    """The size of a step's output: ``cell.output_size``, or that of the first state."""
    size = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if size is None else size


def step_through(
    cell: Any,
    x: np.ndarray,
    states: Sequence[np.ndarray],
    mask: np.ndarray | None = None,
    backwards: bool = False,
    sequences: bool = True,
    training: bool = False,
) -> tuple[np.ndarray, list[np.ndarray], Steps]:
    """Outputs of all steps in the order of time, or of the last one; the final states; and what the way back needs.

    At a masked step all states are held, and the output repeats the one before: the state ``cell.output_state`` if
    the cell has one, and zeros before the first step otherwise.
    """
    length = x.shape[1]
    order = range(length - 1, -1, -1) if backwards else range(length)
    run = Steps(order, [], [None] * length, [None] * length, mask, x.shape, sequences)
    if hasattr(cell, "begin"):
        cell.begin(len(x), training)
    place, now = getattr(cell, "output_state", None), list(states)
    y: Any = None
    for t in order:
        given, new, ctx = _checked(cell, cell.forward(np.ascontiguousarray(x[:, t]), now, training), now)
        if mask is not None:
            new = [_choose(mask[:, t], a, b) for a, b in zip(new, now, strict=True)]
            held = new[place] if place is not None else np.zeros_like(given) if y is None else y
            given = _choose(mask[:, t], given, held)
        now, y = list(new), given
        run.tape.append(ctx)
        run.outputs[t], run.states[t] = y, now
    return (np.stack(run.outputs, 1) if sequences else y), now, run


def step_back(
    cell: Any, dy: np.ndarray | None, dstates: Sequence[np.ndarray | None] | None, run: Steps, need_steps: bool = False
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """Gradients of the input and of the initial states; those of the weights are added up in the cell's parameters.

    With ``need_steps`` also the gradient that reaches each step's output: through its state, and from above where the
    cell says that the state is the output (``output_state``).
    """
    for p in cell.weights:
        p.grad[...] = 0
    place, mask = getattr(cell, "output_state", None), run.mask
    last = run.order[-1]
    nothing = np.zeros_like(run.outputs[last])
    after = [np.zeros_like(s) for s in run.states[last]]
    if dstates is not None:
        after = [a if d is None else a + d for a, d in zip(after, dstates, strict=True)]
    dx: Any = None
    steps: Any = None
    carried = nothing  # the gradient of an output that a masked step repeats
    for t, ctx in zip(reversed(run.order), reversed(run.tape), strict=True):
        above = (
            nothing if dy is None else np.ascontiguousarray(dy[:, t]) if run.sequences else dy if t == last else nothing
        )
        if need_steps:
            reached = after[place or 0] + above if place is not None else after[0]
            steps = np.empty((*run.shape[:2], *reached.shape[1:]), reached.dtype) if steps is None else steps
            steps[:, t] = reached
        held = None
        if mask is not None:
            valid = mask[:, t]
            above = above + carried
            held = [_choose(valid, np.zeros_like(a), a) for a in after]
            after = [_choose(valid, a, np.zeros_like(a)) for a in after]
            repeated = _choose(valid, np.zeros_like(above), above)
            above = _choose(valid, above, np.zeros_like(above))
            if place is None:
                carried = repeated
            else:
                held[place] = held[place] + repeated
        dxt, after = cell.backward(above, after, ctx)
        after = list(after) if held is None else [a + b for a, b in zip(after, held, strict=True)]
        dx = np.empty(run.shape, dxt.dtype) if dx is None else dx
        dx[:, t] = dxt
    return dx, after, steps


def _choose(valid: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rows of ``a`` where valid, else of ``b``."""
    return np.where(valid.reshape(-1, *[1] * (a.ndim - 1)), a, b)


def _checked(cell: Any, result: Any, before: list[np.ndarray]) -> tuple[np.ndarray, Sequence[np.ndarray], Any]:
    """The result of a cell's ``forward``, or raise an error that says what it should be."""
    name = type(cell).__name__
    if not (isinstance(result, tuple) and len(result) == 3 and isinstance(result[0], np.ndarray)):
        raise TypeError(
            f"{name}.forward(x, states, training=False) must return three things: the output array, the list of new "
            f"states, and ctx, whatever backward(dy, dstates, ctx) needs. Received: {type(result).__name__}. Use: "
            "return y, [h], ctx"
        )
    shapes = [np.shape(s) for s in result[1]]
    if shapes != [s.shape for s in before]:
        raise ValueError(
            f"{name}.forward must return new states with the shapes of the old ones, {[s.shape for s in before]}. "
            f"Received: {shapes}."
        )
    return result
