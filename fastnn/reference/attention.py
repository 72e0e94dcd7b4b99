"""Twins of attention: scaled dot products, sums of tanh, and a sequence by itself."""

from __future__ import annotations

import numpy as np

from fastnn import checks
from fastnn.reference import _attention as attention

__all__ = [
    "attention_forward",
    "attention_backward",
    "additive_attention_forward",
    "additive_attention_backward",
    "self_attention_forward",
    "self_attention_backward",
]


def attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    mask: np.ndarray | None = None,
    query_mask: np.ndarray | None = None,
    key_mask: np.ndarray | None = None,
    scale: float | None = None,
    causal: bool = False,
    window: int | None = None,
    rate: float = 0.0,
    key: int = 0,
    call: int = 0,
    *,
    need_scores: bool = False,
    y: np.ndarray | None = None,
    lse: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
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
    >>> q, k, v = np.array([[[[1.0]]]]), np.log([[[[3.0]], [[1.0]]]]), np.array([[[[8.0]], [[0.0]]]])
    >>> y, lse, scores = attention_forward(q, k, v, need_scores=True)
    >>> y.ravel(), np.exp(lse).ravel(), scores.ravel()
    (array([6.]), array([4.]), array([0.75, 0.25]))
    """
    checks.distinct(y=y, lse=lse, scores=scores)
    q, k, v = checks.reals(q=(q, 4), k=(k, 4), v=(v, 4))
    sizes = attention.check(q, k, v)
    seen = attention.visible(sizes, mask, query_mask, key_mask, causal, window)
    factors = attention.factors(sizes, rate, key, call, q.dtype)
    scale = attention.scale_of(scale, q.shape[3])
    inputs = [a for a in (q, k, v, mask, query_mask, key_mask) if isinstance(a, np.ndarray)]
    y = checks.result("y", y, (*q.shape[:3], v.shape[3]), q.dtype, *inputs)
    lse = checks.result("lse", lse, sizes[:3], q.dtype, *inputs)
    scores = checks.result("scores", scores, sizes, q.dtype, *inputs) if need_scores else None
    k, v = (attention.for_queries(a, q.shape[2]) for a in (k, v))
    with np.errstate(all="ignore"):
        weights, lse[...] = attention.softmax(scale * np.einsum("binh,bjnh->bnij", q, k), seen)
        y[...] = np.einsum("bnij,bjnv->binv", weights * factors, v)
    if scores is not None:
        scores[...] = weights
    return y, lse, scores


def attention_backward(
    dy: np.ndarray,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    lse: np.ndarray,
    mask: np.ndarray | None = None,
    query_mask: np.ndarray | None = None,
    key_mask: np.ndarray | None = None,
    scale: float | None = None,
    causal: bool = False,
    window: int | None = None,
    rate: float = 0.0,
    key: int = 0,
    call: int = 0,
    *,
    scores: np.ndarray | None = None,
    dscores: np.ndarray | None = None,
    dq: np.ndarray | None = None,
    dk: np.ndarray | None = None,
    dv: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    >>> q, k, v = np.array([[[[1.0]]]]), np.log([[[[3.0]], [[1.0]]]]), np.array([[[[8.0]], [[0.0]]]])
    >>> y, lse, _ = attention_forward(q, k, v)
    >>> dq, dk, dv = attention_backward(np.ones((1, 1, 1, 1)), q, k, v, y, lse)
    >>> dk.ravel(), dv.ravel()
    (array([ 1.5, -1.5]), array([0.75, 0.25]))
    """
    checks.distinct(dq=dq, dk=dk, dv=dv)
    dy, q, k, v, y, lse, scores, dscores = checks.reals(
        dy=(dy, 4), q=(q, 4), k=(k, 4), v=(v, 4), y=(y, 4), lse=(lse, 3), scores=(scores, 4), dscores=(dscores, 4)
    )
    sizes = attention.check(q, k, v)
    attention.check_results(sizes, v.shape[3], dy, y, lse, scores, dscores)
    seen = attention.visible(sizes, mask, query_mask, key_mask, causal, window)
    factors = attention.factors(sizes, rate, key, call, q.dtype)
    scale = attention.scale_of(scale, q.shape[3])
    inputs = (dy, q, k, v, y, lse, mask, query_mask, key_mask, scores, dscores)
    dq, dk, dv = attention.gradients(inputs, dq=(dq, q), dk=(dk, k), dv=(dv, v))
    k, v = (attention.for_queries(a, q.shape[2]) for a in (k, v))
    with np.errstate(all="ignore"):
        s = scale * np.einsum("binh,bjnh->bnij", q, k)
        w = np.where(seen & (lse != -np.inf)[..., None], np.exp(s - lse[..., None]), 0)
        dw = factors * np.einsum("binv,bjnv->bnij", dy, v)
        dot = np.einsum("binv,binv->bni", dy, y)
        if dscores is not None:
            dw, dot = dw + dscores, dot + (scores * dscores).sum(axis=-1)
        ds = w * (dw - dot[..., None])
        dq[...] = scale * np.einsum("bnij,bjnh->binh", ds, k)
        dk[...] = scale * attention.for_keys(np.einsum("bnij,binh->bjnh", ds, q), dk.shape[2])
        dv[...] = attention.for_keys(np.einsum("bnij,binv->bjnv", w * factors, dy), dv.shape[2])
    return dq, dk, dv


