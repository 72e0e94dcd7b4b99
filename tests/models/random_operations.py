"""The operations of random graphs: which symbols each can take, and what it makes of one.

``b`` is the Builder of random_graphs.py, ``x`` the symbol that was picked, and ``step.size``, from 0 to 7, chooses
among variants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn import Input, Model, Sequential, layers, ops
from fastnn import random as draws
from fastnn.graph import Symbol

__all__ = ["CUSTOM", "IDS", "OPERATIONS", "RANDOM_IN_INFERENCE", "STEPS", "real"]

STEPS, IDS = 5, 7
LARGEST = 200  # numbers that an example of a symbol may hold and still be joined, repeated or flattened


# Layers written by a ``call``, as a user writes them.


class Gate(layers.Layer):
    """tanh(x·w) · sigmoid(dense(x)), and a loss of its own in training."""

    fields = ("units",)

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units
        self.gate = layers.Dense(units, activation="sigmoid", dtype=self.dtype)

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units), "normal", regularizer="l2", name="w")

    def call(self, x, training=None):
        if training:
            self.add_loss(0.01 * ops.sum(ops.square(self.w)))
        return ops.tanh(x @ self.w) * self.gate(x)


class Residual(layers.Layer):
    """x + dense(relu(dense(x))), the second dense layer called twice."""

    def build(self, input_shape):
        self.first = layers.Dense(3, "relu", dtype=self.dtype)
        self.second = layers.Dense(input_shape[-1], dtype=self.dtype)
        self.third = layers.Dense(3, dtype=self.dtype)

    def call(self, x):
        return x + self.second(self.first(x)) - 0.5 * self.second(self.third(x))


class Noisy(layers.Layer):
    """Two draws: one of a stream, in training, and one of a layer inside."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.stream = draws.SeedGenerator()
        self.inner = layers.Dropout(0.3, dtype=self.dtype)

    def call(self, x, training=None):
        if training:
            x = x * (1 + 0.1 * draws.normal(ops.shape(x), dtype=self.dtype, seed=self.stream))
        return self.inner(x)


class Always(layers.Dropout):
    """Dropout out of training too."""

    def call(self, x, training=None):
        return super().call(x, training=True)


class Both(layers.Layer):
    """Two inputs, two outputs."""

    def call(self, x, y):
        return ops.sin(x) + 0.5 * y, x * ops.sigmoid(y)


class MaskedMean(layers.Layer):
    """The mean of the steps that count, by the mask that arrives."""

    def call(self, x, mask=None):
        if mask is None:
            return ops.mean(x, axis=1)
        count = ops.expand_dims(ops.cast(mask, self.dtype), -1)
        return ops.sum(x * count, axis=1) / (ops.sum(count, axis=1) + 1)


class Small(Model):
    """A model that writes ``call``."""

    def __init__(self, units, dtype="float32", **settings):
        super().__init__(dtype=dtype, **settings)
        self.units = units
        self.body = [layers.Dense(units, "tanh", dtype=dtype), layers.Dropout(0.2, dtype=dtype)]

    def call(self, x, training=None):
        for layer in self.body:
            x = layer(x, training=training)
        return x

    def get_config(self):
        return {"units": self.units, "dtype": self.dtype, "name": self.name}


CUSTOM = {cls.__name__: cls for cls in (Gate, Residual, Noisy, Always, Both, MaskedMean, Small)}


# The table.


def real(s: Symbol) -> bool:
    return s.dtype.startswith("float") and len(s.shape) > 1 and s.shape[-1] is not None


def ids(s: Symbol) -> bool:
    return s.dtype == "int64"


def of_rank(*ranks: int, known: bool = False) -> Callable[[Symbol], bool]:
    """Whether a symbol holds real numbers, with so many axes; with ``known`` of known sizes."""
    return lambda s: real(s) and s.ndim in ranks and not (known and None in s.shape[1:])


def small(*ranks: int) -> Callable[[Symbol], bool]:
    fits = of_rank(*ranks, known=True)
    return lambda s: fits(s) and int(np.prod(s.shape[1:])) <= LARGEST


OPERATIONS: dict[str, tuple[Callable[[Symbol], bool], Callable[[Any, Symbol, Any], Any]]] = {}
RANDOM_IN_INFERENCE = ("always",)
ACTIVATIONS = ("relu", "tanh", None, "gelu", "sigmoid", "softmax", "elu", "swish")


