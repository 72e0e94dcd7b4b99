"""Dense, EinsumDense, embeddings, positions, and layers that leave values as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....layers import (
    Dense,
    EinsumDense,
    Embedding,
    Identity,
    InputLayer,
    Layer,
    Masking,
    Normalization,
    PositionEmbedding,
    Rescaling,
    SinePositionEncoding,
    TokenAndPositionEmbedding,
)
from .activations import activated
from .table import Call, converts, masks
from .value import Value
from .writer import Writer

__all__ = ["any_of", "einsum_dense"]


@masks(Layer)
def same_mask(w: Writer, layer: Any, call: Call) -> Value | None:
    """The rule of a layer that says no more: the mask of the input, if it passes masks on."""
    return call.mask if layer.supports_masking else None


@converts(Identity, InputLayer)
def identity(w: Writer, layer: Any, call: Call) -> Value:
    return call.x


@converts(Rescaling)
def rescaling(w: Writer, layer: Rescaling, call: Call) -> Value:
    scale, offset = (w.constant(np.asarray(numbers, call.x.dtype)) for numbers in (layer.scale, layer.offset))
    return w.add("Add", w.add("Mul", call.x, scale), offset)


@converts(Normalization)
def normalization(w: Writer, layer: Normalization, call: Call) -> Value:
    deviation = np.maximum(np.sqrt(layer.variance), np.asarray(1e-7, call.x.dtype))
    mean, scale = w.constant(layer.mean.astype(call.x.dtype)), w.constant(deviation.astype(call.x.dtype))
    if layer.invert:
        return w.add("Add", w.add("Mul", call.x, scale), mean)
    return w.add("Div", w.add("Sub", call.x, mean), scale)


@converts(Dense)
def dense(w: Writer, layer: Dense, call: Call) -> Value:
    y = w.matmul(call.x, w.weight(layer.kernel))
    if layer.bias is not None:
        y = w.add("Add", y, w.weight(layer.bias))
    return activated(w, y, layer.rule.activation)


@converts(EinsumDense)
def einsum_dense(w: Writer, layer: EinsumDense, call: Call) -> Value:
    """A matrix product if the axes are in the right order; else ONNX's Einsum."""
    found = layer._read(call.x.shape)
    kernel = layer.kernel.value
    if found.x == found.rows + found.inner and found.w == found.inner + found.columns:
        matrix = w.constant(kernel.reshape(found.inner_size, -1))
        rows = w.sizes(call.x)[: len(found.rows)]
        x = call.x if len(found.inner) == 1 else w.reshape(call.x, [*rows, found.inner_size])
        y = w.matmul(x, matrix)
        if found.y != found.rows + found.columns or len(found.columns) != 1:
            y = w.reshape(y, [*rows, *kernel.shape[len(found.inner) :]])
            spelled = found.rows + found.columns
            y = w.transpose(y, [spelled.index(c) for c in found.y])
    else:
        shape = tuple(found.sizes[c] for c in found.y)
        y = w.add("Einsum", call.x, w.constant(kernel), shape=shape, equation=f"{found.x},{found.w}->{found.y}")
    if layer.bias is not None:
        y = w.add("Add", y, w.weight(layer.bias))
    return activated(w, y, layer.rule.activation)


@converts(Embedding)
def embedding(w: Writer, layer: Embedding, call: Call) -> Value:
    ids = w.cast(call.x, "int64")
    table = w.weight(layer.embeddings)
    return w.add("Gather", table, ids, shape=(*ids.shape, layer.output_dim), axis=0)


@masks(Embedding, TokenAndPositionEmbedding)
def embedding_mask(w: Writer, layer: Any, call: Call) -> Value | None:
    return w.add("Not", w.add("Equal", w.cast(call.x, "int64"), 0)) if layer.mask_zero else None


@converts(PositionEmbedding)
def position_embedding(w: Writer, layer: PositionEmbedding, call: Call) -> Value:
    return _rows_like(w, layer.position_embeddings.value, call.x, call.options.get("start_index", 0))


@converts(TokenAndPositionEmbedding)
def token_and_position_embedding(w: Writer, layer: TokenAndPositionEmbedding, call: Call) -> Value:
    (tokens,) = call.apply(layer.token_embedding, [call.x])
    places = layer.position_embedding.position_embeddings.value
    return w.add("Add", tokens, _rows(w, places, tokens, call.options.get("start_index", 0)))


@converts(SinePositionEncoding)
def sine_position_encoding(w: Writer, layer: SinePositionEncoding, call: Call) -> Value:
    """A table where the number of steps is known; else sines and cosines of the places."""
    x, start = call.x, call.options.get("start_index", 0)
    steps, features = x.shape[-2], x.shape[-1] or 0
    if steps is not None:
        return _rows_like(w, layer._waves(start + steps, features), x, start)
    even = np.arange(features) // 2 * 2
    waves = np.float64(layer.max_wavelength) ** (-even / features)
    places = w.cast(w.add("Add", w.arange(w.sizes(x)[-2]), start), "float64")
    angles = w.add("Mul", w.expand_dims(places, 1), w.constant(waves))
    shifted = w.add("Sub", angles, w.constant(np.where(np.arange(features) % 2, -np.pi / 2, 0.0)))  # cos is sin, later
    return w.expand(w.cast(_sine(w, shifted), x.dtype), w.sizes(x))


def _sine(w: Writer, angles: Value) -> Value:
    """The sine, of an angle brought within a turn in float64 first: float32 would lose the places of long sequences."""
    turns = w.add("Floor", w.add("Div", angles, 2 * np.pi))
    within = w.add("Sub", angles, w.add("Mul", turns, 2 * np.pi))
    return w.add("Sin", w.cast(within, "float32"))


def _rows(w: Writer, table: np.ndarray, x: Value, start: int) -> Value:
    """The rows of a table for the time steps of x."""
    steps = x.shape[-2]
    if steps is not None:
        return w.constant(table[start : start + steps])
    places = w.add("Add", w.arange(w.sizes(x)[-2]), start)
    return w.add("Gather", w.constant(table), places, shape=(None, table.shape[1]), axis=0)


def _rows_like(w: Writer, table: np.ndarray, x: Value, start: int) -> Value:
    return w.expand(_rows(w, table, x, start), w.sizes(x))


@converts(Masking)
def masking(w: Writer, layer: Masking, call: Call) -> Value:
    return w.where(w.expand_dims(counting_steps(w, layer, call), -1), call.x, 0.0, call.x.dtype)


@masks(Masking)
def counting_steps(w: Writer, layer: Masking, call: Call) -> Value:
    differs = w.add("Not", w.add("Equal", call.x, layer.mask_value))
    return any_of(w, differs, [-1])


def any_of(w: Writer, truth: Value, axes: list[int]) -> Value:
    """Whether a value along these axes is true."""
    return w.cast(w.reduce("ReduceMax", w.cast(truth, "float32"), axes), "bool")
