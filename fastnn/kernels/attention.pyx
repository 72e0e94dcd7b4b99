"""Attention, of three kinds (C: src_c/attention.c, twin: fastnn/reference/attention.py)."""
from libc.stdint cimport uint8_t, uint64_t
from fastnn.kernels._numpy cimport (
    NPY_BOOL, PyArray_DIM, PyArray_DIMS, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_TYPE, import_array, ndarray, npy_intp)

from fastnn.kernels._core cimport all_apart, as_number, as_real, as_real_shaped, check, data, output, table

from fastnn import checks

import_array()

__all__ = [
    "additive_attention_backward", "additive_attention_forward", "attention_backward", "attention_forward",
    "self_attention_backward", "self_attention_forward",
]

cdef extern from "fnn.h":
    ctypedef struct fnn_attention "struct fnn_attention":
        Py_ssize_t B, TQ, TK, N, NK, H, V, before, after
        const uint8_t *mask
        const uint8_t *query_mask
        const uint8_t *key_mask
        Py_ssize_t mask_step, mask_head_step
        double scale, rate
        uint64_t key, call
    ctypedef struct attention_kernels "const fnn_kernels":
        int (*attention_forward)(void *y, void *lse, void *scores, const void *q, const void *k, const void *v,
                                 const fnn_attention *a) noexcept nogil
        int (*attention_backward)(void *dq, void *dk, void *dv, const void *dy, const void *q, const void *k, const void *v,
                                  const void *y, const void *lse, const void *scores, const void *dscores,
                                  const fnn_attention *a) noexcept nogil
        int (*additive_attention_forward)(void *y, void *weights, const void *q, const void *k, const void *v, const void *c,
                                          const fnn_attention *a) noexcept nogil
        int (*additive_attention_backward)(void *dq, void *dk, void *dv, void *dc, const void *dy, const void *q, const void *k,
                                           const void *v, const void *c, const void *weights, const void *dweights,
                                           const fnn_attention *a) noexcept nogil
        int (*self_attention_forward)(void *y, void *weights, const void *x, Py_ssize_t B, Py_ssize_t T,
                                      Py_ssize_t D) noexcept nogil
        int (*self_attention_backward)(void *dx, const void *dy, const void *x, const void *weights, Py_ssize_t B, Py_ssize_t T,
                                       Py_ssize_t D) noexcept nogil

cdef enum:
    MOST_STEPS = 2147483647


cdef uint64_t read_word(object value, str name) except? 0:
    """An integer in [0, 2⁶⁴)."""
    if type(value) is int:
        try:
            return value
        except OverflowError:
            pass
    return checks.word64(name, value)


cdef ndarray as_rows_mask(object mask, str name, Py_ssize_t B, Py_ssize_t T):
    """A C-contiguous bool array (B, T)."""
    cdef ndarray a
    if type(mask) is ndarray:
        a = <ndarray> mask
        if (PyArray_TYPE(a) == NPY_BOOL and PyArray_ISCARRAY_RO(a) and PyArray_NDIM(a) == 2 and PyArray_DIM(a, 0) == B
                and PyArray_DIM(a, 1) == T):
            return a
    return checks.mask(name, mask, (B, T))


