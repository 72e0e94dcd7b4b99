"""Twins of the long short-term memory (LSTM): gates write, keep and read a cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks
from fastnn.reference import _sequence as sequence
from fastnn.reference.activations import FUSIBLE, fused, fused_gradient, fused_value

__all__ = ["lstm_forward", "lstm_backward"]


def _step(z: np.ndarray, c: np.ndarray, activation: str, recurrent_activation: str) -> tuple[np.ndarray, ...]:
    """Run one step from the sums z (B, 4U) and the previous cell; return the gates i f g o (B, 4U), state and cell."""
    i, f, g, o = np.hsplit(z, 4)
    i, f, o = (fused_value(gate, recurrent_activation) for gate in (i, f, o))
    g = fused_value(g, activation)
    c = f * c + i * g
    return np.hstack([i, f, g, o]), o * fused_value(c, activation), c


def _back(
    ds: np.ndarray,
    dc: np.ndarray,
    gates: np.ndarray,
    c: np.ndarray,
    c_before: np.ndarray,
    activation: str,
    recurrent_activation: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Run one step back from the gradients of state and cell; return dz (B, 4U), and that of the previous cell."""
    i, f, g, o = np.hsplit(gates, 4)
    a = fused_value(c, activation)
    dc = dc + fused_gradient(ds * o, a, activation)
    di, df, do = (
        fused_gradient(d, gate, recurrent_activation) for d, gate in ((dc * g, i), (dc * c_before, f), (ds * a, o))
    )
    return np.hstack([di, df, fused_gradient(dc * i, g, activation), do]), dc * f


def lstm_forward(
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray | None = None,
    h0: np.ndarray | None = None,
    c0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_y: bool = True,
    need_gates: bool = True,
    y: np.ndarray | None = None,
    h: np.ndarray | None = None,
    c: np.ndarray | None = None,
    gates: np.ndarray | None = None,
    cells: np.ndarray | None = None,
) -> tuple[np.ndarray | Any, ...]:
    """Long short-term memory over whole sequences: the cell c_t = f·c_{t−1} + i·g, the state h_t = o·act(c_t).

    The quarters of z_t = x_t · w + h_{t−1} · u + b (B, 4U) are i = rec(z_i), f = rec(z_f), g = act(z_g), o = rec(z_o),
    each (B, U): the input gate, the forget gate, the candidate and the output gate.

    x_t (B, D), w (D, 4U), h_{t−1} and c_{t−1} (B, U), u (U, 4U), b (4U,) → h_t, c_t (B, U);  y[:, t] = h_t

    Where the mask is False both states are held, y repeats h, and the gates are 0.

    Parameters
    ----------
    x : array (B, T, D)
    w, u : arrays (D, 4U), (U, 4U)
    b : array (4U,), optional
    h0, c0 : arrays (B, U), optional
        The initial states; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, recurrent_activation : two whose derivatives follow from their outputs
    x_dropout : array (1, B, D) or (4, B, D), optional
        Factors of x_t, the same at every step: one for all gates, or one per gate.
    h_dropout : array (4, B, U), optional
        Factors of h_{t−1}, one per gate.
    go_backwards : bool
        Whether the last step comes first. All sequences are in the order of x.
    need_y, need_gates : bool
        Whether to return y, and gates and cells; otherwise they are None.
    y, h, c : arrays (B, T, U), (B, U), (B, U), optional
        Where to write the result.
    gates, cells : arrays (B, T, 4U), (B, T, U), optional
        Where to write the result.

    Returns
    -------
    y : array (B, T, U) or None
    h, c : arrays (B, U)
        The states after the last processed step.
    gates, cells : arrays (B, T, 4U), (B, T, U) or None
        i f g o, and c_t, of every step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> y, h, c, gates, cells = lstm_forward([[[1.0], [2.0]]], [[1.0, 0, 1, 1]], [[0.0, 0, 0, 0]], [0.0, 1, 0, 0],
    ...                                      activation="linear", recurrent_activation="linear")
    >>> gates
    array([[[1., 1., 1., 1.],
            [2., 1., 2., 2.]]])
    >>> cells.ravel(), y.ravel()
    (array([1., 5.]), array([ 1., 10.]))
    """
    checks.distinct(y=y, h=h, c=c, gates=gates, cells=cells)
    x, w, u, b, h0, c0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), b=(b, 1), h0=(h0, 2), c0=(c0, 2), x_dropout=(x_dropout, 3),
        h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    checks.choice("recurrent_activation", recurrent_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 4, None, mask, x_dropout, h_dropout)
    sequence.sized((4 * units,), "(4·U,)", b=b)
    sequence.sized((batch, units), "(B, U)", h0=h0, c0=c0)
    y, h, c, gates, cells = sequence.results(
        (x, w, u, b, h0, c0, mask, x_dropout, h_dropout), x.dtype, y=(y, (batch, steps, units), need_y),
        h=(h, (batch, units), True), c=(c, (batch, units), True), gates=(gates, (batch, steps, 4 * units), need_gates),
        cells=(cells, (batch, steps, units), need_gates),
    )  # fmt: skip
    h[...] = sequence.start(h0, batch, units, x.dtype)
    c[...] = sequence.start(c0, batch, units, x.dtype)
    with np.errstate(all="ignore"):
        for t, _ in sequence.order(steps, go_backwards):
            z = sequence.project(x[:, t], w, x_dropout, 4) + sequence.project(h, u, h_dropout, 4)
            activated, new_h, new_c = _step(z if b is None else z + b, c, activation, recurrent_activation)
            keep = sequence.keeps(mask, t)
            h[...], c[...] = np.where(keep, new_h, h), np.where(keep, new_c, c)
            if need_y:
                y[:, t] = h
            if need_gates:
                gates[:, t], cells[:, t] = np.where(keep, activated, 0), c
    return y, h, c, gates, cells


