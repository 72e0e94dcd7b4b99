"""Twins of layer normalization."""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["layer_norm_forward", "layer_norm_backward"]


def layer_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    residual: np.ndarray | None = None,
    epsilon: float = 1e-3,
    *,
    y: np.ndarray | None = None,
    total: np.ndarray | None = None,
    mean: np.ndarray | None = None,
    rstd: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]:
    """Layer normalization over the last axis, y = (s − mean s) · rstd · γ + β with s = x + residual.

    rstd = 1 / √(mean (s − mean s)² + ε)

    Parameters
    ----------
    x : array (…, C), C at least 1
    gamma, beta : arrays (C,), optional
    residual : array (…, C), optional
        Added to `x` before the statistics are taken.
    epsilon : float, at least 0
    y, total, mean, rstd : arrays (…, C), (…, C), (…), (…), optional
        Where to write.

    Returns
    -------
    y : array (…, C)
    total : array (…, C), or None without a residual
        x + residual.
    mean, rstd : arrays (…)

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or epsilon do not fit.

    References
    ----------
    Ba, Kiros and Hinton: Layer Normalization, 2016, arXiv 1607.06450.

    Examples
    --------
    >>> y, total, mean, rstd = layer_norm_forward([[1.0, 3.0]], epsilon=0.0)
    >>> y, total, mean, rstd
    (array([[-1.,  1.]]), None, array([2.]), array([1.]))
    """
    checks.distinct(y=y, total=total, mean=mean, rstd=rstd)
    x, gamma, beta, residual = checks.reals(x=(x, None), gamma=(gamma, 1), beta=(beta, 1), residual=(residual, None))
    epsilon = checks.norm_arguments(x, epsilon, gamma=gamma, beta=beta)
    if residual is not None:
        checks.shape("residual", residual, x.shape, "of x")
    inputs = (x, gamma, beta, residual)
    y = checks.result("y", y, x.shape, x.dtype, *inputs)
    total = checks.result("total", total, x.shape, x.dtype, *inputs) if residual is not None else None
    mean = checks.result("mean", mean, x.shape[:-1], x.dtype, *inputs)
    rstd = checks.result("rstd", rstd, x.shape[:-1], x.dtype, *inputs)
    with np.errstate(all="ignore"):
        if total is not None:
            total[...] = x = x + residual
        mean[...] = x.mean(axis=-1)
        centred = x - x.mean(axis=-1, keepdims=True)
        rstd[...] = 1 / np.sqrt((centred**2).mean(axis=-1) + epsilon)
        y[...] = centred * rstd[..., None] * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    return y, total, mean, rstd


def layer_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    rstd: np.ndarray,
    gamma: np.ndarray | None = None,
    dtotal: np.ndarray | None = None,
    *,
    need_dx: bool = True,
    need_dgamma: bool = True,
    need_dbeta: bool = True,
    dx: np.ndarray | None = None,
    dgamma: np.ndarray | None = None,
    dbeta: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Gradients of layer normalization.

    t = dy · γ,  x̂ = (x − mean) · rstd;  dx = rstd · (t − mean t − x̂ · mean (t·x̂)) + dtotal;
    dgamma = Σ over rows of dy·x̂;  dbeta = Σ over rows of dy

    Parameters
    ----------
    dy : array (…, C)
    x : array (…, C)
        What was normalised: `total` of the forward kernel where there was a residual.
    mean, rstd : arrays (…)
        As the forward kernel returned them.
    gamma : array (C,), optional
    dtotal : array (…, C), optional
        A gradient that reaches `x` by another way, such as a residual connection; it is added to dx.
    need_dx, need_dgamma, need_dbeta : bool
        False leaves that gradient out; None stands in its place.
    dx, dgamma, dbeta : arrays (…, C), (C,), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> layer_norm_backward([[1.0, 0.0, 0.0]], [[-1.0, 0.0, 1.0]], [0.0], [1.0])[1:]
    (array([-1.,  0.,  0.]), array([1., 0., 0.]))
    """
    checks.distinct(dx=dx, dgamma=dgamma, dbeta=dbeta)
    dy, x, mean, rstd, gamma, dtotal = checks.reals(
        dy=(dy, None), x=(x, None), mean=(mean, None), rstd=(rstd, None), gamma=(gamma, 1), dtotal=(dtotal, None)
    )
    checks.norm_gradient_arguments(dy, x, {"mean": mean, "rstd": rstd}, {"gamma": gamma}, dtotal)
    inputs = (dy, x, mean, rstd, gamma, dtotal)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dgamma = checks.result("dgamma", dgamma, x.shape[-1:], x.dtype, *inputs) if need_dgamma else None
    dbeta = checks.result("dbeta", dbeta, x.shape[-1:], x.dtype, *inputs) if need_dbeta else None
    rows = tuple(range(x.ndim - 1))
    with np.errstate(all="ignore"):
        unit = (x - mean[..., None]) * rstd[..., None]
        t = dy if gamma is None else dy * gamma
        if dx is not None:
            slope = t - t.mean(axis=-1, keepdims=True) - unit * (t * unit).mean(axis=-1, keepdims=True)
            dx[...] = rstd[..., None] * slope + (0 if dtotal is None else dtotal)
        if dgamma is not None:
            dgamma[...] = (dy * unit).sum(axis=rows)
        if dbeta is not None:
            dbeta[...] = dy.sum(axis=rows)
    return dx, dgamma, dbeta
