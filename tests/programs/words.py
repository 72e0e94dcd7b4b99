"""What random programs may write: for every parameter of every layer some values that suit it, and hostile ones."""

from __future__ import annotations

import inspect
import random

from fastnn import layers
from tests.layers.examples import classes

__all__ = ["CLASSES", "ENDLESS", "HOSTILE", "VALUES", "parameters", "rank", "written"]

CLASSES = sorted(classes())
HOSTILE = (
    "None", "True", "False", "0", "-1", "1.5", "2", "3", "2**31", "2**63", "10**30", "-(2**70)", "float('nan')",
    "float('inf')", "''", "'nonsense'", "b'x'", "()", "[]", "(1,)", "(1, 2, 3, 4, 5)", "[None]", "{}", "{'a': 1}",
    "object()", "np.array([1, 2])", "np.zeros((0, 3))", "np.int8(2)", "np.float64(0.5)", "np.array(2)", "lambda: 0",
    "layers.Dense", "layers.Dense(2)", "layers", "range(3)", "1j", "'0'", "np.float32('nan')", "set()", "Ellipsis",
)  # fmt: skip
ENDLESS = ("2**31", "2**63", "10**30")
"""Counts that are right, and for which a program would run for years."""

_ACTIVATIONS = (
    "None", "'relu'", "'tanh'", "'gelu'", "'sigmoid'", "'softmax'", "'elu'", "'selu'", "'softplus'", "'swish'",
    "'leaky_relu'", "'hard_sigmoid'", "'linear'", "'silu'", "'softsign'", "'log_softmax'", "'relu6'", "ops.tanh",
)  # fmt: skip
_INITIALIZERS = (
    "'zeros'", "'ones'", "'uniform'", "'normal'", "'glorot_uniform'", "'he_normal'", "'lecun_normal'", "'orthogonal'",
    "initializers.Constant(0.25)", "initializers.RandomUniform(-0.5, 0.5, seed=3)", "'truncated_normal'",
)  # fmt: skip
_REGULARIZERS = ("None", "'l1'", "'l2'", "regularizers.L1L2(0.01, 0.02)", "regularizers.L2(0.1)")
_CONSTRAINTS = ("None", "'non_neg'", "'unit_norm'", "'max_norm'", "constraints.MaxNorm(1.0, axis=0)")
_BOOLS = ("True", "False")
_SMALL = ("1", "2", "3", "4")
_WINDOWS = ("1", "2", "3", "(2,)", "(1, 2)", "(2, 1)", "[3, 2]")
_STEPS = ("1", "2", "3", "(1, 2)", "(2,)")
_RATES = ("0", "0.0", "0.3", "0.5", "0.9")
_FORMATS = ("None", "'channels_last'", "'channels_first'")
_AXES = ("-1", "1", "2", "-2", "(1,)", "[1, 2]", "(-1, -2)")
_CELLS = (
    "layers.LSTMCell(2{d})", "layers.GRUCell(3{d})", "layers.SimpleRNNCell(2, activation='gelu'{d})",
    "layers.OutputRNNCell(3{d})",
    "layers.GRUCell(2, reset_after=False, dropout=0.3{d})", "layers.LSTMCell(2, recurrent_dropout=0.5{d})",
    "[layers.LSTMCell(2{d}), layers.GRUCell(3{d})]",
    "layers.StackedRNNCells([layers.SimpleRNNCell(3{d}), layers.LSTMCell(2{d})]{d})",
)  # fmt: skip
_SEQUENCES = (
    "layers.LSTM(2{d})", "layers.GRU(2, return_sequences=True{d})", "layers.SimpleRNN(3, dropout=0.3{d})",
    "layers.LSTM(2, return_sequences=True, return_state=True{d})", "layers.GRU(3, stateful=True{d})",
    "layers.RNN(layers.GRUCell(2{d}), return_sequences=True{d})",
    "layers.LSTM(3, return_sequences=True, go_backwards=True{d})",
)  # fmt: skip

