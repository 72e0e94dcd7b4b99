"""A call of a model within a ``GradientTape``: a separate plan, whose backward the tape runs later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Operation, Plan, given_out, is_followed
from .step import shapes_key

__all__ = ["call_on_tape"]


class _Run(Operation):
    """One run of a plan, as an operation on several arrays that gives several."""

    def __init__(self, plan: Plan, space: Any):
        self.plan, self.space = plan, space

    def backward(self, dy: Sequence[Any], ctx: list[Any], need_dx: Any = True) -> Sequence[Any]:
        with self.space:
            return self.plan.backward(dy, ctx)


def call_on_tape(
    model: Any, given: Sequence[Any], xs: Sequence[np.ndarray], training: bool, masks: Sequence[Any] | None
) -> list[Any]:
    """Return the outputs as tensors, recorded by the open tapes.

    Parameters
    ----------
    model : Model
    given, xs : list of array
        The inputs as the user gave them, and ready for the plan.
    training : bool
    masks : list of array or None, optional
    """
    trained = model.trainable_weights
    program = model.program(xs, training)
    masked = None if masks is None else tuple(mask is not None for mask in masks)
    plan = program.taped(masked, trained, is_followed(*given))
    key = shapes_key(xs)
    with model._workspaces.of(("forward", key), training):
        outputs, tape, _ = plan.forward(xs, training, masks)
        copies = [y.copy() for y in outputs[: program.outputs]]
    space = model._workspaces.of(("backward", key), training)
    return given_out(_Run(plan, space), given, copies, tape, True, trained)