cdef class Attention:
    """The checked arguments of one call; it keeps alive what the struct points to."""
    cdef fnn_attention s
    cdef ndarray q, k, v, mask, query_mask, key_mask
    cdef int dtype
    cdef npy_intp[4] q_shape, k_shape, v_shape, y_shape, scores_shape

    cdef int read_heads(self, object q, object k, object v) except -1:
        """q (B, Tq, N, H), k (B, Tk, K, H), v (B, Tk, K, V)."""
        cdef fnn_attention *s = &self.s
        cdef int i
        self.q = as_real(q, "q", 4)
        self.dtype = PyArray_TYPE(self.q)
        self.k = as_real(k, "k", 4, self.dtype)
        self.v = as_real(v, "v", 4, self.dtype)
        s.B, s.TQ, s.N, s.H = (PyArray_DIM(self.q, 0), PyArray_DIM(self.q, 1), PyArray_DIM(self.q, 2), PyArray_DIM(self.q, 3))
        s.TK, s.NK, s.V = PyArray_DIM(self.k, 1), PyArray_DIM(self.k, 2), PyArray_DIM(self.v, 3)
        self.q_shape = [s.B, s.TQ, s.N, s.H]
        self.k_shape = [s.B, s.TK, s.NK, s.H]
        self.v_shape = [s.B, s.TK, s.NK, s.V]
        self.y_shape = [s.B, s.TQ, s.N, s.V]
        self.scores_shape = [s.B, s.N, s.TQ, s.TK]
        cdef bint fits = s.N > 0 and s.NK > 0 and s.H > 0 and s.V > 0 and s.N % s.NK == 0
        for i in range(4):
            fits = fits and PyArray_DIM(self.k, i) == self.k_shape[i] and PyArray_DIM(self.v, i) == self.v_shape[i]
        if not fits:
            raise ValueError(
                "q is (B, Tq, N, H), k (B, Tk, K, H), v (B, Tk, K, V), and the heads of keys K divide those of queries N. "
                f"Received: q {(<object> self.q).shape}, k {(<object> self.k).shape}, v {(<object> self.v).shape}.")
        return 0

    cdef int read_one_head(self, object q, object k, object v) except -1:
        """q (B, Tq, D), k (B, Tk, D), v (B, Tk, V)."""
        cdef fnn_attention *s = &self.s
        self.q = as_real(q, "q", 3)
        self.dtype = PyArray_TYPE(self.q)
        self.k = as_real(k, "k", 3, self.dtype)
        self.v = as_real(v, "v", 3, self.dtype)
        s.B, s.TQ, s.H = PyArray_DIM(self.q, 0), PyArray_DIM(self.q, 1), PyArray_DIM(self.q, 2)
        s.TK, s.V = PyArray_DIM(self.k, 1), PyArray_DIM(self.v, 2)
        s.N = s.NK = 1
        self.q_shape = [s.B, s.TQ, s.H, 0]
        self.k_shape = [s.B, s.TK, s.H, 0]
        self.v_shape = [s.B, s.TK, s.V, 0]
        self.y_shape = [s.B, s.TQ, s.V, 0]
        self.scores_shape = [s.B, s.TQ, s.TK, 0]
        if (s.H < 1 or s.V < 1 or PyArray_DIM(self.k, 0) != s.B or PyArray_DIM(self.k, 2) != s.H
                or PyArray_DIM(self.v, 0) != s.B or PyArray_DIM(self.v, 1) != s.TK):
            raise ValueError(
                "q is (B, Tq, D), k (B, Tk, D), v (B, Tk, V). "
                f"Received: q {(<object> self.q).shape}, k {(<object> self.k).shape}, v {(<object> self.v).shape}.")
        return 0

    cdef int read_sight(self, object mask, object query_mask, object key_mask, bint causal, object window) except -1:
        """Which query sees which key."""
        cdef fnn_attention *s = &self.s
        cdef Py_ssize_t reach = s.TQ + s.TK, pairs = s.TQ * s.TK, heads = 1
        if s.TQ > MOST_STEPS or s.TK > MOST_STEPS:
            raise ValueError(f"Sequences have at most {MOST_STEPS} steps. Received: {s.TQ} queries, {s.TK} keys.")
        self.mask = self.query_mask = self.key_mask = None
        s.mask_step = s.mask_head_step = 0
        if mask is not None:
            self.mask = checks.attention_mask(mask, s.B, s.N, s.TQ, s.TK)
            if PyArray_NDIM(self.mask) == 4:
                heads = PyArray_DIM(self.mask, 1)
            s.mask_head_step = pairs if heads > 1 else 0
            s.mask_step = heads * pairs if PyArray_NDIM(self.mask) > 2 and PyArray_DIM(self.mask, 0) > 1 else 0
        if query_mask is not None:
            self.query_mask = as_rows_mask(query_mask, "query_mask", s.B, s.TQ)
        if key_mask is not None:
            self.key_mask = as_rows_mask(key_mask, "key_mask", s.B, s.TK)
        s.mask = <const uint8_t *> data(self.mask)
        s.query_mask = <const uint8_t *> data(self.query_mask)
        s.key_mask = <const uint8_t *> data(self.key_mask)
        if window is not None:
            reach = min(reach, checks.window(window) - 1)
        s.before = reach
        s.after = 0 if causal else reach
        return 0

    cdef int read_numbers(self, object scale, object rate, object key, object call) except -1:
        cdef fnn_attention *s = &self.s
        s.scale = s.H ** -0.5 if scale is None else checks.number("scale", scale)
        s.rate = as_number(rate, "rate", 0, 1)
        s.key = read_word(key, "key")
        s.call = read_word(call, "call")
        return 0

    cdef int outputs_apart(self, tuple outputs, tuple inputs) except -1:
        all_apart(outputs, (("q", self.q), ("k", self.k), ("v", self.v), ("mask", self.mask), ("query_mask", self.query_mask),
                            ("key_mask", self.key_mask)))
        return all_apart(outputs, inputs)