VALUES: dict[str, tuple[str, ...]] = {
    "activation": _ACTIVATIONS,
    "recurrent_activation": _ACTIVATIONS,
    "output_activation": _ACTIVATIONS,
    "Rescaling.scale": ("1 / 255", "2", "-0.5", "[0.5, 2.0]", "(1, 2, 3)", "np.float32(3)"),
    "offset": ("0.0", "-1", "[1, 2]", "(0.5, 0.25, -1)"),
    "algorithm": ("'auto'", "'dense'", "'sparse'", "'direct'", "'im2col'", "'winograd'"),
    "alpha": ("0.5", "1.0", "0"),
    "arguments": ("None", "{}"),
    "attention_axes": ("None", "1", "(1,)", "(1, 2)", "-2"),
    "axes": ("1", "2", "-1", "(1, 1)", "(2, 1)", "[-1, -1]"),
    "axis": _AXES,
    "Concatenate.axis": ("-1", "1", "2"),  # a batch of another size is the user's own affair
    "backward_layer": ("None", "layers.LSTM(2, go_backwards=True{d})", "layers.GRU(2{d})"),
    "batch_shape": ("(None, 3)", "(4, 5)"),
    "batch_size": ("None", "4"),
    "bias_axes": ("None", "'d'", "'e'", "'y'"),
    "cell": _CELLS,
    "cells": ("[layers.GRUCell(2{d}), layers.LSTMCell(2{d})]", "[layers.SimpleRNNCell(3{d})]", "[]"),
    "cropping": ("0", "1", "(1, 0)", "((1, 0), (0, 1))", "(1, 1)", "9"),
    "data_format": _FORMATS,
    "depth_multiplier": ("1", "2"),
    "dilation_rate": _STEPS,
    "dims": ("(1,)", "(2, 1)", "(3, 1, 2)", "(2, 1, 3)", "(1, 1)"),
    "dropout": _RATES,
    "embedding_dim": _SMALL,
    "epsilon": ("0.1", "0.001", "1e-6"),
    "equation": ("'ab,bc->ac'", "'abc,cd->abd'", "'abc,cde->abde'", "'...x,xy->...y'", "'abc,bd->adc'", "'ab->b'"),
    "filters": ("1", "2", "3", "8"),
    "flash_attention": ("None", "True"),
    "function": ("ops.sin", "ops.square", "lambda x: x * 0.5", "lambda x: x[:, :1]", "lambda x: 1", "np.sin"),
    "groups": ("1", "2", "3", "-1"),
    "head_dim": ("1", "2", "3"),
    "implementation": ("1", "2"),
    "input_dim": ("6", "7", "9", "1"),
    "input_length": ("None", "5"),
    "interpolation": ("'nearest'", "'bilinear'"),
    "kernel_size": _WINDOWS,
    "key_dim": ("1", "2", "3"),
    "l1": ("0.0", "0.1"),
    "l2": ("0.0", "0.1"),
    "layer": ("layers.Dense(3, 'tanh'{d})", "layers.Conv1D(2, 2{d})", "layers.Dropout(0.3{d})", "layers.LSTM(2{d})"),
    "Bidirectional.layer": _SEQUENCES,
    "mask": ("None",),
    "mask_value": ("0.0", "1.0", "-1", "float('nan')"),
    "max_value": ("None", "1.0", "6"),
    "max_wavelength": ("10000", "10", "2.5"),
    "merge_mode": ("'concat'", "'sum'", "'mul'", "'ave'", "None"),
    "momentum": ("0.9", "0.99", "0.0", "1.0"),
    "n": ("1", "2", "3"),
    "negative_slope": ("0.0", "0.1", "0.5"),
    "noise_shape": ("None", "(None, 1)", "(None, 1, None)", "(None, None, 1)"),
    "num_heads": ("1", "2", "3"),
    "num_key_value_heads": ("1", "2"),
    "num_query_heads": ("2", "4"),
    "output_dim": _SMALL,
    "output_padding": ("None", "0", "1", "(0, 1)"),
    "output_shape": ("3", "(None, 3)", "(None, 2, 3)", "(2, 3)", "None"),
    "output_units": ("None", "2", "3"),
    "padding": ("'valid'", "'same'", "'causal'"),
    "ZeroPadding1D.padding": ("0", "1", "(1, 0)", "(0, 2)"),
    "ZeroPadding2D.padding": ("0", "1", "(1, 0)", "((1, 0), (0, 2))"),
    "pool_size": _WINDOWS,
    "rate": _RATES,
    "recurrence": ("'hidden'", "'output'"),
    "score_mode": ("'dot'", "'concat'"),
    "seed": ("None", "0", "5"),
    "sequence_length": ("5", "9", "3"),
    "shape": ("(3,)", "(5, 2)"),
    "shared_axes": ("None", "[1]", "[1, 2]", "(2,)", "-1"),
    "size": ("1", "2", "(1, 2)", "3"),
    "sliding_window": ("None", "1", "2"),
    "stddev": ("0.0", "0.3"),
    "strides": _STEPS,
    "target_shape": ("(-1,)", "(1, -1)", "(-1, 2)", "(-1, 1, 2)", "(6,)", "()"),
    "threshold": ("0.0", "0.2"),
    "units": ("1", "2", "3", "8", "np.int64(2)"),
    "use_cudnn": ("'auto'", "False"),
    "value_dim": ("None", "1", "3"),
    "vocabulary_size": ("7", "9"),
    "weights": ("None",),
    **{f"{name}initializer": _INITIALIZERS for name in (
        "", "kernel_", "bias_", "beta_", "gamma_", "recurrent_", "embeddings_", "alpha_", "depthwise_", "pointwise_",
        "moving_mean_", "moving_variance_",
    )},
    **{f"{name}_regularizer": _REGULARIZERS for name in (
        "activity", "kernel", "bias", "beta", "gamma", "recurrent", "embeddings", "alpha", "depthwise", "pointwise",
    )},
    **{f"{name}_constraint": _CONSTRAINTS for name in (
        "kernel", "bias", "beta", "gamma", "recurrent", "embeddings", "alpha", "depthwise", "pointwise",
    )},
    **dict.fromkeys((
        "center", "scale", "synchronized", "normalize", "mask_zero", "return_sequences", "return_state", "go_backwards",
        "stateful", "unroll", "reset_after", "unit_forget_bias", "keepdims", "use_bias", "use_scale", "use_gate",
        "rms_scaling", "zero_output_for_mask", "trainable",
    ), _BOOLS),
    "recurrent_dropout": _RATES,
    "moving_variance_initializer": ("'ones'", "initializers.Constant(2.0)"),
    # Of every layer.
    "name": ("'mine'", "'a/b'", "'2'", "'words and spaces'"),
    "dtype": ("'float32'", "'float64'"),
    "input_shape": ("(4,)", "(5, 3)", "(6, 5, 2)"),
    "batch_input_shape": ("(None, 4)", "(4, 5, 3)"),
}  # fmt: skip
"""Texts by the name of a parameter, or by ``Class.parameter`` where a name means something else.

``{d}`` is where the dtype of layers inside goes.
"""

