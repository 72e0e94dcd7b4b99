"""Twins of the gated recurrent unit (GRU): gates keep, reset and update a state."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks
from fastnn.reference import _sequence as sequence
from fastnn.reference.activations import FUSIBLE, fused, fused_gradient, fused_value

__all__ = ["gru_forward", "gru_backward"]


def _check_bias(b: np.ndarray | None, units: int, reset_after: bool) -> None:
    if b is None:
        return
    if reset_after and b.shape != (2, 3 * units):
        raise ValueError(
            f"b must have shape (2, 3·U) = {(2, 3 * units)} with reset_after: an input row and a recurrent row. "
            f"Received: {b.shape}. Use np.stack([b, np.zeros_like(b)]) for a recurrent row of zeros."
        )
    if not reset_after and b.shape != (3 * units,):
        raise ValueError(
            f"b must have shape (3·U,) = {(3 * units,)} without reset_after: one row. Received: {b.shape}. "
            "Use reset_after=True for two rows."
        )


def _recurrent(
    h: np.ndarray, u: np.ndarray, row: np.ndarray | float, factors: np.ndarray | None, units: int, reset_after: bool
) -> np.ndarray:
    """Return the recurrent sums: of z, r and ĥ (B, 3U) with reset_after, of z and r (B, 2U) without."""
    if reset_after:
        return sequence.project(h, u, factors, 3) + row
    return sequence.project(h, u[:, : 2 * units], None if factors is None else factors[:2], 2)


def _step(
    x_sums: np.ndarray,
    h: np.ndarray,
    u: np.ndarray,
    row: np.ndarray | float,
    factors: np.ndarray | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run one step from the input sums (B, 3U) and the previous state; return the gates z r ĥ (B, 3U), inner, state."""
    units = h.shape[1]
    h_sums = _recurrent(h, u, row, factors, units, reset_after)
    z, r = np.hsplit(fused_value(x_sums[:, : 2 * units] + h_sums[:, : 2 * units], recurrent_activation), 2)
    if reset_after:
        inner = h_sums[:, 2 * units :]
        candidate = x_sums[:, 2 * units :] + r * inner
    else:
        inner = r * (h if factors is None else h * factors[2])
        candidate = x_sums[:, 2 * units :] + inner @ u[:, 2 * units :]
    candidate = fused_value(candidate, activation)
    return np.hstack([z, r, candidate]), inner, z * h + (1 - z) * candidate


