"""Twins of batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks

__all__ = ["batch_norm_backward", "batch_norm_forward", "batch_norm_inference"]

ACTIVATIONS = ("linear", "relu")


def _read(x, mask, epsilon, activation, **channels) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
    """The arrays, checked: x (M, C), those of the channels (C,), those of the shape of x."""
    checks.choice("activation", activation, ACTIVATIONS)
    checks.number("epsilon", epsilon, 0)
    given = {name: value for name, value in channels.items() if value is not None}
    read = checks.reals(x=(x, 2), **{name: (value, None) for name, value in given.items()})
    x, found = read[0], dict(zip(given, read[1:], strict=True))
    checks.at_least_one("x", x, 1)
    for name, array in found.items():
        like = name in ("residual", "dy", "y")
        checks.shape(name, array, x.shape if like else x.shape[-1:], "of x" if like else "(C,)")
    mask = None if mask is None else checks.mask("mask", mask, x.shape[:1], "(M,)")
    return x, mask, {name: found.get(name) for name in channels}


def batch_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    residual: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    epsilon: float = 0.001,
    activation: str = "linear",
    *,
    y: np.ndarray | None = None,
    mean: np.ndarray | None = None,
    variance: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalize each channel over the rows: y = act((x − mean) / √(variance + ε) · gamma + beta + residual).

    Parameters
    ----------
    x : array (M, C)
    gamma, beta : arrays (C,), optional
        Scale, 1 without; shift, 0 without.
    residual : array (M, C), optional
        Added before the activation.
    mask : array of bool (M,), optional
        True where a row counts in the statistics; all rows are normalized.
    epsilon : float
    activation : {"linear", "relu"}
    y, mean, variance : arrays, optional
        Where to write; y may be x or residual.

    Returns
    -------
    y : array (M, C)
    mean, variance : arrays (C,)
        Of the rows that count, the variance biased; 0 where no row counts.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the mask or the activation do not fit.

    References
    ----------
    Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift, 2015.

    Examples
    --------
    >>> y, mean, variance = batch_norm_forward([[1.0, 0.0], [3.0, 4.0]], epsilon=0.0)
    >>> y.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0, -1.0], [1.0, 1.0]], [2.0, 2.0], [1.0, 4.0])
    """
    checks.distinct(y=y, mean=mean, variance=variance)
    x, mask, more = _read(x, mask, epsilon, activation, gamma=gamma, beta=beta, residual=residual)
    y = _output(y, x, more)
    mean = checks.result("mean", mean, x.shape[-1:], x.dtype, x)
    variance = checks.result("variance", variance, x.shape[-1:], x.dtype, x)
    counted = (x if mask is None else x[mask]).astype(np.float64)
    mean[...] = counted.mean(axis=0) if len(counted) else 0
    variance[...] = np.square(counted - counted.mean(axis=0)).mean(axis=0) if len(counted) else 0
    y[...] = _normalized(x, mean, variance, more["gamma"], more["beta"], more["residual"], epsilon, activation)
    return y, mean, variance


def _output(y, x, more):
    """The array to write y into: it may be x or the residual, and overlaps nothing else."""
    arrays = [a for name, a in more.items() if a is not None and name != "residual"]
    if y is not None:
        checks.result("y", y, x.shape, x.dtype, *arrays)
    return checks.result(
        "y", y, x.shape, x.dtype, x, *(a for a in (more["residual"],) if a is not None), elementwise=True
    )


def _normalized(x, mean, variance, gamma, beta, residual, epsilon, activation):
    with np.errstate(all="ignore"):
        y = (x - mean) / np.sqrt(variance + epsilon)
        y = y if gamma is None else y * gamma
        y = y if beta is None else y + beta
        y = y if residual is None else y + residual
    return np.maximum(y, 0) if activation == "relu" else y


