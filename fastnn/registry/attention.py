"""Registry rows of the family attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastnn import reference
from fastnn.reference import _attention
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import nbytes, reals

# (B, Tq, Tk, N, K, H, V) and options:
# mask2, mask3, mask4 (of that rank), one (of one sequence or one head for all), empty (with rows without a True),
# q-mask, k-mask, causal, window, drop, scale, scores (asked for, with a gradient of their own).
SIZES = (
    ((2, 5, 7, 2, 2, 3, 4), ""),
    ((0, 3, 4, 2, 1, 3, 2), "q-mask k-mask"),
    ((2, 0, 3, 1, 1, 2, 2), "causal"),
    ((2, 3, 0, 1, 1, 2, 3), "drop scores"),
    ((1, 1, 1, 1, 1, 1, 1), "scores"),
    ((1, 7, 8, 1, 1, 9, 17), "causal scores"),
    ((3, 9, 17, 4, 2, 8, 7), "k-mask q-mask drop scores"),
    ((1, 31, 9, 6, 2, 17, 8), "mask2 scale"),
    ((2, 17, 31, 3, 1, 7, 5), "mask3 empty k-mask"),
    ((2, 8, 9, 2, 2, 31, 16), "mask4 empty scores drop"),
    ((2, 31, 31, 2, 1, 16, 16), "causal k-mask drop"),
    ((2, 13, 18, 2, 2, 5, 3), "mask4 one causal window empty"),
    ((3, 12, 7, 2, 2, 4, 9), "mask3 one q-mask scores"),
    ((1, 50, 130, 2, 2, 8, 33), "window drop"),
    ((1, 101, 103, 1, 1, 16, 9), "causal mask2 k-mask scores drop"),
    ((1, 60, 500, 2, 2, 3, 5), "k-mask scores"),  # keys in two parts, on the way back
    ((1, 420, 67, 1, 1, 65, 40), "causal q-mask"),  # several chunks of queries
)
BENCH = (
    ("32 x 100, 4 heads of 16", (32, 100, 100, 4, 4, 16, 16), ""),
    ("32 x 100, 4 heads of 16, padding", (32, 100, 100, 4, 4, 16, 16), "padding"),
    ("32 x 100, 4 heads of 16, dropout", (32, 100, 100, 4, 4, 16, 16), "drop"),
    ("8 x 512, 8 heads of 64, causal", (8, 512, 512, 8, 8, 64, 64), "causal"),
    ("8 x 512, 8 heads of 64", (8, 512, 512, 8, 8, 64, 64), ""),
    ("8 x 512, 8 heads of 64, mask", (8, 512, 512, 8, 8, 64, 64), "mask3"),
    ("1 x 2048, 4 heads of 64 on 2", (1, 2048, 2048, 4, 2, 64, 64), ""),
)
ADDITIVE = (
    ((2, 5, 7, 3, 4), "w"),
    ((0, 3, 4, 3, 2), "w"),
    ((2, 0, 3, 2, 2), ""),
    ((2, 3, 0, 2, 3), "w drop"),
    ((1, 1, 1, 1, 1), "w dweights"),
    ((3, 9, 17, 8, 7), "w k-mask q-mask drop dweights"),
    ((2, 17, 31, 7, 5), "mask3 empty"),
    ((1, 8, 9, 31, 17), "w mask2 causal dweights"),
    ((2, 31, 9, 17, 8), "w causal drop"),
)
ADDITIVE_BENCH = (("16 x 30 x 30, 64 units", (16, 30, 30, 64, 64), "w k-mask"),)
SELF = ((0, 3, 2), (1, 1, 1), (2, 7, 5), (3, 9, 8), (1, 17, 31), (2, 31, 9))
SELF_BENCH = ((32, 100, 64), (1, 512, 64))


class Drawn(NamedTuple):
    """The masks, and the other options, of a case."""

    mask: np.ndarray | None
    query_mask: np.ndarray | None
    key_mask: np.ndarray | None
    options: dict[str, Any]


def _mask(rng: np.random.Generator, shape: tuple[int, ...], words: list[str]) -> np.ndarray:
    mask = rng.random(shape) < 0.7
    if "empty" in words and mask.size:
        mask[..., ::3, :] = False
    return mask


def _sight(rng: np.random.Generator, sizes: tuple[int, ...], words: list[str]) -> Drawn:
    batch, queries, keys, heads = sizes
    one = "one" in words
    shapes = {
        "mask2": (queries, keys),
        "mask3": (1 if one else batch, queries, keys),
        "mask4": (batch, 1 if one else heads, queries, keys),
    }
    mask = next((_mask(rng, shape, words) for word, shape in shapes.items() if word in words), None)
    query_mask = rng.random((batch, queries)) < 0.6 if "q-mask" in words else None
    key_mask = rng.random((batch, keys)) < 0.6 if "k-mask" in words else None
    if "padding" in words:
        key_mask = np.arange(keys) < rng.integers(1, keys + 1, batch)[:, None]
        query_mask = key_mask if queries == keys else None
    options: dict[str, Any] = {"causal": True} if "causal" in words else {}
    if "window" in words:
        options["window"] = max(1, keys // 4)
    if "drop" in words:
        options |= {"rate": 0.25, "key": 2**40 + 7, "call": 2**33 + 5}
    return Drawn(mask, query_mask, key_mask, options)


def _arrays(rng, dtype, sizes, words) -> tuple:
    batch, queries, keys, heads, shared, depth, width = sizes
    q = reals(rng, (batch, queries, heads, depth), dtype, 2)
    k = reals(rng, (batch, keys, shared, depth), dtype)
    v = reals(rng, (batch, keys, shared, width), dtype)
    mask, query_mask, key_mask, options = _sight(rng, (batch, queries, keys, heads), words)
    if "scale" in words:
        options["scale"] = 0.3
    return (q, k, v, mask, query_mask, key_mask), options


def _forward(rng, dtype, sizes, words) -> Case:
    args, options = _arrays(rng, dtype, sizes, words)
    return Case(args, options | ({"need_scores": True} if "scores" in words else {}))


def _backward(rng, dtype, sizes, words) -> Case:
    (q, k, v, *masks), options = _arrays(rng, dtype, sizes, words)
    y, lse, scores = reference.attention_forward(q, k, v, *masks, **options, need_scores="scores" in words)
    if scores is not None:
        options |= {"scores": scores, "dscores": reals(rng, scores.shape, dtype)}
    return Case((reals(rng, y.shape, dtype), q, k, v, y, lse, *masks), options)


def _additive(rng, dtype, sizes, words) -> tuple:
    batch, queries, keys, depth, width = sizes
    q, k = reals(rng, (batch, queries, depth), dtype), reals(rng, (batch, keys, depth), dtype)
    v, w = reals(rng, (batch, keys, width), dtype), reals(rng, (depth,), dtype) if "w" in words else None
    mask, query_mask, key_mask, options = _sight(rng, (batch, queries, keys, 1), words)
    return q, k, v, w, (mask, query_mask, key_mask), options


def _additive_forward(rng, dtype, sizes, words) -> Case:
    q, k, v, w, masks, options = _additive(rng, dtype, sizes, words)
    return Case((q, k, v, w, *masks), options)


def _additive_backward(rng, dtype, sizes, words) -> Case:
    q, k, v, w, masks, options = _additive(rng, dtype, sizes, words)
    y, weights = reference.additive_attention_forward(q, k, v, w, *masks, **options)
    if "dweights" in words:
        options["dweights"] = reals(rng, weights.shape, dtype)
    return Case((reals(rng, y.shape, dtype), q, k, v, weights, w, *masks), options)


def _self_forward(rng, dtype, shape, words=()) -> Case:
    return Case((reals(rng, shape, dtype),))


def _self_backward(rng, dtype, shape, words=()) -> Case:
    x = reals(rng, shape, dtype)
    return Case((reals(rng, shape, dtype), x, reference.self_attention_forward(x)[1]))


# ---- tolerances: errors of scores, of weights, of sums ----


def _score_error(q: np.ndarray, k: np.ndarray, scale: float, lse: np.ndarray, eps: float) -> np.ndarray:
    """A score is a sum of H products, scaled before it: 2·(H + 4)·ε·Σ|q|·|k|. Its difference from lse, and lse, are
    rounded too, in units of ln 2: 4·ε·(|s| + |lse|)."""
    size = scale * np.einsum("binh,bjnh->bnij", np.abs(q), np.abs(_attention.for_queries(k, q.shape[2])))
    reach = np.where(np.isfinite(lse), np.abs(lse), 0)[..., None]
    return 2 * (q.shape[3] + 4) * eps * size + 4 * eps * (size + reach)


def _weight_error(w: np.ndarray, error: np.ndarray, eps: float) -> np.ndarray:
    """A weight e^s / Σ e^s follows its own score's error and the largest of its row, and adds the roundings of the
    exponential and of a sum of Tk powers. Weights below the normal range become 0."""
    seen = np.where(w > 0, error, 0)
    relative = error + seen.max(axis=-1, keepdims=True, initial=0) + 2 * (w.shape[-1] + 8) * eps
    return w * np.expm1(relative) + np.finfo(np.float32 if eps > 1e-10 else np.float64).tiny


_SIGHT = ("mask", "query_mask", "key_mask")


def _named(case: Case, at: int) -> dict[str, Any]:
    """The options of a case by name, the masks from position `at` on among them, defaults filled in."""
    defaults = dict.fromkeys((*_SIGHT, "scale", "window")) | {"causal": False, "rate": 0.0, "key": 0, "call": 0}
    given = {**dict(zip(_SIGHT, case.args[at:], strict=False)), **case.kwargs}
    return {name: given.get(name, value) for name, value in defaults.items()}


def _drop_factors(options: dict[str, Any], sizes: tuple[int, ...]) -> np.ndarray:
    rate, key, call = (options[name] for name in ("rate", "key", "call"))
    return np.broadcast_to(_attention.factors(sizes, rate, key, call, np.dtype(np.float64)), sizes)


def _parts(case: Case, at: int, q: np.ndarray, k: np.ndarray, lse: np.ndarray, eps: float) -> tuple:
    """Weights, their error, dropout's factors and the scale, in float64."""
    options = _named(case, at)
    scale = _attention.scale_of(options["scale"], q.shape[3])
    sight = {name: options[name] for name in (*_SIGHT, "scale", "causal", "window")}
    w: Any = reference.attention_forward(q, k, k, **sight, need_scores=True)[-1]
    return w, _weight_error(w, _score_error(q, k, scale, lse, eps), eps), _drop_factors(options, w.shape), scale


