"""Modules of PyTorch that are not a row of layers: attention and the Transformer's encoder block."""

from __future__ import annotations

from typing import Any

from ... import layers
from ...activations import Activation
from ...layers import Add, Dense, Dropout, LayerNormalization, MultiHeadAttention
from ...models import Model
from .chain import require
from .state_dict import load_torch_state_dict

__all__ = ["activation_named", "attention_model", "encoder_block"]


def activation_named(name: str, approximate: str = "none") -> Any:
    """The activation of a name in PyTorch, where gelu is exact unless it says otherwise."""
    return Activation("gelu_tanh" if name == "gelu" and approximate == "tanh" else name)


def attention_model(module: Any, name: str | None) -> Model:
    """``nn.MultiheadAttention`` as a model of the three inputs query, key and value."""
    require(module.bias_k is None and not module.add_zero_attn, "", module, "with keys of its own")
    dtype = _dtype(module)
    query, key, value = (
        layers.Input((None, size), dtype=dtype, name=part)
        for part, size in (("query", module.embed_dim), ("key", module.kdim), ("value", module.vdim))
    )
    attention = MultiHeadAttention(
        module.num_heads, module.head_dim, dropout=module.dropout, use_bias=module.in_proj_bias is not None,
        output_shape=module.embed_dim, name="attention", dtype=dtype,
    )  # fmt: skip
    model = Model([query, key, value], attention(query, value, key), name=name)
    load_torch_state_dict(model, _state(module), names={"attention": ""})
    return model


def encoder_block(module: Any, path: str, dtype: str) -> Model:
    """``nn.TransformerEncoderLayer`` as a model: attention and two dense layers, each with a residual and a norm."""
    attention, size = module.self_attn, module.self_attn.embed_dim
    act = module.activation
    word = getattr(act, "__name__", type(act).__name__.lower())
    require(word in ("relu", "gelu", "silu", "tanh"), path, module, f"with the activation {word}")
    bias = module.linear1.bias is not None
    own: dict[str, Any] = {"dtype": dtype}

    def norm(which: str) -> Any:
        return LayerNormalization(epsilon=getattr(module, which).eps, center=bias, name=which, **own)

    attend = MultiHeadAttention(
        attention.num_heads, attention.head_dim, dropout=attention.dropout, use_bias=bias, name="self_attn", **own
    )
    inner = Dense(
        module.linear1.out_features,
        activation_named(word, getattr(act, "approximate", "none")),
        bias,
        name="linear1",
        **own,
    )
    outer = Dense(size, use_bias=bias, name="linear2", **own)

    def drop(which: str) -> Any:
        return Dropout(getattr(module, which).p, name=which, **own)

    def add(which: str) -> Any:
        return Add(name=which, **own)

    x = layers.Input((None, size), dtype=dtype, name="x")
    first, second = norm("norm1"), norm("norm2")
    if module.norm_first:
        a = first(x)
        h = add("attended")([x, drop("dropout1")(attend(a, a))])
        y = add("transformed")([h, drop("dropout2")(outer(drop("dropout")(inner(second(h)))))])
    else:
        h = first(add("attended")([x, drop("dropout1")(attend(x, x))]))
        y = second(add("transformed")([h, drop("dropout2")(outer(drop("dropout")(inner(h))))]))
    model = Model(x, y, name=path)
    load_torch_state_dict(model, _state(module))
    if not any(parameter.requires_grad for parameter in module.parameters()):
        model.trainable = False
    return model


def _state(module: Any) -> dict[str, Any]:
    return {key: value.detach().cpu() for key, value in module.state_dict().items()}


def _dtype(module: Any) -> str:
    return str(next(module.parameters()).dtype).removeprefix("torch.")
