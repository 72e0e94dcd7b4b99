"""Twins of the optimizers: one in-place step over flat arrays, and the kernels that clip gradients.

Legend: w = weights, g = gradient, η = learning_rate, t = step (1, 2, …), ε = epsilon, λ = weight_decay. Every step
starts with the decoupled decay w ← w − η·λ·w; g is left unchanged.
"""

from __future__ import annotations

import math

import numpy as np

from fastnn import checks
from fastnn.reference._rows import by_rows

__all__ = [
    "sgd_step",
    "adam_step",
    "rmsprop_step",
    "adagrad_step",
    "adadelta_step",
    "adamax_step",
    "lion_step",
    "nadam_step",
    "sum_of_squares",
    "scale",
    "clip_values",
]


def _numbers(**values: float) -> None:
    """Check that hyperparameters are numbers, not negative and not NaN."""
    for name, value in values.items():
        checks.number(name, value, 0)


def _step(step: int) -> None:
    checks.count("step", step, 1)


def _decay(w: np.ndarray, learning_rate: float, weight_decay: float) -> None:
    if weight_decay:
        w -= w * (weight_decay * learning_rate)


@by_rows
def sgd_step(
    w: np.ndarray,
    g: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Gradient descent, w ← w − η·g; with momentum μ, v ← μ·v − η·g and w ← w + v (Nesterov: w ← w + μ·v − η·g).

    Parameters
    ----------
    w, g : arrays (n,)
    velocity : array (n,)
        Needed if `momentum` is not 0.
    learning_rate, momentum, weight_decay : float
    nesterov : bool
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit, or `velocity` is missing; then nothing is changed.

    Examples
    --------
    >>> w = np.array([1.0, 2.0])
    >>> sgd_step(w, np.array([10.0, 20.0]), learning_rate=0.01)
    >>> w
    array([0.9, 1.8])
    """
    checks.in_place(optional=("velocity",), w=w, g=g, velocity=velocity)
    _numbers(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)
    if momentum and velocity is None:
        raise ValueError("Momentum needs a velocity. Received: velocity=None. Use velocity=np.zeros_like(w).")
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        if not momentum or velocity is None:
            w -= learning_rate * g
            return
        velocity *= momentum
        velocity -= learning_rate * g
        w += momentum * velocity - learning_rate * g if nesterov else velocity


@by_rows
def adam_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    vhat: np.ndarray | None = None,
    *,
    step: int,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Adam, and AdamW with weight decay: w ← w − α·m / (√v + ε), α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ).

    m ← m + (1 − β₁)·(g − m);  v ← v + (1 − β₂)·(g² − v);  with `vhat` (AMSGrad), vhat ← max(vhat, v) replaces v.

    Parameters
    ----------
    w, g, m, v : arrays (n,)
    vhat : array (n,), optional
    step : int
        The number of this step, from 1.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015;
    S. J. Reddi et al., "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> w, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> adam_step(w, np.array([5.0]), m, v, step=1, learning_rate=0.1)
    >>> w.round(6)
    array([0.9])
    """
    checks.in_place(optional=("vhat",), w=w, g=g, m=m, v=v, vhat=vhat)
    _numbers(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, weight_decay=weight_decay)
    _step(step)
    alpha = learning_rate * math.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        m += (1 - beta_1) * (g - m)
        v += (1 - beta_2) * (g * g - v)
        if vhat is not None:
            np.maximum(vhat, v, out=vhat)
        w -= alpha * m / (np.sqrt(v if vhat is None else vhat) + epsilon)


@by_rows
def rmsprop_step(
    w: np.ndarray,
    g: np.ndarray,
    velocity: np.ndarray,
    momentum_buffer: np.ndarray | None = None,
    average_gradient: np.ndarray | None = None,
    *,
    learning_rate: float,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """RMSprop: v ← ρ·v + (1 − ρ)·g²;  δ = η·g / √(v + ε);  w ← w − δ, or with momentum u ← μ·u + δ and w ← w − u.

    With `average_gradient` a (the centred form), a ← ρ·a + (1 − ρ)·g, and v − a² replaces v under the root.

    Parameters
    ----------
    w, g, velocity : arrays (n,)
    momentum_buffer : array (n,)
        Needed if `momentum` is not 0.
    average_gradient : array (n,), optional
    learning_rate, rho, momentum, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit, or `momentum_buffer` is missing; then nothing is changed.

    Examples
    --------
    >>> w, v = np.array([1.0]), np.zeros(1)
    >>> rmsprop_step(w, np.array([2.0]), v, learning_rate=0.1, rho=0.75)
    >>> w.round(6), v
    (array([0.8]), array([1.]))
    """
    state = {"velocity": velocity, "momentum_buffer": momentum_buffer, "average_gradient": average_gradient}
    checks.in_place(optional=("momentum_buffer", "average_gradient"), w=w, g=g, **state)
    _numbers(learning_rate=learning_rate, rho=rho, momentum=momentum, epsilon=epsilon, weight_decay=weight_decay)
    if momentum and momentum_buffer is None:
        raise ValueError("Momentum needs a buffer. Received: momentum_buffer=None. Use np.zeros_like(w).")
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        velocity *= rho
        velocity += (1 - rho) * (g * g)
        spread = velocity
        if average_gradient is not None:
            average_gradient *= rho
            average_gradient += (1 - rho) * g
            spread = velocity - average_gradient * average_gradient
        increment = learning_rate * g / np.sqrt(spread + epsilon)
        if momentum and momentum_buffer is not None:
            momentum_buffer *= momentum
            momentum_buffer += increment
            increment = momentum_buffer
        w -= increment


@by_rows
def adagrad_step(
    w: np.ndarray,
    g: np.ndarray,
    accumulator: np.ndarray,
    *,
    learning_rate: float,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Adagrad: a ← a + g²;  w ← w − η·g / √(a + ε).

    Parameters
    ----------
    w, g, accumulator : arrays (n,)
    learning_rate, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    J. Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> w, a = np.array([1.0]), np.zeros(1)
    >>> adagrad_step(w, np.array([2.0]), a, learning_rate=0.1)
    >>> w.round(6), a
    (array([0.9]), array([4.]))
    """
    checks.in_place(w=w, g=g, accumulator=accumulator)
    _numbers(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        accumulator += g * g
        w -= learning_rate * g / np.sqrt(accumulator + epsilon)


@by_rows
def adadelta_step(
    w: np.ndarray,
    g: np.ndarray,
    accumulated_gradient: np.ndarray,
    accumulated_delta: np.ndarray,
    *,
    learning_rate: float,
    rho: float = 0.95,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Adadelta: a ← ρ·a + (1 − ρ)·g²;  δ = −√(d + ε) / √(a + ε)·g;  d ← ρ·d + (1 − ρ)·δ²;  w ← w + η·δ.

    Parameters
    ----------
    w, g, accumulated_gradient, accumulated_delta : arrays (n,)
    learning_rate, rho, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> w, a, d = np.array([1.0]), np.zeros(1), np.ones(1)
    >>> adadelta_step(w, np.array([2.0]), a, d, learning_rate=0.1, rho=0.75)
    >>> w.round(6), a, d.round(6)
    (array([0.8]), array([1.]), array([1.75]))
    """
    checks.in_place(w=w, g=g, accumulated_gradient=accumulated_gradient, accumulated_delta=accumulated_delta)
    _numbers(learning_rate=learning_rate, rho=rho, epsilon=epsilon, weight_decay=weight_decay)
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        accumulated_gradient *= rho
        accumulated_gradient += (1 - rho) * (g * g)
        delta = -np.sqrt(accumulated_delta + epsilon) / np.sqrt(accumulated_gradient + epsilon) * g
        accumulated_delta *= rho
        accumulated_delta += (1 - rho) * (delta * delta)
        w += learning_rate * delta


@by_rows
def adamax_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    u: np.ndarray,
    *,
    step: int,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Adamax: m ← m + (1 − β₁)·(g − m);  u ← max(β₂·u, |g|);  w ← w − η / (1 − β₁ᵗ)·m / (u + ε).

    Parameters
    ----------
    w, g, m, u : arrays (n,)
    step : int
        The number of this step, from 1.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.

    Examples
    --------
    >>> w, m, u = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> adamax_step(w, np.array([5.0]), m, u, step=1, learning_rate=0.1)
    >>> w.round(6), u
    (array([0.9]), array([5.]))
    """
    checks.in_place(w=w, g=g, m=m, u=u)
    _numbers(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, weight_decay=weight_decay)
    _step(step)
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        m += (1 - beta_1) * (g - m)
        u[...] = np.maximum(beta_2 * u, np.abs(g))
        w -= learning_rate / (1 - beta_1**step) * m / (u + epsilon)


@by_rows
def lion_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Lion: w ← w − η·sign(β₁·m + (1 − β₁)·g);  m ← m + (1 − β₂)·(g − m).

    Parameters
    ----------
    w, g, m : arrays (n,)
    learning_rate, beta_1, beta_2, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    Examples
    --------
    >>> w, m = np.array([1.0]), np.zeros(1)
    >>> lion_step(w, np.array([5.0]), m, learning_rate=0.1)
    >>> w.round(6), m.round(6)
    (array([0.9]), array([0.05]))
    """
    checks.in_place(w=w, g=g, m=m)
    _numbers(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, weight_decay=weight_decay)
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        w -= learning_rate * np.sign(beta_1 * m + (1 - beta_1) * g)
        m += (1 - beta_2) * (g - m)


@by_rows
def nadam_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    *,
    step: int,
    momentum_product: float,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rows: np.ndarray | None = None,
) -> None:
    """Nadam, Adam with Nesterov momentum: w ← w − η·m̂ / (√v̂ + ε).

    μₜ = β₁·(1 − 0.96ᵗ / 2);  P = μ₁·μ₂ … μₜ;  m ← m + (1 − β₁)·(g − m);  v ← v + (1 − β₂)·(g² − v)
    m̂ = μₜ₊₁·m / (1 − P·μₜ₊₁) + (1 − μₜ)·g / (1 − P);  v̂ = v / (1 − β₂ᵗ)

    Parameters
    ----------
    w, g, m, v : arrays (n,)
    step : int
        The number of this step, from 1.
    momentum_product : float
        P, including the factor of this step.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> w, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> nadam_step(w, np.array([5.0]), m, v, step=1, momentum_product=0.9 * (1 - 0.48), learning_rate=0.1)
    >>> w.round(6), m, v
    (array([0.893721]), array([0.5]), array([0.025]))
    """
    checks.in_place(w=w, g=g, m=m, v=v)
    _numbers(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, weight_decay=weight_decay)
    _numbers(momentum_product=momentum_product)
    _step(step)
    now, then = beta_1 * (1 - 0.5 * 0.96**step), beta_1 * (1 - 0.5 * 0.96 ** (step + 1))
    with np.errstate(all="ignore"):
        _decay(w, learning_rate, weight_decay)
        m += (1 - beta_1) * (g - m)
        v += (1 - beta_2) * (g * g - v)
        mean = then / (1 - momentum_product * then) * m + (1 - now) / (1 - momentum_product) * g
        w -= learning_rate * mean / (np.sqrt(v / (1 - beta_2**step)) + epsilon)


def sum_of_squares(g: np.ndarray) -> float:
    """Sum of squares Σ_i g[i]², in double.

    Parameters
    ----------
    g : array of any shape

    Raises
    ------
    TypeError
        If `g` is not real.

    Examples
    --------
    >>> sum_of_squares([3.0, 4.0])
    25.0
    """
    g = checks.real("g", g)
    with np.errstate(all="ignore"):
        return float(np.square(g, dtype=np.float64).sum())


def scale(g: np.ndarray, factor: float) -> None:
    """Multiply in place, g ← factor · g.

    Parameters
    ----------
    g : array (n,)
    factor : float

    Raises
    ------
    TypeError, ValueError
        If `g` or the factor does not fit.

    Examples
    --------
    >>> g = np.array([3.0, 4.0])
    >>> scale(g, 0.5)
    >>> g
    array([1.5, 2. ])
    """
    checks.in_place(g=g)
    factor = checks.number("factor", factor)
    with np.errstate(all="ignore"):
        g *= factor


def clip_values(g: np.ndarray, limit: float) -> None:
    """Clip in place, g ← min(max(g, −limit), limit); NaN stays.

    Parameters
    ----------
    g : array (n,)
    limit : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If `g` or the limit does not fit.

    Examples
    --------
    >>> g = np.array([-3.0, 0.5])
    >>> clip_values(g, 1.0)
    >>> g
    array([-1. ,  0.5])
    """
    checks.in_place(g=g)
    limit = checks.number("limit", limit, 0)
    np.clip(g, -limit, limit, out=g)