def _forward_tolerance(case, expected, eps):
    """y: the weights' errors times |v|, and 2·(Tk + 8)·ε of the sum itself, which the running maximum multiplies, with
    a rounding, at each tile. lse: the largest error of a score of its row, and of the logarithm."""
    q, k, v = case.args[:3]
    _, lse, scores = expected
    w, error, factors, scale = _parts(case, 3, q, k, lse, eps)
    values = np.abs(_attention.for_queries(v, q.shape[2]))
    sums = np.einsum("bnij,bjnv->binv", (error + 2 * (k.shape[1] + 8) * eps * w) * factors, values)
    row = np.where(w > 0, _score_error(q, k, scale, lse, eps), 0).max(axis=-1, initial=0)
    return (
        sums,
        row + 2 * (k.shape[1] + 8) * eps + 4 * eps * np.abs(np.where(lse == -np.inf, 0, lse)),
        None if scores is None else error,
    )


def _backward_tolerance(case, expected, eps):
    """ds = w·(dw − dot): both factors with their errors, w's as above, dw's and dot's those of sums of V (and Tk)
    products; then sums over keys, or over queries and the heads that share a key, with 2·(count + 8)·ε of those."""
    dy, q, k, v, y, lse = case.args[:6]
    scores, dscores = case.kwargs.get("scores"), case.kwargs.get("dscores")
    w, w_error, factors, scale = _parts(case, 6, q, k, lse, eps)
    values, keys = (np.abs(_attention.for_queries(a, q.shape[2])) for a in (v, k))
    size = factors * np.einsum("binv,bjnv->bnij", np.abs(dy), values)
    dot = np.einsum("binv,binv->bni", np.abs(dy), np.abs(y))[..., None]
    if dscores is not None:
        size, dot = size + np.abs(dscores), dot + (scores * np.abs(dscores)).sum(axis=-1, keepdims=True)
    width = 2 * (v.shape[3] + (w.shape[3] if dscores is not None else 0) + 8) * eps
    ds = w * (size + dot)
    ds_error = w_error * (size + dot) + width * ds
    many, few = 2 * (q.shape[1] * q.shape[2] + 8) * eps, 2 * (k.shape[1] + 8) * eps
    dq = scale * np.einsum("bnij,bjnh->binh", ds_error + few * ds, keys)
    dk = scale * np.einsum("bnij,binh->bjnh", ds_error + many * ds, np.abs(q))
    dv = np.einsum("bnij,binv->bjnv", (w_error + many * w) * factors, np.abs(dy))
    return dq, _attention.for_keys(dk, k.shape[2]), _attention.for_keys(dv, v.shape[2])


