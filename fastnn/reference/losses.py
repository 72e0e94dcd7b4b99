"""Twins of the losses: cross-entropies on logits and on probabilities, and the pointwise losses.

Legend: M = examples, C = classes or outputs. A loss is one number per example; in backward, `scale` (M,) includes 1 / M
and the sample weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastnn import checks
from fastnn.reference.vmath import _sigmoid

__all__ = [
    "softmax_cross_entropy_forward",
    "softmax_cross_entropy_backward",
    "sigmoid_cross_entropy_forward",
    "sigmoid_cross_entropy_backward",
    "categorical_cross_entropy_forward",
    "categorical_cross_entropy_backward",
    "pointwise_loss_forward",
    "pointwise_loss_backward",
]

EPSILON = 1e-7


def _scores(name: str, z: np.ndarray, label_smoothing: float) -> np.ndarray:
    z = checks.real(name, z, 2)
    checks.at_least_one(name, z, 1)
    checks.number("label_smoothing", label_smoothing, 0, 1)
    return z


def _targets(name: str, z: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Check real targets of the shape and dtype of `z`; integers, as of one-hot rows, take its dtype."""
    if isinstance(t, np.ndarray) and t.ndim == 2 and t.dtype.kind in "iub":
        t = t.astype(checks.real(name, z, 2).dtype)
    z, t = checks.reals(**{name: (z, 2), "t": (t, 2)})
    checks.shape("t", t, z.shape, "(M, C)")
    return t


def _arrays(*given: np.ndarray) -> list[np.ndarray]:
    """Return those that are arrays, whose memory a result must not overlap."""
    return [x for x in given if isinstance(x, np.ndarray)]


def _distribution(name: str, z: np.ndarray, t: np.ndarray, label_smoothing: float) -> np.ndarray:
    """Return rows q = (1 − ε)·t + ε / C, where integer labels `t` (M,) represent one-hot rows."""
    if np.ndim(t) == 1:
        labels = checks.index("t", t, z.shape[1])
        checks.shape("t", labels, z.shape[:1], "(M,)")
        t = (labels[:, None] == np.arange(z.shape[1])).astype(z.dtype)
    else:
        t = _targets(name, z, t)
    return t * (1 - label_smoothing) + label_smoothing / z.shape[1] if label_smoothing else t


def _scale(scale: np.ndarray | float, p: np.ndarray) -> np.ndarray:
    """Return the factors (M, 1) of the gradients; a number is that of all of them."""
    p = checks.real("p", p, 2)
    if isinstance(scale, int | float | np.number) and not isinstance(scale, bool):
        scale = np.full(len(p), scale, p.dtype)
    p, factors = checks.reals(p=(p, 2), scale=(scale, 1))
    checks.shape("scale", factors, p.shape[:1], "(M,)")
    return factors[:, None]


