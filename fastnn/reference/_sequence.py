"""Shared by the twins of sequences: shapes, the order of time, dropout that is constant over time, held states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn import checks


def check(
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    gates: int,
    outputs: int | None = None,
    mask: np.ndarray | None = None,
    x_dropout: np.ndarray | None = None,
    h_dropout: np.ndarray | None = None,
) -> tuple[tuple[int, int, int, int], np.ndarray | None]:
    """Check the arguments of all recurrent kernels: u is (U, G·U), or (O, U) if `outputs` are fed back.

    Returns the sizes (B, T, D, U) and the mask.
    """
    batch, steps, inputs = x.shape
    units = len(u) if outputs is None else u.shape[1]
    back, recurrent = (units, "U") if outputs is None else (outputs, "O")
    checks.shape("u", u, (back, gates * units), f"({recurrent}, {_times(gates)}U)")
    checks.shape("w", w, (inputs, gates * units), f"(D, {_times(gates)}U)")
    if x_dropout is not None:
        sets = gates if len(x_dropout) == gates else 1
        either = f"(1, B, D) or ({gates}, B, D), here" if gates > 1 else "(1, B, D)"
        checks.shape("x_dropout", x_dropout, (sets, batch, inputs), either)
    if h_dropout is not None:
        checks.shape("h_dropout", h_dropout, (gates, batch, back), f"({gates}, B, {recurrent})")
    if mask is not None:
        mask = checks.mask("mask", mask, (batch, steps))
    return (batch, steps, inputs, units), mask


def _times(gates: int) -> str:
    return f"{gates}·" if gates > 1 else ""


def sized(expected: tuple[int, ...], meaning: str, **arrays: np.ndarray | None) -> None:
    """Check that every given array has the shape `expected`."""
    for name, array in arrays.items():
        if array is not None:
            checks.shape(name, array, expected, meaning)


def needed(forward: str, **arrays: np.ndarray | None) -> None:
    """Refuse a backward call without an array that the forward kernel returned for it."""
    for name, array in arrays.items():
        if array is None:
            raise ValueError(f"The gradients are computed from {name}. Received: {name}=None. Use {name} of {forward}.")


def results(inputs: tuple, dtype: np.dtype, **wanted: tuple) -> list[np.ndarray]:
    """Return the arrays to write results into, requested as ``name=(given, shape, needed)``; None if not needed."""
    made: list[Any] = [
        checks.result(name, given, expected, dtype, *inputs) if need else None
        for name, (given, expected, need) in wanted.items()
    ]
    return made


def order(steps: int, go_backwards: bool) -> Iterator[tuple[int, int | None]]:
    """Yield the steps in processing order, each with the one before it (None: the initial state)."""
    times = range(steps)[::-1] if go_backwards else range(steps)
    return zip(times, [None, *times[:-1]], strict=True) if steps else iter(())


def backward_order(steps: int, go_backwards: bool) -> list[tuple[int, int | None]]:
    """Return the same in reverse order, as the gradients flow."""
    return list(order(steps, go_backwards))[::-1]


def start(state: np.ndarray | None, batch: int, units: int, dtype: np.dtype) -> np.ndarray:
    """Return the initial state (B, U); zero if none is given."""
    return np.zeros((batch, units), dtype) if state is None else state


def state_before(states: np.ndarray, initial: np.ndarray | None, earlier: int | None) -> np.ndarray:
    """Return the state that a step starts from: the one after step `earlier`, or the initial one."""
    if earlier is not None:
        return states[:, earlier]
    return start(initial, len(states), states.shape[2], states.dtype)


def keeps(mask: np.ndarray | None, t: int) -> np.ndarray | bool:
    """Return which rows of the batch take step t, as a column (B, 1)."""
    return True if mask is None else mask[:, t, None]


def project(a: np.ndarray, w: np.ndarray, factors: np.ndarray | None, gates: int) -> np.ndarray:
    """Return (a ∘ factors[g]) · w[:, gate g] for every gate, concatenated: (B, G·U)."""
    if factors is None or len(factors) == 1:
        return (a if factors is None else a * factors[0]) @ w
    return np.hstack([(a * f) @ part for f, part in zip(factors, np.hsplit(w, gates), strict=True)])


def project_back(dz: np.ndarray, w: np.ndarray, factors: np.ndarray | None, gates: int) -> np.ndarray:
    """Return the gradient of `project` with respect to a: Σ_g factors[g] ∘ (dz[gate g] · w[:, gate g]ᵀ)."""
    if factors is None or len(factors) == 1:
        return dz @ w.T if factors is None else dz @ w.T * factors[0]
    parts = zip(factors, np.hsplit(dz, gates), np.hsplit(w, gates), strict=True)
    return sum((f * (d @ part.T) for f, d, part in parts), np.zeros((), dz.dtype))


def project_weights(a: np.ndarray, dz: np.ndarray, factors: np.ndarray | None, gates: int) -> np.ndarray:
    """Return the gradient of `project` with respect to w: (a ∘ factors[g])ᵀ · dz[gate g], concatenated."""
    if factors is None or len(factors) == 1:
        return (a if factors is None else a * factors[0]).T @ dz
    return np.hstack([(a * f).T @ d for f, d in zip(factors, np.hsplit(dz, gates), strict=True)])


class Products:
    """The products of a backward pass, step by step: dw and du accumulate, dx is assigned (None: not needed).

    dw, du and the other `sums` start from zero. The values of x where the mask is False do not matter.
    """

    def __init__(self, gates, x, w, u, mask, x_dropout, h_dropout, dx, dw, du, *sums):
        self.gates, self.w, self.u, self.x_dropout, self.h_dropout = gates, w, u, x_dropout, h_dropout
        self.x = x if mask is None else np.where(mask[:, :, None], x, 0)
        self.dx, self.dw, self.du = dx, dw, du
        for total in (dw, du, *sums):
            if total is not None:
                total[...] = 0

    def input(self, t: int, dz: np.ndarray) -> None:
        """Compute the gradients of x_t and w from that of the input product (B, G·U)."""
        self.dw += project_weights(self.x[:, t], dz, self.x_dropout, self.gates)
        if self.dx is not None:
            self.dx[:, t] = project_back(dz, self.w, self.x_dropout, self.gates)

    def recurrent(self, before: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """Compute the gradient of u from that of the recurrent product (B, G·U); return that of the previous state."""
        self.du += project_weights(before, dz, self.h_dropout, self.gates)
        return project_back(dz, self.u, self.h_dropout, self.gates)
