"""Calls of layers in a functional model, in Keras' words: which argument is which."""

from __future__ import annotations

from typing import Any

from ...graph import Node, Symbol, pack
from ...layers.attention.attention import Attention
from ...layers.attention.heads import HeadsAttention
from ...layers.base import Layer
from ...layers.recurrent.recurrent_layer import RecurrentLayer
from ...layers.support.traced_call import arguments_of, plain_template
from .names import TAKES_MASK

__all__ = ["call_layer", "call_of"]


def call_layer(layer: Any, arguments: list[Any], options: dict[str, Any], where: str) -> Any:
    """What a layer or operation gives for these arguments, which hold symbols.

    ``training`` is left out: Keras writes it into every call of a layer that knows it, and lets the call of the model
    decide.

    Raises
    ------
    ValueError
        If the layer cannot be called so.
    """
    named = {name: value for name, value in options.items() if name != "training" and value is not None}
    if not isinstance(layer, Layer):
        return layer(*arguments, **named)
    try:
        return layer(*arguments, **named)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"{where} cannot be called as the file specifies. {error}") from error


def call_of(node: Node, reference: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call in Keras' words, with ``reference(symbol)`` for each symbol.

    Raises
    ------
    ValueError
        For masks that Keras' layer does not take.
    """
    layer, options = node.operation, dict(node.options)
    inputs = [reference(symbol) for symbol in node.inputs]
    masks = [None if mask is None else reference(mask) for mask in node.masks]
    if "template" in options:
        ((_, first), *named) = arguments_of(plain_template(options.pop("template")), inputs).items()
        return [first], {**dict(named), **options}
    if isinstance(layer, HeadsAttention):
        names = ("query_mask", "value_mask", "key_mask")
        count = len(inputs)
        options |= {name: mask for name, mask in zip(names, masks[:count], strict=False) if mask is not None}
        if masks[count:]:
            options["attention_mask"] = masks[count]
        return (inputs * 2 if count == 1 else inputs), options
    given = [mask for mask in masks if mask is not None]
    if given:
        if isinstance(layer, Attention):
            options["mask"] = masks
        elif type(layer).__name__ in TAKES_MASK and not any(masks[1:]):
            options["mask"] = masks[0]
        else:
            raise ValueError(
                f'Layer "{layer.name}" ({type(layer).__name__}) is called with mask=, which Keras\' layer does not '
                "take. Let the mask travel with the input, from Embedding(mask_zero=True) or Masking."
            )
    if isinstance(layer, RecurrentLayer) and len(inputs) > 1:
        return inputs[:1], options | {"initial_state": inputs[1:]}
    graph = getattr(layer, "graph", None)
    if graph is not None:
        structure = graph.inputs
        return [inputs[0] if isinstance(structure, Symbol) else pack(structure, inputs)], options
    return [inputs if node.takes_several else inputs[0]], options