def softmax_cross_entropy_forward(
    z: np.ndarray,
    t: np.ndarray,
    label_smoothing: float = 0.0,
    *,
    loss: np.ndarray | None = None,
    p: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy of the softmax of logits, loss[m] = −Σ_c q[m, c] · ln p[m, c], with p = softmax(z).

    q = (1 − label_smoothing)·t + label_smoothing / C; 0 · ln 0 counts as 0.

    Parameters
    ----------
    z : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer of the dtype of `z`
    label_smoothing : float in [0, 1]
    loss, p : arrays (M,), (M, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> loss, p = softmax_cross_entropy_forward([[0.0, np.log(3)]], [1])
    >>> loss, p
    (array([0.28768207]), array([[0.25, 0.75]]))
    """
    checks.distinct(loss=loss, p=p)
    z = _scores("z", z, label_smoothing)
    q = _distribution("z", z, t, label_smoothing)
    loss = checks.result("loss", loss, z.shape[:1], z.dtype, z, *_arrays(t))
    p = checks.result("p", p, z.shape, z.dtype, z, *_arrays(t))
    with np.errstate(all="ignore"):
        shifted = z - z.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        p[...] = e / total
        loss[...] = -np.where(q == 0, 0, q * (shifted - np.log(total))).sum(axis=1)
        loss[np.isnan(p).any(axis=1)] = np.nan
    return loss, p


def softmax_cross_entropy_backward(
    p: np.ndarray,
    t: np.ndarray,
    scale: np.ndarray | float,
    label_smoothing: float = 0.0,
    *,
    dz: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient with respect to the logits, dz[m, c] = scale[m] · (p[m, c] · Σ_j q[m, j] − q[m, c]).

    For labels, and for targets that sum to 1, this is the textbooks' (p − q) · scale.

    Parameters
    ----------
    p : array (M, C)
        The probabilities of the forward kernel.
    t : integer labels (M,), or targets (M, C), real or integer
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dz : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> softmax_cross_entropy_backward([[0.25, 0.75]], [1], [1.0])
    array([[ 0.25, -0.25]])
    """
    p = _scores("p", p, label_smoothing)
    q, scale = _distribution("p", p, t, label_smoothing), _scale(scale, p)
    dz = checks.result("dz", dz, p.shape, p.dtype, p, *_arrays(t, scale), elementwise=True)
    with np.errstate(all="ignore"):
        dz[...] = scale * (p * q.sum(axis=1, keepdims=True) - q)
    return dz


def sigmoid_cross_entropy_forward(
    z: np.ndarray,
    t: np.ndarray,
    label_smoothing: float = 0.0,
    *,
    loss: np.ndarray | None = None,
    p: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Binary cross-entropy of the sigmoid of logits, averaged over the outputs.

    loss[m] = 1/C · Σ_c (max(z, 0) − z·q + ln(1 + e^(−|z|))),  p = sigmoid(z),  q = (1 − label_smoothing)·t +
    label_smoothing / 2

    Parameters
    ----------
    z, t : arrays (M, C)
    label_smoothing : float in [0, 1]
    loss, p : arrays (M,), (M, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.

    Examples
    --------
    >>> loss, p = sigmoid_cross_entropy_forward([[0.0, np.log(3)]], [[1.0, 1.0]])
    >>> loss, p
    (array([0.49041463]), array([[0.5 , 0.75]]))
    """
    checks.distinct(loss=loss, p=p)
    z = _scores("z", z, label_smoothing)
    t = _targets("z", z, t)
    loss = checks.result("loss", loss, z.shape[:1], z.dtype, z, t)
    p = checks.result("p", p, z.shape, z.dtype, z, t)
    q = t * (1 - label_smoothing) + label_smoothing / 2
    with np.errstate(all="ignore"):
        p[...] = _sigmoid(z)
        loss[...] = (np.maximum(z, 0) - z * q + np.log1p(np.exp(-np.abs(z)))).mean(axis=1)
    return loss, p


def sigmoid_cross_entropy_backward(
    p: np.ndarray,
    t: np.ndarray,
    scale: np.ndarray | float,
    label_smoothing: float = 0.0,
    *,
    dz: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient with respect to the logits, dz[m, c] = scale[m] / C · (p[m, c] − q[m, c]).

    Parameters
    ----------
    p, t : arrays (M, C)
        The probabilities of the forward kernel, and the targets.
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dz : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.

    Examples
    --------
    >>> sigmoid_cross_entropy_backward([[0.5, 0.75]], [[1.0, 1.0]], [1.0])
    array([[-0.25 , -0.125]])
    """
    p = _scores("p", p, label_smoothing)
    t, scale = _targets("p", p, t), _scale(scale, p)
    dz = checks.result("dz", dz, p.shape, p.dtype, p, *_arrays(t, scale), elementwise=True)
    q = t * (1 - label_smoothing) + label_smoothing / 2
    with np.errstate(all="ignore"):
        dz[...] = scale / p.shape[1] * (p - q)
    return dz


def categorical_cross_entropy_forward(
    p: np.ndarray, t: np.ndarray, label_smoothing: float = 0.0, *, loss: np.ndarray | None = None
) -> np.ndarray:
    """Cross-entropy of probabilities, loss[m] = −Σ_c q[m, c] · ln clip(p[m, c] / Σ_j p[m, j], 1e-7, 1 − 1e-7).

    q = (1 − label_smoothing)·t + label_smoothing / C

    Parameters
    ----------
    p : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer of the dtype of `p`
    label_smoothing : float in [0, 1]
    loss : array (M,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> categorical_cross_entropy_forward([[1.0, 3.0]], [1])
    array([0.28768207])
    """
    p = _scores("p", p, label_smoothing)
    q = _distribution("p", p, t, label_smoothing)
    loss = checks.result("loss", loss, p.shape[:1], p.dtype, p, *_arrays(t))
    with np.errstate(all="ignore"):
        r = np.clip(p / p.sum(axis=1, keepdims=True), EPSILON, 1 - EPSILON)
        loss[...] = -(q * np.log(r)).sum(axis=1)
    return loss


def categorical_cross_entropy_backward(
    p: np.ndarray,
    t: np.ndarray,
    scale: np.ndarray | float,
    label_smoothing: float = 0.0,
    *,
    dp: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient with respect to the probabilities, through the clipping and the division by their sum.

    s = Σ_j p[m, j], r = p / s;  g = −q / r where 1e-7 ≤ r ≤ 1 − 1e-7, else 0;  dp[m, c] = scale[m] / s · (g[c] − Σ_j
    g[j]·r[j])

    Parameters
    ----------
    p : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dp : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> categorical_cross_entropy_backward([[0.25, 0.75]], [1], [1.0])
    array([[ 1.        , -0.33333333]])
    """
    p = _scores("p", p, label_smoothing)
    q, scale = _distribution("p", p, t, label_smoothing), _scale(scale, p)
    dp = checks.result("dp", dp, p.shape, p.dtype, p, *_arrays(t, scale), elementwise=True)
    with np.errstate(all="ignore"):
        total = p.sum(axis=1, keepdims=True)
        r = p / total
        g = np.where((r < EPSILON) | (r > 1 - EPSILON), 0, -q / r)
        dp[...] = scale / total * (g - (g * r).sum(axis=1, keepdims=True))
    return dp


def _inside(y: np.ndarray, high: float) -> np.ndarray:
    """Return 1 where clipping to [1e-7, high] changes nothing, else 0."""
    return ((y >= EPSILON) & (y <= high)).astype(y.dtype)


def _huber(e: np.ndarray, delta: float) -> np.ndarray:
    return np.where(np.abs(e) <= delta, e * e / 2, delta * np.abs(e) - delta * delta / 2)


def _log_cosh(e: np.ndarray) -> np.ndarray:
    return np.abs(e) + np.log1p(np.exp(-2 * np.abs(e))) - math.log(2)


def _binary(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    c = np.clip(y, EPSILON, 1 - EPSILON)
    return -(t * np.log(c) + (1 - t) * np.log(1 - c))


def _binary_slope(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    c = np.clip(y, EPSILON, 1 - EPSILON)
    return (c - t) / (c * (1 - c)) * _inside(y, 1 - EPSILON)


def _percentage(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    return 100 / np.maximum(np.abs(t), EPSILON)


def _log_ratio(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return ln(1 + y) − ln(1 + t), with both raised to at least 1e-7 first."""
    return np.log(np.maximum(y, EPSILON) + 1) - np.log(np.maximum(t, EPSILON) + 1)


def _divergence(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    t = np.clip(t, EPSILON, 1)
    return t * np.log(t / np.clip(y, EPSILON, 1))


def _divergence_slope(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    return -np.clip(t, EPSILON, 1) / np.clip(y, EPSILON, 1) * _inside(y, 1)


# kind: (loss of one output, its derivative in y); delta is that of huber.
_POINTWISE: dict[str, tuple[Callable, Callable]] = {
    "mean_squared_error": (lambda y, t, d: (y - t) ** 2, lambda y, t, d: 2 * (y - t)),
    "mean_absolute_error": (lambda y, t, d: np.abs(y - t), lambda y, t, d: np.sign(y - t)),
    "mean_absolute_percentage_error": (
        lambda y, t, d: _percentage(y, t) * np.abs(y - t),
        lambda y, t, d: _percentage(y, t) * np.sign(y - t),
    ),
    "mean_squared_logarithmic_error": (
        lambda y, t, d: _log_ratio(y, t) ** 2,
        lambda y, t, d: 2 * _log_ratio(y, t) / (np.maximum(y, EPSILON) + 1) * _inside(y, math.inf),
    ),
    "huber": (lambda y, t, d: _huber(y - t, d), lambda y, t, d: np.clip(y - t, -d, d)),
    "log_cosh": (lambda y, t, d: _log_cosh(y - t), lambda y, t, d: np.tanh(y - t)),
    "binary_crossentropy": (lambda y, t, d: _binary(y, t), lambda y, t, d: _binary_slope(y, t)),
    "poisson": (lambda y, t, d: y - t * np.log(y + EPSILON), lambda y, t, d: 1 - t / (y + EPSILON)),
    "hinge": (lambda y, t, d: np.maximum(1 - t * y, 0), lambda y, t, d: np.where(t * y >= 1, 0, -t)),
    "squared_hinge": (lambda y, t, d: np.maximum(1 - t * y, 0) ** 2, lambda y, t, d: -2 * t * np.maximum(1 - t * y, 0)),
    "kl_divergence": (lambda y, t, d: _divergence(y, t), lambda y, t, d: _divergence_slope(y, t)),
}


def _pointwise(y: np.ndarray, t: np.ndarray, kind: str, delta: float) -> tuple[np.ndarray, np.ndarray]:
    checks.choice("kind", kind, _POINTWISE)
    checks.number("delta", delta, 0)
    y, t = checks.reals(y=(y, 2), t=(t, 2))
    checks.shape("t", t, y.shape, "(M, C)")
    checks.at_least_one("y", y, 1)
    return y, t


def pointwise_loss_forward(
    y: np.ndarray, t: np.ndarray, kind: str, delta: float = 1.0, *, loss: np.ndarray | None = None
) -> np.ndarray:
    """Loss per example: the mean over its outputs of ℓ(y, t) (kl_divergence: the sum).

    mean_squared_error (y − t)² · mean_absolute_error |y − t| ·
    mean_absolute_percentage_error 100·|y − t| / max(|t|, 1e-7) ·
    mean_squared_logarithmic_error (ln(1 + y) − ln(1 + t))², both at least 1e-7 ·
    huber e²/2 up to |e| = delta, then delta·|e| − delta²/2, e = y − t · log_cosh ln cosh(y − t) ·
    binary_crossentropy −t·ln y − (1 − t)·ln(1 − y), y in [1e-7, 1 − 1e-7] · poisson y − t·ln(y + 1e-7) ·
    hinge max(1 − t·y, 0) · squared_hinge its square · kl_divergence t·ln(t / y), both in [1e-7, 1]

    Parameters
    ----------
    y, t : arrays (M, C)
        Predictions and targets.
    kind : str
    delta : float
        The error at which huber changes from a square to a line.
    loss : array (M,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the name do not fit.

    Examples
    --------
    >>> pointwise_loss_forward([[1.0, 2.0]], [[0.0, 4.0]], "mean_squared_error")
    array([2.5])
    """
    y, t = _pointwise(y, t, kind, delta)
    loss = checks.result("loss", loss, y.shape[:1], y.dtype, y, t)
    with np.errstate(all="ignore"):
        each = _POINTWISE[kind][0](y, t, delta)
        loss[...] = each.sum(axis=1) if kind == "kl_divergence" else each.mean(axis=1)
    return loss


def pointwise_loss_backward(
    y: np.ndarray,
    t: np.ndarray,
    scale: np.ndarray | float,
    kind: str,
    delta: float = 1.0,
    *,
    dy: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient with respect to the predictions, dy[m, c] = scale[m] / C · ∂ℓ/∂y (kl_divergence: without 1 / C).

    The derivative is 0 where y is clipped, and that of |y − t| at 0 is 0.

    Parameters
    ----------
    y, t : arrays (M, C)
    scale : array (M,), or a number for all rows
    kind : str
    delta : float
    dy : array (M, C), optional
        Where to write the result; may be `y` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the name do not fit.

    Examples
    --------
    >>> pointwise_loss_backward([[1.0, 2.0]], [[0.0, 4.0]], [1.0], "mean_squared_error")
    array([[ 1., -2.]])
    """
    y, t = _pointwise(y, t, kind, delta)
    scale = _scale(scale, y)
    dy = checks.result("dy", dy, y.shape, y.dtype, y, *_arrays(t, scale), elementwise=True)
    with np.errstate(all="ignore"):
        outputs = 1 if kind == "kl_divergence" else y.shape[1]
        dy[...] = scale / outputs * _POINTWISE[kind][1](y, t, delta)
    return dy
