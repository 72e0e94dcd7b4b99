"""Random sequences for the cases of the recurrent families, and the parts that their error bounds share.

Recurrent weights are drawn as U(−1, 1)/U: a state that is fed back shrinks on average, and an error is bounded by the
sum of the errors of a few steps, for any T. Small integers would grow instead, so their recurrent weights have a single
±1 per column, and all sums stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn import reference
from fastnn.reference._sequence import order
from fastnn.registry import Case
from fastnn.registry._draw import nbytes, reals, uniform
from fastnn.registry._tolerance import activation_growth

# (B, T, D, U) and options:
# bias, start (initial states), mask, backwards, x-one or x-gates (dropout of x, one set or one per gate), h-drop (of
# the state), last (no y, and only a gradient of the final states), lean (no optional result), all (every optional
# result).
SIZES = (
    ((5, 6, 3, 9), "bias start mask all"),
    ((0, 3, 2, 5), "bias start mask"),
    ((2, 0, 3, 4), "bias start all"),
    ((1, 1, 1, 1), "bias"),
    ((1, 1, 7, 8), "start all"),
    ((7, 1, 9, 17), "bias start mask h-drop"),
    ((17, 3, 8, 7), "bias mask backwards all"),
    ((9, 5, 31, 8), "start backwards last all"),
    ((31, 2, 17, 31), "bias x-one h-drop all"),
    ((8, 9, 1, 16), "bias start mask backwards x-one last"),
    ((4, 7, 9, 33), "bias start x-gates h-drop mask backwards all"),
    ((3, 31, 2, 5), "mask x-gates all"),
    ((67, 3, 5, 10), "bias h-drop mask start all"),
    ((2, 5, 3, 65), "bias lean"),
    ((33, 4, 2, 3), "lean last backwards"),
    ((9, 25, 3, 7), "bias start backwards h-drop last all"),
    ((141, 13, 2, 5), "bias start mask x-gates all"),
    # Whole panels of columns on every tier, many of them for a single row, which has its own code path.
    ((1, 1, 130, 128), "bias start x-gates h-drop all"),
    ((1, 3, 2, 128), "bias start h-drop mask backwards all"),
    ((3, 14, 4, 64), "bias start mask all"),
)
BENCH = (
    ("32 x 100, 32 inputs, 64 units", (32, 100, 32, 64), "bias"),
    ("16 x 30, 128 inputs, 32 units, backwards", (16, 30, 128, 32), "bias backwards"),
    ("16 x 30, 64 inputs, 64 units", (16, 30, 64, 64), "bias"),
    ("32 x 100, 32 inputs, 64 units, mask and dropout", (32, 100, 32, 64), "bias mask x-gates h-drop"),
    ("32 x 100, 32 inputs, 64 units, the last state", (32, 100, 32, 64), "bias last"),
    ("1 x 100, 32 inputs, 64 units", (1, 100, 32, 64), "bias"),
)

twins: Any = reference
"""The twins, called with arguments that are drawn: type checkers do not know how many there are."""


class Drawn(NamedTuple):
    """The arguments that the recurrent kernels have in common; None if the options do not name them."""

    x: np.ndarray
    w: np.ndarray
    u: np.ndarray
    b: np.ndarray | None
    start: np.ndarray | None
    mask: np.ndarray | None
    options: dict[str, Any]


def small_integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return random integers −1, 0 and 1."""
    return rng.integers(-1, 2, shape).astype(dtype)


