"""Long short-term memory, whole sequences in one call (C: src_c/lstm.c, twin: fastnn/reference/lstm.py)."""
from fastnn.kernels._numpy cimport import_array, ndarray, npy_intp

from fastnn.kernels._core cimport check, data, output, table
from fastnn.kernels._sequence cimport Sequence, fnn_sequence, needed

import_array()

__all__ = ["lstm_backward", "lstm_forward"]

cdef extern from "fnn.h":
    ctypedef struct lstm_kernels "const fnn_kernels":
        int (*lstm_forward)(void *y, void *h, void *c, void *gates, void *cells, const void *x, const void *w, const void *u,
                            const void *b, const void *h0, const void *c0, const fnn_sequence *s) noexcept nogil
        int (*lstm_backward)(void *dx, void *dw, void *du, void *db, void *dh0, void *dc0, void *dstates, const void *dy,
                             const void *dh, const void *dc, const void *x, const void *w, const void *u, const void *y,
                             const void *gates, const void *cells, const void *h0, const void *c0,
                             const fnn_sequence *s) noexcept nogil

cdef enum:
    GATES = 4


def lstm_forward(x, w, u, b=None, h0=None, c0=None, mask=None, activation="tanh", recurrent_activation="sigmoid", *,
                 x_dropout=None, h_dropout=None, go_backwards=False, need_y=True, need_gates=True, y=None, h=None, c=None,
                 gates=None, cells=None):
    """Long short-term memory over whole sequences: the cell c_t = f·c_{t−1} + i·g, the state h_t = o·act(c_t).

    i, f, g, o are the quarters of x_t · w + h_{t−1} · u + b, g through `activation`, the others through
    `recurrent_activation`: the input gate, the forget gate, the candidate and the output gate.  Where the mask is False
    both states are held, y repeats h, and the gates are 0.

    Parameters
    ----------
    x : array (B, T, D), float32 or float64
    w, u : arrays (D, 4U), (U, 4U)
    b : array (4U,), optional
    h0, c0 : arrays (B, U), optional
        The initial states; zero if None.
    mask : bool array (B, T), optional
        True where a step counts; any pattern.
    activation, recurrent_activation : str
        Activations whose derivatives follow from their outputs, as for dense_forward.
    x_dropout : array (1, B, D) or (4, B, D), optional
        Factors of x_t, the same at every step: one for all gates, or one per gate.
    h_dropout : array (4, B, U), optional
        Factors of h_{t−1}, one per gate.
    go_backwards : bool
        Whether the last step comes first.  All sequences are in the order of x.
    need_y, need_gates : bool
        Whether to return y, and gates and cells.
    y, h, c, gates, cells : arrays, optional
        Where to write the results; must not share memory with the inputs.

    Returns
    -------
    y : array (B, T, U) or None
        The state after each step.
    h, c : arrays (B, U)
        The state and the cell after the last processed step.
    gates, cells : arrays (B, T, 4U), (B, T, U) or None
        i f g o and c_t of every step, for backward and for inspection.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; F. A. Gers, J. Schmidhuber, F.
    Cummins, "Learning to forget: continual prediction with LSTM", Neural Computation 12, 2000.

    Examples
    --------
    >>> from fastnn import kernels
    >>> y, h, c, gates, cells = kernels.lstm_forward(
    ...     [[[1.0], [2.0]]], [[1.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 0.0, 0.0]], [0.0, 1.0, 0.0, 0.0], activation="linear",
    ...     recurrent_activation="linear")
    >>> gates
    array([[[1., 1., 1., 1.],
            [2., 1., 2., 2.]]])
    >>> cells.ravel(), y.ravel()
    (array([1., 5.]), array([ 1., 10.]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    q.read(x, w, u, GATES, False, mask, activation, recurrent_activation, "recurrent_activation", x_dropout, h_dropout,
           go_backwards)
    cdef ndarray B = q.vector(b, "b", GATES * q.s.U), H0 = q.of_state(h0, "h0"), C0 = q.of_state(c0, "c0")
    cdef ndarray Y = q.steps_output(y, "y", q.s.U, need_y)
    cdef ndarray H = q.state_output(h, "h", True), C = q.state_output(c, "c", True)
    cdef ndarray G = q.steps_output(gates, "gates", GATES * q.s.U, need_gates)
    cdef ndarray CS = q.steps_output(cells, "cells", q.s.U, need_gates)
    q.outputs_apart(((y, Y, "y"), (h, H, "h"), (c, C, "c"), (gates, G, "gates"), (cells, CS, "cells")),
                    (("b", B), ("h0", H0), ("c0", C0)))
    cdef lstm_kernels *k = <lstm_kernels *> table(q.dtype)
    with nogil:
        status = k.lstm_forward(data(Y), data(H), data(C), data(G), data(CS), data(q.x), data(q.w), data(q.u), data(B), data(H0),
                                data(C0), &q.s)
    check(status)
    return Y, H, C, G, CS


def lstm_backward(dy, dh, dc, x, w, u, y, gates, cells, h0=None, c0=None, mask=None, activation="tanh",
                  recurrent_activation="sigmoid", *, x_dropout=None, h_dropout=None, go_backwards=False, need_dx=True,
                  need_db=True, need_dstate0=False, need_dstates=False, dx=None, dw=None, du=None, db=None, dh0=None, dc0=None,
                  dstates=None):
    """Gradients of the long short-term memory, back through time.

    ds_t = dy_t + the gradient from the step after t (dh for the last);
    dc_t = the gradient from the step after t (dc for the last) + ds_t · o · act′ from act(c_t);
    dz_t = [dc_t·g·rec′, dc_t·c_{t−1}·rec′, dc_t·i·act′, ds_t·act(c_t)·rec′], derivatives from the gates;
    to the previous step: dz_t · uᵀ to h, dc_t · f to c;  dx_t = dz_t · wᵀ;  dw = Σ_t x_tᵀ · dz_t;
    du = Σ_t h_{t−1}ᵀ · dz_t;  db = Σ dz_t

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
        If False, that gradient (need_dstate0: both dh0 and dc0) is not computed and None is returned for it.
    dx, dw, du, db, dh0, dc0, dstates : arrays, optional
        Where to write the results (assigned, not accumulated).

    Returns
    -------
    dx, dw, du, db : arrays of the shapes of x, w, u and (4U,)
    dh0, dc0 : arrays (B, U)
    dstates : array (B, T, U)
        ds_t, the total gradient of the state after each step.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or names do not fit, or `y`, `gates` or `cells` is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x, w, u = np.array([[[1.0], [2.0]]]), np.array([[1.0, 0.0, 1.0, 1.0]]), np.zeros((1, 4))
    >>> linear = {"activation": "linear", "recurrent_activation": "linear"}
    >>> y, h, c, gates, cells = kernels.lstm_forward(x, w, u, [0.0, 1.0, 0.0, 0.0], **linear)
    >>> dx, dw, *_ = kernels.lstm_backward(None, np.ones((1, 1)), None, x, w, u, y, gates, cells, **linear)
    >>> dx.ravel(), dw
    (array([ 4., 13.]), array([[10.,  4., 10., 10.]]))
    """
    cdef Sequence q = Sequence()
    cdef int status
    needed("lstm_forward", (("y", y), ("gates", gates), ("cells", cells)))
    q.read(x, w, u, GATES, False, mask, activation, recurrent_activation, "recurrent_activation", x_dropout, h_dropout,
           go_backwards)
    cdef npy_intp width = GATES * q.s.U
    cdef ndarray Y = q.of_steps(y, "y", q.s.U), G = q.of_steps(gates, "gates", width), CS = q.of_steps(cells, "cells", q.s.U)
    cdef ndarray DY = q.of_steps(dy, "dy", q.s.U), DH = q.of_state(dh, "dh"), DC = q.of_state(dc, "dc")
    cdef ndarray H0 = q.of_state(h0, "h0"), C0 = q.of_state(c0, "c0")
    cdef ndarray DX = q.steps_output(dx, "dx", q.s.D, need_dx)
    cdef ndarray DW = output(dw, "dw", 2, q.w_shape, q.dtype), DU = output(du, "du", 2, q.u_shape, q.dtype)
    cdef ndarray DB = q.vector_output(db, "db", width, need_db)
    cdef ndarray DH0 = q.state_output(dh0, "dh0", need_dstate0), DC0 = q.state_output(dc0, "dc0", need_dstate0)
    cdef ndarray DS = q.steps_output(dstates, "dstates", q.s.U, need_dstates)
    q.outputs_apart(((dx, DX, "dx"), (dw, DW, "dw"), (du, DU, "du"), (db, DB, "db"), (dh0, DH0, "dh0"), (dc0, DC0, "dc0"),
                     (dstates, DS, "dstates")),
                    (("dy", DY), ("dh", DH), ("dc", DC), ("y", Y), ("gates", G), ("cells", CS), ("h0", H0), ("c0", C0)))
    cdef lstm_kernels *k = <lstm_kernels *> table(q.dtype)
    with nogil:
        status = k.lstm_backward(data(DX), data(DW), data(DU), data(DB), data(DH0), data(DC0), data(DS), data(DY), data(DH),
                                 data(DC), data(q.x), data(q.w), data(q.u), data(Y), data(G), data(CS), data(H0), data(C0), &q.s)
    check(status)
    return DX, DW, DU, DB, DH0, DC0, DS
