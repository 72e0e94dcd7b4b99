"""Gated recurrent unit, whole sequences in one call (C: src_c/gru.c, twin: fastnn/reference/gru.py)."""
from fastnn.kernels._numpy cimport import_array, ndarray, npy_intp

from fastnn.kernels._core cimport as_real_shaped, check, data, output, table
from fastnn.kernels._sequence cimport Sequence, fnn_sequence, needed

import_array()

__all__ = ["gru_backward", "gru_forward"]

cdef extern from "fnn.h":
    ctypedef struct gru_kernels "const fnn_kernels":
        int (*gru_forward)(void *y, void *h, void *gates, void *inner, const void *x, const void *w, const void *u, const void *b,
                           const void *h0, const fnn_sequence *s) noexcept nogil
        int (*gru_backward)(void *dx, void *dw, void *du, void *db, void *dh0, void *dstates, const void *dy, const void *dh,
                            const void *x, const void *w, const void *u, const void *y, const void *gates, const void *inner,
                            const void *h0, const fnn_sequence *s) noexcept nogil

cdef enum:
    GATES = 3


cdef int bias_shape(Sequence q, npy_intp *shape) noexcept:
    """Write (2, 3U) if there is a row for the input and one for the state, else (3U,); return the rank."""
    if q.s.reset_after:
        shape[0], shape[1] = 2, GATES * q.s.U
        return 2
    shape[0] = GATES * q.s.U
    return 1


def gru_forward(x, w, u, b=None, h0=None, mask=None, activation="tanh", recurrent_activation="sigmoid", reset_after=True, *,
                x_dropout=None, h_dropout=None, go_backwards=False, need_y=True, need_gates=True, y=None, h=None, gates=None,
                inner=None):
    """Gated recurrent unit over whole sequences, h_t = z·h_{t−1} + (1 − z)·ĥ.

    z, r = rec(x_t · w + h_{t−1} · u + b), the first two thirds: the update gate and the reset gate;
    ĥ = act(x_t · w_h + b_h + r·(h_{t−1} · u_h + b′_h)) if the reset follows the product, with b (2, 3U) = b, b′;
    ĥ = act(x_t · w_h + b_h + (r·h_{t−1}) · u_h) if it precedes the product, with b (3U,).
    Where the mask is False the state is held, y repeats it, and the gates are 0.

    Parameters
    ----------
    x : array (B, T, D), float32 or float64
    w, u : arrays (D, 3U), (U, 3U)
    b : array (2, 3U), or (3U,) without reset_after, optional
    h0 : array (B, U), optional
        The initial state; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, recurrent_activation : str
        Activations whose derivatives follow from their outputs, as for dense_forward.
    reset_after : bool
    x_dropout : array (1, B, D) or (3, B, D), optional
        Factors of x_t, the same at every step: one for all gates, or one per gate.
    h_dropout : array (3, B, U), optional
        Factors of h_{t−1}, one per gate; the h_{t−1} that z keeps has none.
    go_backwards : bool
        Whether the last step comes first.  All sequences are in the order of x.
    need_y, need_gates : bool
        Whether to return y, and gates and inner.
    y, h, gates, inner : arrays, optional
        Where to write the results; must not share memory with the inputs.

    Returns
    -------
    y : array (B, T, U) or None
        The state after each step.
    h : array (B, U)
        The state after the last processed step.
    gates, inner : arrays (B, T, 3U), (B, T, U) or None
        z r ĥ of every step, and the factor of r, h_{t−1} · u_h + b′_h; without reset_after, r·h_{t−1}.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder–decoder for statistical machine translation",
    EMNLP 2014.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, h, gates, inner = kernels.gru_forward(
    ...     [[[4.0], [8.0]]], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], activation="linear", recurrent_activation="hard_sigmoid")
    >>> gates
    array([[[0.5, 0.5, 4. ],
            [0.5, 0.5, 8. ]]])
    >>> y.ravel()
    array([2., 5.])
    """
    cdef Sequence q = Sequence()
    cdef npy_intp[2] shape
    cdef int status, rank
    q.read(x, w, u, GATES, False, mask, activation, recurrent_activation, "recurrent_activation", x_dropout, h_dropout,
           go_backwards)
    q.s.reset_after = bool(reset_after)
    rank = bias_shape(q, shape)
    cdef ndarray B = None if b is None else as_real_shaped(b, "b", rank, shape, q.dtype), H0 = q.of_state(h0, "h0")
    cdef ndarray Y = q.steps_output(y, "y", q.s.U, need_y), H = q.state_output(h, "h", True)
    cdef ndarray G = q.steps_output(gates, "gates", GATES * q.s.U, need_gates)
    cdef ndarray I = q.steps_output(inner, "inner", q.s.U, need_gates)
    q.outputs_apart(((y, Y, "y"), (h, H, "h"), (gates, G, "gates"), (inner, I, "inner")), (("b", B), ("h0", H0)))
    cdef gru_kernels *k = <gru_kernels *> table(q.dtype)
    with nogil:
        status = k.gru_forward(data(Y), data(H), data(G), data(I), data(q.x), data(q.w), data(q.u), data(B), data(H0), &q.s)
    check(status)
    return Y, H, G, I