def batch_norm_inference(
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    residual: np.ndarray | None = None,
    epsilon: float = 0.001,
    activation: str = "linear",
    *,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Normalize with given statistics: y = act((x − mean) / √(variance + ε) · gamma + beta + residual).

    Parameters
    ----------
    x : array (M, C)
    mean, variance : arrays (C,)
    gamma, beta, residual, epsilon, activation, y
        As for `batch_norm_forward`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the activation do not fit.

    Examples
    --------
    >>> batch_norm_inference([[5.0], [-1.0]], [1.0], [4.0], epsilon=0.0, activation="relu").tolist()
    [[2.0], [0.0]]
    """
    x, _, more = _read(
        x, None, epsilon, activation, mean=mean, variance=variance, gamma=gamma, beta=beta, residual=residual
    )
    y = _output(y, x, more)
    y[...] = _normalized(x, **more, epsilon=epsilon, activation=activation)
    return y


def batch_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    gamma: np.ndarray | None = None,
    y: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    epsilon: float = 0.001,
    activation: str = "linear",
    batch_statistics: bool = True,
    *,
    need_dx: bool = True,
    need_dresidual: bool = False,
    dx: np.ndarray | None = None,
    dgamma: np.ndarray | None = None,
    dbeta: np.ndarray | None = None,
    dresidual: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray | None]:
    """Gradients of batch normalization, with g = dy·act'(y) and x̂ = (x − mean) / √(variance + ε).

    dbeta = Σ g, dgamma = Σ g·x̂, dresidual = g, dx = gamma / √(variance + ε) · (g − (dbeta + x̂·dgamma) / m) for the m
    rows that count; without the second term for the others, and with statistics that are not of the batch.

    Parameters
    ----------
    dy, x : arrays (M, C)
    mean, variance, gamma : arrays (C,)
    y : array (M, C)
        The output of forward; needed with relu.
    mask : array of bool (M,), optional
    batch_statistics : bool
        Whether mean and variance are those of x, and depend on it.
    need_dx, need_dresidual : bool
    dx, dgamma, dbeta, dresidual : arrays, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the mask or the activation do not fit, or relu lacks y.

    Examples
    --------
    >>> dx, dgamma, dbeta, _ = batch_norm_backward([[1.0], [0.0]], [[1.0], [3.0]], [2.0], [1.0], epsilon=0.0)
    >>> dx.tolist(), dgamma.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [-1.0], [1.0])
    """
    checks.distinct(dx=dx, dgamma=dgamma, dbeta=dbeta, dresidual=dresidual)
    x, mask, more = _read(x, mask, epsilon, activation, dy=dy, mean=mean, variance=variance, gamma=gamma, y=y)
    if activation == "relu" and y is None:
        raise ValueError("relu reads its slope off y. Received: y=None. Use y= with the output of forward.")
    arrays = [x, *(a for a in more.values() if a is not None)]
    shape, channels, dtype = x.shape, x.shape[-1:], x.dtype
    dx = checks.result("dx", dx, shape, dtype, *arrays) if need_dx else None
    dgamma, dbeta = (checks.result(n, a, channels, dtype, *arrays) for n, a in (("dgamma", dgamma), ("dbeta", dbeta)))
    dresidual = checks.result("dresidual", dresidual, shape, dtype, *arrays) if need_dresidual else None
    g = np.where(more["y"] > 0, more["dy"], 0) if activation == "relu" else more["dy"]
    rstd = 1 / np.sqrt(more["variance"] + epsilon)
    normal = (x - more["mean"]) * rstd
    dgamma[...], dbeta[...] = (g * normal).sum(axis=0), g.sum(axis=0)
    if dresidual is not None:
        dresidual[...] = g
    if dx is not None:
        counts = np.ones(len(x), bool) if mask is None else mask
        share = 1 / max(1, np.count_nonzero(counts))
        scale = rstd if gamma is None else rstd * more["gamma"]
        counts = counts & bool(batch_statistics)
        dx[...] = scale * np.where(counts[:, None], g - share * (dbeta + normal * dgamma), g)
    return dx, dgamma, dbeta, dresidual
