"""JAX: one jitted step with donated state and Adam by hand; "pipelined" waits for every sixteenth result only."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from bench.rivals.workers.worker import Job, Run, serve, time_steps

PIPELINE = 16


def mlp(w: list[jax.Array], x: jax.Array) -> jax.Array:
    return jax.nn.relu(x.reshape(len(x), -1) @ w[0] + w[1]) @ w[2] + w[3]


def cnn(w: list[jax.Array], x: jax.Array) -> jax.Array:
    for i in (0, 2, 4):
        y = lax.conv_general_dilated(x, w[i], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = max_pool(jax.nn.relu(y + w[i + 1]))
    return jax.nn.relu(x.reshape(len(x), -1) @ w[6] + w[7]) @ w[8] + w[9]


MODELS = {"mlp": mlp, "cnn": cnn}


def max_pool(x: jax.Array) -> jax.Array:
    """2×2, by reshaping: faster here than reduce_window and its gradient."""
    n, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def adam(w: jax.Array, g: jax.Array, m: jax.Array, v: jax.Array, rate: jax.Array) -> tuple[jax.Array, ...]:
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    return w - rate * m / (jnp.sqrt(v) + 1e-7), m, v


def prepare(job: Job) -> Run:
    weights, x, y = job.load()
    apply = MODELS[job.model]
    x = [jnp.asarray(batch) for batch in x]
    y = [jnp.asarray(labels, dtype=jnp.int32) for labels in y]
    weights = [jnp.asarray(w) for w in weights]

    if not job.training:
        infer = jax.jit(lambda w, x: jax.nn.softmax(apply(w, x)))
        return Run(lambda i: infer(weights, x[i % len(x)]).block_until_ready())

    def loss_of(w: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        return -jnp.take_along_axis(jax.nn.log_softmax(apply(w, x)), y[:, None], axis=1).mean()

    @partial(jax.jit, donate_argnums=0)
    def train(state: Any, x: jax.Array, y: jax.Array) -> Any:
        w, m, v, t = state
        loss, g = jax.value_and_grad(loss_of)(w, x, y)
        t = t + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w, m, v = map(list, zip(*(adam(*parts, rate) for parts in zip(w, g, m, v, strict=True)), strict=True))
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

    if job.mode == "pipelined":
        return Run(launch, lambda seconds: time_steps(wait_at_times, seconds, block=PIPELINE))
    return Run(lambda i: launch(i).block_until_ready())


if __name__ == "__main__":
    serve(prepare)
