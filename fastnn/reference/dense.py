"""Twins of the fully connected layer, and of several linear ones of one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn import checks
from fastnn.reference.activations import fused, fused_gradient, fused_value

__all__ = ["dense_backward", "dense_forward", "projections_backward", "projections_forward"]

_ALGORITHMS = ("auto", "dense", "sparse")


def _check(x: np.ndarray, w: np.ndarray, activation: str, algorithm: str) -> None:
    fused(activation)
    checks.choice("algorithm", algorithm, _ALGORITHMS)
    if x.shape[1] != w.shape[0]:
        raise ValueError(f"w must be (K, N) with K={x.shape[1]}, the columns of x. Received: x {x.shape}, w {w.shape}.")


def dense_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    activation: str = "linear",
    algorithm: str = "auto",
    *,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Fully connected layer y = act(x · w + b).

    y[m, n] = act(Σ_k x[m, k] · w[k, n] + b[n])

    Parameters
    ----------
    x : array (M, K)
    w : array (K, N)
    b : array (N,), optional
    activation : one whose derivative follows from its output
    algorithm : {"auto", "dense", "sparse"}
        The method of the compiled kernel; "sparse" skips zeros in `x`. The twin has only one.
    y : array (M, N), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> dense_forward([[1.0, 2.0]], [[1.0, -1.0], [3.0, -1.0]], [0.5, 0.5], "relu")
    array([[7.5, 0. ]])
    """
    x, w, b = checks.reals(x=(x, 2), w=(w, 2), b=(b, 1))
    _check(x, w, activation, algorithm)
    if b is not None:
        checks.shape("b", b, w.shape[1:], "(N,)")
    y = checks.result("y", y, (x.shape[0], w.shape[1]), x.dtype, x, w, b)
    with np.errstate(all="ignore"):
        z = x @ w if b is None else x @ w + b
    y[...] = fused_value(z, activation)
    return y