def additive_attention_forward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    w: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    query_mask: np.ndarray | None = None,
    key_mask: np.ndarray | None = None,
    causal: bool = False,
    rate: float = 0.0,
    key: int = 0,
    call: int = 0,
    *,
    y: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
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
    >>> additive_attention_forward([[[0.0]]], [[[20.0], [-20.0]]], [[[5.0], [1.0]]], [np.log(3) / 2])
    (array([[[4.]]]), array([[[0.75, 0.25]]]))
    """
    checks.distinct(y=y, weights=weights)
    q, k, v, w = checks.reals(q=(q, 3), k=(k, 3), v=(v, 3), w=(w, 1))
    sizes = attention.check_additive(q, k, v, w)
    seen = attention.visible(sizes, mask, query_mask, key_mask, causal, None)
    factors = attention.factors(sizes, rate, key, call, q.dtype)
    inputs = [a for a in (q, k, v, w, mask, query_mask, key_mask) if isinstance(a, np.ndarray)]
    y = checks.result("y", y, (*q.shape[:2], v.shape[2]), q.dtype, *inputs)
    weights = checks.result("weights", weights, (*q.shape[:2], k.shape[1]), q.dtype, *inputs)
    with np.errstate(all="ignore"):
        t = np.tanh(q[:, :, None] + k[:, None])
        p, _ = attention.softmax((t if w is None else t * w).sum(axis=-1)[:, None], seen)
        weights[...] = p[:, 0]
        y[...] = (p * factors)[:, 0] @ v
    return y, weights


def additive_attention_backward(
    dy: np.ndarray,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    weights: np.ndarray,
    w: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    query_mask: np.ndarray | None = None,
    key_mask: np.ndarray | None = None,
    causal: bool = False,
    rate: float = 0.0,
    key: int = 0,
    call: int = 0,
    *,
    dweights: np.ndarray | None = None,
    need_dw: bool = True,
    dq: np.ndarray | None = None,
    dk: np.ndarray | None = None,
    dv: np.ndarray | None = None,
    dw: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
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
    >>> q, k, v, w = np.zeros((1, 1, 1)), np.array([[[20.0], [-20.0]]]), np.array([[[5.0], [1.0]]]), np.log([3]) / 2
    >>> _, weights = additive_attention_forward(q, k, v, w)
    >>> *_, dv, dw = additive_attention_backward(np.ones((1, 1, 1)), q, k, v, weights, w)
    >>> dv.ravel(), dw
    (array([0.75, 0.25]), array([1.5]))
    """
    checks.distinct(dq=dq, dk=dk, dv=dv, dw=dw)
    dy, q, k, v, weights, w, dweights = checks.reals(
        dy=(dy, 3), q=(q, 3), k=(k, 3), v=(v, 3), weights=(weights, 3), w=(w, 1), dweights=(dweights, 3)
    )
    sizes, inputs = (
        attention.check_additive(q, k, v, w),
        (dy, q, k, v, weights, w, mask, query_mask, key_mask, dweights),
    )
    checks.shape("dy", dy, (*q.shape[:2], v.shape[2]), "(B, Tq, V)")
    for name, array in (("weights", weights), ("dweights", dweights)):
        if array is not None:
            checks.shape(name, array, (*q.shape[:2], k.shape[1]), "(B, Tq, Tk)")
    seen = attention.visible(sizes, mask, query_mask, key_mask, causal, None)[:, 0]
    factors = np.broadcast_to(attention.factors(sizes, rate, key, call, q.dtype), sizes)[:, 0]
    dq, dk, dv = attention.gradients(inputs, dq=(dq, q), dk=(dk, k), dv=(dv, v))
    (dw,) = attention.gradients(inputs, dw=(dw, np.empty(q.shape[2], q.dtype))) if need_dw else (None,)
    with np.errstate(all="ignore"):
        p = np.where(seen, weights, 0)
        dv[...] = np.swapaxes(p * factors, 1, 2) @ dy
        dp = factors * (dy @ np.swapaxes(v, 1, 2)) + (0 if dweights is None else dweights)
        ds = (p * (dp - (p * dp).sum(axis=-1, keepdims=True)))[..., None]
        t = np.tanh(q[:, :, None] + k[:, None])
        through = ds * (1 - t * t) * (1 if w is None else w)
        dq[...], dk[...] = through.sum(axis=2), through.sum(axis=1)
        if dw is not None:
            dw[...] = (ds * t).sum(axis=(0, 1, 2))
    return dq, dk, dv, dw