def gru_forward(
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray | None = None,
    h0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_y: bool = True,
    need_gates: bool = True,
    y: np.ndarray | None = None,
    h: np.ndarray | None = None,
    gates: np.ndarray | None = None,
    inner: np.ndarray | None = None,
) -> tuple[np.ndarray | Any, ...]:
    """Gated recurrent unit over whole sequences, h_t = z·h_{t−1} + (1 − z)·ĥ.

    The thirds of w, u and b belong to z, r and ĥ:

    z = rec(x_t · w_z + b_z + h_{t−1} · u_z + b'_z),  r = rec(x_t · w_r + b_r + h_{t−1} · u_r + b'_r)  (B, U)
    with reset_after:     ĥ = act(x_t · w_h + b_h + r·inner),   inner = h_{t−1} · u_h + b'_h
    without, and no b':   ĥ = act(x_t · w_h + b_h + inner · u_h),   inner = r·h_{t−1}

    x_t (B, D), w (D, 3U), h_{t−1} (B, U), u (U, 3U) → h_t (B, U);  y[:, t] = h_t

    Where the mask is False the state is held, y repeats it, and gates and inner are 0.

    Parameters
    ----------
    x : array (B, T, D)
    w, u : arrays (D, 3U), (U, 3U)
    b : array (2, 3U) of b and b' with reset_after, (3U,) without, optional
    h0 : array (B, U), optional
        The initial state; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, recurrent_activation : two whose derivatives follow from their outputs
    reset_after : bool
        Whether r is applied after the product with u_h.
    x_dropout : array (1, B, D) or (3, B, D), optional
        Factors of x_t, the same at every step: one for all gates, or one per gate.
    h_dropout : array (3, B, U), optional
        Factors of h_{t−1} before its products with u, one per gate. The state that z keeps has none.
    go_backwards : bool
        Whether the last step comes first. All sequences are in the order of x.
    need_y, need_gates : bool
        Whether to return y, and gates and inner; otherwise they are None.
    y, h : arrays (B, T, U), (B, U), optional
        Where to write the result.
    gates, inner : arrays (B, T, 3U), (B, T, U), optional
        Where to write the result.

    Returns
    -------
    y : array (B, T, U) or None
    h : array (B, U)
        The state after the last processed step.
    gates, inner : arrays (B, T, 3U), (B, T, U) or None
        z r ĥ, and inner, of every step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> y, h, gates, inner = gru_forward([[[1.0], [2.0]]], [[0.0, 1, 1]], [[0.0, 0, 1]], [[0.5, 0, 0], [0, 0, 1]],
    ...                                  activation="linear", recurrent_activation="linear")
    >>> gates
    array([[[0.5, 1. , 2. ],
            [0.5, 2. , 6. ]]])
    >>> inner.ravel(), y.ravel()
    (array([1., 2.]), array([1. , 3.5]))
    """
    checks.distinct(y=y, h=h, gates=gates, inner=inner)
    x, w, u, b, h0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), b=(b, None), h0=(h0, 2), x_dropout=(x_dropout, 3), h_dropout=(h_dropout, 3)
    )
    fused(activation)
    checks.choice("recurrent_activation", recurrent_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 3, None, mask, x_dropout, h_dropout)
    _check_bias(b, units, reset_after)
    sequence.sized((batch, units), "(B, U)", h0=h0)
    y, h, gates, inner = sequence.results(
        (x, w, u, b, h0, mask, x_dropout, h_dropout), x.dtype, y=(y, (batch, steps, units), need_y),
        h=(h, (batch, units), True), gates=(gates, (batch, steps, 3 * units), need_gates),
        inner=(inner, (batch, steps, units), need_gates),
    )  # fmt: skip
    x_row, h_row = (0, 0) if b is None else b if reset_after else (b, 0)
    h[...] = sequence.start(h0, batch, units, x.dtype)
    with np.errstate(all="ignore"):
        for t, _ in sequence.order(steps, go_backwards):
            x_sums = sequence.project(x[:, t], w, x_dropout, 3) + x_row
            activated, product, new = _step(
                x_sums, h, u, h_row, h_dropout, activation, recurrent_activation, reset_after
            )
            keep = sequence.keeps(mask, t)
            h[...] = np.where(keep, new, h)
            if need_y:
                y[:, t] = h
            if need_gates:
                gates[:, t], inner[:, t] = np.where(keep, activated, 0), np.where(keep, product, 0)
    return y, h, gates, inner