def attention_forward(q, k, v, mask=None, query_mask=None, key_mask=None, scale=None, causal=False, window=None, rate=0.0, key=0,
                      call=0, *, need_scores=False, y=None, lse=None, scores=None):
    """Scaled dot-product attention: y[i] = Σ_j w[i, j]·v[j], w the softmax of scale·q[i]·k[j] over the keys j.

    A query sees a key where `mask`, `query_mask`, `key_mask`, `causal` and `window` all allow it. One that sees none
    has y = 0 and lse = −∞. With dropout, a weight is kept and divided by 1 − rate if its random word is below
    (1 − rate)·2³², else it is 0.

    Parameters
    ----------
    q, k, v : arrays (B, Tq, N, H), (B, Tk, K, H), (B, Tk, K, V)
        Queries, keys and values of N heads; K divides N, and head n reads head n // (N // K) of k and v.
    mask : bool array (Tq, Tk), (B, Tq, Tk) or (B, N, Tq, Tk), optional
        True where a query may see a key; B or N may be 1.
    query_mask, key_mask : bool arrays (B, Tq), (B, Tk), optional
        True where a position counts.
    scale : float, optional
        1/√H if None.
    causal : bool
        Whether query i sees no key after i.
    window : int, optional
        Query i sees keys less than `window` away.
    rate, key, call
        Dropout of the weights: the rate, and the counters of the random words, as for dropout_forward.
    need_scores : bool
        Whether to return the weights, before dropout; else scores is None.
    y, lse, scores : arrays (B, Tq, N, V), (B, N, Tq), (B, N, Tq, Tk), optional
        Where to write.

    Returns
    -------
    y : array (B, Tq, N, V)
    lse : array (B, N, Tq)
        The logarithm of the sum of e^score over the keys, which the gradients start from.
    scores : array (B, N, Tq, Tk) or None

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> q, k, v = np.array([[[[1.0]]]]), np.log([[[[3.0]], [[1.0]]]]), np.array([[[[8.0]], [[0.0]]]])
    >>> y, lse, scores = kernels.attention_forward(q, k, v, need_scores=True)
    >>> y.ravel(), np.exp(lse).ravel(), scores.ravel()
    (array([6.]), array([4.]), array([0.75, 0.25]))
    """
    cdef Attention p = Attention()
    cdef int status
    p.read_heads(q, k, v)
    p.read_sight(mask, query_mask, key_mask, causal, window)
    p.read_numbers(scale, rate, key, call)
    cdef ndarray Y = output(y, "y", 4, p.y_shape, p.dtype), L = output(lse, "lse", 3, p.scores_shape, p.dtype)
    cdef ndarray S = output(scores, "scores", 4, p.scores_shape, p.dtype) if need_scores else None
    p.outputs_apart(((y, Y, "y"), (lse, L, "lse"), (scores, S, "scores")), ())
    cdef attention_kernels *t = <attention_kernels *> table(p.dtype)
    with nogil:
        status = t.attention_forward(data(Y), data(L), data(S), data(p.q), data(p.k), data(p.v), &p.s)
    check(status)
    return Y, L, S