def one_per_column(rng: np.random.Generator, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Return a matrix with a single ±1 in every column, spread evenly over the rows."""
    w = np.zeros(shape, dtype)
    if shape[0]:
        columns = np.arange(shape[1])
        w[rng.permutation(shape[1]) % shape[0], columns] = rng.choice([-1, 1], shape[1])
    return w


def draw(
    rng: np.random.Generator,
    dtype: np.dtype,
    sizes: tuple[int, int, int, int],
    words: Any,
    gates: int = 1,
    exact: bool = False,
    fed: int | None = None,
) -> Drawn:
    """Draw a sequence and weights; `fed` is the width of the state that is fed back, U if None."""
    batch, steps, inputs, units = sizes
    fed, words, columns = fed or units, words.split(), gates * units
    if exact:
        real, w, u = (
            small_integers,
            one_per_column(rng, (inputs, columns), dtype),
            one_per_column(rng, (fed, columns), dtype),
        )
    else:
        real, w = reals, reals(rng, (inputs, columns), dtype, 1 / np.sqrt(max(inputs, 1)))
        u = uniform(rng, (fed, columns), dtype, -1 / fed, 1 / fed)
    options: dict[str, Any] = {"go_backwards": True} if "backwards" in words else {}
    for name, sets, width in (("x_dropout", 1 if "x-one" in words else gates, inputs), ("h_dropout", gates, fed)):
        if "h-drop" in words if name == "h_dropout" else {"x-one", "x-gates"} & set(words):
            options[name] = (2 * (rng.random((sets, batch, width)) < 0.75)).astype(dtype)
    return Drawn(
        real(rng, (batch, steps, inputs), dtype),
        w,
        u,
        real(rng, (columns,), dtype) if "bias" in words else None,
        real(rng, (batch, fed), dtype) if "start" in words else None,
        rng.random((batch, steps)) < 0.6 if "mask" in words else None,
        options,
    )


def gradients(
    rng: np.random.Generator, dtype: np.dtype, words: str, exact: bool, y: np.ndarray, states: int = 1
) -> list[np.ndarray | None]:
    """Draw dy and the gradients of the final states; either is None if the options say so."""
    real = small_integers if exact else reals
    last, lean = "last" in words, "lean" in words
    dy = None if last else real(rng, y.shape, dtype)
    return [dy, *(None if lean and not last else real(rng, (y.shape[0], y.shape[2]), dtype) for _ in range(states))]


def needs(words: str, initial: str) -> dict[str, bool]:
    """Return the results requested beyond the defaults; `initial` names the gradient of the initial state."""
    lean = {"need_dx": False, "need_db": False} if "lean" in words else {}
    return lean | ({initial: True, "need_dstates": True} if "all" in words else {})


def dropout(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options of a call that both directions accept."""
    return {name: options[name] for name in ("x_dropout", "h_dropout", "go_backwards") if name in options}


def linear_bounds(
    backward: Callable[..., Sequence[np.ndarray]],
    expected: Sequence[np.ndarray | None],
    gradients: Sequence[np.ndarray | None],
    step: float,
    own: float,
) -> list[np.ndarray | None]:
    """Return error bounds of a backward kernel, which is linear in the incoming `gradients`.

    `backward` is the twin applied to magnitudes, with no slope below the true one: it bounds every sum on the way. The
    gradient of a step's state has an error of `step` times that; earlier steps inherit it, by the same twin; each
    result adds `own` times itself.
    """
    whole = backward(*gradients)
    carried = backward(step * whole[-1], *(None for _ in gradients[1:]))
    return [None if e is None else a + own * m for e, a, m in zip(expected, carried, whole, strict=True)]


def cases(make: Callable[..., Iterator[Case]], exact_steps: int | None = None):
    """Draw all SIZES; with `exact_steps`, use small integers and at most that many steps."""

    def draws(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for number, ((batch, steps, inputs, units), words) in enumerate(SIZES):
            steps = steps if exact_steps is None else min(steps, exact_steps)
            yield from make(rng, dtype, (batch, steps, inputs, units), words, number, exact_steps is not None)

    return draws


def bench(make: Callable[..., Iterator[Case]]):
    """Draw all BENCH sizes, with the default activations."""

    def draws(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, sizes, words in BENCH:
            yield label, next(iter(make(rng, dtype, sizes, words, 0, False)))

    return draws


def magnitudes(*arrays: np.ndarray | None) -> list[Any]:
    """Return |a| of each given array."""
    return [None if a is None else np.abs(a) for a in arrays]


def growth(activation: str, error: np.ndarray, y: np.ndarray, eps: float) -> np.ndarray:
    """Return the error of act(z) for an error of z: the steepest slope times that, plus the activation's own error."""
    steepest = {"sigmoid": 1 / 4, "hard_sigmoid": 1 / 6}.get(activation, 1)
    return activation_growth(activation, steepest * error, y, eps)


def processed(x: np.ndarray, mask: np.ndarray | None, go_backwards: bool) -> Iterator[tuple[int, np.ndarray | bool]]:
    """Yield the steps in processing order, and which rows take them, as a column."""
    for t, _ in order(x.shape[1], go_backwards):
        yield t, True if mask is None else mask[:, t, None]


def products(x: np.ndarray, u: np.ndarray, need_dx: bool | None = None) -> int:
    """Count the operations of the matrix products: forward, or (need_dx True or False) backward."""
    batch, steps, inputs = x.shape
    one = 2 * batch * steps * u.shape[1]
    if need_dx is None:
        return one * (inputs + len(u))
    return one * ((2 if need_dx else 1) * inputs + 2 * len(u))


def moved(x: np.ndarray, columns: int, *arrays: np.ndarray | None) -> int:
    """Count the bytes of the arrays, and of a sequence with that many columns."""
    return nbytes(*arrays) + x.shape[0] * x.shape[1] * columns * x.itemsize
