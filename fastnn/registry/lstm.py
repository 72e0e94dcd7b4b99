"""Registry rows of the family lstm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference._sequence import project, start
from fastnn.registry import Case, Kernel
from fastnn.registry import _sequence as sequence
from fastnn.registry._draw import nbytes

# The first of each pair has a slope of at most 1, and |act(c)| ≤ |c|: the gradient bound needs both.
ACTIVATIONS = (("tanh", "sigmoid"), ("tanh", "hard_sigmoid"), ("relu", "sigmoid"), ("leaky_relu", "sigmoid"))
EXACT = (("linear", "linear"), ("relu", "relu"))


def _activations(number: int, exact: bool) -> tuple[str, str]:
    choice = EXACT if exact else ACTIVATIONS
    return choice[number % len(choice)]


def _inputs(rng, dtype, sizes, words, number, exact):
    """Draw the arguments of forward except the need_* flags: (x, w, u, b, h0, c0, mask, two activations), options."""
    *drawn, mask, options = sequence.draw(rng, dtype, sizes, words, 4, exact)
    h0 = drawn[4]
    c0 = None if h0 is None else np.roll(h0, 1)
    return (*drawn, c0, mask, *_activations(number, exact)), options


def _forward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    args, options = _inputs(rng, dtype, sizes, words, number, exact)
    if "last" in words:
        options["need_y"] = False
    if "lean" in words:
        options["need_gates"] = False
    yield Case(args, options)


def _backward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    args, options = _inputs(rng, dtype, sizes, words, number, exact)
    x, w, u, _, *rest = args
    y, _, _, gates, cells = sequence.twins.lstm_forward(*args, **options)
    gradients = sequence.gradients(rng, dtype, words, exact, y, 2)
    yield Case((*gradients, x, w, u, y, gates, cells, *rest), options | sequence.needs(words, "need_dstate0"))


def _forward_tolerance(case, expected, eps):
    """Errors step by step: those of z, 2·(D + U + 4)·ε of its sum of magnitudes, and that of h₋₁ through |u|;
    of the gates; of c = f·c₋₁ + i·g and h = o·act(c), by the rule of products, with three roundings and one."""
    x, w, u, b, h0, c0, mask, activation, recurrent_activation = case.args
    options = sequence.dropout(case.kwargs)
    y, h, c, gates, cells = sequence.twins.lstm_forward(*case.args, **options)
    size = 2 * (x.shape[2] + len(u) + 4) * eps
    h_before, c_before = (start(s, h.shape[0], h.shape[1], h.dtype) for s in (h0, c0))
    eh, ec = np.zeros_like(h), np.zeros_like(c)
    errors = [np.zeros_like(a) for a in (y, gates, cells)]
    factors = [options.get(name) for name in ("x_dropout", "h_dropout")]
    for t, keep in sequence.processed(x, mask, options.get("go_backwards", False)):
        sums = project(np.abs(x[:, t]), np.abs(w), factors[0], 4) + project(np.abs(h_before), np.abs(u), factors[1], 4)
        ez = size * (sums + (0 if b is None else np.abs(b))) + project(eh, np.abs(u), factors[1], 4)
        i, f, g, o = np.hsplit(gates[:, t], 4)
        names = (recurrent_activation, recurrent_activation, activation, recurrent_activation)
        each = zip(names, np.hsplit(ez, 4), (i, f, g, o), strict=True)
        ei, ef, eg, eo = (sequence.growth(name, e, gate, eps) for name, e, gate in each)
        kept, written = np.abs(f * c_before), np.abs(i * g)
        new_ec = (np.abs(f) + ef) * ec + np.abs(c_before) * ef + (np.abs(i) + ei) * eg + np.abs(g) * ei
        new_ec += 3 * eps * (kept + written)
        a = sequence.twins.activation_forward(cells[:, t], activation)
        ea = sequence.growth(activation, new_ec, a, eps)
        new_eh = (np.abs(o) + eo) * ea + np.abs(a) * eo + eps * np.abs(o * a)
        eh, ec = np.where(keep, new_eh, eh), np.where(keep, new_ec, ec)
        h_before, c_before = y[:, t], cells[:, t]
        for total, e in zip(errors, (eh, np.where(keep, np.hstack([ei, ef, eg, eo]), 0), ec), strict=True):
            total[:, t] = e
    bounds = (errors[0], eh, ec, *errors[1:])
    return [None if e is None else bound for e, bound in zip(expected, bounds, strict=True)]


def _backward_tolerance(case, expected, eps):
    """A step's sums of 4·U products, slopes whose own error is absolute, and up to T steps of six roundings along
    the cell, are 2·(4·U + 12) + 6·T times ε of the magnitudes off; dw and db add up B·T such steps."""
    *gradients, x, w, u, y, gates, cells, h0, c0 = sequence.magnitudes(*case.args[:11])
    options = sequence.dropout(case.kwargs) | {"need_dstate0": True, "need_dstates": True}
    mask, _, recurrent_activation = case.args[11:]

    def backward(*gradients):
        return sequence.twins.lstm_backward(
            *gradients, x, w, u, y, gates, cells, h0, c0, mask, "linear", recurrent_activation, **options
        )

    batch, steps, units = y.shape
    step = (2 * (4 * units + 12) + 6 * steps) * eps
    return sequence.linear_bounds(backward, expected, gradients, step, step + 2 * batch * steps * eps)


def _row(name: str, make, **properties) -> Kernel:
    return Kernel(
        name,
        "lstm",
        cases=sequence.cases(make),
        exact=sequence.cases(make, 2),
        bench=sequence.bench(make),
        **properties,
    )


def _forward_bytes(x, w, u, b, *rest, need_y=True, need_gates=True, **options) -> int:
    return sequence.moved(x, (need_y + 5 * need_gates) * len(u), x, w, u, b)


def _backward_bytes(dy, dh, dc, x, w, u, y, gates, cells, *rest, need_dx=True, **options) -> int:
    return nbytes(dy, dh, dc, x, w, u, y, gates, cells, w, u) + need_dx * nbytes(x)


KERNELS = (
    _row(
        "lstm_forward",
        _forward,
        tolerance=_forward_tolerance,
        flops=lambda x, w, u, *rest, **options: sequence.products(x, u),
        bytes=_forward_bytes,
        results=("y", "h", "c", "gates", "cells"),
        nan=(0, 3, 5),
    ),
    _row(
        "lstm_backward",
        _backward,
        tolerance=_backward_tolerance,
        flops=lambda dy, dh, dc, x, w, u, *rest, need_dx=True, **options: sequence.products(x, u, need_dx),
        bytes=_backward_bytes,
        results=("dx", "dw", "du", "db", "dh0", "dc0", "dstates"),
        nan=(),
    ),
)