_OF_EVERY_LAYER = (
    "trainable",
    "name",
    "dtype",
    "activity_regularizer",
    "input_shape",
    "batch_input_shape",
    "input_dim",
)
_WINDOWED = ("strides", "padding", "data_format")  # what the pooling layers take from their base


def parameters(name: str) -> dict[str, bool]:
    """The parameters of a class by name, and whether each must be given."""
    found = {
        p.name: p.default is p.empty
        for p in inspect.signature(getattr(layers, name)).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in _OF_EVERY_LAYER[1:]
    }
    if name == "Embedding":
        found["input_dim"] = True
    if "Pooling" in name and "Global" not in name:
        found |= dict.fromkeys(_WINDOWED, False)
    return found


def rank(name: str) -> int | str | None:
    """The rank of the inputs that suit a class, "ids", or None for any."""
    if name in ("Embedding", "TokenAndPositionEmbedding"):
        return "ids"
    if name.endswith("2D"):
        return 4
    if name == "RepeatVector":
        return 2
    sequences = ("RNN", "LSTM", "GRU", "Bidirectional", "TimeDistributed", "Attention", "PositionEmbedding", "Position")
    if name.endswith("1D") or any(word in name for word in sequences):
        return 3
    return None


def written(rng: random.Random, name: str, dtype: str = "float32", hostility: float = 0.0) -> str:
    """A layer of a class as one would write it: what must be given, and a few options."""
    takes = parameters(name)
    options = [option for option, must in takes.items() if not must]
    chosen = [option for option, must in takes.items() if must]
    chosen += rng.sample(options, min(len(options), rng.choice((0, 0, 1, 2, 3))))
    if rng.random() < 0.1:
        chosen.append(rng.choice(_OF_EVERY_LAYER))
    if dtype != "float32" and "dtype" not in chosen and rng.random() < 0.97:
        chosen.append("dtype")
    spoiled = rng.choice([*takes, *_OF_EVERY_LAYER]) if rng.random() < hostility else None
    if spoiled and spoiled not in chosen:
        chosen.append(spoiled)
    if spoiled and rng.random() < 0.1:
        chosen.remove(spoiled)
    texts = {}
    for option in dict.fromkeys(chosen):
        values = VALUES.get(f"{name}.{option}") or VALUES[option]
        texts[option] = rng.choice(HOSTILE if option == spoiled else values)
    if dtype != "float32" and "dtype" in texts and spoiled != "dtype" and rng.random() < 0.97:
        texts["dtype"] = repr(dtype)
    inside = "" if dtype == "float32" else f", dtype={dtype!r}"
    return f"layers.{name}({', '.join(f'{option}={text}' for option, text in texts.items())})".replace("{d}", inside)
