"""Objectives: the losses and metrics of a compiled model, one set for each output."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import losses as loss_functions
from .. import metrics as metric_functions
from ..lookup import is_number

__all__ = ["Objectives"]


class Objectives:
    """What ``compile(loss=…, loss_weights=…, metrics=…, weighted_metrics=…)`` means.

    Which loss belongs to which output is known once the outputs are: ``bind`` finds it.

    Parameters
    ----------
    loss, loss_weights, metrics, weighted_metrics
        As given to ``compile``: one, or a list or dict with an entry for each output.

    Attributes
    ----------
    given : dict
        The four arguments as they came.
    names : list of str
        Of the outputs.
    losses : list of Loss or None
    weights : list of float
    metrics : list of CompiledMetrics

    Raises
    ------
    TypeError, ValueError
        For names that are not known.
    """

    def __init__(self, loss: Any = None, loss_weights: Any = None, metrics: Any = None, weighted_metrics: Any = None):
        self.given = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics
        }  # fmt: skip
        self.names: list[str] = []
        self.losses: list[Any] = []
        self.weights: list[float] = []
        self.metrics: list[Any] = []
        for one in _leaves(loss):
            loss_functions.get(one)
        for one in _leaves(loss_weights):
            if one is not None and not is_number(one):
                raise ValueError(f"loss_weights must be numbers. Received: loss_weights={loss_weights!r}.")
        for one in _groups(metrics), _groups(weighted_metrics):
            for group in one:
                metric_functions.CompiledMetrics(group)
        if not isinstance(loss, (list, tuple, dict)) and not _is_nested(metrics) and not _is_nested(weighted_metrics):
            self.bind(["output"])

    @property
    def bound(self) -> bool:
        """Whether the outputs are known."""
        return bool(self.names)

    def bind(self, names: Sequence[str]) -> None:
        """Settle which entry belongs to which output.

        Raises
        ------
        ValueError
            If there are more or fewer entries than outputs, or a name is not that of an output.
        """
        if len(names) == len(self.names):
            self.names = list(names)
            return
        loss, weights = self.given["loss"], self.given["loss_weights"]
        losses = [loss_functions.get(one) for one in self._each("loss", loss, names, shared=True)]
        factors = [1.0 if one is None else _factor(one) for one in self._each("loss_weights", weights, names)]
        plain = self._metrics_of("metrics", names)
        weighted = self._metrics_of("weighted_metrics", names)
        self.metrics = [metric_functions.CompiledMetrics(a, b) for a, b in zip(plain, weighted, strict=True)]
        self.losses, self.weights, self.names = losses, factors, list(names)

    def _each(self, word: str, given: Any, names: Sequence[str], shared: bool = False) -> list[Any]:
        """One entry for each output."""
        if isinstance(given, Mapping):
            unknown = set(given) - set(names)
            if unknown:
                raise ValueError(
                    f"{word} must name the outputs, {list(names)}. Received: {word}={given!r}, with {sorted(unknown)}."
                )
            return [given.get(name) for name in names]
        if isinstance(given, (list, tuple)):
            if len(given) != len(names):
                raise ValueError(
                    f"{word} as a list must have an entry for each output, {list(names)}. Received: {len(given)} "
                    f"entries, {given!r}."
                )
            return list(given)
        return [given] * len(names) if shared or given is None else [given, *[None] * (len(names) - 1)]

    def _metrics_of(self, word: str, names: Sequence[str]) -> list[list[Any]]:
        given = self.given[word]
        if given is None:
            return [[] for _ in names]
        if len(names) == 1:
            if isinstance(given, dict):
                given = self._each(word, given, names)[0]
            elif len(given) == 1 and isinstance(given[0], (list, tuple)):
                given = given[0]
            return [_as_list(given)]
        return [_as_list(one) for one in self._each(word, given, names)]

    def state(self) -> Any:
        """What ``bind`` and the first targets settle, to be put back by ``set_state``."""
        return (
            list(self.names),
            list(self.losses),
            list(self.weights),
            [m if m.built else copy.copy(m) for m in self.metrics],
        )

    def set_state(self, state: Any) -> None:
        """Put back what ``state`` gave."""
        self.names, self.losses, self.weights, self.metrics = (list(part) for part in state)

    # Names in the logs.

    def prefix(self, place: int) -> str:
        """What the names of an output's metrics begin with."""
        return f"{self.names[place]}_" if len(self.names) > 1 else ""

    def result(self) -> dict[str, Any]:
        """All metrics so far, by name."""
        return {
            f"{self.prefix(i)}{name}": value
            for i, compiled in enumerate(self.metrics)
            for name, value in compiled.result().items()
        }

    def reset(self) -> None:
        """Forget all batches."""
        for compiled in self.metrics:
            compiled.reset()

    # Targets.

    def check_targets(self, place: int, output_shape: Any, y: np.ndarray) -> np.ndarray:
        """Targets of one output as its loss takes them; its metrics are bound to their shape.

        Raises
        ------
        TypeError, ValueError
            If they do not fit the output.
        """
        loss = self.losses[place]
        t = y if loss is None else loss.check_targets(output_shape, y)
        self.metrics[place].build(output_shape, y.shape)
        return t


def _factor(value: Any) -> float:
    if not is_number(value):
        raise TypeError(f"loss_weights must be numbers, one for each output. Received: {value!r}.")
    return float(value)


def _leaves(given: Any) -> list[Any]:
    if isinstance(given, Mapping) and "class_name" not in given:
        return list(given.values())
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _groups(given: Any) -> list[list[Any]]:
    """All lists of metrics in what ``compile`` was given."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [_as_list(one) for one in given.values()]
    if _is_nested(given):
        return [_as_list(one) for one in given]
    return [given]


def _is_nested(given: Any) -> bool:
    """Whether metrics were given output by output."""
    return isinstance(given, Mapping) or (
        isinstance(given, (list, tuple)) and any(one is None or isinstance(one, (list, tuple)) for one in given)
    )


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]