def _sums_error(q, k, w, eps) -> np.ndarray:
    """A tanh of a rounded argument is 5·ε off, a sum of D of them 2·(D + 4)·ε of Σ|w|: together 2·(D + 8)·ε of that."""
    total = q.shape[2] if w is None else np.abs(w).sum()
    return 2 * (q.shape[2] + 8) * eps * np.full((*q.shape[:2], k.shape[1]), float(total))


def _additive_forward_tolerance(case, expected, eps):
    """As for attention, with the errors of sums of tanh."""
    q, k, v, w, *_ = case.args
    _, weights = expected
    error = _weight_error(weights, _sums_error(q, k, w, eps), eps)
    factors = _drop_factors(_named(case, 4), (len(q), 1, *weights.shape[1:]))[:, 0]
    return ((error + 2 * (k.shape[1] + 8) * eps * weights) * factors) @ np.abs(v), error


def _additive_backward_tolerance(case, expected, eps):
    """Weights are given. ds is 2·(V + Tk + 8)·ε of its magnitudes off, each slope 1 − t² by 12·ε, and the sums by as
    many roundings as they have terms."""
    dy, q, k, v, weights, w, *_ = case.args
    factors = _drop_factors(_named(case, 6), (len(q), 1, *weights.shape[1:]))[:, 0]
    dweights = case.kwargs.get("dweights")
    dp = factors * (np.abs(dy) @ np.swapaxes(np.abs(v), 1, 2)) + (0 if dweights is None else np.abs(dweights))
    ds = weights * (dp + (weights * dp).sum(axis=-1, keepdims=True))
    terms = q.shape[0] * q.shape[1] * k.shape[1]
    each = 2 * (v.shape[2] + k.shape[1] + 8) * eps + 12 * eps
    slope = np.ones(q.shape[2]) if w is None else np.abs(w)
    dq = (each + 2 * k.shape[1] * eps) * ds.sum(axis=2)[..., None] * slope
    dk = (each + 2 * q.shape[1] * eps) * ds.sum(axis=1)[..., None] * slope
    dv = 2 * (q.shape[1] + 8) * eps * np.swapaxes(weights * factors, 1, 2) @ np.abs(dy)
    dw = None if expected[3] is None else np.full(q.shape[2], (each + 2 * terms * eps) * ds.sum())
    return dq, dk, dv, dw


