"""The base of all losses, and the wrapper that makes one of a plain function.

A loss of your own is a function written in operators and ``fastnn.ops``, whose gradient is found by tracing it::

    def fourth_power(y_true, y_pred):
        return ops.mean((y_pred - y_true) ** 4, axis=-1)

    model.compile(loss=fourth_power)

or a subclass of ``Loss`` that writes ``call(y_true, y_pred)``.  It gives one value for each row of predictions, or one
for each element (their mean counts), or one for the batch.  Where it is written in NumPy, the slope stands beside it:
``fourth_power.gradient = lambda y_true, y_pred: ...``, or a method ``gradient``, gives the slope of those values with
respect to ``y_pred``, shaped as ``y_pred``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn.graph import Symbol, SymbolError, TracedFunction
from fastnn.lookup import snake_case
from fastnn.losses import targets

__all__ = ["FunctionLoss", "Loss", "each_row"]

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class Loss:
    """Base of all losses.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None}
        How values become one number; the first two divide by the number of values, the third by the sum of weights.
    name : str, optional
        The class name in snake_case by default.
    dtype : optional
        Accepted for Keras' sake; a loss computes in the dtype of the predictions.

    Examples
    --------
    >>> from fastnn.losses import MeanSquaredError
    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"reduction is one of {', '.join(map(repr, _REDUCTIONS))}. Received: reduction={reduction!r}."
            )
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction
        self._traced = TracedFunction(self.call, wanted=1)

    # -- what a subclass writes ------------------------------------------------------------------------------------

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The values of the loss, before they are reduced."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call(y_true, y_pred). Write one that returns the values."
        )

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The slope of the values with respect to ``y_pred``."""
        raise NotImplementedError

    def has_gradient(self) -> bool:
        """Whether ``gradient`` is written; otherwise ``call`` is traced."""
        return type(self).gradient is not Loss.gradient

    # -- what a model asks -----------------------------------------------------------------------------------------

    def check_targets(self, y_shape: Sequence[int | None], t: Any) -> np.ndarray:
        """Targets as ``forward`` takes them, or an error that teaches.

        Parameters
        ----------
        y_shape : sequence of int or None
            The shape of the predictions; None stands for any size.
        t : array
            All targets, or those of a batch.
        """
        return np.asarray(t)

    def forward(self, y: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, Any]:
        """One value for each row of the predictions, and what ``backward`` needs.

        Parameters
        ----------
        y : (N, …, C) real
            Predictions.
        t : array
            Targets, as ``check_targets`` gives them.

        Returns
        -------
        losses : (M,)
            M is the product of all sizes of ``y`` but the last.
        ctx
        """
        t = targets.match(y.shape, np.asarray(t))
        t = t.astype(y.dtype) if t.dtype.kind in "biuf" and t.dtype != y.dtype else t
        trace: Any = None
        if self.has_gradient():
            values = np.asarray(self.call(t, y), dtype=y.dtype)
        else:
            try:
                values, trace = self._traced.forward(t, y)
            except SymbolError as error:  # written in NumPy: it can be measured, but not trained
                values, trace = np.asarray(self.call(t, y), dtype=y.dtype), error
        lead = y.shape[:-1]
        if values.ndim == 0:
            losses = np.full(max(1, y.size // y.shape[-1]), values)
        elif values.shape == lead:
            losses = values.reshape(-1)
        elif values.shape == y.shape:
            losses = values.mean(axis=-1).reshape(-1)
        elif values.shape == y.shape[:1]:
            losses = np.repeat(values, y[0].size // y.shape[-1])
        else:
            raise ValueError(
                f"The loss {self.name} returns one value for each row of predictions, shape {lead}, or for each "
                f"element, shape {y.shape}, or one number. Received: shape {values.shape}."
            )
        return np.ascontiguousarray(losses, y.dtype), (y, t, values.shape, trace)

    def backward(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """The gradient of ``Σ scale·losses`` with respect to the predictions.

        Parameters
        ----------
        scale : (M,)
            Sample weight divided by the number of rows.
        """
        y, t, shape, trace = ctx
        if isinstance(trace, SymbolError):
            raise TypeError(
                f"The loss {self.name} can be measured but not trained, because it cannot be traced. {trace} Or write "
                f"{self.name}.gradient = lambda y_true, y_pred: ..., the slope of its values in y_pred."
            )
        if trace is not None:
            dy = self._traced.backward(_seed(scale, y.shape, shape), trace)
            return np.zeros_like(y) if dy is None else dy
        slope = np.asarray(self.gradient(t, y), dtype=y.dtype)
        if slope.shape != y.shape:
            raise ValueError(
                f"The gradient of the loss {self.name} has the shape of y_pred, {y.shape}. Received: {slope.shape}."
            )
        if shape == ():
            return slope * scale.sum()
        rows = scale.reshape(*y.shape[:-1], 1)
        if shape == y.shape and shape != y.shape[:-1]:
            return slope * (rows / y.shape[-1])
        if shape != y.shape[:-1]:
            rows = rows.reshape(len(y), -1).sum(axis=1).reshape(-1, *[1] * (y.ndim - 1))
        return slope * rows

    def on_logits(self, activation: str) -> Any:
        """The same loss from what enters a final "softmax" or "sigmoid"; None where there is no such form."""
        return None

    def scale(
        self,
        rows: int,
        sample_weight: np.ndarray | None = None,
        dtype: Any = np.float32,
        mask: np.ndarray | None = None,
        t: np.ndarray | None = None,
    ) -> np.ndarray:
        """The factor of each row's loss: ``loss = Σ scale·losses`` for this reduction.

        Parameters
        ----------
        rows : int
            M, the number of rows of predictions.
        sample_weight : (N,), (N, T) or (M,), optional
            One weight for each example, time step or row.
        mask : array of bool (N, T), optional
            Time steps that count; the mean is over these alone.
        t : array, optional
            The targets, which may say themselves that rows do not count.

        Raises
        ------
        ValueError
            If the weights do not fit, or the reduction leaves no single number.
        """
        weight = np.ones(rows, dtype) if sample_weight is None else each_row("sample_weight", sample_weight, rows)
        weight, counted = np.asarray(weight, dtype), rows
        if mask is not None:
            if mask.size > rows:
                raise ValueError(
                    f"A mask of time steps, shape {mask.shape}, came with {rows} predictions, which have no steps. "
                    "A layer that takes the axis of time away ends the mask: give it supports_masking = False."
                )
            mask = each_row("The mask", mask, rows)
            weight, counted = weight * mask, int(np.count_nonzero(mask))
        if self.reduction in ("none", None):
            raise ValueError(
                f"Training needs a loss that is one number. Received: {self.name} with reduction={self.reduction!r}. "
                'Use reduction="sum_over_batch_size".'
            )
        if self.reduction == "sum":
            return weight
        total = float(weight.sum(dtype=np.float64)) if self.reduction == "mean_with_sample_weight" else counted
        return weight * weight.dtype.type(1.0 / total if total else 0.0)

    # -- what a user calls -----------------------------------------------------------------------------------------

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of arrays: a number, or with ``reduction=None`` the values."""
        y = targets.real(y_pred)
        values = np.asarray(self.call(self.check_targets(y.shape, np.asarray(y_true)), y))
        if sample_weight is not None:
            weight = np.asarray(sample_weight, dtype=values.dtype)
            if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
                weight = weight[..., 0]
            weight = np.broadcast_to(weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim)), values.shape)
            values = values * weight
        if self.reduction in ("none", None) or not values.ndim:
            return values
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            divisor = float(weight.sum())
        else:
            divisor = values.size
        total = values.sum()
        return total if self.reduction == "sum" else total / divisor if divisor else values.dtype.type(0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _seed(scale: np.ndarray, y_shape: tuple[int, ...], values_shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of ``Σ scale·losses`` with respect to the values that ``call`` gave."""
    if values_shape == ():
        return np.asarray(scale.sum())
    if values_shape == y_shape[:-1]:
        return scale.reshape(values_shape)
    if values_shape == y_shape:
        rows = (scale / y_shape[-1]).astype(scale.dtype)
        return np.ascontiguousarray(np.broadcast_to(rows.reshape(*y_shape[:-1], 1), y_shape))
    return scale.reshape(y_shape[0], -1).sum(axis=1)


def each_row(what: str, values: np.ndarray, rows: int) -> np.ndarray:
    """One value for each row of predictions, from one for each row, or for each of their leading axes."""
    values = np.asarray(values).reshape(-1)
    if values.size == rows:
        return values
    if not values.size or rows % values.size:
        raise ValueError(f"{what} has one value for each of {rows} rows. Received: {values.size} values.")
    return np.repeat(values, rows // values.size)


class FunctionLoss(Loss):
    """A loss made of a function ``f(y_true, y_pred)``: traced, or with its slope as ``f.gradient(y_true, y_pred)``."""

    def __init__(
        self, function: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None
    ):
        super().__init__(reduction, name or getattr(function, "__name__", type(function).__name__))
        self.function = function

    def call(self, y_true, y_pred):
        if not isinstance(y_true, Symbol):
            y_true = targets.match(y_pred.shape, np.asarray(y_true))
        return self.function(y_true, y_pred)

    def gradient(self, y_true, y_pred):
        return self.function.gradient(y_true, y_pred)

    def has_gradient(self):
        return hasattr(self.function, "gradient")

    def get_config(self):
        return super().get_config() | {"function": self.function}