def operation(takes: Callable[[Symbol], bool]) -> Callable[[Any], Any]:
    """Enter a function in the table, under its name."""

    def enter(make: Any) -> Any:
        OPERATIONS[make.__name__.rstrip("_")] = takes, make
        return make

    return enter


@operation(real)
def dense(b, x, step):
    settings = {"kernel_regularizer": "l2"} if step.size % 5 == 4 else {}
    units = b.width * (1 + step.size % 4)
    return b.call(b.layer(layers.Dense, units, ACTIVATIONS[step.size % 8], use_bias=step.size != 5, **settings), x)


@operation(real)
def frozen_dense(b, x, step):
    return b.call(b.layer(layers.Dense, b.width * 2, "tanh", trainable=False), x)


@operation(real)
def activation(b, x, step):
    names = (*ACTIVATIONS, "leaky_relu")
    return b.call(b.layer(layers.Activation, names[step.size % len(names)]), x)


@operation(real)
def relu(b, x, step):
    makers = (
        lambda: b.layer(layers.ReLU),
        lambda: b.layer(layers.LeakyReLU, 0.1),
        lambda: b.layer(layers.PReLU, "uniform", shared_axes=list(range(1, x.ndim - 1)) or None),
    )
    return b.call(makers[step.size % 3](), x)


@operation(real)
def batch_norm(b, x, step):
    return b.call(b.layer(layers.BatchNormalization, epsilon=0.1, momentum=0.9), x)


@operation(real)
def row_norm(b, x, step):
    cls = layers.RMSNormalization if step.size % 2 else layers.LayerNormalization
    y = x + b.partner(x, step.size) if step.size >= 4 else x
    return b.call(b.layer(cls, epsilon=0.1), y)


@operation(real)
def norm_and_relu(b, x, step):
    return b.call(b.layer(layers.ReLU), b.call(b.layer(layers.BatchNormalization, epsilon=0.1), x))


@operation(real)
def dropout(b, x, step):
    cls = (layers.Dropout, layers.GaussianDropout, layers.GaussianNoise)[step.size % 3]
    return b.call(b.layer(cls, 0.3), x, **({"training": False} if step.size == 4 else {}))


@operation(real)
def penalty(b, x, step):
    return b.call(b.layer(layers.Dense, b.width * 2, activity_regularizer="l2", bias_constraint="non_neg"), x)


@operation(real)
def gate(b, x, step):
    return b.call(b.layer(Gate, b.width * (1 + step.size % 3)), x)


@operation(real)
def residual(b, x, step):
    return b.call(b.layer(Residual), x)


@operation(real)
def noisy(b, x, step):
    return b.call(b.layer(Noisy), x)


@operation(real)
def always(b, x, step):
    return b.call(b.layer(Always, 0.3), x)


@operation(real)
def lambda_(b, x, step):
    functions = (ops.sin, lambda y: 0.5 * y * ops.sigmoid(y), lambda y: y - ops.mean(y, axis=-1, keepdims=True))
    return b.call(b.layer(layers.Lambda, functions[step.size % 3]), x)


@operation(real)
def written_model(b, x, step):
    return b.call(b.layer(Small, b.width * (1 + step.size % 3)), x)


@operation(real)
def both(b, x, step):
    return b.layer(Both)(x, b.partner(x, step.size))


# Operators and functions.


@operation(real)
def expression(b, x, step):
    y = b.partner(x, step.size)
    return (
        lambda: x + y,
        lambda: x - 0.7 * y,
        lambda: ops.tanh(x) * y,
        lambda: x / (1 + ops.square(y)),
        lambda: ops.where(x > 0.1, x, 0.5 * y),
        lambda: ops.softmax(x),
        lambda: 2 * x + ops.mean(y, axis=-1, keepdims=True),
        lambda: ops.maximum(x, 0.9 * y + 0.05),
    )[step.size % 8]()


@operation(of_rank(2, 3, 4, known=True))
def slice_(b, x, step):
    return x[..., ::2] if step.size % 2 or x.ndim == 2 else x[:, -1]


@operation(small(2, 3))
def stack(b, x, step):
    return ops.reshape(ops.stack([x, b.partner(x, step.size)], axis=1), (-1, 2, int(np.prod(x.shape[1:]))))


@operation(of_rank(2, 3, 4, known=True))
def split(b, x, step):
    return ops.split(x, 2, axis=-1) if x.shape[-1] % 2 == 0 else None


