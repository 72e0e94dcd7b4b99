"""LayerNormalization: every row to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...user_warnings import warn
from ..base import Shape
from ..support.arguments import check_parts, flag
from ..support.row_norm import RowNorm, axes_argument, axes_within, checked_epsilon, flat, known_sizes

__all__ = ["LayerNormalization"]


class LayerNormalization(RowNorm):
    """y = (x − mean) / √(variance + epsilon) · gamma + beta; mean and variance (biased) over ``axis``.

    x → y of the same shape.  Weights in order: gamma, beta, each of the sizes of ``axis``.

    Parameters
    ----------
    axis : int or list of int
        What one mean is taken over; default the last axis.  With several the order does not matter.
    epsilon : float
    center, scale : bool
        Whether there are beta and gamma.
    beta_initializer, gamma_initializer : str or object
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint : optional
    rms_scaling : bool
        Deprecated, as in Keras: y = x / √(variance + epsilon) · gamma, which takes the mean off in the variance alone,
        and has no beta.  It warns; ``RMSNormalization`` divides by the root mean square.

    Raises
    ------
    TypeError, ValueError
        If an argument is anything else, the input has no such axis, or its size is not known.

    References
    ----------
    Ba, Kiros and Hinton: Layer Normalization, 2016, arXiv 1607.06450.

    Examples
    --------
    >>> layer = LayerNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0, 3.0], [5.0, 4.0]])).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    >>> [w.name for w in layer.weights]
    ['gamma', 'beta']
    """

    fields = (
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
        "rms_scaling",
    )

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.axis, self.epsilon = axes_argument(axis, self), checked_epsilon(epsilon, self)
        self.center, self.scale = flag("center", center, self), flag("scale", scale, self)
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint
        self.rms_scaling = flag("rms_scaling", rms_scaling, self)
        check_parts(self)
        if self.rms_scaling:
            warn(
                "rms_scaling=True of LayerNormalization divides by the standard deviation, not by the root mean "
                "square. Use RMSNormalization for that.",
            )
        self.takes_residual = not self.rms_scaling
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Shape) -> None:
        sizes = known_sizes(axes_within(self.axis, input_shape, self), input_shape, self)
        if self.scale or self.rms_scaling:
            self.gamma = self.add_weight(
                sizes, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint, name="gamma"
            )
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(
                sizes, self.beta_initializer, self.beta_regularizer, self.beta_constraint, name="beta"
            )

    def normalize(self, rows: np.ndarray, residual: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None, Any]:
        gamma, beta = (None if p is None else flat(p.value) for p in (self.gamma, self.beta))
        y, total, mean, rstd = active().layer_norm_forward(rows, gamma, beta, residual, self.epsilon)
        if self.rms_scaling:
            y = rows * rstd[:, None] * gamma
        return y, total, (mean, rstd)

    def gradient(
        self, dy: np.ndarray, rows: np.ndarray, statistics: Any, dtotal: np.ndarray | None, need_dx: bool
    ) -> np.ndarray | None:
        mean, rstd = statistics
        gamma = None if self.gamma is None else flat(self.gamma.value)
        dgamma, dbeta = (None if p is None else flat(p.grad) for p in (self.gamma, self.beta))
        if self.rms_scaling and dgamma is not None:
            rstd = rstd[:, None]
            dgamma[...] = (dy * rows * rstd).sum(0)
            t = dy * gamma
            return rstd * t - rstd**3 * (rows - mean[:, None]) * (t * rows).mean(1, keepdims=True) if need_dx else None
        dx, _, _ = active().layer_norm_backward(
            dy,
            rows,
            mean,
            rstd,
            gamma,
            dtotal,
            need_dx=need_dx,
            need_dgamma=dgamma is not None,
            need_dbeta=dbeta is not None,
            dgamma=dgamma,
            dbeta=dbeta,
        )
        return dx