def gru_backward(dy, dh, x, w, u, y, gates, inner, h0=None, mask=None, activation="tanh", recurrent_activation="sigmoid",
                 reset_after=True, *, x_dropout=None, h_dropout=None, go_backwards=False, need_dx=True, need_db=True,
                 need_dh0=False, need_dstates=False, dx=None, dw=None, du=None, db=None, dh0=None, dstates=None):
    """Gradients of the gated recurrent unit, back through time.

    ds_t = dy_t + the gradient from the step after t (dh for the last);
    dz_t = [ds_t·(h_{t−1} − ĥ)·rec′, dr·rec′, dĥ], derivatives from the gates, where dĥ = ds_t·(1 − z)·act′ and
    dr = dĥ·inner, or without reset_after dr = (dĥ · u_hᵀ)·h_{t−1};
    to the previous step: ds_t·z and dz_t · uᵀ, its last third through r;  dx_t = dz_t · wᵀ;  dw = Σ_t x_tᵀ · dz_t;
    du = Σ_t h_{t−1}ᵀ · dz_t, the last third with dĥ·r, or with r·h_{t−1};  db = Σ dz_t, and its second row with dĥ·r

    Where the mask is False, dz_t = 0 and ds_t passes back unchanged.

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
        If False, that gradient is not computed and None is returned for it.
    dx, dw, du, db, dh0, dstates : arrays, optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx, dw, du : arrays of the shapes of x, w, u
    db : array (2, 3U), or (3U,) without reset_after
    dh0 : array (B, U)
    dstates : array (B, T, U)
        ds_t, the total gradient of the state after each step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y`, `gates` or `inner` is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w, u = np.array([[[4.0], [8.0]]]), np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 3))
    >>> names = {"activation": "linear", "recurrent_activation": "hard_sigmoid"}
    >>> y, h, gates, inner = kernels.gru_forward(x, w, u, **names)
    >>> dx, *_ = kernels.gru_backward(None, np.ones((1, 1)), x, w, u, y, gates, inner, **names)
    >>> dx.ravel()
    array([0.25, 0.5 ])
    """
    cdef Sequence q = Sequence()
    cdef npy_intp[2] shape
    cdef int status, rank
    needed("gru_forward", (("y", y), ("gates", gates), ("inner", inner)))
    q.read(x, w, u, GATES, False, mask, activation, recurrent_activation, "recurrent_activation", x_dropout, h_dropout,
           go_backwards)
    q.s.reset_after = bool(reset_after)
    rank = bias_shape(q, shape)
    cdef ndarray Y = q.of_steps(y, "y", q.s.U), G = q.of_steps(gates, "gates", GATES * q.s.U)
    cdef ndarray I = q.of_steps(inner, "inner", q.s.U), DY = q.of_steps(dy, "dy", q.s.U)
    cdef ndarray H0 = q.of_state(h0, "h0"), DH = q.of_state(dh, "dh")
    cdef ndarray DX = q.steps_output(dx, "dx", q.s.D, need_dx)
    cdef ndarray DW = output(dw, "dw", 2, q.w_shape, q.dtype), DU = output(du, "du", 2, q.u_shape, q.dtype)
    cdef ndarray DB = output(db, "db", rank, shape, q.dtype) if need_db else None
    cdef ndarray DH0 = q.state_output(dh0, "dh0", need_dh0), DS = q.steps_output(dstates, "dstates", q.s.U, need_dstates)
    q.outputs_apart(((dx, DX, "dx"), (dw, DW, "dw"), (du, DU, "du"), (db, DB, "db"), (dh0, DH0, "dh0"), (dstates, DS, "dstates")),
                    (("dy", DY), ("dh", DH), ("y", Y), ("gates", G), ("inner", I), ("h0", H0)))
    cdef gru_kernels *k = <gru_kernels *> table(q.dtype)
    with nogil:
        status = k.gru_backward(data(DX), data(DW), data(DU), data(DB), data(DH0), data(DS), data(DY), data(DH), data(q.x),
                                data(q.w), data(q.u), data(Y), data(G), data(I), data(H0), &q.s)
    check(status)
    return DX, DW, DU, DB, DH0, DS
