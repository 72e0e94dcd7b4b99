"""What the raced models are made of: of each layer, how its parameters are drawn and which dense products it needs.

Parameters stand in the order and layout of Keras' ``get_weights()``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod, sqrt

import numpy as np

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Layer:
    """Parameters, and the multiply-adds of the dense products for one example, forward.

    The first layer with weights makes no gradient of its input, unless that comes from an embedding.
    """

    parameters: tuple[Draw, ...]
    multiply_adds: int = 0
    first: bool = False

    def operations(self, training: bool) -> int:
        passes = (2 if self.first else 3) if training else 1
        return 2 * passes * self.multiply_adds


def dense(inputs: int, units: int, first: bool = False) -> Layer:
    return Layer((glorot(inputs, units), zeros(units)), inputs * units, first)


def conv(
    kernel: tuple[int, int], channels: int, filters: int, pixels: int, first: bool = False, bias: bool = True
) -> Layer:
    """A convolution with so many output pixels."""
    shape = (*kernel, channels, filters)
    return Layer((glorot(*shape), *([zeros(filters)] if bias else [])), pixels * prod(shape), first)


def batch_norm(channels: int) -> Layer:
    """Scale, offset, moving mean, moving variance."""
    near_one, near_zero = uniform(0.2, channels, around=1.0), uniform(0.2, channels)
    return Layer((near_one, near_zero, near_zero, near_one))


def layer_norm(width: int) -> Layer:
    """Scale, offset."""
    return Layer((uniform(0.2, width, around=1.0), uniform(0.2, width)))


def attention(width: int, heads: int, depth: int, steps: int) -> Layer:
    """Self-attention: kernel and bias of query, key, value and output. Causal or not, its products count in full."""
    project = (glorot(width, heads * depth, shape=(width, heads, depth)), uniform(0.2, heads, depth))
    output = (glorot(heads * depth, width, shape=(heads, depth, width)), uniform(0.2, width))
    products = 4 * width * heads * depth + 2 * steps * heads * depth
    return Layer((*project, *project, *project, *output), steps * products)


def steps(layer: Layer, count: int) -> Layer:
    """A layer that is applied at every step of a sequence."""
    return replace(layer, multiply_adds=count * layer.multiply_adds)


def embedding(vocabulary: int, width: int) -> Layer:
    """Rows taken and added: no product. Large numbers, so that a gate in the wrong place would show in the losses."""
    return Layer((uniform(1.0, vocabulary, width),))


def simple_rnn(inputs: int, units: int, steps: int) -> Layer:
    return _recurrent(1, inputs, units, steps, zeros(units))


def lstm(inputs: int, units: int, steps: int) -> Layer:
    """Gates i, f, c, o; the forget gate's bias is one."""
    return _recurrent(4, inputs, units, steps, lambda _: np.repeat(np.float32([0, 1, 0, 0]), units))


def gru(inputs: int, units: int, steps: int) -> Layer:
    """Gates z, r, h with ``reset_after``: a row of biases for the input and one for the state."""
    return _recurrent(3, inputs, units, steps, zeros(2, 3 * units))


def bidirectional(layer: Layer) -> Layer:
    return Layer(2 * layer.parameters, 2 * layer.multiply_adds)


def _recurrent(gates: int, inputs: int, units: int, steps: int, bias: Draw) -> Layer:
    width = gates * units
    return Layer((glorot(inputs, width), orthogonal(units, width), bias), steps * (inputs + units) * width)


def glorot(*fans: int, shape: tuple[int, ...] | None = None) -> Draw:
    """Uniform, by the sum of both fans; a matrix of heads has a shape of its own."""
    limit = sqrt(6 / (prod(fans[:-2]) * (fans[-2] + fans[-1])))
    return uniform(limit, *(shape or fans))


def orthogonal(rows: int, columns: int) -> Draw:
    """Rows at right angles, of length one."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        q, r = np.linalg.qr(rng.standard_normal((columns, rows)))
        return np.ascontiguousarray((q * np.sign(np.diag(r))).T, np.float32)

    return draw


def uniform(limit: float, *shape: int, around: float = 0.0) -> Draw:
    return lambda rng: (around + rng.uniform(-limit, limit, shape)).astype(np.float32)


def zeros(*shape: int) -> Draw:
    return lambda _: np.zeros(shape, np.float32)