def self_attention_forward(
    x: np.ndarray, *, y: np.ndarray | None = None, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
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
    >>> y, weights = self_attention_forward(np.array([[[0.0], [np.sqrt(np.log(3))]]]))
    >>> weights
    array([[[0.5 , 0.5 ],
            [0.25, 0.75]]])
    """
    checks.distinct(y=y, weights=weights)
    x = checks.real("x", x, 3)
    checks.at_least_one("x", x, 1, 2)
    y = checks.result("y", y, x.shape, x.dtype, x)
    weights = checks.result("weights", weights, (*x.shape[:2], x.shape[1]), x.dtype, x)
    with np.errstate(all="ignore"):
        scores = x @ np.swapaxes(x, 1, 2)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights[...] = powers / powers.sum(axis=-1, keepdims=True)
        y[...] = weights @ x
    return y, weights


def self_attention_backward(
    dy: np.ndarray, x: np.ndarray, weights: np.ndarray, *, dx: np.ndarray | None = None
) -> np.ndarray:
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
    >>> x = np.array([[[0.0], [np.sqrt(np.log(3))]]])
    >>> y, weights = self_attention_forward(x)
    >>> self_attention_backward(np.ones((1, 2, 1)), x, weights).round(3).ravel()
    array([0.819, 1.662])
    """
    dy, x, weights = checks.reals(dy=(dy, 3), x=(x, 3), weights=(weights, 3))
    checks.at_least_one("x", x, 1, 2)
    checks.shape("dy", dy, x.shape, "(B, T, D)")
    checks.shape("weights", weights, (*x.shape[:2], x.shape[1]), "(B, T, T)")
    dx = checks.result("dx", dx, x.shape, x.dtype, dy, x, weights)
    with np.errstate(all="ignore"):
        dw = dy @ np.swapaxes(x, 1, 2)
        ds = weights * (dw - (weights * dw).sum(axis=-1, keepdims=True))
        dx[...] = np.swapaxes(weights, 1, 2) @ dy + (ds + np.swapaxes(ds, 1, 2)) @ x
    return dx
