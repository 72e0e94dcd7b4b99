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
from fastnn.losses.loss import Loss, each_row

from ..user_warnings import warn

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Crossentropy",
    "OnLogits",
    "SparseCategoricalCrossentropy",
]


class OnLogits:
    """A cross-entropy from the input z of a final softmax or sigmoid; forward also returns the probabilities."""

    def __init__(self, loss: Any, activation: str):
        self.loss, self.activation, self.name = loss, activation, loss.name
        self.check_targets, self.scale = loss.check_targets, loss.scale

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
        if axis != -1:
            raise ValueError(
                f"Classes must be on the last axis. Received: axis={axis!r}. Use np.moveaxis(y, {axis!r}, -1)."
            )
        super().__init__(reduction, name, dtype)
        self.from_logits, self.label_smoothing, self.axis = bool(from_logits), float(label_smoothing), axis

    def rows_of(self, y: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions (M, C), and targets in the form the kernels expect."""
        return targets.rows(y), targets.rows(targets.fit(y, t))

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
        return self.probabilities_backward(rows, t, scale).reshape(shape)

    def forward_logits(self, z: np.ndarray, t: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses, p, ctx)`` from logits."""
        rows, t = self.rows_of(z, t)
        losses, p = self.logits_forward(rows, t)
        return losses, p if p.shape == z.shape else p.reshape(z.shape), (p, t, z.shape)

    def backward_logits(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient with respect to the logits."""
        p, t, shape = ctx
        dz = self.logits_backward(p, t, scale)
        return dz if dz.shape == shape else dz.reshape(shape)

    def on_logits(self, activation):
        if activation != self.activation:
            return None
        if self.from_logits:
            warn(
                f"{self.name} has from_logits=True, but the last layer ends in a {activation}. The loss is computed "
                f"from the input of the {activation}; use from_logits=False to confirm this.",
            )
        return OnLogits(self, activation)

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        return self.forward(y, np.asarray(y_true))[0].reshape(y.shape[:-1])

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
        t = targets.same_shape(self.name, y_shape, np.asarray(t))
        targets.refuse_nan(self.name, t)
        targets.refuse_outside(self.name, t, 0, 1, "For labels −1 and 1, use (y + 1) / 2.")
        return t

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
        if y_shape[-1] == 1:
            warn(
                f"{self.name} of a single class is always 0. For two classes in one unit, use "
                "Dense(1, activation='sigmoid') and loss='binary_crossentropy'.",
            )
        hint = (
            f'For integer labels, use loss="sparse_categorical_crossentropy", or one-hot rows: '
            f"np.eye({y_shape[-1]})[y]. Otherwise give the last layer as many units as a target has classes."
        )
        t = targets.same_shape(self.name, y_shape, np.asarray(t), hint)
        targets.refuse_nan(self.name, t)
        targets.refuse_outside(self.name, t, 0, 1, "Each target must be a row of probabilities.")
        return t

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
        return targets.labels(self.name, y_shape, np.asarray(t), self.ignore_class)

    def rows_of(self, y, t):
        if t.dtype != np.int64 or t.shape != y.shape[:-1]:
            t = targets.labels(self.name, y.shape, t, self.ignore_class)
        t = t.reshape(-1)
        return targets.rows(y), t if self.ignore_class is None else (t, t != self.ignore_class)

    def _counted(self, kernel, rows, t, *scale):
        """Run a kernel on the rows that count; the others get 0, and the counted ones are scaled up for the mean."""
        if self.ignore_class is None:
            return kernel(rows, t, *scale)
        t, counts = t
        weight = counts * rows.dtype.type(len(t) / max(1, int(counts.sum())))
        t = np.where(counts, t, 0)
        if scale:
            return kernel(rows, t, scale[0] * weight)
        result = kernel(rows, t)
        return (
            result * weight if isinstance(result, np.ndarray) else (np.where(counts, result[0], 0) * weight, result[1])
        )

    def scale(self, rows, sample_weight=None, dtype=np.float32, mask=None, t=None):
        """As in ``Loss``; with a mask and ``ignore_class``, the mean is taken over the rows that both allow."""
        scale = super().scale(rows, sample_weight, dtype, mask, t)
        if mask is None or t is None or self.ignore_class is None or self.reduction == "sum":
            return scale
        counts = t.reshape(-1) != self.ignore_class
        mask = each_row("The mask", mask, rows)
        both = max(1, int((counts & mask).sum()))
        return scale * scale.dtype.type(int(mask.sum()) * int(counts.sum()) / (rows * both))

    def logits_forward(self, z, t):
        return self._counted(backend.active().softmax_cross_entropy_forward, z, t)

    def logits_backward(self, p, t, scale):
        return self._counted(backend.active().softmax_cross_entropy_backward, p, t, scale)

    def probabilities_forward(self, p, t):
        return self._counted(backend.active().categorical_cross_entropy_forward, p, t)

    def probabilities_backward(self, p, t, scale):
        return self._counted(backend.active().categorical_cross_entropy_backward, p, t, scale)

    def get_config(self):
        config = super().get_config() | {"ignore_class": self.ignore_class}
        del config["label_smoothing"]
        return config


class Crossentropy(Loss):
    """The loss for ``"ce"`` or ``"crossentropy"``: binary, sparse or categorical, depending on the shapes.

    Predictions with one value: binary.  Targets with fewer axes than predictions, or with one value: sparse.
    Otherwise categorical.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "crossentropy", dtype: Any = None
    ):
        super().__init__(reduction, name, dtype)
        words = {"reduction": reduction, "name": self.name}
        self._binary = BinaryCrossentropy(**words)
        self._sparse = SparseCategoricalCrossentropy(**words)
        self._categorical = CategoricalCrossentropy(**words)

    def choose(self, y_shape: Any, t_shape: Any) -> _Crossentropy:
        """Return the cross-entropy for predictions and targets of these shapes."""
        if y_shape[-1] == 1:
            return self._binary
        return self._sparse if len(t_shape) < len(y_shape) or t_shape[-1] == 1 else self._categorical

    def check_targets(self, y_shape, t):
        t = np.asarray(t)
        return self.choose(y_shape, t.shape).check_targets(y_shape, t)

    def forward(self, y, t):
        loss = self.choose(y.shape, np.shape(t))
        losses, ctx = loss.forward(y, np.asarray(t))
        return losses, (loss, ctx)

    def backward(self, scale, ctx):
        return ctx[0].backward(scale, ctx[1])

    def on_logits(self, activation):
        return OnLogits(self, activation) if activation in ("softmax", "sigmoid") else None

    def forward_logits(self, z: np.ndarray, t: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return ``(losses, p, ctx)`` from logits."""
        loss = self.choose(z.shape, np.shape(t))
        if loss.activation == activation:
            losses, p, ctx = loss.forward_logits(z, t, activation)
            return losses, p, (loss, ctx, None, None)
        kernels = backend.active()
        p = kernels.softmax_forward(z) if activation == "softmax" else kernels.activation_forward(z, "sigmoid")
        losses, ctx = loss.forward(p, t)
        return losses, p, (loss, ctx, z, p)

    def backward_logits(self, scale: np.ndarray, ctx: Any) -> np.ndarray:
        """Return the gradient with respect to the logits."""
        loss, ctx, z, p = ctx
        if z is None:
            return loss.backward_logits(scale, ctx)
        dp = loss.backward(scale, ctx)
        if loss.activation == "sigmoid":
            return backend.active().softmax_backward(dp, p)
        return backend.active().activation_backward(dp, z, p, "sigmoid")

    def call(self, y_true, y_pred):
        y = targets.real(y_pred)
        return self.forward(y, np.asarray(y_true))[0].reshape(y.shape[:-1])