def attention_backward(dy, q, k, v, y, lse, mask=None, query_mask=None, key_mask=None, scale=None, causal=False, window=None,
                       rate=0.0, key=0, call=0, *, scores=None, dscores=None, dq=None, dk=None, dv=None):
    """Gradients of attention: the weights again, w = e^(scale·q·k − lse), then back through the sum and the softmax.

    dv[j] = Σ_i f·w·dy[i];  dw[i, j] = f·dy[i]·v[j] + dscores[i, j], with f the factors of dropout;
    ds[i, j] = w·(dw − Σ_j w·dw);  dq[i] = scale·Σ_j ds·k[j];  dk[j] = scale·Σ_i ds·q[i]

    The sum Σ_j w·dw is read off y: it is dy[i]·y[i] + Σ_j w·dscores.

    Parameters
    ----------
    dy : array (B, Tq, N, V)
    q, k, v, mask, query_mask, key_mask, scale, causal, window, rate, key, call
        Those of the forward kernel.
    y, lse : arrays (B, Tq, N, V), (B, N, Tq)
        The results of the forward kernel.
    scores, dscores : arrays (B, N, Tq, Tk), optional
        The gradient of the loss with respect to the scores, and with it the scores of the forward kernel.
    dq, dk, dv : arrays of the shapes of q, k, v, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers do not fit, or dscores comes without scores.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> q, k, v = np.array([[[[1.0]]]]), np.log([[[[3.0]], [[1.0]]]]), np.array([[[[8.0]], [[0.0]]]])
    >>> y, lse, _ = kernels.attention_forward(q, k, v)
    >>> dq, dk, dv = kernels.attention_backward(np.ones((1, 1, 1, 1)), q, k, v, y, lse)
    >>> dk.ravel(), dv.ravel()
    (array([ 1.5, -1.5]), array([0.75, 0.25]))
    """
    cdef Attention p = Attention()
    cdef int status
    p.read_heads(q, k, v)
    p.read_sight(mask, query_mask, key_mask, causal, window)
    p.read_numbers(scale, rate, key, call)
    cdef ndarray DY = as_real_shaped(dy, "dy", 4, p.y_shape, p.dtype), Y = as_real_shaped(y, "y", 4, p.y_shape, p.dtype)
    cdef ndarray L = as_real_shaped(lse, "lse", 3, p.scores_shape, p.dtype), S = None, DS = None
    if dscores is not None:
        if scores is None:
            raise ValueError("The gradient dscores goes with the scores of attention_forward. Received: scores=None. "
                             "Use attention_forward(…, need_scores=True).")
        S = as_real_shaped(scores, "scores", 4, p.scores_shape, p.dtype)
        DS = as_real_shaped(dscores, "dscores", 4, p.scores_shape, p.dtype)
    cdef ndarray DQ = output(dq, "dq", 4, p.q_shape, p.dtype), DK = output(dk, "dk", 4, p.k_shape, p.dtype)
    cdef ndarray DV = output(dv, "dv", 4, p.v_shape, p.dtype)
    p.outputs_apart(((dq, DQ, "dq"), (dk, DK, "dk"), (dv, DV, "dv")),
                    (("dy", DY), ("y", Y), ("lse", L), ("scores", S), ("dscores", DS)))
    cdef attention_kernels *t = <attention_kernels *> table(p.dtype)
    with nogil:
        status = t.attention_backward(data(DQ), data(DK), data(DV), data(DY), data(p.q), data(p.k), data(p.v), data(Y), data(L),
                                      data(S), data(DS), &p.s)
    check(status)
    return DQ, DK, DV


