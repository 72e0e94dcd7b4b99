"""Twins of normalization by the root mean square."""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["rms_norm_forward", "rms_norm_backward"]


def rms_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    residual: np.ndarray | None = None,
    epsilon: float = 1e-6,
    *,
    y: np.ndarray | None = None,
    total: np.ndarray | None = None,
    rrms: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Normalization by the root mean square of the last axis, y = s · rrms · γ with s = x + residual.

    rrms = 1 / √(mean s² + ε)

    Parameters
    ----------
    x : array (…, C), C at least 1
    gamma : array (C,), optional
    residual : array (…, C), optional
        Added to `x` before the squares are taken.
    epsilon : float, at least 0
    y, total, rrms : arrays (…, C), (…, C), (…), optional
        Where to write.

    Returns
    -------
    y : array (…, C)
    total : array (…, C), or None without a residual
        x + residual.
    rrms : array (…)

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or epsilon do not fit.

    References
    ----------
    Zhang and Sennrich: Root Mean Square Layer Normalization, 2019, arXiv 1910.07467.

    Examples
    --------
    >>> y, total, rrms = rms_norm_forward([[2.0, -2.0]], epsilon=0.0)
    >>> y, total, rrms
    (array([[ 1., -1.]]), None, array([0.5]))
    """
    checks.distinct(y=y, total=total, rrms=rrms)
    x, gamma, residual = checks.reals(x=(x, None), gamma=(gamma, 1), residual=(residual, None))
    epsilon = checks.norm_arguments(x, epsilon, gamma=gamma)
    if residual is not None:
        checks.shape("residual", residual, x.shape, "of x")
    inputs = (x, gamma, residual)
    y = checks.result("y", y, x.shape, x.dtype, *inputs)
    total = checks.result("total", total, x.shape, x.dtype, *inputs) if residual is not None else None
    rrms = checks.result("rrms", rrms, x.shape[:-1], x.dtype, *inputs)
    with np.errstate(all="ignore"):
        if total is not None:
            total[...] = x = x + residual
        rrms[...] = 1 / np.sqrt((x**2).mean(axis=-1) + epsilon)
        y[...] = x * rrms[..., None] * (1 if gamma is None else gamma)
    return y, total, rrms


def rms_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    rrms: np.ndarray,
    gamma: np.ndarray | None = None,
    dtotal: np.ndarray | None = None,
    *,
    need_dx: bool = True,
    need_dgamma: bool = True,
    dx: np.ndarray | None = None,
    dgamma: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients of normalization by the root mean square.

    t = dy · γ,  x̂ = x · rrms;  dx = rrms · (t − x̂ · mean (t·x̂)) + dtotal;  dgamma = Σ over rows of dy·x̂

    Parameters
    ----------
    dy : array (…, C)
    x : array (…, C)
        What was normalised: `total` of the forward kernel where there was a residual.
    rrms : array (…)
        As the forward kernel returned it.
    gamma : array (C,), optional
    dtotal : array (…, C), optional
        A gradient that reaches `x` by another way, such as a residual connection; it is added to dx.
    need_dx, need_dgamma : bool
        False leaves that gradient out; None stands in its place.
    dx, dgamma : arrays (…, C), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> rms_norm_backward([[1.0, 0.0]], [[1.0, 1.0]], [1.0])
    (array([[ 0.5, -0.5]]), array([1., 0.]))
    """
    checks.distinct(dx=dx, dgamma=dgamma)
    dy, x, rrms, gamma, dtotal = checks.reals(
        dy=(dy, None), x=(x, None), rrms=(rrms, None), gamma=(gamma, 1), dtotal=(dtotal, None)
    )
    checks.norm_gradient_arguments(dy, x, {"rrms": rrms}, {"gamma": gamma}, dtotal)
    inputs = (dy, x, rrms, gamma, dtotal)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dgamma = checks.result("dgamma", dgamma, x.shape[-1:], x.dtype, *inputs) if need_dgamma else None
    with np.errstate(all="ignore"):
        unit = x * rrms[..., None]
        t = dy if gamma is None else dy * gamma
        if dx is not None:
            slope = t - unit * (t * unit).mean(axis=-1, keepdims=True)
            dx[...] = rrms[..., None] * slope + (0 if dtotal is None else dtotal)
        if dgamma is not None:
            dgamma[...] = (dy * unit).sum(axis=tuple(range(x.ndim - 1)))
    return dx, dgamma