def _self_weights_error(x, weights, eps) -> np.ndarray:
    size = np.abs(x) @ np.swapaxes(np.abs(x), 1, 2)
    return _weight_error(weights, 2 * (x.shape[2] + 4) * eps * size, eps)


def _self_forward_tolerance(case, expected, eps):
    """As for attention: scores are sums of D products, y of T."""
    (x,) = case.args
    _, weights = expected
    error = _self_weights_error(x, weights, eps)
    return (error + 2 * (x.shape[1] + 8) * eps * weights) @ np.abs(x), error


def _self_backward_tolerance(case, expected, eps):
    """Three sums of T products of numbers that are themselves sums of D, with the mean of T."""
    dy, x, weights = (np.abs(a) for a in case.args)
    dw = dy @ np.swapaxes(x, 1, 2)
    ds = weights * (dw + (weights * dw).sum(axis=-1, keepdims=True))
    size = np.swapaxes(weights, 1, 2) @ dy + (ds + np.swapaxes(ds, 1, 2)) @ x
    return (2 * (2 * x.shape[1] + x.shape[2] + 16) * eps * size,)


# ---- rows ----


def _pairs(q: np.ndarray, k: np.ndarray) -> int:
    return q.shape[0] * q.shape[2] * q.shape[1] * k.shape[1]


