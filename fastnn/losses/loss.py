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

from fastnn.backend import floatx
from fastnn.graph import Symbol, SymbolError, TracedFunction, as_tensor, is_followed
from fastnn.lookup import snake_case
from fastnn.losses import targets
from fastnn.losses.reduction import check_reduction, factors, reduce_values
from fastnn.losses.taped import call_on_tape
from fastnn.shapes import Shape

__all__ = ["FunctionLoss", "Loss"]


class Loss:
    """Base of all losses.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None}
        How values become one number; the first two divide by the number of values, the third by the sum of weights.
    name : str, optional
        The class name in snake_case by default.
    dtype : optional
        Kept as Keras keeps it; a loss computes in the dtype of the predictions.

    Examples
    --------
    >>> from fastnn.losses import MeanSquaredError
    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None):
        self.reduction = check_reduction(reduction)
        self.name = name or snake_case(type(self).__name__)
        self.dtype = np.dtype(dtype or floatx()).name
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
        """The values, flat, and what ``backward`` needs.

        Parameters
        ----------
        y : (N, …, C) real
            Predictions.
        t : array
            Targets, as ``check_targets`` gives them.

        Returns
        -------
        losses : (M,) or ()
            M is the number of values, for most losses the product of all sizes of ``y`` but the last; () is one value
            for the whole batch.
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
        if values.ndim and values.shape != self.values_shape(y.shape) and values.shape != y.shape[: values.ndim]:
            raise ValueError(
                f"The loss {self.name} returns one value for each row of predictions, shape {y.shape[:-1]}, or for "
                f"each element, shape {y.shape}, or one number. Received: shape {values.shape}."
            )
        losses = values.reshape(-1) if values.ndim else values
        return np.ascontiguousarray(losses, y.dtype).reshape(losses.shape), (y, t, values.shape, trace)

    def backward(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """The gradient of ``Σ scale·losses`` with respect to the predictions.

        Parameters
        ----------
        scale : (M,) or ()
            Sample weight divided by the number of values.
        """
        y, t, shape, trace = ctx
        if isinstance(trace, SymbolError):
            raise TypeError(
                f"The loss {self.name} can be measured but not trained, because it cannot be traced. {trace} Or write "
                f"{self.name}.gradient = lambda y_true, y_pred: ..., the slope of its values in y_pred."
            )
        if trace is not None:
            dy = self._traced.backward(np.ascontiguousarray(scale, y.dtype).reshape(shape), trace)
            return np.zeros_like(y) if dy is None else dy
        slope = np.asarray(self.gradient(t, y), dtype=y.dtype)
        if slope.shape != y.shape:
            raise ValueError(
                f"The gradient of the loss {self.name} has the shape of y_pred, {y.shape}. Received: {slope.shape}."
            )
        return slope * scale.reshape(shape + (1,) * (y.ndim - len(shape)))

    def values_shape(self, y_shape: Sequence[int | None]) -> Shape:
        """The shape of the values for predictions of this shape."""
        return tuple(y_shape[:-1])

    def counts(self, values: np.ndarray, t: np.ndarray) -> np.ndarray | None:
        """Which values count, (M,) of bool, where targets or values say so; the mean is over these."""
        return None

    def on_logits(self, activation: str) -> Any:
        """The same loss from what enters a final "softmax" or "sigmoid"; None where there is no such form."""
        return None

    def scale(
        self,
        rows: int | None,
        sample_weight: np.ndarray | None = None,
        dtype: Any = np.float32,
        mask: np.ndarray | None = None,
        counts: np.ndarray | None = None,
    ) -> np.ndarray:
        """The factor of each value: ``loss = Σ scale·losses`` for this reduction.

        Parameters
        ----------
        rows : int or None
            M, the number of values; None where one value stands for the whole batch.
        sample_weight : (N,), (N, T) or (M,), optional
            One weight for each example, time step or value.
        mask : array of bool (N, T), optional
            Time steps that count; the mean is over these alone.
        counts : array of bool (M,), optional
            What ``counts`` of this loss gave.

        Raises
        ------
        ValueError
            If the weights do not fit, or the reduction leaves no single number.
        """
        return factors(self.name, self.reduction, rows, sample_weight, dtype, mask, counts)

    # -- what a user calls -----------------------------------------------------------------------------------------

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of arrays: a number, or with ``reduction=None`` the values."""
        if is_followed(y_pred):
            return call_on_tape(self, y_true, y_pred, sample_weight)
        return as_tensor(self._measured(y_true, y_pred, sample_weight))

    def _measured(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        y = targets.real(y_pred)
        t = self.check_targets(y.shape, np.asarray(y_true))
        values = np.asarray(self.call(t, y))
        return reduce_values(self.reduction, values, sample_weight, self.counts(values, t))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


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
