"""A layer called on symbols: it is built for their shapes, and a node is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Cast, Operation, Symbol, as_symbol, is_tracing, record, refuse_texts

__all__ = ["ActivityPenalty", "record_call", "shapes_on_the_way"]


def record_call(layer: Any, x: Any, training: bool | None, mask: Any, options: dict[str, Any]) -> Any:
    """The symbol of the output of ``layer`` for symbols, or a list where it gives several.

    Raises
    ------
    ValueError
        If the layer cannot take the shapes; the message draws the shapes that led there.
    """
    several = layer.is_several(x)
    symbols = [as_symbol(one, layer.dtype) for one in (x if several else [x])]
    refuse_texts(layer, symbols)
    if layer.casts_inputs and not layer.takes_ids:
        symbols = [_as_real(symbol, layer.dtype) for symbol in symbols]
    if not layer._traced and any(not symbol.shape for symbol in symbols):
        layer.refuse_shape("inputs whose first axis is the batch", ())
    shapes = [symbol.shape if getattr(layer, "stateful", False) else open_batch(symbol.shape) for symbol in symbols]
    try:
        single = len(shapes) == 1 and (layer._traced or not several)
        shape = layer.ensure_built(shapes[0] if single else shapes, **options)
    except ValueError as error:
        raise type(error)(f"{error} {shapes_on_the_way(symbols)}") from error
    shape = [_like_batch(one, symbols) for one in shape] if isinstance(shape, list) else _like_batch(shape, symbols)
    masks = None
    if mask is not None:
        given = mask if isinstance(mask, (list, tuple)) else [mask]
        masks = [None if one is None else _as_mask(as_symbol(one)) for one in given]
        masks += [None] * (len(symbols) - len(masks))
    if training is not None:
        options = {**options, "training": bool(training)}
    output = record(layer, symbols, shape, layer.output_dtype([s.dtype for s in symbols]), options, masks)
    if not is_tracing():
        layer._nodes.append((output[0] if isinstance(output, list) else output).node)
    if layer.activity_regularizer is not None:
        first, *rest = output if isinstance(output, list) else [output]  # the output, and final states
        first = record(ActivityPenalty(layer.activity_regularizer), [first], first.shape, first.dtype)
        return [first, *rest] if isinstance(output, list) else first
    return output


class ActivityPenalty(Operation):
    """``activity_regularizer`` of a layer: passes its output on, and adds the penalty, divided by the batch size."""

    name = "activity_penalty"
    supports_masking = True
    penalizes = True
    follows = True

    def __init__(self, regularizer: Any):
        self.regularizer = regularizer

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return mask

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return x, (x, float(self.regularizer(x)) / max(len(x), 1))

    def penalty_of(self, ctx: Any) -> float:
        """What it adds to the loss."""
        return ctx[1]

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray:
        slope = self.regularizer.gradient(ctx[0]) * ctx[0].dtype.type(1 / max(len(ctx[0]), 1))
        return slope if dy is None else dy + slope


def open_batch(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape with any number of examples."""
    return (None, *shape[1:]) if shape else shape


def _like_batch(shape: tuple[int | None, ...], symbols: Sequence[Symbol]) -> tuple[int | None, ...]:
    """An output shape with the size of the batch of the inputs, where that is known."""
    batch = symbols[0].shape[0] if symbols and symbols[0].shape else None
    return (batch, *shape[1:]) if shape and shape[0] is None else shape


def _as_mask(symbol: Symbol) -> Symbol:
    """The same as bool, as layers want masks; inputs of a model arrive as numbers, and all but 0 count."""
    return symbol if symbol.dtype == "bool" else record(Cast("bool"), [symbol], symbol.shape, "bool")


def _as_real(symbol: Symbol, dtype: str) -> Symbol:
    if symbol.dtype in ("float32", "float64", "string"):
        return symbol
    return record(Cast(dtype), [symbol], symbol.shape, dtype)


def shapes_on_the_way(symbols: Sequence[Symbol]) -> str:
    """The chain of shapes that led to each symbol, for error messages."""
    lines = []
    for symbol in symbols:
        steps, at = [], symbol
        while True:
            steps.append(f"{at.name} {at.shape}")
            if not at.node.inputs or len(steps) > 20:
                break
            at = at.node.inputs[0]
        lines.append(" → ".join(reversed(steps)))
    return f"The shapes that led here: {'; '.join(lines)}."