def dense_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray | None = None,
    activation: str = "linear",
    algorithm: str = "auto",
    *,
    need_dx: bool = True,
    need_db: bool = True,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Gradients of the fully connected layer.

    dz = dy · act′(z) (M, N), act′ from y;  dx = dz · wᵀ;  dw = xᵀ · dz;  db = Σ_m dz[m]

    Parameters
    ----------
    dy : array (M, N)
    x, w : arrays (M, K), (K, N)
    y : array (M, N)
        The output of the forward kernel; needed unless the activation is linear.
    activation, algorithm : str
    need_dx, need_db : bool
        Whether to compute dx and db; otherwise they are None.
    dx, dw, db : arrays (M, K), (K, N), (N,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` is missing.

    Examples
    --------
    >>> dx, dw, db = dense_backward([[1.0]], [[2.0, 3.0]], [[10.0], [20.0]])
    >>> dx, dw, db
    (array([[10., 20.]]), array([[2.],
           [3.]]), array([1.]))
    """
    checks.distinct(dx=dx, dw=dw, db=db)
    dy, x, w, y = checks.reals(dy=(dy, 2), x=(x, 2), w=(w, 2), y=(y, 2))
    _check(x, w, activation, algorithm)
    checks.shape("dy", dy, (x.shape[0], w.shape[1]), "(M, N)")
    if y is not None:
        checks.shape("y", y, dy.shape, "(M, N)")
    elif activation != "linear":
        raise ValueError(
            f"The gradient of {activation} must be computed from y. Received: y=None. Use y=dense_forward(...)."
        )
    inputs = (dy, x, w, y)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    dw = checks.result("dw", dw, w.shape, x.dtype, *inputs)
    db = checks.result("db", db, w.shape[1:], x.dtype, *inputs) if need_db else None
    dz = fused_gradient(dy, y, activation)
    with np.errstate(all="ignore"):
        dw[...] = x.T @ dz
        if dx is not None:
            dx[...] = dz @ w.T
        if db is not None:
            db[...] = dz.sum(axis=0, dtype=np.float64)
    return dx, dw, db


Arrays = Sequence[np.ndarray]


def _read_projections(x: np.ndarray, w: Arrays, **lists: Arrays | None) -> tuple[np.ndarray, list, dict[str, list]]:
    """x (M, K), the arrays w (K, Nᵢ), and lists with an entry for each of them: of the last of their axes Nᵢ."""
    n = checks.projections(w)
    for name, given in lists.items():
        if given is not None and checks.how_many(name, given) != n:
            raise ValueError(f"{name} must have an entry for each of {n} arrays w. Received: {len(given)}.")
    ndim = {"w": 2, "b": 1, "dy": 2}
    named = {"x": (x, 2)}
    for name, given in {"w": w, **lists}.items():
        named |= {f"{name}[{i}]": (a, ndim[name]) for i, a in enumerate(given or [])}
    x, *rest = checks.reals(**named)
    for a in rest[:n]:
        _check(x, a, "linear", "dense")
    others = iter(rest[n:])
    return x, rest[:n], {name: [next(others) for _ in given] for name, given in lists.items() if given is not None}


def projections_forward(
    x: np.ndarray, w: Arrays, b: Arrays | None = None, *, y: Arrays | None = None
) -> list[np.ndarray]:
    """Linear layers of one x, yᵢ = x · wᵢ + bᵢ.

    Parameters
    ----------
    x : array (M, K)
    w : list of arrays (K, Nᵢ); at most 16
    b : list of arrays (Nᵢ,), optional
    y : list of arrays (M, Nᵢ), optional
        Where to write the results.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers of arrays do not fit.

    Examples
    --------
    >>> projections_forward([[1.0, 2.0]], [[[1.0], [3.0]], [[0.0, 1.0], [1.0, 0.0]]], [[0.5], [0.0, 0.0]])
    [array([[7.5]]), array([[2., 1.]])]
    """
    x, w, lists = _read_projections(x, w, b=b)
    biases = lists.get("b")
    for i, bias in enumerate(biases or []):
        checks.shape(f"b[{i}]", bias, w[i].shape[1:], "(N,)")
    shapes = [(len(x), a.shape[1]) for a in w]
    made = checks.results("y", y, shapes, x.dtype, [True] * len(w), x, *w, *(biases or []))
    with np.errstate(all="ignore"):
        for i, out in enumerate(made):
            out[...] = x @ w[i] if biases is None else x @ w[i] + biases[i]
    return made


def projections_backward(
    dy: Arrays,
    x: np.ndarray,
    w: Arrays,
    *,
    need_dx: bool = True,
    need_db: bool = True,
    dx: np.ndarray | None = None,
    dw: Arrays | None = None,
    db: Arrays | None = None,
) -> tuple[np.ndarray | None, list[np.ndarray], list[np.ndarray] | None]:
    """Gradients of linear layers of one x.

    dx = Σᵢ dyᵢ · wᵢᵀ (M, K);  dwᵢ = xᵀ · dyᵢ (K, Nᵢ);  dbᵢ = Σ_m dyᵢ[m] (Nᵢ,)

    Parameters
    ----------
    dy : list of arrays (M, Nᵢ)
    x : array (M, K)
    w : list of arrays (K, Nᵢ); at most 16
    need_dx, need_db : bool
        Whether to compute dx and db; otherwise they are None.
    dx : array, optional
    dw, db : lists of arrays, optional
        Where to write the results.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers of arrays do not fit.

    Examples
    --------
    >>> dx, dw, db = projections_backward([[[1.0]], [[2.0]]], [[2.0, 3.0]], [[[4.0], [5.0]], [[1.0], [0.0]]])
    >>> dx, db
    (array([[6., 5.]]), [array([1.]), array([2.])])
    """
    x, w, lists = _read_projections(x, w, dy=dy)
    dy, every = lists["dy"], [True] * len(w)
    for i, a in enumerate(dy):
        checks.shape(f"dy[{i}]", a, (len(x), w[i].shape[1]), "(M, N)")
    inputs = (x, *w, *dy)
    dx = checks.result("dx", dx, x.shape, x.dtype, *inputs) if need_dx else None
    weights = checks.results("dw", dw, [a.shape for a in w], x.dtype, every, *inputs, dx)
    biases = (
        checks.results("db", db, [a.shape[1:] for a in w], x.dtype, every, *inputs, dx, *weights) if need_db else None
    )
    with np.errstate(all="ignore"):
        for i, a in enumerate(dy):
            weights[i][...] = x.T @ a
            if biases is not None:
                biases[i][...] = a.sum(axis=0, dtype=np.float64)
        if dx is not None:
            dx[...] = sum(a @ w[i].T for i, a in enumerate(dy))
    return dx, weights, biases