def additive_attention_forward(q, k, v, w=None, mask=None, query_mask=None, key_mask=None, causal=False, rate=0.0, key=0,
                               call=0, *, y=None, weights=None):
    """Additive attention: y[i] = Σ_j p[i, j]·v[j], p the softmax of Σ_d w[d]·tanh(q[i, d] + k[j, d]) over the keys j.

    Masks and dropout are those of attention_forward, with one head.

    Parameters
    ----------
    q, k, v : arrays (B, Tq, D), (B, Tk, D), (B, Tk, V)
    w : array (D,), optional
        What the tanh are summed with; ones if None.
    mask : bool array (Tq, Tk) or (B, Tq, Tk), optional
    query_mask, key_mask, causal, rate, key, call
        As for attention_forward.
    y, weights : arrays (B, Tq, V), (B, Tq, Tk), optional
        Where to write.

    Returns
    -------
    y : array (B, Tq, V)
    weights : array (B, Tq, Tk)
        p, before dropout; 0 where a query does not see a key.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers do not fit.

    References
    ----------
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> kernels.additive_attention_forward([[[0.0]]], [[[20.0], [-20.0]]], [[[5.0], [1.0]]], [np.log(3) / 2])
    (array([[[4.]]]), array([[[0.75, 0.25]]]))
    """
    cdef Attention p = Attention()
    cdef int status
    p.read_one_head(q, k, v)
    p.read_sight(mask, query_mask, key_mask, causal, None)
    p.read_numbers(1.0, rate, key, call)
    cdef npy_intp depth = p.s.H
    cdef ndarray W = None if w is None else as_real_shaped(w, "w", 1, &depth, p.dtype)
    cdef ndarray Y = output(y, "y", 3, p.y_shape, p.dtype), P = output(weights, "weights", 3, p.scores_shape, p.dtype)
    p.outputs_apart(((y, Y, "y"), (weights, P, "weights")), (("w", W),))
    cdef attention_kernels *t = <attention_kernels *> table(p.dtype)
    with nogil:
        status = t.additive_attention_forward(data(Y), data(P), data(p.q), data(p.k), data(p.v), data(W), &p.s)
    check(status)
    return Y, P


def additive_attention_backward(dy, q, k, v, weights, w=None, mask=None, query_mask=None, key_mask=None, causal=False, rate=0.0,
                                key=0, call=0, *, dweights=None, need_dw=True, dq=None, dk=None, dv=None, dw=None):
    """Gradients of additive attention.

    dv[j] = Σ_i f·p·dy[i];  dp[i, j] = f·dy[i]·v[j] + dweights[i, j];  ds = p·(dp − Σ_j p·dp);
    f are the factors of dropout, t[i, j] = tanh(q[i] + k[j]).
    dq[i] = Σ_j ds·w·(1 − t²);  dk[j] = Σ_i ds·w·(1 − t²);  dw = Σ_i Σ_j ds·t

    Parameters
    ----------
    dy : array (B, Tq, V)
    q, k, v, w, mask, query_mask, key_mask, causal, rate, key, call
        Those of the forward kernel.
    weights : array (B, Tq, Tk)
        The result of the forward kernel.
    dweights : array (B, Tq, Tk), optional
        The gradient of the loss with respect to the weights.
    need_dw : bool
        Whether to compute dw; else it is None.
    dq, dk, dv, dw : arrays of the shapes of q, k, v and (D,), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks, sizes or numbers do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> q, k, v, w = np.zeros((1, 1, 1)), np.array([[[20.0], [-20.0]]]), np.array([[[5.0], [1.0]]]), np.log([3]) / 2
    >>> _, weights = kernels.additive_attention_forward(q, k, v, w)
    >>> *_, dv, dw = kernels.additive_attention_backward(np.ones((1, 1, 1)), q, k, v, weights, w)
    >>> dv.ravel(), dw
    (array([0.75, 0.25]), array([1.5]))
    """
    cdef Attention p = Attention()
    cdef int status
    p.read_one_head(q, k, v)
    p.read_sight(mask, query_mask, key_mask, causal, None)
    p.read_numbers(1.0, rate, key, call)
    cdef npy_intp depth = p.s.H
    cdef ndarray DY = as_real_shaped(dy, "dy", 3, p.y_shape, p.dtype)
    cdef ndarray P = as_real_shaped(weights, "weights", 3, p.scores_shape, p.dtype)
    cdef ndarray W = None if w is None else as_real_shaped(w, "w", 1, &depth, p.dtype)
    cdef ndarray DP = None if dweights is None else as_real_shaped(dweights, "dweights", 3, p.scores_shape, p.dtype)
    cdef ndarray DQ = output(dq, "dq", 3, p.q_shape, p.dtype), DK = output(dk, "dk", 3, p.k_shape, p.dtype)
    cdef ndarray DV = output(dv, "dv", 3, p.v_shape, p.dtype)
    cdef ndarray DW = output(dw, "dw", 1, &depth, p.dtype) if need_dw else None
    p.outputs_apart(((dq, DQ, "dq"), (dk, DK, "dk"), (dv, DV, "dv"), (dw, DW, "dw")),
                    (("dy", DY), ("weights", P), ("w", W), ("dweights", DP)))
    cdef attention_kernels *t = <attention_kernels *> table(p.dtype)
    with nogil:
        status = t.additive_attention_backward(data(DQ), data(DK), data(DV), data(DW), data(DY), data(p.q), data(p.k), data(p.v),
                                               data(W), data(P), data(DP), &p.s)
    check(status)
    return DQ, DK, DV, DW


