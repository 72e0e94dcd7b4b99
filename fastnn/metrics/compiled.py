"""The metrics of a compiled model: resolved at the first batch, updated together, read as one dict."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.layers.parameter import Parameter
from fastnn.metrics.metric import MeanMetricWrapper, Metric
from fastnn.shapes import Shape

__all__ = ["CompiledMetrics"]

_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")  # names whose metric depends on the shapes


class CompiledMetrics:
    """The metrics of ``compile(metrics=…, weighted_metrics=…)``.

    Parameters
    ----------
    metrics : list of names, functions and Metric objects
        ``sample_weight`` is not passed to these.
    weighted_metrics : the same
        ``sample_weight`` is passed to these; one whose name is already taken is logged as ``weighted_<name>``.

    Raises
    ------
    TypeError, ValueError
        If either is not a list, or an entry is not a metric.

    Examples
    --------
    >>> import numpy as np
    >>> compiled = CompiledMetrics(["accuracy"])
    >>> y = np.array([[0.1, 0.9], [0.8, 0.2]])
    >>> compiled.update(np.array([1, 1]), y)
    >>> compiled.result()
    {'accuracy': 0.5}
    """

    def __init__(self, metrics: Sequence[Any] | None = None, weighted_metrics: Sequence[Any] | None = None):
        from fastnn.metrics import get

        for word, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given is not None and not isinstance(given, (list, tuple)):
                raise TypeError(f"{word} must be a list. Received: {word}={given!r}. Use {word}=[{given!r}].")
        self._user = tuple([m for m in given or () if m is not None] for given in (metrics, weighted_metrics))
        for metric in (m for group in self._user for m in group if str(m).lower() not in _BY_SHAPE):
            get(metric)
        self._plain: list[Metric] = []
        self._weighted: list[Metric] = []
        self.built = not any(self._user)

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, once built."""
        return self._plain + self._weighted

    def build(self, y_shape: Sequence[int | None], t_shape: Sequence[int | None], loss: Any = None) -> None:
        """Find the metrics for predictions and targets of these shapes; a second call has no effect."""
        if self.built:
            return
        from fastnn.metrics import get

        plain, weighted = ([get(m, loss=loss, y_shape=y_shape, t_shape=t_shape) for m in group] for group in self._user)
        plain, weighted = _each_once(plain, weighted)
        for metric in (*plain, *weighted):
            _try_shapes(metric, tuple(y_shape), tuple(t_shape))
        for group in (plain, weighted):
            seen: dict[str, int] = {}
            for metric in group:  # precision, precision_1, …
                seen[metric.name] = count = seen.get(metric.name, -1) + 1
                metric.name = f"{metric.name}_{count}" if count else metric.name
        self._plain, self._weighted, self.built = plain, weighted, True

    def update(
        self,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        sample_weight: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        y_true, y_pred : arrays
        sample_weight : array (N,) or (N, T), optional
            Used by the weighted metrics.
        mask : array of bool (N, T), optional
            The time steps that count, in all metrics.
        """
        if not self.built:
            self.build(y_pred.shape, y_true.shape)
        weight = sample_weight
        if mask is not None and weight is not None:
            weight = mask * (weight if weight.ndim > 1 else weight[:, None])
        elif mask is not None:
            weight = mask
        for metric in self._plain:
            if mask is None:
                metric.update_state(y_true, y_pred)
            else:
                metric.update_state(y_true, y_pred, mask)
        for metric in self._weighted:
            metric.update_state(y_true, y_pred, weight)

    def result(self) -> dict[str, Any]:
        """Return the current metrics, by name."""
        results = {metric.name: _value(metric.result()) for metric in self._plain}
        for metric in self._weighted:
            results[f"weighted_{metric.name}" if metric.name in results else metric.name] = _value(metric.result())
        return results

    def reset(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()


def _each_once(*groups: list[Metric]) -> list[list[Metric]]:
    """The groups, with a copy for an object that stands in them before: each counts a batch once."""
    met: set[int] = set()
    found: list[list[Metric]] = []
    for group in groups:
        found.append([])
        for metric in group:
            found[-1].append(copy.deepcopy(metric) if id(metric) in met else metric)
            met.add(id(metric))
    return found


def _value(result: Any) -> Any:
    """What a metric gives, as it is now: a variable goes on changing."""
    return result.numpy() if isinstance(result, Parameter) else result


def _try_shapes(metric: Metric, y_shape: Shape, t_shape: Shape) -> None:
    """Let a metric refuse shapes that it cannot take before a model measures or learns: a copy gets one example."""
    made_of = metric.fn if isinstance(metric, MeanMetricWrapper) else type(metric)
    if not (getattr(made_of, "__module__", None) or "").startswith("fastnn."):
        return  # of the user's own: its calls may be counted
    t = np.zeros((1, *t_shape[1:]))
    lengths = t_shape if len(t_shape) == len(y_shape) else (*t_shape, None)
    y = np.zeros((1, *(k or n or 1 for n, k in zip(lengths[1:], y_shape[1:], strict=False))))
    with np.errstate(all="ignore"):
        copy.deepcopy(metric).update_state(t, y)
