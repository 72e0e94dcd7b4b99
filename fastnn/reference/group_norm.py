"""Twins of group normalization."""

from __future__ import annotations

import numpy as np

from fastnn import checks
from fastnn.shapes import channels_of_group

__all__ = ["group_norm_forward", "group_norm_backward"]


def group_norm_forward(
    x: np.ndarray,
    groups: int,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    epsilon: float = 1e-3,
    *,
    y: np.ndarray | None = None,
    mean: np.ndarray | None = None,
    rstd: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalization of each example's groups of channels, y = (x − mean) · rstd · γ + β.

    mean and rstd = 1 / √(mean (x − mean)² + ε) over all positions and the C / groups channels of a group

    Parameters
    ----------
    x : array (N, …, C), C at least 1
    groups : int
        A divisor of C: 1 for all channels together, C for each alone (instance normalization).
    gamma, beta : arrays (C,), optional
    epsilon : float, at least 0
    y, mean, rstd : arrays (N, …, C), (N, groups), (N, groups), optional
        Where to write.

    Returns
    -------
    y : array (N, …, C)
    mean, rstd : arrays (N, groups)
        Without a position, of mean 0 and variance 0.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, groups or epsilon do not fit.

    References
    ----------
    Wu and He: Group Normalization, 2018, arXiv 1803.08494.

    Examples
    --------
    >>> y, mean, rstd = group_norm_forward([[1.0, 3.0, 5.0, 9.0]], 2, epsilon=0.0)
    >>> y, mean, rstd
    (array([[-1.,  1., -1.,  1.]]), array([[2., 7.]]), array([[1. , 0.5]]))
    """
    x, gamma, beta = checks.reals(x=(x, None), gamma=(gamma, 1), beta=(beta, 1))
    width = channels_of_group(x.shape, groups)
    epsilon = checks.norm_arguments(x, epsilon, gamma=gamma, beta=beta)
    y = checks.result("y", y, x.shape, x.dtype, x, gamma, beta)
    mean = checks.result("mean", mean, (len(x), groups), x.dtype, x, gamma, beta)
    rstd = checks.result("rstd", rstd, (len(x), groups), x.dtype, x, gamma, beta)
    positions = int(np.prod(x.shape[1:-1]))
    count = max(positions, 1) * width
    apart = x.reshape(len(x), positions, groups, width)
    with np.errstate(all="ignore"):
        mean[...] = apart.sum(axis=(1, 3)) / count
        apart = apart - apart.sum(axis=(1, 3), keepdims=True) / count
        rstd[...] = 1 / np.sqrt((apart**2).sum(axis=(1, 3)) / count + epsilon)
        unit = (apart * rstd[:, None, :, None]).reshape(x.shape)
        y[...] = unit * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    return y, mean, rstd


def group_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    rstd: np.ndarray,
    gamma: np.ndarray | None = None,
    *,
    need_dx: bool = True,
    need_dgamma: bool = True,
    need_dbeta: bool = True,
    dx: np.ndarray | None = None,
    dgamma: np.ndarray | None = None,
    dbeta: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Gradients of group normalization.

    t = dy · γ,  x̂ = (x − mean) · rstd;  dx = rstd · (t − mean t − x̂ · mean (t·x̂)), means over a group;
    dgamma = Σ over examples and positions of dy·x̂;  dbeta = Σ over them of dy

    Parameters
    ----------
    dy, x : arrays (N, …, C)
    mean, rstd : arrays (N, groups)
        As the forward kernel returned them.
    gamma : array (C,), optional
    need_dx, need_dgamma, need_dbeta : bool
        False leaves that gradient out; None stands in its place.
    dx, dgamma, dbeta : arrays (N, …, C), (C,), (C,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit.

    Examples
    --------
    >>> group_norm_backward([[1.0, 0.0, 0.0]], [[-1.0, 0.0, 1.0]], [[0.0]], [[1.0]])[1:]
    (array([-1.,  0.,  0.]), array([1., 0., 0.]))
    """
    dy, x, mean, rstd, gamma = checks.reals(
        dy=(dy, None), x=(x, None), mean=(mean, 2), rstd=(rstd, 2), gamma=(gamma, 1)
    )
    groups = mean.shape[1]
    width = channels_of_group(x.shape, groups)
    checks.norm_arguments(x, 0, gamma=gamma)
    checks.shape("dy", dy, x.shape, "of x")
    for name, array in (("mean", mean), ("rstd", rstd)):
        checks.shape(name, array, (len(x), groups), "(N, groups)")
    inputs = (dy, x, mean, rstd, gamma)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dgamma = checks.result("dgamma", dgamma, x.shape[-1:], x.dtype, *inputs) if need_dgamma else None
    dbeta = checks.result("dbeta", dbeta, x.shape[-1:], x.dtype, *inputs) if need_dbeta else None
    parts = (len(x), int(np.prod(x.shape[1:-1])), groups, width)
    rest = tuple(range(x.ndim - 1))
    with np.errstate(all="ignore"):
        unit = (x.reshape(parts) - mean[:, None, :, None]) * rstd[:, None, :, None]
        if dx is not None and x.size:
            t = (dy if gamma is None else dy * gamma).reshape(parts)
            slope = t - t.mean(axis=(1, 3), keepdims=True) - unit * (t * unit).mean(axis=(1, 3), keepdims=True)
            dx[...] = (slope * rstd[:, None, :, None]).reshape(x.shape)
        if dgamma is not None:
            dgamma[...] = (dy * unit.reshape(x.shape)).sum(axis=rest)
        if dbeta is not None:
            dbeta[...] = dy.sum(axis=rest)
    return dx, dgamma, dbeta
