"""What the raced models are made of: of each layer, how its parameters are drawn and which dense products it needs.

Parameters stand in the order and layout of Keras' ``get_weights()``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


def conv(kernel: tuple[int, int], channels: int, filters: int, pixels: int, first: bool = False) -> Layer:
    """A convolution that gives so many pixels."""
    shape = (*kernel, channels, filters)
    return Layer((glorot(*shape), zeros(filters)), pixels * prod(shape), first)


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


def glorot(*shape: int) -> Draw:
    """Uniform, by the sum of both fans."""
    limit = sqrt(6 / (prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return uniform(limit, *shape)


def orthogonal(rows: int, columns: int) -> Draw:
    """Rows at right angles, of length one."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        q, r = np.linalg.qr(rng.standard_normal((columns, rows)))
        return np.ascontiguousarray((q * np.sign(np.diag(r))).T, np.float32)

    return draw


def uniform(limit: float, *shape: int) -> Draw:
    return lambda rng: rng.uniform(-limit, limit, shape).astype(np.float32)


def zeros(*shape: int) -> Draw:
    return lambda _: np.zeros(shape, np.float32)
