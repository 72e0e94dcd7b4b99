"""Simple recurrent networks over whole sequences (C: src_c/simple_rnn.c, twin: fastnn/reference/simple_rnn.py)."""
from fastnn.kernels._numpy cimport import_array, ndarray, npy_intp

from fastnn.kernels._core cimport as_real_shaped, check, data, output, table
from fastnn.kernels._sequence cimport Sequence, fnn_sequence, needed

import_array()

__all__ = ["output_rnn_backward", "output_rnn_forward", "simple_rnn_backward", "simple_rnn_forward"]

cdef extern from "fnn.h":
    ctypedef struct simple_rnn_kernels "const fnn_kernels":
        int (*simple_rnn_forward)(void *y, void *h, const void *x, const void *w, const void *u, const void *b, const void *h0,
                                  const fnn_sequence *s) noexcept nogil
        int (*simple_rnn_backward)(void *dx, void *dw, void *du, void *db, void *dh0, void *dstates, const void *dy,
                                   const void *dh, const void *x, const void *w, const void *u, const void *y, const void *h0,
                                   const fnn_sequence *s) noexcept nogil
        int (*output_rnn_forward)(void *y, void *hidden, const void *x, const void *w, const void *u, const void *b,
                                  const void *v, const void *c, const void *y0, const fnn_sequence *s) noexcept nogil
        int (*output_rnn_backward)(void *dx, void *dw, void *du, void *db, void *dv, void *dc, void *dy0, void *dstates,
                                   const void *dy, const void *dlast, const void *x, const void *w, const void *u,
                                   const void *v, const void *y, const void *hidden, const void *y0,
                                   const fnn_sequence *s) noexcept nogil


