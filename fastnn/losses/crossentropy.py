"""Cross-entropies, of probabilities or of logits.

If a model ends in a softmax or sigmoid, it uses ``on_logits``: the same loss computed from the input of the activation,
so that a saturated prediction still learns and the gradient is simply ``p − t``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn import backend
from fastnn.lookup import is_number
from fastnn.losses import targets
from fastnn.losses.loss import Loss

from ..user_warnings import warn

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "OnLogits",
    "SparseCategoricalCrossentropy",
]


class OnLogits:
    """A cross-entropy from the input z of a final softmax or sigmoid; forward also returns the probabilities."""

    def __init__(self, loss: Any, activation: str):
        self.loss, self.activation, self.name = loss, activation, loss.name
        self.check_targets, self.scale, self.counts = loss.check_targets, loss.scale, loss.counts

    def forward(self, z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses (M,), p shaped as z, ctx)``, where p is what the activation would return."""
        return self.loss.forward_logits(z, t, self.activation)

    def backward(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient of ``Σ scale·losses`` with respect to z."""
        return self.loss.backward_logits(scale, ctx)


class _Crossentropy(Loss):
    """Base of the three cross-entropies; a subclass implements forward and backward for rows."""

    activation = "softmax"
    probabilities_forward: Callable[..., Any]
    probabilities_backward: Callable[..., Any]
    logits_forward: Callable[..., Any]
    logits_backward: Callable[..., Any]

    def __init__(self, from_logits, label_smoothing, axis, reduction, name, dtype):
        if not is_number(label_smoothing) or not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"label_smoothing must be a number from 0 to 1. Received: label_smoothing={label_smoothing!r}."
            )
        super().__init__(reduction, name, dtype)
        self.axis = targets.check_axis(axis)
        self.from_logits, self.label_smoothing = bool(from_logits), float(label_smoothing)

    def values_shape(self, y_shape: Any) -> Any:
        return y_shape[:-1] if self.axis == -1 else targets.axis_last(y_shape, self.axis)[:-1]

    def rows_of(self, y: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions (M, C) whose classes are along ``axis``, and targets in the form the kernels expect."""
        t = targets.fit(y, t)
        return targets.rows(targets.moved_last(y, self.axis)), targets.rows(targets.moved_last(t, self.axis))

    def forward(self, y, t):
        if self.from_logits:
            losses, _, ctx = self.forward_logits(y, t, self.activation)
            return losses, ctx
        rows, t = self.rows_of(y, t)
        return self.probabilities_forward(rows, t), (rows, t, y.shape)

    def backward(self, scale, ctx):
        if self.from_logits:
            return self.backward_logits(scale, ctx)
        rows, t, shape = ctx
        return targets.moved_back(self.probabilities_backward(rows, t, scale), shape, self.axis)

    def forward_logits(self, z: np.ndarray, t: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses, p, ctx)`` from logits."""
        rows, t = self.rows_of(z, t)
        losses, p = self.logits_forward(rows, t)
        shaped = p if p.shape == z.shape and self.axis == -1 else targets.moved_back(p, z.shape, self.axis)
        return losses, shaped, (p, t, z.shape)

    def backward_logits(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient with respect to the logits."""
        p, t, shape = ctx
        return targets.moved_back(self.logits_backward(p, t, scale), shape, self.axis)

    def on_logits(self, activation):
        if activation != self.activation or self.axis != -1:
            return None
        if self.from_logits:
            warn(
                f"{self.name} has from_logits=True, but the last layer ends in a {activation}. The loss is computed "
                f"from the input of the {activation}; use from_logits=False to confirm this.",
            )
        return OnLogits(self, activation)

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        return self.forward(y, np.asarray(y_true))[0].reshape(self.values_shape(y.shape))

    def get_config(self):
        return super().get_config() | {
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


class BinaryCrossentropy(_Crossentropy):
    """``mean(−t·log p − (1 − t)·log(1 − p))``, p clipped to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    from_logits : bool
        True if the predictions have not passed through a sigmoid.
    label_smoothing : float
        ε in [0, 1]: targets become ``t·(1 − ε) + ε/2``.
    axis : int
        The axis of the mean.
    """

    activation = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def check_targets(self, y_shape, t):
        return targets.chances(self.name, y_shape, t)

    def logits_forward(self, z, t):
        return backend.active().sigmoid_cross_entropy_forward(z, t, self.label_smoothing)

    def logits_backward(self, p, t, scale):
        return backend.active().sigmoid_cross_entropy_backward(p, t, scale, self.label_smoothing)

    def _smooth(self, t):
        return t * (1 - self.label_smoothing) + 0.5 * self.label_smoothing if self.label_smoothing else t

    def probabilities_forward(self, p, t):
        return backend.active().pointwise_loss_forward(p, self._smooth(t), "binary_crossentropy")

    def probabilities_backward(self, p, t, scale):
        return backend.active().pointwise_loss_backward(p, self._smooth(t), scale, "binary_crossentropy")


class CategoricalCrossentropy(_Crossentropy):
    """``−Σ t·log p`` for one-hot targets (or any distribution); p is normalized and clipped to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    from_logits : bool
        True if the predictions have not passed through a softmax.
    label_smoothing : float
        ε in [0, 1]: targets become ``t·(1 − ε) + ε/C``.
    axis : int
        The axis of the C classes.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def check_targets(self, y_shape, t):
        return targets.one_hot(self.name, y_shape, t, self.axis)

    def logits_forward(self, z, t):
        return backend.active().softmax_cross_entropy_forward(z, t, self.label_smoothing)

    def logits_backward(self, p, t, scale):
        return backend.active().softmax_cross_entropy_backward(p, t, scale, self.label_smoothing)

    def probabilities_forward(self, p, t):
        return backend.active().categorical_cross_entropy_forward(p, t, self.label_smoothing)

    def probabilities_backward(self, p, t, scale):
        return backend.active().categorical_cross_entropy_backward(p, t, scale, self.label_smoothing)


class SparseCategoricalCrossentropy(CategoricalCrossentropy):
    """``−log p[t]`` for integer labels t, of shape (N,) or (N, 1).

    Parameters
    ----------
    from_logits : bool
        True if the predictions have not passed through a softmax.
    ignore_class : int, optional
        A label whose rows are ignored: their loss is 0, and the mean is taken over the other rows.
    axis : int
        The axis of the classes.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(from_logits, 0.0, axis, reduction, name, dtype)
        self.ignore_class = ignore_class

    def check_targets(self, y_shape, t):
        t, shape = np.asarray(t), targets.axis_last(y_shape, self.axis)
        if t.ndim == len(shape):
            t = np.moveaxis(t, self.axis, -1)
        return targets.labels(self.name, shape, t, self.ignore_class)

    def rows_of(self, y, t):
        if t.dtype != np.int64 or t.shape != self.values_shape(y.shape):
            t = self.check_targets(y.shape, t)
        y = y if self.axis == -1 else targets.moved_last(y, self.axis)
        return targets.rows(y), t if t.ndim == 1 else t.reshape(-1)

    def counts(self, values, t):
        return None if self.ignore_class is None else t.reshape(-1) != self.ignore_class

    def _counted(self, kernel, rows, t, *scale):
        """Run a kernel on all rows; those that do not count have loss 0 and no gradient."""
        counts = t != self.ignore_class
        t = np.where(counts, t, 0)
        if scale:
            return kernel(rows, t, np.where(counts, scale[0], 0))
        result = kernel(rows, t)
        if isinstance(result, np.ndarray):
            return np.where(counts, result, 0)
        return np.where(counts, result[0], 0), result[1]

    def logits_forward(self, z, t):
        kernel = backend.active().softmax_cross_entropy_forward
        return kernel(z, t) if self.ignore_class is None else self._counted(kernel, z, t)

    def logits_backward(self, p, t, scale):
        kernel = backend.active().softmax_cross_entropy_backward
        return kernel(p, t, scale) if self.ignore_class is None else self._counted(kernel, p, t, scale)

    def probabilities_forward(self, p, t):
        kernel = backend.active().categorical_cross_entropy_forward
        return kernel(p, t) if self.ignore_class is None else self._counted(kernel, p, t)

    def probabilities_backward(self, p, t, scale):
        kernel = backend.active().categorical_cross_entropy_backward
        return kernel(p, t, scale) if self.ignore_class is None else self._counted(kernel, p, t, scale)

    def get_config(self):
        config = super().get_config() | {"ignore_class": self.ignore_class}
        del config["label_smoothing"]
        return config
