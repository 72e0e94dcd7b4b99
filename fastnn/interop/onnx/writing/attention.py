"""Attention: products of queries and keys, softmax, products with values.  What a mask hides has the weight 0."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from ....layers import AdditiveAttention, Attention, GroupQueryAttention, MultiHeadAttention
from ....layers.attention.axes import AttentionAxes
from ....layers.attention.heads import spread
from .table import Call, converts, masks
from .value import Size, Value
from .writer import Writer

__all__: list[str] = []

_NEVER = -1e9


def _weights(w: Writer, scores: Value, seen: Value | None) -> Value:
    """Softmax over the keys that are seen; a query that sees none has no weights."""
    if seen is None:
        return w.softmax(scores)
    hidden = w.softmax(w.where(seen, scores, _NEVER, scores.dtype))
    return w.where(seen, hidden, 0.0, scores.dtype)


def _both(w: Writer, truths: Sequence[Value | None]) -> Value | None:
    """Where all of them hold; None holds everywhere."""
    given = [one for one in truths if one is not None]
    return functools.reduce(lambda a, b: w.add("And", a, b), given) if given else None


def _pairs_in_order(w: Writer, queries: int | Size, keys: int | Size, causal: bool, window: int | None) -> Value | None:
    """(Tq, Tk): which keys a query sees by their places."""
    if not causal and window is None:
        return None
    i, j = w.expand_dims(w.arange(queries), 1), w.arange(keys)
    seen = [w.add("LessOrEqual", j, i)] if causal else []
    if window is not None:
        seen += [w.add("Less", w.add("Sub", i, j), window), w.add("Less", w.add("Sub", j, i), window)]
    return _both(w, seen)


@masks(Attention, MultiHeadAttention, GroupQueryAttention)
def query_mask(w: Writer, layer: Any, call: Call) -> Value | None:
    return call.mask


# One head, without projections.


@converts(Attention)
def attention(w: Writer, layer: Attention, call: Call) -> Any:
    query, _, key = spread(call.inputs)
    if layer.score_mode == "concat":
        if layer.scale is not None:
            query, key = (w.add("Mul", one, w.weight(layer.scale)) for one in (query, key))
        return _one_head(w, call, _additive(w, query, key, w.weight(layer.concat_score_weight)))
    if layer.scale is not None:
        query = w.add("Mul", query, w.weight(layer.scale))
    return _one_head(w, call, w.matmul(query, w.transpose(key, (0, 2, 1))))


@converts(AdditiveAttention)
def additive_attention(w: Writer, layer: AdditiveAttention, call: Call) -> Any:
    query, _, key = spread(call.inputs)
    return _one_head(w, call, _additive(w, query, key, None if layer.scale is None else w.weight(layer.scale)))


def _additive(w: Writer, query: Value, key: Value, scale: Value | None) -> Value:
    terms = w.add("Tanh", w.add("Add", w.expand_dims(query, 2), w.expand_dims(key, 1)))
    return w.reduce("ReduceSum", terms if scale is None else w.add("Mul", terms, scale), [3])


def _one_head(w: Writer, call: Call, scores: Value) -> Any:
    query, value, _ = spread(call.inputs)
    of_query, of_value = ([*call.masks, None, None])[:2]
    seen = _both(
        w,
        [
            None if of_query is None else w.expand_dims(of_query, 2),
            None if of_value is None else w.expand_dims(of_value, 1),
            _pairs_in_order(w, w.sizes(query)[1], w.sizes(value)[1], call.options.get("use_causal_mask", False), None),
        ],
    )
    weights = _weights(w, scores, seen)
    y = w.matmul(weights, value)
    return [y, weights] if call.options.get("return_attention_scores") else y


# Several heads.


@converts(MultiHeadAttention, GroupQueryAttention)
def heads_attention(w: Writer, layer: Any, call: Call) -> Any:
    """Projections into heads, attention in each, and a projection of what comes out."""
    query, value, key = spread(call.inputs)
    axes: AttentionAxes = layer.axes
    queries, keys = w.sizes(query), w.sizes(key)
    q, k, v = (
        _folded(w, axes, call.apply(dense, [x])[0])
        for dense, x in zip((layer.query_dense, layer.key_dense, layer.value_dense), (query, key, value), strict=True)
    )
    shared = layer.sizes.query_heads // layer.sizes.key_heads
    k, v = (_repeated(w, one, shared) for one in (k, v))
    scale = layer.sizes.key_depth**-0.5
    scores = w.add("Mul", w.matmul(w.transpose(q, (0, 2, 1, 3)), w.transpose(k, (0, 2, 3, 1))), scale)
    weights = _weights(w, scores, _sight(w, layer, call, query, key, q, k))
    folded = w.transpose(w.matmul(weights, w.transpose(v, (0, 2, 1, 3))), (0, 2, 1, 3))
    heads = _unfolded(w, axes, folded, queries)
    if layer.use_gate:
        heads = w.add("Mul", heads, call.apply(layer.gate_dense, [query])[0])
    (y,) = call.apply(layer.output_dense, [heads])
    if not call.options.get("return_attention_scores"):
        return y
    outer = [queries[0], *(queries[axis] for axis in axes.apart)]
    if len(call.shapes[1]) == 4:
        return [y, weights]
    steps = [*(queries[axis] for axis in axes.attended), *(keys[axis] for axis in axes.attended)]
    return [y, w.reshape(weights, [*outer, layer.sizes.query_heads, *steps])]


def _folded(w: Writer, axes: AttentionAxes, x: Value) -> Value:
    """(batch, …, heads, depth) as (batch', steps, heads, depth)."""
    if x.rank == 4 and axes.in_order:
        return x
    moved = w.transpose(x, axes._order)
    sizes = w.sizes(moved)
    steps = sizes[1 + len(axes.apart) : -2]
    return w.reshape(moved, [-1, _product(w, x, steps), *sizes[-2:]])


def _product(w: Writer, x: Value, sizes: Sequence[int | Size]) -> int | Size:
    """How many cells axes have together."""
    if len(sizes) == 1:
        return sizes[0]
    if all(isinstance(n, int) for n in sizes):
        return math.prod(n for n in sizes if isinstance(n, int))
    raise NotImplementedError(
        f"Attention over several axes is written as ONNX where their sizes are known. Received: a shape {x.shape}. "
        "Use export_onnx(..., input_shape=...) with known sizes."
    )


def _unfolded(w: Writer, axes: AttentionAxes, y: Value, sizes: Sequence[int | Size]) -> Value:
    """The same the other way round, for the axes between of an input of these sizes."""
    if len(sizes) == 3 and axes.in_order:
        return y
    order = axes._order
    spread_out = w.reshape(y, [*(sizes[axis] for axis in order[:-2]), *w.sizes(y)[-2:]])
    return w.transpose(spread_out, axes._back)


def _repeated(w: Writer, x: Value, times: int) -> Value:
    """Each head of (batch, steps, heads, depth) as often as queries share it."""
    if times == 1:
        return x
    sizes = w.sizes(x)
    wide = w.expand(w.expand_dims(x, 3), [1, 1, 1, times, 1])
    return w.reshape(wide, [*sizes[:2], (x.shape[2] or 1) * times, sizes[3]])


def _sight(w: Writer, layer: Any, call: Call, query: Value, key: Value, q: Value, k: Value) -> Value | None:
    """(batch, heads, Tq, Tk), any of them 1: what the masks of a call let a query see."""
    given, inputs = [*call.masks], len(call.inputs)
    given += [None] * (inputs + 1 - len(given))
    seen: list[Value | None] = []
    if query.rank == 3:
        of_query = given[0]
        of_keys = given[0] if inputs == 1 else _both(w, given[1:inputs])
        seen = [
            None if of_query is None else w.expand_dims(of_query, 1, 3),
            None if of_keys is None else w.expand_dims(of_keys, 1, 2),
        ]
    pairs = given[inputs]
    if pairs is not None:
        seen.append(_pairs(w, pairs, query, key))
    causal = call.options.get("use_causal_mask", False)
    seen.append(_pairs_in_order(w, w.sizes(q)[1], w.sizes(k)[1], causal, layer.sliding_window))
    return _both(w, seen)


def _pairs(w: Writer, mask: Value, query: Value, key: Value) -> Value:
    """An ``attention_mask`` with an axis for the heads."""
    if query.rank > 3:
        raise NotImplementedError(
            "An attention_mask is written as ONNX for inputs (batch, time, features). Received: a query of shape "
            f"{query.shape}. Use Reshape to bring the axes that are attended over into one."
        )
    mask = w.cast(mask, "bool")
    return mask if mask.rank != 3 else w.expand_dims(mask, 1)
