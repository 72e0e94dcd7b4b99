"""One step: forward, loss, backward, update, on one batch of ready arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .arena import Arena
from .plan import Chain
from .workspaces import Workspaces

__all__ = ["NotFinite", "Step"]

_MOST_SCALES = 64  # one for each number of rows, and sequences come in many lengths


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
    chain : Chain
        All blocks, or those up to the logits if ``loss`` starts from logits.
    arena : Arena
    workspaces : Workspaces
    loss : Loss or its form on logits
    from_logits : bool
        Whether ``loss`` gives the predictions beside its values.
    metrics : CompiledMetrics

    Attributes
    ----------
    optimizer : Optimizer or None
        Set once it is built; None where training changes nothing.
    total, count : float
        Sum of the losses of all batches since ``reset``, each times its examples, and the number of examples.
    """

    def __init__(
        self,
        chain: Chain,
        arena: Arena,
        workspaces: Workspaces,
        loss: Any,
        from_logits: bool,
        metrics: Any,
    ):
        self.chain, self.arena, self.workspaces = chain, arena, workspaces
        self.loss, self.from_logits, self.metrics = loss, from_logits, metrics
        self.optimizer: Any = None
        self.total, self.count = 0.0, 0
        self._regularized = [p for p in arena.parameters if p.regularizer is not None]
        trained = {id(p) for p in arena.trainable}
        self._pulled = [p for p in self._regularized if id(p) in trained]
        self._constrained = [p for p in arena.trainable if p.constraint is not None]
        self._penalized = bool(self._regularized or chain.penalties)
        self._measures = bool(metrics.metrics) or not metrics.built
        self._scales: dict[tuple[int, Any], np.ndarray] = {}

    def reset(self) -> None:
        """Forget the losses and metrics of all batches."""
        self.total, self.count = 0.0, 0
        self.metrics.reset()

    def logs(self) -> dict[str, float]:
        """Loss and metrics since ``reset``, sorted by name."""
        found = {"loss": self.total / self.count if self.count else 0.0}
        if self._measures:
            found |= {name: _plain(value) for name, value in self.metrics.result().items()}
        return dict(sorted(found.items()))

    def train(
        self, x: np.ndarray, t: np.ndarray, weight: np.ndarray | None, sound: Callable[[], None] | None = None
    ) -> None:
        """Learn from a batch.

        Parameters
        ----------
        x, t : arrays
        weight : array (N,) or (N, T), optional
        sound : callable, optional
            Called when the loss has been found finite, before the weights change.

        Raises
        ------
        NotFinite
            If the loss is NaN or infinite; nothing has changed.
        """
        with self.workspaces.of(x.shape, True):
            losses, p, ctx, tape = self._forward(x, t, True)
            mask = self.chain.mask
            scale = self._scale(losses, t, weight, mask)
            value = float(losses.dot(scale))
            if self._penalized:
                value += self._penalty()
            if not math.isfinite(value):
                raise NotFinite(
                    f"The loss of this batch is {value}; the weights are unchanged. Often the learning rate is "
                    "too high, or "
                    "inputs are large or hold NaN. Scale the inputs (x / 255), or type optimizer=Adam(1e-4).",
                    value,
                )
            if sound is not None:
                sound()
            self._note(value, t, p, weight, mask)  # a metric that refuses the batch does so before the weights change
            if self.optimizer is not None:
                self.chain.backward(self.loss.backward(scale, ctx), tape)
                for parameter in self._pulled:
                    parameter.grad += parameter.regularizer.gradient(parameter.value)
                    parameter.rows = None
                self.optimizer.step()
                for parameter in self._constrained:
                    parameter.value[...] = parameter.constraint(parameter.value)

    def test(self, x: np.ndarray, t: np.ndarray, weight: np.ndarray | None) -> None:
        """Measure loss and metrics on a batch."""
        with self.workspaces.of(x.shape, False):
            losses, p, _, _ = self._forward(x, t, False)
            mask = self.chain.mask
            value = float(losses.dot(self._scale(losses, t, weight, mask)))
            if self._penalized:
                value += self._penalty()
            self._note(value, t, p, weight, mask)

    def _forward(self, x: np.ndarray, t: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, Any, list[Any]]:
        y, tape = self.chain.forward(x, training)
        if self.from_logits:
            losses, p, ctx = self.loss.forward(y, t)
            return losses, p, ctx, tape
        losses, ctx = self.loss.forward(y, t)
        return losses, y, ctx, tape

    def _scale(
        self, losses: np.ndarray, t: np.ndarray, weight: np.ndarray | None, mask: np.ndarray | None
    ) -> np.ndarray:
        """The factor of each row's loss; without weights and mask the same array each time."""
        if mask is not None:
            return self.loss.scale(losses.size, weight, losses.dtype, mask, t)
        if weight is not None:
            return self.loss.scale(losses.size, weight, losses.dtype)
        key = (losses.size, losses.dtype)
        scale = self._scales.get(key)
        if scale is None:
            if len(self._scales) >= _MOST_SCALES:
                self._scales.clear()
            scale = self._scales[key] = self.loss.scale(losses.size, None, losses.dtype)
        return scale

    def _penalty(self) -> float:
        weights = sum(float(p.regularizer(p.value)) for p in self._regularized)
        return weights + sum(block.penalty for block in self.chain.penalties)

    def _note(
        self, value: float, t: np.ndarray, p: np.ndarray, weight: np.ndarray | None, mask: np.ndarray | None
    ) -> None:
        n = len(p)
        self.total += value * n
        self.count += n
        if self._measures:
            self.metrics.update(t, p, weight, mask)


def _plain(value: Any) -> Any:
    """A metric's result as a Python number where it is one."""
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0) else value
    )