def _back(
    ds: np.ndarray,
    before: np.ndarray,
    products: sequence.Products,
    gates: np.ndarray,
    inner: np.ndarray,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[np.ndarray, np.ndarray | Any, np.ndarray]:
    """Run one step back; return the gradients of the input and recurrent sums (B, 3U), and of the previous state."""
    z, r, candidate = np.hsplit(gates, 3)
    dz = fused_gradient(ds * (before - candidate), z, recurrent_activation)
    dc = fused_gradient(ds * (1 - z), candidate, activation)
    if reset_after:
        dr = fused_gradient(dc * inner, r, recurrent_activation)
        h_sums = np.hstack([dz, dr, dc * r])
        return np.hstack([dz, dr, dc]), h_sums, ds * z + products.recurrent(before, h_sums)
    (u_zr, u_h), (du_zr, du_h) = (np.hsplit(a, [2 * z.shape[1]]) for a in (products.u, products.du))
    both, own = (None, 1) if products.h_dropout is None else (products.h_dropout[:2], products.h_dropout[2])
    dq = dc @ u_h.T
    dzr = np.hstack([dz, fused_gradient(dq * before * own, r, recurrent_activation)])
    du_zr += sequence.project_weights(before, dzr, both, 2)
    du_h += inner.T @ dc
    return np.hstack([dzr, dc]), None, ds * z + dq * r * own + sequence.project_back(dzr, u_zr, both, 2)


def gru_backward(
    dy: np.ndarray | None,
    dh: np.ndarray | None,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    y: np.ndarray,
    gates: np.ndarray,
    inner: np.ndarray,
    h0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_dx: bool = True,
    need_db: bool = True,
    need_dh0: bool = False,
    need_dstates: bool = False,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    du: np.ndarray | None = None,
    db: np.ndarray | None = None,
    dh0: np.ndarray | None = None,
    dstates: np.ndarray | None = None,
) -> tuple[np.ndarray | Any, ...]:
    """Gradients of the gated recurrent unit: back through time, from the last processed step to the first.

    ds_t = dy_t + the gradient from the step after t (dh for the last) (B, U);
    dz = ds_t·(h_{t−1} − ĥ)·rec′;  dĥ = ds_t·(1 − z)·act′;  derivatives from z, r and ĥ;
    with reset_after:  dr = dĥ·inner·rec′;  sums of the state: [dz, dr, dĥ·r];  back: ds_t·z + [dz, dr, dĥ·r] · uᵀ
    without:  dq = dĥ · u_hᵀ;  dr = dq·h_{t−1}·rec′;  du_h = Σ_t innerᵀ · dĥ;  back: ds_t·z + [dz, dr] · u_zrᵀ + dq·r
    dx_t = [dz, dr, dĥ] · wᵀ;  dw = Σ_t x_tᵀ · [dz, dr, dĥ];  du = Σ_t h_{t−1}ᵀ · sums of the state;  db = the sums.
    Where the mask is False nothing is added, and ds_t passes back unchanged.

    Parameters
    ----------
    dy : array (B, T, U) or None
    dh : array (B, U) or None
        The gradient of the final state.
    x, w, u : arrays (B, T, D), (D, 3U), (U, 3U)
    y, gates, inner : arrays (B, T, U), (B, T, 3U), (B, T, U)
        The results of the forward kernel.
    h0, mask, activation, recurrent_activation, reset_after, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dh0, need_dstates : bool
        Whether to compute these; otherwise they are None.
    dx, dw, du, db, dh0, dstates : arrays of the shapes of x, w, u, b, (B, U), (B, T, U), optional
        Where to write the result. dstates[:, t] = ds_t.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y`, `gates` or `inner` is missing.

    Examples
    --------
    >>> x, w, u = np.array([[[1.0], [2.0]]]), np.array([[0.0, 1, 1]]), np.array([[0.0, 0, 1]])
    >>> linear = {"activation": "linear", "recurrent_activation": "linear"}
    >>> y, h, gates, inner = gru_forward(x, w, u, [[0.5, 0, 0], [0, 0, 1]], **linear)
    >>> dx, dw, *_ = gru_backward(None, np.ones((1, 1)), x, w, u, y, gates, inner, **linear)
    >>> dx.ravel(), dw
    (array([1.5, 1.5]), array([[-13.  ,   2.75,   1.75]]))
    """
    checks.distinct(dx=dx, dw=dw, du=du, db=db, dh0=dh0, dstates=dstates)
    sequence.needed("gru_forward", y=y, gates=gates, inner=inner)
    x, w, u, y, gates, inner, dy, dh, h0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), y=(y, 3), gates=(gates, 3), inner=(inner, 3), dy=(dy, 3), dh=(dh, 2), h0=(h0, 2),
        x_dropout=(x_dropout, 3), h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    checks.choice("recurrent_activation", recurrent_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 3, None, mask, x_dropout, h_dropout)
    sequence.sized((batch, steps, units), "(B, T, U)", y=y, inner=inner, dy=dy)
    sequence.sized((batch, steps, 3 * units), "(B, T, 3·U)", gates=gates)
    sequence.sized((batch, units), "(B, U)", dh=dh, h0=h0)
    dx, dw, du, db, dh0, dstates = sequence.results(
        (dy, dh, x, w, u, y, gates, inner, h0, mask, x_dropout, h_dropout), x.dtype, dx=(dx, x.shape, need_dx),
        dw=(dw, w.shape, True), du=(du, u.shape, True), db=(db, (2, 3 * units)[not reset_after :], need_db),
        dh0=(dh0, (batch, units), need_dh0), dstates=(dstates, y.shape, need_dstates),
    )  # fmt: skip
    products = sequence.Products(3, x, w, u, mask, x_dropout, h_dropout, dx, dw, du, db)
    ds = sequence.start(dh, batch, units, x.dtype)
    with np.errstate(all="ignore"):
        for t, earlier in sequence.backward_order(steps, go_backwards):
            ds = ds if dy is None else ds + dy[:, t]
            if need_dstates:
                dstates[:, t] = ds
            keep, before = sequence.keeps(mask, t), sequence.state_before(y, h0, earlier)
            live = np.where(keep, ds, 0)
            step = (gates[:, t], inner[:, t], activation, recurrent_activation, reset_after)
            x_sums, h_sums, back = _back(live, before, products, *step)
            products.input(t, x_sums)
            if need_db:
                db += np.stack([x_sums, h_sums]).sum(axis=1) if reset_after else x_sums.sum(axis=0)
            ds = np.where(keep, back, ds)
    if need_dh0:
        dh0[...] = ds
    return dx, dw, du, db, dh0, dstates
