"""GroupNormalization: the channels of each example in groups, every group to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ..base import Layer, Shape
from ..support.arguments import check_parts, flag
from ..support.row_norm import axes_within, checked_epsilon, known_sizes

__all__ = ["GroupNormalization"]


class GroupNormalization(Layer):
    """y = (x − mean) / √(variance + epsilon) · gamma + beta, of each example and group of channels.

    Mean and variance (biased) are over all axes but the batch, and over the channels of the group: neighbours on
    ``axis``.  With ``groups=-1`` each channel is a group (instance normalization).

    x (N, …, C) → y of the same shape.  Weights in order: gamma, beta, each (C,).

    Parameters
    ----------
    groups : int
        A divisor of C, or -1 for C.
    axis : int
        The axis of the channels; default the last.
    epsilon : float
    center, scale : bool
        Whether there are beta and gamma.
    beta_initializer, gamma_initializer : str or object
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : optional

    Raises
    ------
    TypeError, ValueError
        If an argument is anything else, the channels are not known, or the groups do not divide them.

    References
    ----------
    Wu and He: Group Normalization, 2018, arXiv 1803.08494.

    Examples
    --------
    >>> GroupNormalization(2, epsilon=0.0)(np.array([[1.0, 3.0, 5.0, 9.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    supports_masking = True
    fields = (
        "groups",
        "axis",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **settings: Any,
    ):
        super().__init__(**settings)
        if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or (groups < 1 and groups != -1):
            raise ValueError(
                "groups of GroupNormalization must be a positive integer, or -1 for a group for each channel. "
                f"Received: groups={groups!r}."
            )
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise TypeError(f"axis of GroupNormalization must be an integer. Received: axis={axis!r}.")
        self.groups, self.axis, self.epsilon = int(groups), int(axis), checked_epsilon(epsilon, self)
        self.center, self.scale = flag("center", center, self), flag("scale", scale, self)
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint
        check_parts(self)
        self.gamma: Any = None
        self.beta: Any = None

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

    def _channels(self, input_shape: Shape) -> int:
        axes = axes_within(self.axis, input_shape, self)
        (channels,) = known_sizes(axes, input_shape, self)
        if channels % self.groups:
            self.refuse_shape(
                f"a number of channels on axis {self.axis} that {self.groups} groups divide evenly",
                input_shape,
                f"Use a divisor of {channels} for groups, or -1 for a group for each channel.",
            )
        return channels

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = self._channels(input_shape)
        for weight in self.weights:
            if weight.shape != (channels,):
                self.refuse_shape(f"{weight.shape[0]} channels on axis {self.axis}", input_shape)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        x, axis = self._channels_last(x), self.axis % x.ndim
        groups = x.shape[-1] if self.groups == -1 else self.groups
        gamma, beta = (None if p is None else p.value for p in (self.gamma, self.beta))
        y, mean, rstd = active().group_norm_forward(x, groups, gamma, beta, self.epsilon)
        return self._back(y, axis), (x, mean, rstd)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        gamma, beta = self.gamma, self.beta
        dx, _, _ = active().group_norm_backward(
            self._channels_last(dy),
            *ctx,
            None if gamma is None else gamma.value,
            need_dx=need_dx,
            need_dgamma=gamma is not None,
            need_dbeta=beta is not None,
            dgamma=None if gamma is None else gamma.grad,
            dbeta=None if beta is None else beta.grad,
        )
        return None if dx is None else self._back(dx, self.axis % dx.ndim)

    def _channels_last(self, x: np.ndarray) -> np.ndarray:
        return x if self.axis % x.ndim == x.ndim - 1 else np.ascontiguousarray(np.moveaxis(x, self.axis, -1))

    @staticmethod
    def _back(x: np.ndarray, axis: int) -> np.ndarray:
        return x if axis == x.ndim - 1 else np.ascontiguousarray(np.moveaxis(x, -1, axis))
