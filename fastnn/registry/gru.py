"""Registry rows of the family gru."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference._sequence import project, start
from fastnn.registry import Case, Kernel
from fastnn.registry import _sequence as sequence
from fastnn.registry._draw import nbytes

# The first of each pair has a slope of at most 1, the second is in [0, 1]: the gradient bound needs both.
ACTIVATIONS = (("tanh", "sigmoid"), ("tanh", "hard_sigmoid"), ("relu", "sigmoid"), ("elu", "sigmoid"))
EXACT = (("linear", "linear"), ("relu", "relu"))


def _activations(number: int, exact: bool) -> tuple[str, str]:
    choice = EXACT if exact else ACTIVATIONS
    return choice[number % len(choice)]


def _inputs(rng, dtype, sizes, words, number, exact):
    """Draw the arguments of forward except the need_* flags, once with reset_after and once without."""
    for reset_after in (True, False):
        x, w, u, b, h0, mask, options = sequence.draw(rng, dtype, sizes, words, 3, exact)
        if reset_after and b is not None:
            b = np.stack([b, np.roll(b, 1)])
        yield (x, w, u, b, h0, mask, *_activations(number, exact), reset_after), options


def _forward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    for args, options in _inputs(rng, dtype, sizes, words, number, exact):
        if "last" in words:
            options["need_y"] = False
        if "lean" in words:
            options["need_gates"] = False
        yield Case(args, options)


def _backward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    for args, options in _inputs(rng, dtype, sizes, words, number, exact):
        x, w, u, _, *rest = args
        y, _, gates, inner = sequence.twins.gru_forward(*args, **options)
        gradients = sequence.gradients(rng, dtype, words, exact, y)
        yield Case((*gradients, x, w, u, y, gates, inner, *rest), options | sequence.needs(words, "need_dh0"))


def _forward_tolerance(case, expected, eps):
    """Errors step by step: those of all sums, 2·(D + U + 4)·ε of their magnitudes, and that of h₋₁ through |u|;
    of the gates; of r times inner, or r times h₋₁; of h = z·h₋₁ + (1 − z)·ĥ, or z·(h₋₁ − ĥ) + ĥ, by the rule of
    products, with four roundings."""
    x, w, u, b, h0, mask, activation, recurrent_activation, reset_after = case.args
    options = sequence.dropout(case.kwargs)
    y, h, gates, inner = sequence.twins.gru_forward(*case.args, **options)
    units, size = len(u), 2 * (x.shape[2] + len(u) + 4) * eps
    x_row, h_row = (0, 0) if b is None else np.abs(b) if reset_after else (np.abs(b), 0)
    fx, fh = (options.get(name) for name in ("x_dropout", "h_dropout"))
    own = 1 if fh is None else fh[2]
    before, eh = start(h0, h.shape[0], h.shape[1], h.dtype), np.zeros_like(h)
    errors = [np.zeros_like(a) for a in (y, gates, inner)]
    for t, keep in sequence.processed(x, mask, options.get("go_backwards", False)):
        ex = size * (project(np.abs(x[:, t]), np.abs(w), fx, 3) + x_row)
        es = size * (project(np.abs(before), np.abs(u), fh, 3) + h_row) + project(eh, np.abs(u), fh, 3)
        z, r, new = np.hsplit(gates[:, t], 3)
        ez, er = (
            sequence.growth(recurrent_activation, e, gate, eps)
            for e, gate in zip(np.hsplit((ex + es)[:, : 2 * units], 2), (z, r), strict=True)
        )
        if reset_after:
            product, ei = np.abs(inner[:, t]), es[:, 2 * units :]
            en = (np.abs(r) + er) * ei + product * er + 2 * eps * np.abs(r) * product
        else:
            ei = (np.abs(r) + er) * eh * own + np.abs(before * own) * er + 2 * eps * np.abs(inner[:, t])
            en = (ei + size * np.abs(inner[:, t])) @ np.abs(u[:, 2 * units :])
        en = sequence.growth(activation, ex[:, 2 * units :] + en, new, eps)
        change = np.abs(z * before) + (np.abs(z) + np.abs(1 - z)) * np.abs(new)
        new_eh = (np.abs(z) + ez) * eh + np.abs(before - new) * ez + (np.abs(1 - z) + ez) * en + 4 * eps * change
        eh = np.where(keep, new_eh, eh)
        before = y[:, t]
        for total, e in zip(errors, (eh, np.hstack([ez, er, en]), ei), strict=True):
            total[:, t] = np.where(keep, e, 0) if total is not errors[0] else e
    bounds = (errors[0], eh, *errors[1:])
    return [None if e is None else bound for e, bound in zip(expected, bounds, strict=True)]


def _backward_tolerance(case, expected, eps):
    """A step's sums of 3·U products (twice without reset_after), with slopes whose own error is absolute, are
    2·(6·U + 20)·ε of the magnitudes off; dw and db add up B·T such steps. −|ĥ| goes in, for |h₋₁ − ĥ| ≤ |h₋₁| + |ĥ|."""
    dy, dh, x, w, u, y, gates, inner, h0 = sequence.magnitudes(*case.args[:9])
    gates = np.concatenate([gates[..., : 2 * len(u)], -gates[..., 2 * len(u) :]], axis=-1)
    options = sequence.dropout(case.kwargs) | {"need_dh0": True, "need_dstates": True}
    mask, _, recurrent_activation, reset_after = case.args[9:]

    def backward(dy, dh):
        return sequence.twins.gru_backward(
            dy, dh, x, w, u, y, gates, inner, h0, mask, "linear", recurrent_activation, reset_after, **options
        )

    batch, steps, units = y.shape
    step = 2 * (6 * units + 20) * eps
    return sequence.linear_bounds(backward, expected, (dy, dh), step, step + 2 * batch * steps * eps)


def _row(name: str, make, **properties) -> Kernel:
    return Kernel(
        name,
        "gru",
        cases=sequence.cases(make),
        exact=sequence.cases(make, 2),
        bench=sequence.bench(make),
        **properties,
    )


def _forward_bytes(x, w, u, b, *rest, need_y=True, need_gates=True, **options) -> int:
    return sequence.moved(x, (need_y + 4 * need_gates) * len(u), x, w, u, b)


def _backward_bytes(dy, dh, x, w, u, y, gates, inner, *rest, need_dx=True, **options) -> int:
    return nbytes(dy, dh, x, w, u, y, gates, inner, w, u) + need_dx * nbytes(x)


KERNELS = (
    _row(
        "gru_forward",
        _forward,
        tolerance=_forward_tolerance,
        flops=lambda x, w, u, *rest, **options: sequence.products(x, u),
        bytes=_forward_bytes,
        results=("y", "h", "gates", "inner"),
        nan=(0, 3, 4),
    ),
    _row(
        "gru_backward",
        _backward,
        tolerance=_backward_tolerance,
        flops=lambda dy, dh, x, w, u, *rest, need_dx=True, **options: sequence.products(x, u, need_dx),
        bytes=_backward_bytes,
        results=("dx", "dw", "du", "db", "dh0", "dstates"),
        nan=(),
    ),
)