def _draws(make, sizes):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for size, words in sizes:
            yield make(rng, dtype, size, words.split())

    return cases


def _bench(make, sizes):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, size, words in sizes:
            yield label, make(rng, dtype, size, words.split())

    return bench


_SELF = tuple((shape, "") for shape in SELF)
_SELF_BENCH = tuple((" x ".join(map(str, shape)), shape, "") for shape in SELF_BENCH)

KERNELS = (
    Kernel(
        "attention_forward",
        "attention",
        cases=_draws(_forward, SIZES),
        bench=_bench(_forward, BENCH),
        tolerance=_forward_tolerance,
        flops=lambda q, k, v, *rest, **options: 2 * _pairs(q, k) * (q.shape[3] + v.shape[3]),
        bytes=lambda q, k, v, *rest, **options: nbytes(q, k, v) + q[..., 0].size * v.shape[3] * v.itemsize,
        results=("y", "lse", "scores"),
        nan=(0, 1),
    ),
    Kernel(
        "attention_backward",
        "attention",
        cases=_draws(_backward, SIZES),
        bench=_bench(_backward, BENCH),
        tolerance=_backward_tolerance,
        flops=lambda dy, q, k, v, *rest, **options: 2 * _pairs(q, k) * (3 * q.shape[3] + 2 * v.shape[3]),
        bytes=lambda dy, q, k, v, y, *rest, **options: nbytes(dy, q, k, v, y, q, k, v),
        results=("dq", "dk", "dv"),
        nan=(),
    ),
    Kernel(
        "additive_attention_forward",
        "attention",
        cases=_draws(_additive_forward, ADDITIVE),
        bench=_bench(_additive_forward, ADDITIVE_BENCH),
        tolerance=_additive_forward_tolerance,
        flops=lambda q, k, v, *rest, **options: q[..., 0].size * k.shape[1] * (30 * q.shape[2] + 2 * v.shape[2]),
        bytes=lambda q, k, v, *rest, **options: (
            nbytes(q, k, v) + q[..., 0].size * (v.shape[2] + k.shape[1]) * v.itemsize
        ),
        results=("y", "weights"),
    ),
    Kernel(
        "additive_attention_backward",
        "attention",
        cases=_draws(_additive_backward, ADDITIVE),
        bench=_bench(_additive_backward, ADDITIVE_BENCH),
        tolerance=_additive_backward_tolerance,
        flops=lambda dy, q, k, v, *rest, **options: q[..., 0].size * k.shape[1] * (64 * q.shape[2] + 4 * v.shape[2]),
        bytes=lambda dy, q, k, v, weights, *rest, **options: nbytes(dy, q, k, v, weights, q, k, v),
        results=("dq", "dk", "dv", "dw"),
        nan=(),
    ),
    Kernel(
        "self_attention_forward",
        "attention",
        cases=_draws(_self_forward, _SELF),
        bench=_bench(_self_forward, _SELF_BENCH),
        tolerance=_self_forward_tolerance,
        flops=lambda x: 4 * x.size * x.shape[1],
        bytes=lambda x: 2 * nbytes(x) + x[..., 0].size * x.shape[1] * x.itemsize,
        results=("y", "weights"),
    ),
    Kernel(
        "self_attention_backward",
        "attention",
        cases=_draws(_self_backward, _SELF),
        bench=_bench(_self_backward, _SELF_BENCH),
        tolerance=_self_backward_tolerance,
        flops=lambda dy, x, weights: 8 * x.size * x.shape[1],
        bytes=lambda dy, x, weights: 3 * nbytes(x) + nbytes(weights),
        results=("dx",),
    ),
)
