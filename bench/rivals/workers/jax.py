"""JAX: one jitted step with donated state and Adam by hand.

Modes: "pipelined" waits for every sixteenth result only; "unroll4" unrolls a sequence's loop by 4; or both, with a "+".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from bench.rivals.workers.jax_graphs import GRAPHS, Net
from bench.rivals.workers.worker import Job, Run, is_binary, serve, time_steps

PIPELINE = 16

Cell = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
"""From the products of the input and of the state, h and c to the new h and c (passed on by cells that have none)."""


def mlp(w: list[jax.Array], x: jax.Array) -> jax.Array:
    return jax.nn.relu(x.reshape(len(x), -1) @ w[0] + w[1]) @ w[2] + w[3]


def cnn(w: list[jax.Array], x: jax.Array) -> jax.Array:
    for i in (0, 2, 4):
        y = lax.conv_general_dilated(x, w[i], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = max_pool(jax.nn.relu(y + w[i + 1]))
    return jax.nn.relu(x.reshape(len(x), -1) @ w[6] + w[7]) @ w[8] + w[9]


def bilstm(w: list[jax.Array], x: jax.Array, unroll: int) -> jax.Array:
    x = w[0][x.T]
    ahead, back = recurrent(lstm, w[1:4], x, unroll), recurrent(lstm, w[4:7], x, unroll, reverse=True)
    x = jnp.concatenate((ahead[1], back[1]), axis=2)
    ahead, back = recurrent(lstm, w[7:10], x, unroll), recurrent(lstm, w[10:13], x, unroll, reverse=True)
    h = jnp.concatenate((ahead[0], back[0]), axis=1)
    return jax.nn.relu(h @ w[13] + w[14]) @ w[15] + w[16]


def classifier(cell: Cell, w: list[jax.Array], x: jax.Array, unroll: int) -> jax.Array:
    return recurrent(cell, w[1:4], w[0][x.T], unroll)[0] @ w[4] + w[5]


def recurrent(
    cell: Cell, w: list[jax.Array], x: jax.Array, unroll: int, reverse: bool = False
) -> tuple[jax.Array, jax.Array]:
    """The last state (B,U) and all states (T,B,U) for x (T,B,D); the input's products stand before the loop."""
    kernel, state_kernel, bias = w
    input_bias, state_bias = (bias[0], bias[1]) if bias.ndim == 2 else (bias, 0.0)
    zeros = jnp.zeros((x.shape[1], len(state_kernel)), x.dtype)

    def step(state: tuple[jax.Array, jax.Array], product: jax.Array) -> Any:
        state = cell(product, state[0] @ state_kernel + state_bias, *state)
        return state, state[0]

    (h, _), states = lax.scan(step, (zeros, zeros), x @ kernel + input_bias, reverse=reverse, unroll=unroll)
    return h, states


def simple_rnn(a: jax.Array, b: jax.Array, h: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.tanh(a + b), c


def lstm(a: jax.Array, b: jax.Array, h: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
    i, f, g, o = jnp.split(a + b, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(a: jax.Array, b: jax.Array, h: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
    (az, ar, ah), (bz, br, bh) = jnp.split(a, 3, axis=1), jnp.split(b, 3, axis=1)
    z = jax.nn.sigmoid(az + bz)
    return z * h + (1 - z) * jnp.tanh(ah + jax.nn.sigmoid(ar + br) * bh), c


MODELS = {"mlp": mlp, "cnn": cnn}
SEQUENCE_MODELS = {
    "bilstm": bilstm,
    "simplernn": partial(classifier, simple_rnn),
    "gru": partial(classifier, gru),
    "lstm": partial(classifier, lstm),
}


Model = Callable[[Net, jax.Array], jax.Array]


def build(job: Job, unroll: int) -> Model:
    if job.model in GRAPHS:
        return GRAPHS[job.model]
    chain = MODELS.get(job.model) or partial(SEQUENCE_MODELS[job.model], unroll=unroll)
    return lambda net, x: chain(net.weights, x)


def max_pool(x: jax.Array) -> jax.Array:
    """2×2, by reshaping: faster here than reduce_window and its gradient."""
    n, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def read_mode(mode: str) -> tuple[int, bool]:
    """How many steps of a sequence are unrolled, and whether the batches are pipelined."""
    words = mode.split("+")
    unroll = [int(word.removeprefix("unroll")) for word in words if word.startswith("unroll")]
    return (*unroll, 1)[0], "pipelined" in words


def adam(w: jax.Array, g: jax.Array, m: jax.Array, v: jax.Array, rate: jax.Array) -> tuple[jax.Array, ...]:
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    return w - rate * m / (jnp.sqrt(v) + 1e-7), m, v


def class_loss(z: jax.Array, y: jax.Array) -> jax.Array:
    """Of classes along the last axis, at one place or at many."""
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], axis=-1).mean()


def binary_loss(z: jax.Array, y: jax.Array) -> jax.Array:
    return (jax.nn.softplus(z) - y * z).mean()


def prepare(job: Job) -> Run:
    weights, x, y = job.load()
    binary = is_binary(weights)
    unroll, pipelined = read_mode(job.mode)
    model = build(job, unroll)
    x = [jnp.asarray(batch) for batch in x]
    y = [jnp.asarray(labels, dtype=jnp.float32 if binary else jnp.int32) for labels in y]
    weights = [jnp.array(w) for w in weights]  # copies: the step writes into them

    if not job.training:
        last = jax.nn.sigmoid if binary else jax.nn.softmax
        infer = jax.jit(lambda w, x: last(model(Net(w, training=False), x)))
        return Run(lambda i: infer(weights, x[i % len(x)]).block_until_ready())

    entropy = binary_loss if binary else class_loss

    def loss_of(w: list[jax.Array], x: jax.Array, y: jax.Array, key: jax.Array) -> Any:
        net = Net(w, training=True, rate=job.dropout, key=key)
        return entropy(model(net, x), y), net.replaced

    @partial(jax.jit, donate_argnums=0)
    def train(state: Any, x: jax.Array, y: jax.Array) -> Any:
        w, m, v, t = state
        key = jax.random.fold_in(jax.random.key(0, impl="unsafe_rbg"), t.astype(int))
        (loss, replaced), g = jax.value_and_grad(loss_of, has_aux=True)(w, x, y, key)
        t = t + 1
        rate = job.learning_rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w, m, v = map(list, zip(*(adam(*parts, rate) for parts in zip(w, g, m, v, strict=True)), strict=True))
        w = [replaced.get(i, new) for i, new in enumerate(w)]  # moving averages have no gradient
        return (w, m, v, t), loss

    zeros = [jnp.zeros_like(w) for w in weights]
    state = (weights, zeros, [jnp.zeros_like(w) for w in weights], jnp.float32(0))

    def launch(i: int) -> jax.Array:
        nonlocal state
        state, loss = train(state, x[i % len(x)], y[i % len(x)])
        return loss

    def wait_at_times(i: int) -> None:
        loss = launch(i)
        if i % PIPELINE == PIPELINE - 1:
            loss.block_until_ready()

    if pipelined:
        return Run(launch, lambda seconds: time_steps(wait_at_times, seconds, block=PIPELINE))
    return Run(lambda i: launch(i).block_until_ready())


if __name__ == "__main__":
    serve(prepare)