def simple_rnn_forward(x, w, u, b=None, h0=None, mask=None, activation="tanh", *, x_dropout=None, h_dropout=None,
                       go_backwards=False, need_y=True, y=None, h=None):
    """Simple recurrent network over whole sequences, h_t = act(x_t · w + h_{t−1} · u + b).

    Where the mask is False the state is held, h_t = h_{t−1}, and y repeats it.

    Parameters
    ----------
    x : array (B, T, D), float32 or float64
    w, u : arrays (D, U), (U, U)
    b : array (U,), optional
    h0 : array (B, U), optional
        The initial state; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation : str
        One whose derivative follows from its output, as for dense_forward.
    x_dropout, h_dropout : arrays (1, B, D), (1, B, U), optional
        Factors of x_t and of h_{t−1}, the same at every step.
    go_backwards : bool
        Whether the last step comes first.  All sequences are in the order of x.
    need_y : bool
        Whether to return the states of all steps.
    y, h : arrays, optional
        Where to write the results; must not share memory with the inputs.

    Returns
    -------
    y : array (B, T, U) or None
        The state after each step.
    h : array (B, U)
        The state after the last processed step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.simple_rnn_forward([[[1.0], [1.0], [1.0]]], [[1.0]], [[0.5]], activation="linear")
    (array([[[1.  ],
            [1.5 ],
            [1.75]]]), array([[1.75]]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    q.read(x, w, u, 1, False, mask, activation, None, "", x_dropout, h_dropout, go_backwards)
    cdef ndarray B = q.vector(b, "b", q.s.U), H0 = q.of_state(h0, "h0")
    cdef ndarray Y = q.steps_output(y, "y", q.s.U, need_y), H = q.state_output(h, "h", True)
    q.outputs_apart(((y, Y, "y"), (h, H, "h")), (("b", B), ("h0", H0)))
    cdef simple_rnn_kernels *k = <simple_rnn_kernels *> table(q.dtype)
    with nogil:
        status = k.simple_rnn_forward(data(Y), data(H), data(q.x), data(q.w), data(q.u), data(B), data(H0), &q.s)
    check(status)
    return Y, H


def simple_rnn_backward(dy, dh, x, w, u, y, h0=None, mask=None, activation="tanh", *, x_dropout=None, h_dropout=None,
                        go_backwards=False, need_dx=True, need_db=True, need_dh0=False, need_dstates=False, dx=None, dw=None,
                        du=None, db=None, dh0=None, dstates=None):
    """Gradients of the simple recurrent network, back through time.

    ds_t = dy_t + the gradient from the step after t (dh for the last);  dz_t = ds_t · act′ from h_t;
    to the previous step: dz_t · uᵀ;  dx_t = dz_t · wᵀ;  dw = Σ_t x_tᵀ · dz_t;  du = Σ_t h_{t−1}ᵀ · dz_t;  db = Σ dz_t

    Where the mask is False, dz_t = 0 and ds_t passes back unchanged.

    Parameters
    ----------
    dy : array (B, T, U) or None
    dh : array (B, U) or None
        The gradient of the final state.
    x, w, u : arrays (B, T, D), (D, U), (U, U)
    y : array (B, T, U)
        The states that the forward kernel returned.
    h0, mask, activation, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dh0, need_dstates : bool
        If False, that gradient is not computed and None is returned for it.
    dx, dw, du, db, dh0, dstates : arrays, optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx, dw, du, db : arrays of the shapes of x, w, u and (U,)
    dh0 : array (B, U)
    dstates : array (B, T, U)
        ds_t, the total gradient of the state after each step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w, u = np.ones((1, 3, 1)), np.array([[1.0]]), np.array([[0.5]])
    >>> y, h = kernels.simple_rnn_forward(x, w, u, activation="linear")
    >>> dx, dw, du, *_ = kernels.simple_rnn_backward(None, [[1.0]], x, w, u, y, activation="linear")
    >>> dx.ravel(), dw, du
    (array([0.25, 0.5 , 1.  ]), array([[1.75]]), array([[2.]]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    needed("simple_rnn_forward", (("y", y),))
    q.read(x, w, u, 1, False, mask, activation, None, "", x_dropout, h_dropout, go_backwards)
    cdef ndarray Y = q.of_steps(y, "y", q.s.U), DY = q.of_steps(dy, "dy", q.s.U)
    cdef ndarray H0 = q.of_state(h0, "h0"), DH = q.of_state(dh, "dh")
    cdef ndarray DX = q.steps_output(dx, "dx", q.s.D, need_dx)
    cdef ndarray DW = output(dw, "dw", 2, q.w_shape, q.dtype), DU = output(du, "du", 2, q.u_shape, q.dtype)
    cdef ndarray DB = q.vector_output(db, "db", q.s.U, need_db)
    cdef ndarray DH0 = q.state_output(dh0, "dh0", need_dh0), DS = q.steps_output(dstates, "dstates", q.s.U, need_dstates)
    q.outputs_apart(((dx, DX, "dx"), (dw, DW, "dw"), (du, DU, "du"), (db, DB, "db"), (dh0, DH0, "dh0"), (dstates, DS, "dstates")),
                    (("dy", DY), ("dh", DH), ("y", Y), ("h0", H0)))
    cdef simple_rnn_kernels *k = <simple_rnn_kernels *> table(q.dtype)
    with nogil:
        status = k.simple_rnn_backward(data(DX), data(DW), data(DU), data(DB), data(DH0), data(DS), data(DY), data(DH), data(q.x),
                                       data(q.w), data(q.u), data(Y), data(H0), &q.s)
    check(status)
    return DX, DW, DU, DB, DH0, DS


# ---- output fed back ----

def output_rnn_forward(x, w, u, b, v, c, y0=None, mask=None, activation="tanh", output_activation="linear", *, x_dropout=None,
                       h_dropout=None, go_backwards=False, y=None, hidden=None):
    """Recurrent network that feeds back its output, a_t = act(x_t · w + y_{t−1} · u + b), y_t = out(a_t · v + c).

    Where the mask is False the output is held, y_t = y_{t−1}.

    Parameters
    ----------
    x : array (B, T, D), float32 or float64
    w, u, v : arrays (D, U), (O, U), (U, O)
    b, c : arrays (U,), (O,) or None
    y0 : array (B, O), optional
        The output before the first step; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, output_activation : str
        Activations whose derivatives follow from their outputs, as for dense_forward.
    x_dropout, h_dropout : arrays (1, B, D), (1, B, O), optional
        Factors of x_t and of y_{t−1}, the same at every step.
    go_backwards : bool
        Whether the last step comes first.  All sequences are in the order of x.
    y, hidden : arrays, optional
        Where to write the results; must not share memory with the inputs.

    Returns
    -------
    y : array (B, T, O)
    hidden : array (B, T, U)
        a_t of every step, for backward and for inspection.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    References
    ----------
    M. I. Jordan, "Serial order: a parallel distributed processing approach", 1986.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, hidden = kernels.output_rnn_forward([[[1.0], [2.0]]], [[1.0]], [[1.0]], None, [[2.0]], [1.0], activation="linear")
    >>> hidden.ravel(), y.ravel()
    (array([1., 5.]), array([ 3., 11.]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    q.read(x, w, u, 1, True, mask, activation, output_activation, "output_activation", x_dropout, h_dropout, go_backwards)
    cdef npy_intp[2] v_shape = [q.s.U, q.s.O]
    cdef ndarray V = as_real_shaped(v, "v", 2, v_shape, q.dtype)
    cdef ndarray B = q.vector(b, "b", q.s.U), C = q.vector(c, "c", q.s.O), Y0 = q.of_state(y0, "y0")
    cdef ndarray Y = q.steps_output(y, "y", q.s.O, True), A = q.steps_output(hidden, "hidden", q.s.U, True)
    q.outputs_apart(((y, Y, "y"), (hidden, A, "hidden")), (("b", B), ("v", V), ("c", C), ("y0", Y0)))
    cdef simple_rnn_kernels *k = <simple_rnn_kernels *> table(q.dtype)
    with nogil:
        status = k.output_rnn_forward(data(Y), data(A), data(q.x), data(q.w), data(q.u), data(B), data(V), data(C), data(Y0), &q.s)
    check(status)
    return Y, A


def output_rnn_backward(dy, dlast, x, w, u, v, y, hidden, y0=None, mask=None, activation="tanh", output_activation="linear", *,
                        x_dropout=None, h_dropout=None, go_backwards=False, need_dx=True, need_db=True, need_dy0=False,
                        need_dstates=False, dx=None, dw=None, du=None, db=None, dv=None, dc=None, dy0=None, dstates=None):
    """Gradients of the recurrent network that feeds back its output, back through time.

    ds_t = dy_t + the gradient from the step after t (dlast for the last);  de_t = ds_t · out′ from y_t;
    dz_t = (de_t · vᵀ) · act′ from a_t;  to the previous step: dz_t · uᵀ;  dx_t = dz_t · wᵀ;
    dw = Σ_t x_tᵀ · dz_t;  du = Σ_t y_{t−1}ᵀ · dz_t;  db = Σ dz_t;  dv = Σ_t a_tᵀ · de_t;  dc = Σ de_t

    Where the mask is False, dz_t and de_t are 0 and ds_t passes back unchanged.

    Parameters
    ----------
    dy : array (B, T, O) or None
    dlast : array (B, O) or None
        The gradient of the output of the last processed step, in addition to its dy.
    x, w, u, v : arrays (B, T, D), (D, U), (O, U), (U, O)
    y, hidden : arrays (B, T, O), (B, T, U)
        The results of the forward kernel.
    y0, mask, activation, output_activation, x_dropout, h_dropout, go_backwards
        Those of the forward kernel.
    need_dx, need_db, need_dy0, need_dstates : bool
        If False, that gradient (need_db: both db and dc) is not computed and None is returned for it.
    dx, dw, du, db, dv, dc, dy0, dstates : arrays, optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx, dw, du, db, dv, dc : arrays of the shapes of x, w, u, (U,), v, (O,)
    dy0 : array (B, O)
    dstates : array (B, T, O)
        ds_t, the total gradient of the output of each step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y` or `hidden` is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w, u, v = np.array([[[1.0], [2.0]]]), np.array([[1.0]]), np.array([[1.0]]), np.array([[2.0]])
    >>> y, hidden = kernels.output_rnn_forward(x, w, u, None, v, [1.0], activation="linear")
    >>> dx, dw, *_ = kernels.output_rnn_backward(None, [[1.0]], x, w, u, v, y, hidden, activation="linear")
    >>> dx.ravel(), dw
    (array([4., 2.]), array([[8.]]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    needed("output_rnn_forward", (("y", y), ("hidden", hidden)))
    q.read(x, w, u, 1, True, mask, activation, output_activation, "output_activation", x_dropout, h_dropout, go_backwards)
    cdef npy_intp[2] v_shape = [q.s.U, q.s.O]
    cdef ndarray V = as_real_shaped(v, "v", 2, v_shape, q.dtype)
    cdef ndarray Y = q.of_steps(y, "y", q.s.O), A = q.of_steps(hidden, "hidden", q.s.U), DY = q.of_steps(dy, "dy", q.s.O)
    cdef ndarray Y0 = q.of_state(y0, "y0"), DL = q.of_state(dlast, "dlast")
    cdef ndarray DX = q.steps_output(dx, "dx", q.s.D, need_dx)
    cdef ndarray DW = output(dw, "dw", 2, q.w_shape, q.dtype), DU = output(du, "du", 2, q.u_shape, q.dtype)
    cdef ndarray DB = q.vector_output(db, "db", q.s.U, need_db)
    cdef ndarray DV = output(dv, "dv", 2, v_shape, q.dtype)
    cdef ndarray DC = q.vector_output(dc, "dc", q.s.O, need_db)
    cdef ndarray DY0 = q.state_output(dy0, "dy0", need_dy0), DS = q.steps_output(dstates, "dstates", q.s.O, need_dstates)
    q.outputs_apart(((dx, DX, "dx"), (dw, DW, "dw"), (du, DU, "du"), (db, DB, "db"), (dv, DV, "dv"), (dc, DC, "dc"),
                     (dy0, DY0, "dy0"), (dstates, DS, "dstates")),
                    (("dy", DY), ("dlast", DL), ("v", V), ("y", Y), ("hidden", A), ("y0", Y0)))
    cdef simple_rnn_kernels *k = <simple_rnn_kernels *> table(q.dtype)
    with nogil:
        status = k.output_rnn_backward(data(DX), data(DW), data(DU), data(DB), data(DV), data(DC), data(DY0), data(DS), data(DY),
                                       data(DL), data(q.x), data(q.w), data(q.u), data(V), data(Y), data(A), data(Y0), &q.s)
    check(status)
    return DX, DW, DU, DB, DV, DC, DY0, DS