@operation(of_rank(3))
def matmul(b, x, step):
    scores = ops.softmax(x @ ops.transpose(b.partner(x, step.size), (0, 2, 1)) * 0.3)
    return scores @ x


# Merging.


@operation(real)
def merge(b, x, step):
    names = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
    y = b.call(b.layer(layers.Activation, "tanh"), b.partner(x, step.size))
    return b.layer(getattr(layers, names[step.size % 6]))([x, y])


@operation(small(2, 3, 4))
def concatenate(b, x, step):
    y = b.partner(x, step.size)
    return b.layer(layers.Concatenate, axis=1 if step.size % 3 == 0 else -1)([x, y, x] if step.size == 7 else [x, y])


@operation(of_rank(3, known=True))
def dot(b, x, step):
    return b.layer(layers.Dot, axes=(2, 2), normalize=False)([x, b.partner(x, step.size)])


@operation(of_rank(3))
def attention(b, x, step):
    """With heads or without, to itself or to another sequence, in causal order or not."""
    y = b.partner(x, step.size)
    causal = {"use_causal_mask": step.size % 2 == 1}
    if step.size % 4 < 2:
        return b.layer(layers.Attention, use_scale=True, dropout=0.2)([x, y], **causal)
    return b.layer(layers.MultiHeadAttention, 2, b.width, dropout=0.2 * (step.size == 7))(x, y, **causal)


@operation(small(4))
def bigger(b, x, step):
    y = b.call(b.layer(layers.UpSampling2D, 2), x) if step.size % 2 else b.call(b.layer(layers.ZeroPadding2D, 1), x)
    return b.call(b.layer(layers.AveragePooling2D, 2), y)


# Sequences.


@operation(ids)
def embedding(b, x, step):
    return b.call(b.layer(layers.Embedding, IDS, 2 + step.size % 3, mask_zero=step.size % 2 == 0), x)


@operation(ids)
def positions(b, x, step):
    return b.call(b.layer(layers.TokenAndPositionEmbedding, IDS, 2 * STEPS, 3, mask_zero=step.size % 2 == 0), x)


@operation(of_rank(3))
def masking(b, x, step):
    return b.call(b.layer(layers.Masking, 0.0), x)


def recurrent_layer(b, step, **settings):
    cls = (layers.LSTM, layers.GRU, layers.SimpleRNN)[step.size % 3]
    extra = {"recurrent_dropout": 0.2} if step.size == 7 else {"dropout": 0.2} if step.size == 5 else {}
    return b.layer(cls, b.width * (1 + step.size % 4), **settings, **extra)


@operation(of_rank(3))
def recurrent(b, x, step):
    settings = {"go_backwards": True} if step.size == 6 else {}
    return b.call(recurrent_layer(b, step, return_sequences=step.size % 2 == 0, **settings), x)


@operation(of_rank(3))
def recurrent_states(b, x, step):
    y, *states = recurrent_layer(b, step, return_sequences=True, return_state=True)(x)
    again = recurrent_layer(b, step, return_sequences=True)(x if step.size % 2 else y, initial_state=states)
    return [y, states[0], again]


@operation(of_rank(3))
def bidirectional(b, x, step):
    mode = ("concat", "sum", "mul", "ave")[step.size % 4]
    return b.call(
        b.layer(layers.Bidirectional, recurrent_layer(b, step, return_sequences=step.size < 4), merge_mode=mode), x
    )


@operation(of_rank(3))
def masked_call(b, x, step):
    mask = x[:, :, 0] > -0.5
    if step.size % 2:
        return b.layer(layers.GlobalAveragePooling1D)(x, mask=mask)
    return recurrent_layer(b, step, return_sequences=True)(x, mask=mask)


@operation(of_rank(3))
def conv1d(b, x, step):
    padding = "causal" if step.size % 2 or x.shape[1] is None or x.shape[1] < 3 else "valid"
    return b.call(b.layer(layers.Conv1D, b.width * 2, 3, padding=padding, activation=ACTIVATIONS[step.size % 3]), x)


@operation(of_rank(3, known=True))
def pool1d(b, x, step):
    cls = layers.MaxPooling1D if step.size % 2 else layers.AveragePooling1D
    return b.call(b.layer(cls, 2, padding="same"), x)


