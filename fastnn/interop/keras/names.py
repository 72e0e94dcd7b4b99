"""What Keras calls things: the one table of classes, arguments and places of weights that differ.

Most names are the same on both sides, and are not listed here.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "ABSENT",
    "ALIASES",
    "CHILDREN",
    "DEFAULTS",
    "LEFT_OUT",
    "MODULES",
    "OWN",
    "TAKES_MASK",
    "keras_class",
    "snake_case",
]

_CLASSES = {"GroupQueryAttention": "GroupedQueryAttention", "Model": "Functional"}
"""Classes that go by another name inside Keras, from which it takes the names of groups in a file."""

ALIASES = {
    "GroupedQueryAttention": "GroupQueryAttention",
    "OrthogonalInitializer": "Orthogonal",
    "IdentityInitializer": "Identity",
}
"""Names of Keras for classes that go by another name here."""

CHILDREN: dict[str, dict[str, str]] = {
    "Bidirectional": {"backward_layer": "backward_layer", "forward_layer": "forward_layer"},
    "GRU": {"cell": "cell"},
    "GroupQueryAttention": {
        "_gate_dense": "gate_dense",
        "_key_dense": "key_dense",
        "_output_dense": "output_dense",
        "_query_dense": "query_dense",
        "_value_dense": "value_dense",
    },
    "LSTM": {"cell": "cell"},
    "MultiHeadAttention": {
        "_gate_dense": "gate_dense",
        "key_dense": "key_dense",
        "output_dense": "output_dense",
        "query_dense": "query_dense",
        "value_dense": "value_dense",
    },
    "RNN": {"cell": "cell"},
    "SimpleRNN": {"cell": "cell"},
    "StackedRNNCells": {"cells": "cells"},
    "TimeDistributed": {"layer": "layer"},
}
"""Where Keras keeps the layers inside a layer: its attribute, which is part of a path in a file, and ours."""

MODULES = {
    "layers": "keras.layers",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
    "optimizers.schedules": "keras.optimizers.schedules",
}
"""Packages here, and where Keras has the same classes."""

DEFAULTS: dict[str, tuple[Any, ...]] = {
    "dtype": ("float32", None),
    "renorm_momentum": (0.99,),
    "time_major": (False,),
    "decay": (0.0,),
    "axis": (-1,),
    "from_sorted_ids": (False,),
    "oov_method": ("floormod",),
}
"""Settings that only one side has, and the values at which they change nothing."""

LEFT_OUT = frozenset(
    {
        "algorithm",
        "autocast",
        "backward_layer",
        "build_input_shape",
        "fn",
        "implementation",
        "is_legacy_optimizer",
        "jit_compile",
        "key_shape",
        "loss_scale_factor",
        "name",
        "query_shape",
        "registered_name",
        "synchronized",
        "value_shape",
        "vocabulary_dtype",
        "vocabulary_size",
    }
)
"""Settings that only one side has, and that change no number."""

OWN = frozenset(
    {"OutputRNNCell", "PositionEmbedding", "SinePositionEncoding", "StochasticPooling2D", "TokenAndPositionEmbedding"}
)
"""Layers that Keras does not have."""

ABSENT = {
    "Discretization": ("trainable",),
    "HashedCrossing": ("trainable",),
    "SpatialDropout1D": ("trainable",),
    "SpatialDropout2D": ("trainable",),
}
"""Arguments that a class has here and lacks in Keras."""

TAKES_MASK = frozenset(
    {
        "BatchNormalization",
        "Bidirectional",
        "GRU",
        "GlobalAveragePooling1D",
        "LSTM",
        "Model",
        "RNN",
        "Sequential",
        "SimpleRNN",
        "Softmax",
        "TimeDistributed",
    }
)
"""Layers whose call takes ``mask=`` in Keras."""


def keras_class(cls: type) -> str:
    """The name of a class inside Keras."""
    return _CLASSES.get(cls.__name__, cls.__name__)


def snake_case(name: str) -> str:
    """A class as Keras names groups after it, which splits ``PReLU`` before every capital that follows a letter.

    Examples
    --------
    >>> snake_case("Conv2DTranspose"), snake_case("PReLU"), snake_case("GRU"), snake_case("ZeroPadding2D")
    ('conv2d_transpose', 'p_re_lu', 'gru', 'zero_padding2d')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
