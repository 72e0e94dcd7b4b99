"""What the twins of attention share: which query sees which key, the softmax over those, dropout, heads, shapes."""

from __future__ import annotations

import numpy as np

from fastnn import checks
from fastnn.reference.dropout import random_bits


def visible(
    sizes: tuple[int, int, int, int],
    mask: np.ndarray | None,
    query_mask: np.ndarray | None,
    key_mask: np.ndarray | None,
    causal: bool,
    window: int | None,
) -> np.ndarray:
    """Which query sees which key, (B, N, Tq, Tk) of bool: everything that is given has to agree."""
    batch, heads, queries, keys = sizes
    i, j = np.arange(queries)[:, None], np.arange(keys)
    seen = np.ones(sizes, bool)
    if mask is not None:
        mask = checks.attention_mask(mask, batch, heads, queries, keys)
        seen &= mask[:, None] if mask.ndim == 3 else mask
    if query_mask is not None:
        seen &= checks.mask("query_mask", query_mask, (batch, queries))[:, None, :, None]
    if key_mask is not None:
        seen &= checks.mask("key_mask", key_mask, (batch, keys))[:, None, None, :]
    if causal:
        seen &= j <= i
    if window is not None:
        seen &= abs(i - j) < checks.window(window)
    return seen


def softmax(scores: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights e^(s − lse) and lse = ln Σ_j e^s over the keys seen; a row of none has weights 0 and lse −∞."""
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    top = np.where(top == -np.inf, 0, top)
    powers = np.exp(scores - top)
    total = powers.sum(axis=-1, keepdims=True)
    return np.where(seen & (total != 0), powers / total, 0), (top + np.log(total))[..., 0]


def factors(sizes: tuple[int, ...], rate: float, key: int, call: int, dtype: np.dtype) -> np.ndarray | float:
    """Dropout's factors of the weights, 1 / (1 − rate) or 0.

    A row r = (b, n, i) of Tk keys has whole blocks of four random words, S = 4·⌈Tk / 4⌉: key j has word r·S + j.
    """
    rate, key, call = checks.number("rate", rate, 0, 1), checks.word64("key", key), checks.word64("call", call)
    if rate == 0:
        return 1.0
    width = -(-sizes[3] // 4) * 4
    bits = random_bits(int(np.prod(sizes[:3])) * width, key, call).reshape(*sizes[:3], width)[..., : sizes[3]]
    return np.where(bits < (1 - rate) * 2.0**32, 1 / (1 - rate) if rate < 1 else 0, 0).astype(dtype)


def for_queries(a: np.ndarray, heads: int) -> np.ndarray:
    """(B, T, K, …) with each head repeated for the queries' heads that share it."""
    return np.repeat(a, heads // a.shape[2], axis=2)


def for_keys(a: np.ndarray, heads: int) -> np.ndarray:
    """The reverse, a sum: (B, T, N, …) → (B, T, K, …)."""
    return a.reshape(*a.shape[:2], heads, a.shape[2] // heads, a.shape[3]).sum(axis=3)


def check(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[int, int, int, int]:
    """Refuse what does not fit; returns (B, N, Tq, Tk), the sizes of all pairs."""
    (batch, _, heads, depth), (_, keys, shared, _) = q.shape, k.shape
    sizes_fit = k.shape == (batch, keys, shared, depth) and v.shape[:3] == k.shape[:3]
    if not sizes_fit or min(heads, shared, depth, v.shape[3]) < 1 or heads % shared:
        raise ValueError(
            "q is (B, Tq, N, H), k (B, Tk, K, H), v (B, Tk, K, V), and the heads of keys K divide those of queries N. "
            f"Received: q {q.shape}, k {k.shape}, v {v.shape}."
        )
    return batch, heads, q.shape[1], keys


def scale_of(scale: float | None, depth: int) -> float:
    """The factor of the scores, 1/√H if it is not given."""
    return depth**-0.5 if scale is None else checks.number("scale", scale)


def check_results(
    sizes: tuple[int, int, int, int],
    width: int,
    dy: np.ndarray,
    y: np.ndarray,
    lse: np.ndarray,
    scores: np.ndarray | None,
    dscores: np.ndarray | None,
) -> None:
    """Refuse results of the forward kernel and gradients of them that do not have their shapes."""
    batch, heads, queries, _ = sizes
    checks.shape("dy", dy, (batch, queries, heads, width), "(B, Tq, N, V)")
    checks.shape("y", y, (batch, queries, heads, width), "(B, Tq, N, V)")
    checks.shape("lse", lse, sizes[:3], "(B, N, Tq)")
    if dscores is None:
        return
    if scores is None:
        raise ValueError(
            "The gradient dscores goes with the scores of attention_forward. Received: scores=None. "
            "Use attention_forward(…, need_scores=True)."
        )
    checks.shape("scores", scores, sizes, "(B, N, Tq, Tk)")
    checks.shape("dscores", dscores, sizes, "(B, N, Tq, Tk)")


def check_additive(q: np.ndarray, k: np.ndarray, v: np.ndarray, w: np.ndarray | None) -> tuple[int, int, int, int]:
    """The same for additive scores, of one head."""
    sizes_fit = (len(q), q.shape[2]) == (len(k), k.shape[2]) and k.shape[:2] == v.shape[:2]
    if not sizes_fit or min(q.shape[2], v.shape[2]) < 1:
        raise ValueError(
            f"q is (B, Tq, D), k (B, Tk, D), v (B, Tk, V). Received: q {q.shape}, k {k.shape}, v {v.shape}."
        )
    if w is not None:
        checks.shape("w", w, (q.shape[2],), "(D,)")
    return len(q), 1, q.shape[1], k.shape[1]


def gradients(inputs: tuple, **wanted: tuple) -> list[np.ndarray]:
    """Arrays for the gradients, each ``name=(given, what it is the gradient of)``."""
    apart = [a for a in inputs if isinstance(a, np.ndarray)]
    return [checks.result(name, given, a.shape, a.dtype, *apart) for name, (given, a) in wanted.items()]