cdef int sized(ndarray x) except -1:
    if PyArray_DIM(x, 1) < 1 or PyArray_DIM(x, 2) < 1:
        raise ValueError(f"x is (B, T, D), with T and D at least 1. Received: shape {(<object> x).shape}.")
    return 0


def self_attention_forward(x, *, y=None, weights=None):
    """Attention of a sequence to itself, without parameters: weights = softmax(x · xᵀ) over rows, y = weights · x.

    Each step becomes a mean of all steps, weighted by how well they go together with it.

    Parameters
    ----------
    x : array (B, T, D), T and D at least 1
    y, weights : arrays (B, T, D), (B, T, T), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If `x` is not real or has another rank, or a result does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> y, weights = kernels.self_attention_forward(np.array([[[0.0], [np.sqrt(np.log(3))]]]))
    >>> weights
    array([[[0.5 , 0.5 ],
            [0.25, 0.75]]])
    """
    cdef ndarray X = as_real(x, "x", 3)
    cdef int status, dtype = PyArray_TYPE(X)
    sized(X)
    cdef npy_intp B = PyArray_DIM(X, 0), T = PyArray_DIM(X, 1), D = PyArray_DIM(X, 2)
    cdef npy_intp[3] pairs = [B, T, T]
    cdef ndarray Y = output(y, "y", 3, PyArray_DIMS(X), dtype), W = output(weights, "weights", 3, pairs, dtype)
    all_apart(((y, Y, "y"), (weights, W, "weights")), (("x", X),))
    cdef attention_kernels *t = <attention_kernels *> table(dtype)
    with nogil:
        status = t.self_attention_forward(data(Y), data(W), data(X), B, T, D)
    check(status)
    return Y, W


def self_attention_backward(dy, x, weights, *, dx=None):
    """Gradient of a sequence's attention to itself: x is values, queries and keys, and each gives a part.

    dw = dy · xᵀ;  ds = w ∘ (dw − Σ_j w·dw);  dx = wᵀ·dy + ds·x + dsᵀ·x

    Parameters
    ----------
    dy, x : arrays (B, T, D)
    weights : array (B, T, T)
        The result of the forward kernel.
    dx : array (B, T, D), optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or sizes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> x = np.array([[[0.0], [np.sqrt(np.log(3))]]])
    >>> y, weights = kernels.self_attention_forward(x)
    >>> kernels.self_attention_backward(np.ones((1, 2, 1)), x, weights).round(3).ravel()
    array([0.819, 1.662])
    """
    cdef ndarray X = as_real(x, "x", 3)
    cdef int status, dtype = PyArray_TYPE(X)
    sized(X)
    cdef npy_intp B = PyArray_DIM(X, 0), T = PyArray_DIM(X, 1), D = PyArray_DIM(X, 2)
    cdef npy_intp[3] pairs = [B, T, T]
    cdef ndarray DY = as_real_shaped(dy, "dy", 3, PyArray_DIMS(X), dtype)
    cdef ndarray W = as_real_shaped(weights, "weights", 3, pairs, dtype), DX = output(dx, "dx", 3, PyArray_DIMS(X), dtype)
    all_apart(((dx, DX, "dx"),), (("dy", DY), ("x", X), ("weights", W)))
    cdef attention_kernels *t = <attention_kernels *> table(dtype)
    with nogil:
        status = t.self_attention_backward(data(DX), data(DY), data(X), data(W), B, T, D)
    check(status)
    return DX
