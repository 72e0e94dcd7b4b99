"""One step: forward, losses, backward, update, on one batch of ready arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arena import Arena
from ..graph import Attempt, commit
from .objectives import Objectives
from .program import Program
from .workspaces import Workspaces

__all__ = ["NotFinite", "Step", "shapes_key"]

_MOST_SCALES = 64  # one for each number of rows, and sequences come in many lengths

Arrays = Sequence[np.ndarray]
Weights = Sequence[np.ndarray | None]
Part = tuple[Any, np.ndarray, Any, Any, float, np.ndarray | None]
"""What one output adds to a step: its loss, predictions, the loss's ctx, the factor of each row, value, and mask."""


class NotFinite(FloatingPointError):
    """The loss of a batch is NaN or infinite; the weights were not changed by it.

    Attributes
    ----------
    value : float
        The loss.
    """

    def __init__(self, message: str, value: float):
        super().__init__(message)
        self.value = value


class Step:
    """What a compiled model does with a batch, bound once so that a step does nothing else.

    Parameters
    ----------
    program : callable
        Gives the Program for arrays of inputs, in training or not.
    arena : Arena
    workspaces : Workspaces
    objectives : Objectives
        Bound to the outputs.

    Attributes
    ----------
    optimizer : Optimizer or None
        Set once it is built; None where training changes nothing.
    fixed_program : Program or None
        The one program of a model that does not depend on the shapes of its inputs.
    total, count : float
        Sum of the losses of all batches since ``reset``, each times its examples, and the number of examples.
    """

    def __init__(
        self,
        program: Callable[[Arrays, bool], Program],
        arena: Arena,
        workspaces: Workspaces,
        objectives: Objectives,
    ):
        self.program, self.arena, self.workspaces, self.objectives = program, arena, workspaces, objectives
        self.optimizer: Any = None
        self.fixed_program: Program | None = None
        self._regularized = [p for p in arena.parameters if p.regularizer is not None]
        trained = {id(p) for p in arena.trainable}
        self._pulled = [p for p in self._regularized if id(p) in trained]
        self._constrained = [p for p in arena.trainable if p.constraint is not None]
        self._scales: dict[tuple[int | None, Any, int], np.ndarray] = {}
        self._several = len(objectives.names) > 1
        self._measured = [(i, m) for i, m in enumerate(objectives.metrics) if not m.built or m.metrics]
        self.total, self.count = 0.0, 0
        self._totals = [0.0] * len(objectives.names)

    def reset(self) -> None:
        """Forget the losses and metrics of all batches."""
        self.total, self.count = 0.0, 0
        self._totals = [0.0] * len(self._totals)
        self.objectives.reset()

    def logs(self) -> dict[str, float]:
        """Loss and metrics since ``reset``, sorted by name."""
        found = {"loss": self.total / self.count if self.count else 0.0}
        if self._several:
            found |= self.output_losses()
        found |= {name: _plain(value) for name, value in self.objectives.result().items()}
        return dict(sorted(found.items()))

    def output_losses(self) -> dict[str, float]:
        """The loss of each output by its name in the logs, before ``loss_weights``; none where there is one output."""
        if not self._several:
            return {}
        pairs = zip(self.objectives.names, self.objectives.losses, self._totals, strict=True)
        return {f"{name}_loss": total / (self.count or 1) for name, loss, total in pairs if loss is not None}

    def train(self, xs: Arrays, ts: Weights, weights: Weights, before_update: Callable[[], None] | None = None) -> None:
        """Learn from a batch.

        Parameters
        ----------
        xs : tuple of array
            The inputs.
        ts : tuple of array or None
            The targets of each output.
        weights : tuple of array (N,) or (N, T), or None
        before_update : callable, optional
            Called when the loss has been found finite, before the weights change.

        Raises
        ------
        NotFinite
            If the loss is NaN or infinite; nothing has changed.
        """
        program = self.fixed_program or self.program(xs, True)
        with Attempt() as updates, self.workspaces.of(shapes_key(xs), True):
            value, parts, outputs, tape = self._measure(program, xs, ts, weights, True)
            if not math.isfinite(value):
                raise NotFinite(
                    f"The loss of this batch is {value}; the weights are unchanged. Often the learning rate is "
                    "too high, or inputs are large or hold NaN. Scale the inputs (x / 255), or use "
                    "optimizer=Adam(1e-4).",
                    value,
                )
            if before_update is not None:
                before_update()
            self._note(value, parts, ts, weights)  # a metric that refuses the batch does so before anything changes
            commit(updates)
            if self.optimizer is not None:
                self._update(program, parts, outputs, tape)

    def _update(self, program: Program, parts: list[Part], outputs: list[np.ndarray], tape: list[Any]) -> None:
        """Backward, and the optimizer's step."""
        slopes: list[np.ndarray | None] = []
        for loss, _, ctx, scale, _, _ in parts:
            slopes.append(None if loss is None else loss.backward(scale, ctx))
        for extra in outputs[len(parts) :]:
            slopes.append(np.ones_like(extra))
        program.training.backward(slopes, tape)
        for parameter in self._pulled:
            parameter.grad += parameter.regularizer.gradient(parameter.value)
            parameter.rows = None
        self.optimizer.step()
        for parameter in self._constrained:
            parameter.value[...] = parameter.constraint(parameter.value)

    def test(self, xs: Arrays, ts: Weights, weights: Weights) -> None:
        """Measure losses and metrics on a batch."""
        program = self.fixed_program or self.program(xs, False)
        with self.workspaces.of(shapes_key(xs), False):
            value, parts, _, _ = self._measure(program, xs, ts, weights, False)
            self._note(value, parts, ts, weights)

    def _measure(
        self, program: Program, xs: Arrays, ts: Weights, weights: Weights, training: bool
    ) -> tuple[float, list[Part], list[np.ndarray], list[Any]]:
        """The loss of a batch and its parts, output by output."""
        plan = program.training
        outputs, tape, masks = plan.forward(xs, training)
        value, parts = 0.0, []
        for i, loss in enumerate(program.losses):
            y, mask = outputs[i], masks[i]
            if loss is None:
                parts.append((None, y, None, None, 0.0, mask))
                continue
            if program.from_logits[i]:
                losses, p, ctx = loss.forward(y, ts[i])
            else:
                losses, ctx = loss.forward(y, ts[i])
                p = y
            scale = self._scale(i, loss, losses, ts[i], weights[i], mask)
            part = float(losses.dot(scale))
            value += part
            parts.append((loss, p, ctx, scale, part, mask))
        for extra in outputs[len(parts) :]:
            value += float(extra.sum())
        if plan.penalized:
            value += plan.penalty(tape)
        for parameter in self._regularized:
            value += float(parameter.regularizer(parameter.value))
        return value, parts, outputs, tape

    def _scale(
        self,
        place: int,
        loss: Any,
        losses: np.ndarray,
        t: Any,
        weight: np.ndarray | None,
        mask: np.ndarray | None,
    ) -> np.ndarray:
        """The factor of each row's loss, with ``loss_weights``; without weights and mask the same array each time."""
        factor = self.objectives.weights[place]
        rows, counts = losses.size if losses.ndim else None, loss.counts(losses, t)
        if mask is not None or weight is not None or counts is not None:
            scale = loss.scale(rows, weight, losses.dtype, mask, counts)
            return scale if factor == 1 else scale * scale.dtype.type(factor)
        key = (rows, losses.dtype, place)
        scale = self._scales.get(key)
        if scale is None:
            if len(self._scales) >= _MOST_SCALES:
                self._scales.clear()
            scale = loss.scale(rows, None, losses.dtype)
            scale = self._scales[key] = scale if factor == 1 else scale * scale.dtype.type(factor)
        return scale

    def _note(self, value: float, parts: list[Part], ts: Weights, weights: Weights) -> None:
        n = len(parts[0][1])
        for i, metrics in self._measured:
            if ts[i] is not None:
                metrics.update(ts[i], parts[i][1], weights[i], parts[i][5])
        self.total += value * n
        self.count += n
        if self._several:
            for i, (part, factor) in enumerate(zip(parts, self.objectives.weights, strict=True)):
                self._totals[i] += part[4] / factor * n if factor else 0.0


def shapes_key(xs: Arrays) -> Any:
    """The shapes of the inputs, for the workspaces."""
    return xs[0].shape if len(xs) == 1 else tuple([x.shape for x in xs])


def _plain(value: Any) -> Any:
    """A metric's result as a Python number where it is one."""
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0) else value
    )
