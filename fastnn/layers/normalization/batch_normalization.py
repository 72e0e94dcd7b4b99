"""BatchNormalization: every channel to mean 0 and variance 1 over the batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import active
from ...graph import latest_value
from ..base import Layer, Shape
from ..support.arguments import check_parts, flag

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """y = (x − mean) / √(variance + epsilon) · gamma + beta, channel by channel.

    In training mean and variance (biased) are those of the batch, over all axes but ``axis``, and move the averages:
    moving = moving·momentum + batch·(1 − momentum).  Otherwise, and in a layer that is not ``trainable``, they are the
    moving averages.  Where a mask came with the input, only the time steps that count make the statistics.

    x (…, C) → y (…, C).  Weights in order: gamma, beta, moving mean, moving variance, each (C,).

    Parameters
    ----------
    axis : int
        The axis of the channels; default the last.
    momentum, epsilon : float
    center, scale : bool
        Whether there are beta and gamma.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer : str or object
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : optional
    synchronized : bool
        Accepted as Keras does; there is one replica.

    Raises
    ------
    ValueError
        If a number is out of range, or the channels are not known.

    References
    ----------
    Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift, 2015.

    Examples
    --------
    >>> layer = BatchNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0], [3.0]]), training=True).tolist()
    [[-1.0], [1.0]]
    >>> [round(float(w.value[0]), 2) for w in layer.non_trainable_weights]
    [0.02, 1.0]
    """

    supports_masking = True
    uses_mask = True
    fields = (
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
        "synchronized",
    )

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise TypeError(f"axis of BatchNormalization must be an integer. Received: axis={axis!r}.")
        for word, value, top in (("momentum", momentum, 1), ("epsilon", epsilon, math.inf)):
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= top:
                raise ValueError(f"{word} of BatchNormalization must be a number from 0 to {top}. Received: {value!r}.")
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale = flag("center", center, self), flag("scale", scale, self)
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint
        self.synchronized = flag("synchronized", synchronized, self)
        check_parts(self)
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Shape) -> None:
        channels = (self._channels(input_shape),)
        if self.scale:
            self.gamma = self.add_weight(
                channels, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint, name="gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                channels, self.beta_initializer, self.beta_regularizer, self.beta_constraint, name="beta"
            )
        self.moving_mean = self.add_weight(channels, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            channels, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def _channels(self, input_shape: Shape) -> int:
        if len(input_shape) < 2 or not -len(input_shape) <= self.axis < len(input_shape):
            self.refuse_shape(f"an input with axis {self.axis} and at least 2 axes", input_shape)
        channels = input_shape[self.axis]
        if channels is None:
            self.refuse_shape(f"an input whose axis {self.axis} has a known size", input_shape)
        return channels

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = self._channels(input_shape)
        if self.moving_mean is not None and self.moving_mean.shape != (channels,):
            self.refuse_shape(f"{self.moving_mean.shape[0]} channels on axis {self.axis}", input_shape)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        return self.forward_as(x, training, mask)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.backward_as(dy, ctx, need_dx)[0]

    def forward_as(
        self,
        x: np.ndarray,
        training: bool = False,
        mask: np.ndarray | None = None,
        activation: str = "linear",
        residual: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Any]:
        """``forward`` with a residual added and an activation behind; the fusion pass calls it."""
        rows, residual = self._rows(x), None if residual is None else self._rows(residual)
        gamma, beta = (None if p is None else p.value for p in (self.gamma, self.beta))
        batch = training and self._trainable
        if batch:
            counts = None if mask is None else np.ascontiguousarray(self._counting(mask, x.shape))
            y, mean, variance = active().batch_norm_forward(
                rows, gamma, beta, residual, counts, self.epsilon, activation
            )
            keep, share = self.momentum, 1 - self.momentum
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                self.update_later(
                    moving, latest_value(moving) * moving.value.dtype.type(keep) + now * now.dtype.type(share)
                )
        else:
            counts, mean, variance = None, self.moving_mean.value, self.moving_variance.value
            y = active().batch_norm_inference(rows, mean, variance, gamma, beta, residual, self.epsilon, activation)
        return self._back(y, x.shape), (x.shape, rows, y, mean, variance, counts, activation, batch)

    def backward_as(
        self, dy: np.ndarray, ctx: Any, need_dx: bool = True, need_dresidual: bool = False
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """``backward`` of ``forward_as``: the gradients of x and of the residual."""
        shape, rows, y, mean, variance, counts, activation, batch = ctx
        dx, _, _, dresidual = active().batch_norm_backward(
            self._rows(dy),
            rows,
            mean,
            variance,
            None if self.gamma is None else self.gamma.value,
            y if activation == "relu" else None,
            counts,
            self.epsilon,
            activation,
            batch,
            need_dx=need_dx,
            need_dresidual=need_dresidual,
            dgamma=None if self.gamma is None else self.gamma.grad,
            dbeta=None if self.beta is None else self.beta.grad,
        )
        for p in (self.moving_mean, self.moving_variance):
            p.grad[...] = 0
        return (
            None if dx is None else self._back(dx, shape),
            None if dresidual is None else self._back(dresidual, shape),
        )

    def scale_and_shift(self) -> tuple[np.ndarray, np.ndarray]:
        """What the layer does in inference as y = x·scale + shift, each (C,)."""
        scale = 1 / np.sqrt(self.moving_variance.value + self.moving_variance.value.dtype.type(self.epsilon))
        scale = scale if self.gamma is None else scale * self.gamma.value
        shift = -self.moving_mean.value * scale
        return scale, shift if self.beta is None else shift + self.beta.value

    # Rows of channels, whatever the axis.

    def _rows(self, x: np.ndarray) -> np.ndarray:
        if self.axis % x.ndim != x.ndim - 1:
            x = np.ascontiguousarray(np.moveaxis(x, self.axis, -1))
        return x.reshape(-1, x.shape[-1])

    def _back(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        axis = self.axis % len(shape)
        if axis == len(shape) - 1:
            return rows.reshape(shape)
        transposed = (*shape[:axis], *shape[axis + 1 :], shape[axis])
        return np.ascontiguousarray(np.moveaxis(rows.reshape(transposed), -1, axis))

    def _counting(self, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """A mask (N, T) for each row."""
        if self.axis % len(shape) < mask.ndim:
            raise ValueError(
                f'Layer "{self.name}" (BatchNormalization) keeps statistics for each index of axis {self.axis}, which '
                f"is an axis of the mask, so the mask cannot leave any out. Received: a mask of shape {mask.shape}, an "
                f"input of shape {shape}. Use axis=-1, which normalizes each channel over the steps that count."
            )
        others = [n for i, n in enumerate(shape) if i != self.axis % len(shape)]
        return np.broadcast_to(mask.reshape(*mask.shape, *[1] * (len(others) - mask.ndim)), others).reshape(-1)
