"""Models with branches in JAX. ``Net`` hands out the weights in Keras' order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

EPSILON = 1e-3  # Keras' for both normalizations
MOMENTUM = 0.99


@dataclass
class Net:
    """One pass through a model: its weights, whether it trains, and what to put in the place of moving averages."""

    weights: list[jax.Array]
    training: bool
    rate: float = 0.0
    key: jax.Array | None = None
    taken: int = 0
    replaced: dict[int, jax.Array] = field(default_factory=dict)

    def take(self, count: int) -> list[jax.Array]:
        self.taken += count
        return self.weights[self.taken - count : self.taken]


def transformer(net: Net, ids: jax.Array) -> jax.Array:
    x = words(net, ids)
    for _ in range(2):
        x = layer_norm(net, x + dropout(net, attention(net, x)))
        x = layer_norm(net, x + dropout(net, feed_forward(net, x, jax.nn.relu)))
    return dense(net, x.mean(1))


def resnet(net: Net, x: jax.Array) -> jax.Array:
    x = jax.nn.relu(batch_norm(net, conv(net, x)))
    for stride in (1, 1, 2, 1, 2, 1):
        y = jax.nn.relu(batch_norm(net, conv(net, x, stride)))
        y = conv(net, y)
        if stride > 1:
            x = conv(net, x, stride)
        y = batch_norm(net, y)
        if stride > 1:
            x = batch_norm(net, x)
        x = jax.nn.relu(y + x)
    return dense(net, x.mean((1, 2)))


def gpt(net: Net, ids: jax.Array) -> jax.Array:
    x = words(net, ids)
    for _ in range(4):
        x = x + attention(net, layer_norm(net, x), causal=True)
        x = x + feed_forward(net, layer_norm(net, x), partial(jax.nn.gelu, approximate=False))
    return dense(net, layer_norm(net, x))


GRAPHS = {"transformer": transformer, "resnet": resnet, "gpt": gpt}


def words(net: Net, ids: jax.Array) -> jax.Array:
    vectors, places = net.take(2)
    return vectors[ids] + places


def dense(net: Net, x: jax.Array) -> jax.Array:
    w, b = net.take(2)
    return x @ w + b


def feed_forward(net: Net, x: jax.Array, activation: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return dense(net, activation(dense(net, x)))


def dropout(net: Net, x: jax.Array) -> jax.Array:
    if not (net.training and net.rate):
        return x
    net.key, key = jax.random.split(net.key)
    return jnp.where(jax.random.bernoulli(key, 1 - net.rate, x.shape), x / (1 - net.rate), 0)


def layer_norm(net: Net, x: jax.Array) -> jax.Array:
    scale, offset = net.take(2)
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + EPSILON) * scale + offset


def attention(net: Net, x: jax.Array, causal: bool = False) -> jax.Array:
    """Three products and batches of heads: faster here than one product, and than jax.nn.dot_product_attention."""
    query, key, value = (heads(net, x) for _ in range(3))
    scores = query * query.shape[-1] ** -0.5 @ jnp.swapaxes(key, 2, 3)
    if causal:
        scores = jnp.where(jnp.tri(x.shape[1], dtype=bool), scores, -1e9)
    y = jnp.moveaxis(jax.nn.softmax(scores) @ value, 1, 2)
    kernel, bias = net.take(2)
    return y.reshape(*x.shape[:2], -1) @ kernel.reshape(-1, x.shape[-1]) + bias


def heads(net: Net, x: jax.Array) -> jax.Array:
    """Query, key or value (B,H,T,D)."""
    kernel, bias = net.take(2)
    y = x @ kernel.reshape(x.shape[-1], -1) + bias.reshape(-1)
    return jnp.moveaxis(y.reshape(*x.shape[:2], *bias.shape), 1, 2)


def conv(net: Net, x: jax.Array, stride: int = 1) -> jax.Array:
    (w,) = net.take(1)
    return lax.conv_general_dilated(x, w, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def batch_norm(net: Net, x: jax.Array) -> jax.Array:
    scale, offset, moving_mean, moving_variance = net.take(4)
    mean, variance = moving_mean, moving_variance
    if net.training:
        mean = x.mean((0, 1, 2))
        variance = jnp.square(x).mean((0, 1, 2)) - jnp.square(mean)
        net.replaced[net.taken - 2] = MOMENTUM * moving_mean + (1 - MOMENTUM) * mean
        net.replaced[net.taken - 1] = MOMENTUM * moving_variance + (1 - MOMENTUM) * variance
    factor = scale * lax.rsqrt(variance + EPSILON)
    return x * factor + (offset - mean * factor)