@operation(of_rank(3))
def global1d(b, x, step):
    cls = (layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D, MaskedMean)[step.size % 3]
    return b.call(b.layer(cls), x)


@operation(of_rank(3))
def time_distributed(b, x, step):
    inner = (
        lambda: b.layer(layers.Dense, b.width * 2),
        lambda: b.layer(layers.Activation, "tanh"),
        lambda: Sequential([b.layer(layers.Dense, b.width * 2), b.layer(layers.Dropout, 0.2)]),
    )[step.size % 3]()
    return b.call(b.layer(layers.TimeDistributed, inner), x)


@operation(small(2))
def repeat(b, x, step):
    y = b.call(b.layer(layers.RepeatVector, STEPS), x)
    return y + b.call(b.layer(layers.PositionEmbedding, STEPS), y)


@operation(of_rank(3, known=True))
def reshaped1d(b, x, step):
    if step.size % 4 == 0 and x.shape[1] > 2:
        return b.call(b.layer(layers.Cropping1D, 1), x)
    if step.size % 4 == 1 and x.shape[1] < 3 * STEPS:
        return b.call(b.layer(layers.ZeroPadding1D, (1, 2)), x)
    return b.call(b.layer(layers.Permute, (2, 1)), x)


# Images.


def conv_layer(b, step, **settings):
    return b.layer(layers.Conv2D, b.width * (1 + step.size % 3), 2 + step.size % 2, padding="same", **settings)


@operation(of_rank(4, known=True))
def conv2d(b, x, step):
    return b.call(conv_layer(b, step, activation=ACTIVATIONS[step.size % 4], strides=1 + (step.size == 6)), x)


@operation(of_rank(4, known=True))
def conv_pool(b, x, step):
    if min(x.shape[1:3]) < 2:
        return None
    h = b.call(conv_layer(b, step), x)
    h = b.call(b.layer(layers.ReLU), h) if step.size % 2 else h
    return [h if step.size == 6 else None, b.call(b.layer(layers.MaxPooling2D), h)]


@operation(of_rank(4, known=True))
def depthwise(b, x, step):
    cls = layers.SeparableConv2D if step.size % 2 else layers.DepthwiseConv2D
    arguments = (b.width * 2, 3) if step.size % 2 else (3,)
    return b.call(b.layer(cls, *arguments, padding="same"), x)


@operation(of_rank(4, known=True))
def pool2d(b, x, step):
    cls = (layers.MaxPooling2D, layers.AveragePooling2D, layers.StochasticPooling2D)[step.size % 3]
    if cls is layers.StochasticPooling2D:
        x = b.call(b.layer(layers.Activation, "sigmoid"), x)
    return b.call(b.layer(cls, 2, padding="same"), x)


@operation(of_rank(4, known=True))
def global2d(b, x, step):
    return b.call(b.layer(layers.GlobalAveragePooling2D if step.size % 2 else layers.GlobalMaxPooling2D), x)


@operation(small(3, 4))
def flatten(b, x, step):
    return b.call(b.layer(layers.Flatten), x)


@operation(of_rank(4, known=True))
def rows(b, x, step):
    return b.call(b.layer(layers.Reshape, (x.shape[1], -1)), x)


# Sharing and nesting.


@operation(real)
def again(b, x, step):
    """A layer that was called already, on another symbol that it can take."""
    fits = [layer for layer, y in b.calls if y.shape == x.shape and y.dtype == x.dtype]
    return fits[step.size % len(fits)](x) if fits else None


@operation(lambda s: real(s) or ids(s))
def inner(b, x, step):
    """A model inside; with an odd size it has two outputs, and with one of 4 and more it runs twice."""
    within = type(b)(b.dtype, b.width)
    start = Input(x.shape[1:], dtype=x.dtype)
    within.pool.append(start)
    within.run(step.inside)
    ends = [symbol for symbol in within.pool[1:] if real(symbol)]
    if not ends:
        return None
    model = Model(start, [ends[-1], ends[0]] if step.size % 2 and len(ends) > 1 else ends[-1])
    found = b.call(model, x)
    if step.size >= 4 and not isinstance(found, list):
        return [found, model(b.partner(x, step.pick))]
    return found


@operation(real)
def sequential(b, x, step):
    stack = [b.layer(layers.Dense, b.width * 2), b.layer(layers.ReLU), b.layer(layers.Dropout, 0.2)]
    return b.call(Sequential(stack[: 1 + step.size % 3]), x)