def lstm_backward(
    dy: np.ndarray | None,
    dh: np.ndarray | None,
    dc: np.ndarray | None,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    y: np.ndarray,
    gates: np.ndarray,
    cells: np.ndarray,
    h0: np.ndarray | None = None,
    c0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_dx: bool = True,
    need_db: bool = True,
    need_dstate0: bool = False,
    need_dstates: bool = False,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    du: np.ndarray | None = None,
    db: np.ndarray | None = None,
    dh0: np.ndarray | None = None,
    dc0: np.ndarray | None = None,
    dstates: np.ndarray | None = None,
) -> tuple[np.ndarray | Any, ...]:
    """Gradients of the long short-term memory: back through time, from the last processed step to the first.

    ds_t = dy_t + the gradient from the step after t (dh for the last) (B, U);
    dc_t = the gradient from the step after t (dc for the last) + ds_t · o · act′ from act(c_t) (B, U);
    dz_t = [dc_t·g·rec′, dc_t·c_{t−1}·rec′, dc_t·i·act′, ds_t·act(c_t)·rec′], derivatives from i f g o (B, 4U);
    back to the step before: dz_t · uᵀ to h, dc_t · f to c;  dx_t = dz_t · wᵀ;  dw = Σ_t x_tᵀ · dz_t;
    du = Σ_t h_{t−1}ᵀ · dz_t;  db = Σ_t Σ_b dz_t.
    Where the mask is False, dz_t = 0, and ds_t and dc_t pass back unchanged.

    Parameters
    ----------
    dy : array (B, T, U) or None
    dh, dc : arrays (B, U) or None
        The gradients of the final states.
    x, w, u : arrays (B, T, D), (D, 4U), (U, 4U)
    y, gates, cells : arrays (B, T, U), (B, T, 4U), (B, T, U)
        The results of the forward kernel.
    h0, c0, mask, activation, recurrent_activation, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dstate0, need_dstates : bool
        Whether to compute dx, db, both dh0 and dc0, dstates; otherwise they are None.
    dx, dw, du, db, dh0, dc0, dstates : arrays of the shapes of x, w, u, (4U,), (B, U), (B, U), (B, T, U), optional
        Where to write the result. dstates[:, t] = ds_t.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y`, `gates` or `cells` is missing.

    Examples
    --------
    >>> x, w, u = np.array([[[1.0], [2.0]]]), np.array([[1.0, 0, 1, 1]]), np.zeros((1, 4))
    >>> linear = {"activation": "linear", "recurrent_activation": "linear"}
    >>> y, h, c, gates, cells = lstm_forward(x, w, u, [0.0, 1, 0, 0], **linear)
    >>> dx, dw, *_ = lstm_backward(None, np.ones((1, 1)), None, x, w, u, y, gates, cells, **linear)
    >>> dx.ravel(), dw
    (array([ 4., 13.]), array([[10.,  4., 10., 10.]]))
    """
    checks.distinct(dx=dx, dw=dw, du=du, db=db, dh0=dh0, dc0=dc0, dstates=dstates)
    sequence.needed("lstm_forward", y=y, gates=gates, cells=cells)
    x, w, u, y, gates, cells, dy, dh, dc, h0, c0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), y=(y, 3), gates=(gates, 3), cells=(cells, 3), dy=(dy, 3), dh=(dh, 2), dc=(dc, 2),
        h0=(h0, 2), c0=(c0, 2), x_dropout=(x_dropout, 3), h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    checks.choice("recurrent_activation", recurrent_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 4, None, mask, x_dropout, h_dropout)
    state = (batch, units)
    sequence.sized((batch, steps, units), "(B, T, U)", y=y, cells=cells, dy=dy)
    sequence.sized((batch, steps, 4 * units), "(B, T, 4·U)", gates=gates)
    sequence.sized(state, "(B, U)", dh=dh, dc=dc, h0=h0, c0=c0)
    dx, dw, du, db, dh0, dc0, dstates = sequence.results(
        (dy, dh, dc, x, w, u, y, gates, cells, h0, c0, mask, x_dropout, h_dropout), x.dtype,
        dx=(dx, x.shape, need_dx), dw=(dw, w.shape, True), du=(du, u.shape, True), db=(db, (4 * units,), need_db),
        dh0=(dh0, state, need_dstate0), dc0=(dc0, state, need_dstate0), dstates=(dstates, y.shape, need_dstates),
    )  # fmt: skip
    products = sequence.Products(4, x, w, u, mask, x_dropout, h_dropout, dx, dw, du, db)
    ds, dc = (sequence.start(d, batch, units, x.dtype) for d in (dh, dc))
    with np.errstate(all="ignore"):
        for t, earlier in sequence.backward_order(steps, go_backwards):
            ds = ds if dy is None else ds + dy[:, t]
            if need_dstates:
                dstates[:, t] = ds
            keep = sequence.keeps(mask, t)
            c_before, h_before = (sequence.state_before(*s, earlier) for s in ((cells, c0), (y, h0)))
            dz, dc_before = _back(ds, dc, gates[:, t], cells[:, t], c_before, activation, recurrent_activation)
            dz = np.where(keep, dz, 0)
            products.input(t, dz)
            if need_db:
                db += dz.sum(axis=0)
            ds = np.where(keep, products.recurrent(h_before, dz), ds)
            dc = np.where(keep, dc_before, dc)
    if need_dstate0:
        dh0[...], dc0[...] = ds, dc
    return dx, dw, du, db, dh0, dc0, dstates
