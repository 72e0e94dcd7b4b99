"""Twins of the simple recurrent network, which feeds back its state or its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks
from fastnn.reference import _sequence as sequence
from fastnn.reference.activations import FUSIBLE, fused, fused_gradient, fused_value

__all__ = ["simple_rnn_forward", "simple_rnn_backward", "output_rnn_forward", "output_rnn_backward"]


def simple_rnn_forward(
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray | None = None,
    h0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_y: bool = True,
    y: np.ndarray | None = None,
    h: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray]:
    """Simple recurrent network over whole sequences, h_t = act(x_t · w + h_{t−1} · u + b).

    x_t (B, D), w (D, U), h_{t−1} (B, U), u (U, U), b (U,) → h_t (B, U);  y[:, t] = h_t

    Where the mask is False the state is held, h_t = h_{t−1}, and y repeats it.

    Parameters
    ----------
    x : array (B, T, D)
    w, u : arrays (D, U), (U, U)
    b : array (U,), optional
    h0 : array (B, U), optional
        The initial state; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation : one whose derivative follows from its output
    x_dropout, h_dropout : arrays (1, B, D), (1, B, U), optional
        Factors of x_t and of h_{t−1}, the same at every step.
    go_backwards : bool
        Whether the last step comes first. All sequences are in the order of x.
    need_y : bool
        Whether to return the states of all steps; otherwise y is None.
    y, h : arrays (B, T, U), (B, U), optional
        Where to write the result.

    Returns
    -------
    y : array (B, T, U) or None
    h : array (B, U)
        The state after the last processed step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> simple_rnn_forward([[[1.0], [1.0], [1.0]]], [[1.0]], [[0.5]], activation="linear")
    (array([[[1.  ],
            [1.5 ],
            [1.75]]]), array([[1.75]]))
    """
    checks.distinct(y=y, h=h)
    x, w, u, b, h0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), b=(b, 1), h0=(h0, 2), x_dropout=(x_dropout, 3), h_dropout=(h_dropout, 3)
    )
    fused(activation)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 1, None, mask, x_dropout, h_dropout)
    sequence.sized((units,), "(U,)", b=b)
    sequence.sized((batch, units), "(B, U)", h0=h0)
    inputs = (x, w, u, b, h0, mask, x_dropout, h_dropout)
    y = checks.result("y", y, (batch, steps, units), x.dtype, *inputs) if need_y else None
    h = checks.result("h", h, (batch, units), x.dtype, *inputs)
    h[...] = sequence.start(h0, batch, units, x.dtype)
    with np.errstate(all="ignore"):
        for t, _ in sequence.order(steps, go_backwards):
            z = sequence.project(x[:, t], w, x_dropout, 1) + sequence.project(h, u, h_dropout, 1)
            new = fused_value(z if b is None else z + b, activation)
            h[...] = np.where(sequence.keeps(mask, t), new, h)
            if y is not None:
                y[:, t] = h
    return y, h


def simple_rnn_backward(
    dy: np.ndarray | None,
    dh: np.ndarray | None,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
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
    """Gradients of the simple recurrent network: back through time, from the last processed step to the first.

    ds_t = dy_t + the gradient from the step after t (dh for the last) (B, U);  dz_t = ds_t · act′ from h_t;
    back to the step before: dz_t · uᵀ;  dx_t = dz_t · wᵀ;  dw = Σ_t x_tᵀ · dz_t;  du = Σ_t h_{t−1}ᵀ · dz_t;
    db = Σ_t Σ_b dz_t.  Where the mask is False, dz_t = 0 and ds_t passes back unchanged.

    Parameters
    ----------
    dy : array (B, T, U) or None
    dh : array (B, U) or None
        The gradient of the final state.
    x, w, u : arrays (B, T, D), (D, U), (U, U)
    y : array (B, T, U)
        The states of the forward kernel.
    h0, mask, activation, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dh0, need_dstates : bool
        Whether to compute these; otherwise they are None.
    dx, dw, du, db, dh0, dstates : arrays of the shapes of x, w, u, (U,), (B, U), (B, T, U), optional
        Where to write the result. dstates[:, t] = ds_t.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` is missing.

    Examples
    --------
    >>> x, w, u = np.ones((1, 3, 1)), np.array([[1.0]]), np.array([[0.5]])
    >>> y, h = simple_rnn_forward(x, w, u, activation="linear")
    >>> dx, dw, du, *_ = simple_rnn_backward(None, [[1.0]], x, w, u, y, activation="linear")
    >>> dx.ravel(), dw, du
    (array([0.25, 0.5 , 1.  ]), array([[1.75]]), array([[2.]]))
    """
    checks.distinct(dx=dx, dw=dw, du=du, db=db, dh0=dh0, dstates=dstates)
    sequence.needed("simple_rnn_forward", y=y)
    x, w, u, y, dy, dh, h0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), y=(y, 3), dy=(dy, 3), dh=(dh, 2), h0=(h0, 2), x_dropout=(x_dropout, 3),
        h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 1, None, mask, x_dropout, h_dropout)
    sequence.sized((batch, steps, units), "(B, T, U)", y=y, dy=dy)
    sequence.sized((batch, units), "(B, U)", h0=h0, dh=dh)
    inputs = (dy, dh, x, w, u, y, h0, mask, x_dropout, h_dropout)
    dx, dw, du, db, dh0, dstates = sequence.results(
        inputs, x.dtype, dx=(dx, x.shape, need_dx), dw=(dw, w.shape, True), du=(du, u.shape, True),
        db=(db, (units,), need_db), dh0=(dh0, (batch, units), need_dh0), dstates=(dstates, y.shape, need_dstates),
    )  # fmt: skip
    products = sequence.Products(1, x, w, u, mask, x_dropout, h_dropout, dx, dw, du, db)
    ds = sequence.start(dh, batch, units, x.dtype)
    with np.errstate(all="ignore"):
        for t, earlier in sequence.backward_order(steps, go_backwards):
            ds = ds if dy is None else ds + dy[:, t]
            if need_dstates:
                dstates[:, t] = ds
            before, keep = sequence.state_before(y, h0, earlier), sequence.keeps(mask, t)
            dz = np.where(keep, fused_gradient(ds, y[:, t], activation), 0)
            products.input(t, dz)
            if need_db:
                db += dz.sum(axis=0)
            ds = np.where(keep, products.recurrent(before, dz), ds)
    if need_dh0:
        dh0[...] = ds
    return dx, dw, du, db, dh0, dstates


def output_rnn_forward(
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray | None,
    v: np.ndarray,
    c: np.ndarray | None,
    y0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    output_activation: str = "linear",
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    y: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Recurrent network that feeds back its output, a_t = act(x_t · w + y_{t−1} · u + b), y_t = out(a_t · v + c).

    x_t (B, D), w (D, U), y_{t−1} (B, O), u (O, U), b (U,) → a_t (B, U);  v (U, O), c (O,) → y_t (B, O)

    Where the mask is False the output is held, y_t = y_{t−1}, and a_t is 0.

    Parameters
    ----------
    x : array (B, T, D)
    w, u : arrays (D, U), (O, U)
    b : array (U,) or None
    v : array (U, O)
    c : array (O,) or None
    y0 : array (B, O), optional
        The output before the first step; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, output_activation : two whose derivatives follow from their outputs
    x_dropout, h_dropout : arrays (1, B, D), (1, B, O), optional
        Factors of x_t and of y_{t−1}, the same at every step.
    go_backwards : bool
        Whether the last step comes first. All sequences are in the order of x.
    y, hidden : arrays (B, T, O), (B, T, U), optional
        Where to write the result. hidden[:, t] = a_t.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    Examples
    --------
    >>> one = [[1.0]]
    >>> y, hidden = output_rnn_forward([[[1.0], [0.0]]], one, one, None, [[2.0]], [1.0], activation="linear")
    >>> y.ravel(), hidden.ravel()
    (array([3., 7.]), array([1., 3.]))
    """
    checks.distinct(y=y, hidden=hidden)
    x, w, u, b, v, c, y0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), b=(b, 1), v=(v, 2), c=(c, 1), y0=(y0, 2), x_dropout=(x_dropout, 3),
        h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    checks.choice("output_activation", output_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 1, v.shape[1], mask, x_dropout, h_dropout)
    outputs = v.shape[1]
    sequence.sized((units, outputs), "(U, O)", v=v)
    sequence.sized((units,), "(U,)", b=b)
    sequence.sized((outputs,), "(O,)", c=c)
    sequence.sized((batch, outputs), "(B, O)", y0=y0)
    inputs = (x, w, u, b, v, c, y0, mask, x_dropout, h_dropout)
    y = checks.result("y", y, (batch, steps, outputs), x.dtype, *inputs)
    hidden = checks.result("hidden", hidden, (batch, steps, units), x.dtype, *inputs)
    before = sequence.start(y0, batch, outputs, x.dtype)
    with np.errstate(all="ignore"):
        for t, _ in sequence.order(steps, go_backwards):
            z = sequence.project(x[:, t], w, x_dropout, 1) + sequence.project(before, u, h_dropout, 1)
            keep = sequence.keeps(mask, t)
            hidden[:, t] = np.where(keep, fused_value(z if b is None else z + b, activation), 0)
            z = hidden[:, t] @ v
            before = np.where(keep, fused_value(z if c is None else z + c, output_activation), before)
            y[:, t] = before
    return y, hidden


def output_rnn_backward(
    dy: np.ndarray | None,
    dlast: np.ndarray | None,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    hidden: np.ndarray,
    y0: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    activation: str = "tanh",
    output_activation: str = "linear",
    *,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
    go_backwards: bool = False,
    need_dx: bool = True,
    need_db: bool = True,
    need_dy0: bool = False,
    need_dstates: bool = False,
    dx: np.ndarray | None = None,
    dw: np.ndarray | None = None,
    du: np.ndarray | None = None,
    db: np.ndarray | None = None,
    dv: np.ndarray | None = None,
    dc: np.ndarray | None = None,
    dy0: np.ndarray | None = None,
    dstates: np.ndarray | None = None,
) -> tuple[np.ndarray | Any, ...]:
    """Gradients of the recurrent network that feeds back its output.

    ds_t = dy_t + the gradient from the step after t (dlast for the last) (B, O);  de_t = ds_t · out′ from y_t;
    dz_t = (de_t · vᵀ) · act′ from a_t (B, U);  back to the step before: dz_t · uᵀ;  dx_t = dz_t · wᵀ;
    dw = Σ_t x_tᵀ · dz_t;  du = Σ_t y_{t−1}ᵀ · dz_t;  db = Σ_t Σ_b dz_t;  dv = Σ_t a_tᵀ · de_t;  dc = Σ_t Σ_b de_t.
    Where the mask is False, de_t = dz_t = 0 and ds_t passes back unchanged.

    Parameters
    ----------
    dy : array (B, T, O) or None
    dlast : array (B, O) or None
        The gradient of the output of the last processed step.
    x, w, u, v : arrays (B, T, D), (D, U), (O, U), (U, O)
    y, hidden : arrays (B, T, O), (B, T, U)
        The results of the forward kernel.
    y0, mask, activation, output_activation, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dy0, need_dstates : bool
        Whether to compute dx, both db and dc, dy0, dstates; otherwise they are None.
    dx, dw, du, db, dv, dc : arrays of the shapes of x, w, u, (U,), v, (O,), optional
        Where to write the result.
    dy0, dstates : arrays (B, O), (B, T, O), optional
        Where to write the result. dstates[:, t] = ds_t.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` or `hidden` is missing.

    Examples
    --------
    >>> x, one, two = np.array([[[1.0], [0.0]]]), np.array([[1.0]]), np.array([[2.0]])
    >>> y, hidden = output_rnn_forward(x, one, one, None, two, [1.0], activation="linear")
    >>> dx, *_ = output_rnn_backward(None, one, x, one, one, two, y, hidden, activation="linear")
    >>> dx.ravel()
    array([4., 2.])
    """
    checks.distinct(dx=dx, dw=dw, du=du, db=db, dv=dv, dc=dc, dy0=dy0, dstates=dstates)
    sequence.needed("output_rnn_forward", y=y, hidden=hidden)
    x, w, u, v, y, hidden, dy, dlast, y0, x_dropout, h_dropout = checks.reals(
        x=(x, 3), w=(w, 2), u=(u, 2), v=(v, 2), y=(y, 3), hidden=(hidden, 3), dy=(dy, 3), dlast=(dlast, 2), y0=(y0, 2),
        x_dropout=(x_dropout, 3), h_dropout=(h_dropout, 3),
    )  # fmt: skip
    fused(activation)
    checks.choice("output_activation", output_activation, FUSIBLE)
    (batch, steps, _, units), mask = sequence.check(x, w, u, 1, v.shape[1], mask, x_dropout, h_dropout)
    outputs = v.shape[1]
    sequence.sized((units, outputs), "(U, O)", v=v)
    sequence.sized((batch, steps, outputs), "(B, T, O)", y=y, dy=dy)
    sequence.sized((batch, steps, units), "(B, T, U)", hidden=hidden)
    sequence.sized((batch, outputs), "(B, O)", dlast=dlast, y0=y0)
    dx, dw, du, db, dv, dc, dy0, dstates = sequence.results(
        (dy, dlast, x, w, u, v, y, hidden, y0, mask, x_dropout, h_dropout), x.dtype,
        dx=(dx, x.shape, need_dx), dw=(dw, w.shape, True), du=(du, u.shape, True), db=(db, (units,), need_db),
        dv=(dv, v.shape, True), dc=(dc, (outputs,), need_db), dy0=(dy0, (batch, outputs), need_dy0),
        dstates=(dstates, y.shape, need_dstates),
    )  # fmt: skip
    products = sequence.Products(1, x, w, u, mask, x_dropout, h_dropout, dx, dw, du, db, dv, dc)
    ds = sequence.start(dlast, batch, outputs, x.dtype)
    with np.errstate(all="ignore"):
        for t, earlier in sequence.backward_order(steps, go_backwards):
            ds = ds if dy is None else ds + dy[:, t]
            if need_dstates:
                dstates[:, t] = ds
            before, keep = sequence.state_before(y, y0, earlier), sequence.keeps(mask, t)
            de = np.where(keep, fused_gradient(ds, y[:, t], output_activation), 0)
            dz = np.where(keep, fused_gradient(de @ v.T, hidden[:, t], activation), 0)
            products.input(t, dz)
            dv += hidden[:, t].T @ de
            if need_db:
                db += dz.sum(axis=0)
                dc += de.sum(axis=0)
            ds = np.where(keep, products.recurrent(before, dz), ds)
    if need_dy0:
        dy0[...] = ds
    return dx, dw, du, db, dv, dc, dy0, dstates
