"""``tf.nn``: activations, cross-entropies and the layers' computations, by ``fastnn.ops`` and the layers' kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import absent, ops
from ...losses import sparse_categorical_crossentropy
from ._making import unary
from .math import confusion_matrix, in_top_k, l2_normalize, softmax, top_k, zero_fraction
from .tensors import tensor

__all__ = [
    "bias_add", "confusion_matrix", "dropout", "elu", "embedding_lookup", "gelu", "in_top_k", "l2_loss",
    "l2_normalize", "leaky_relu", "log_softmax", "moments", "relu", "relu6", "selu", "sigmoid",
    "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits", "softplus",
    "softsign", "sparse_softmax_cross_entropy_with_logits", "swish", "tanh", "top_k",
    "weighted_cross_entropy_with_logits", "zero_fraction",
]  # fmt: skip

elu, relu, relu6, selu = map(unary, (ops.elu, ops.relu, ops.relu6, ops.selu))
sigmoid, softplus, softsign, tanh = map(unary, (ops.sigmoid, ops.softplus, ops.softsign, ops.tanh))


def silu(features: Any, beta: float = 1.0) -> Any:
    """``x · sigmoid(beta · x)``."""
    x = tensor(features)
    return ops.silu(x) if beta == 1.0 else x * ops.sigmoid(beta * x)


swish = silu


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """``x · Φ(x)``, Φ the normal distribution function."""
    return ops.gelu(tensor(features), approximate)


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """x above 0, ``alpha · x`` below."""
    return ops.leaky_relu(tensor(features), alpha)


def log_softmax(logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """The logarithm of ``softmax``, without overflow."""
    return ops.log_softmax(tensor(logits), axis)


def dropout(x: Any, rate: float, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Any:
    """Zeros in the place of a share of the numbers, the others scaled by ``1 / (1 - rate)``."""
    return ops.random.dropout(tensor(x), rate, noise_shape, seed)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """A number for each channel added; channels are last unless ``data_format`` starts with "NC"."""
    x, b = tensor(value), tensor(bias)
    if data_format is not None and data_format.startswith("NC"):
        b = ops.reshape(b, (-1, *[1] * (len(x.shape) - 2)))
    return ops.add(x, b)


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Any:
    """Rows of a table by their numbers."""
    return ops.take(tensor(params), tensor(ids), 0)


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean and variance along axes."""
    return ops.moments(tensor(x), tuple(np.atleast_1d(axes)), keepdims)


def l2_loss(t: Any, name: str | None = None) -> Any:
    """``Σ t² / 2``.

    Examples
    --------
    >>> float(l2_loss([3.0, 4.0]))
    12.5
    """
    return ops.sum(ops.square(tensor(t))) / 2


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """``−Σ labels · log softmax(logits)`` of each row."""
    t, z = tensor(labels), tensor(logits)
    return ops.negative(ops.sum(ops.multiply(t, ops.log_softmax(z, axis)), axis))


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """``−log softmax(logits)[label]`` of each row.

    Examples
    --------
    >>> sparse_softmax_cross_entropy_with_logits([1], [[0.0, 0.0]]).numpy().round(3).tolist()
    [0.6930000185966492]
    """
    return sparse_categorical_crossentropy(tensor(labels), tensor(logits), from_logits=True)


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """``−t · log sigmoid(z) − (1 − t) · log(1 − sigmoid(z))`` of each number, without overflow."""
    t, z = tensor(labels), tensor(logits)
    return ops.relu(z) - z * t + ops.log1p(ops.exp(ops.negative(ops.absolute(z))))


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Any:
    """The same, with the first of the two terms times ``pos_weight``."""
    t, z = tensor(labels), tensor(logits)
    return (1 - t) * z + (1 + (pos_weight - 1) * t) * ops.softplus(ops.negative(z))


__getattr__ = absent.answer(__name__)
