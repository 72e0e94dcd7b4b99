"""Cases and error bounds that layer_norm and rms_norm share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fastnn.registry import Case
from fastnn.registry._draw import reals

__all__ = ["backward_tolerance", "bench", "cases", "draw_forward", "forward_tolerance"]

SHAPES = (
    (0, 3),
    (1, 1),
    (7, 8),
    (9, 7),
    (31, 10),
    (17, 31),
    (2, 129),
    (7,),
    (2, 3, 9),
    (6, 40),
    (1, 17),
    (67, 16),
    (200, 5),
    (3, 1030),
)
# with gamma, beta, a residual (and, backward, with a second gradient of the sum)
OPTIONS = ((True, True, True), (True, True, False), (False, False, False), (True, False, False), (False, True, True))
BENCH = ((3200, 64), (4096, 128), (4096, 512), (512, 1024), (32768, 512))


def cases(make: Callable) -> Callable[[np.random.Generator, np.dtype], Iterator[Case]]:
    """The calls `make(rng, shape, dtype, options)` of each shape, with options that take turns."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for at, shape in enumerate(SHAPES):
            for options in OPTIONS[:1] + OPTIONS[at % len(OPTIONS) :][:2]:
                yield make(rng, shape, dtype, options)

    return draw


def bench(make: Callable) -> Callable[[np.random.Generator, np.dtype], Iterator[tuple[str, Case]]]:
    """Realistic sizes, plain and with a residual."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for shape in BENCH:
            yield f"{shape[0]} x {shape[1]}", make(rng, shape, dtype, (True, True, False))
        yield "4096 x 128, with a residual", make(rng, (4096, 128), dtype, (True, True, True))

    return draw


def forward_tolerance(s: np.ndarray, gamma, beta, y: np.ndarray, scale: np.ndarray, centred: bool) -> np.ndarray:
    """10·ε, in units of ε: of s·scale·γ, of the mean's error, which is up to that of the largest |s|, and of β."""
    size = np.abs(s).max(axis=-1, keepdims=True, initial=0) if centred else np.abs(s)
    gamma, beta = (np.abs(a) if a is not None else other for a, other in ((gamma, 1), (beta, 0)))
    return 10 * (size * scale[..., None] * gamma + beta + np.abs(y))


def backward_tolerance(dy, unit, scale, gamma, dtotal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """40·ε, in units of ε, of the sums of absolute values; a share of dγ or dβ is a sum of 64 rows, within 32·ε."""
    t = np.abs(dy * (1 if gamma is None else gamma))
    unit, rows = np.abs(unit), tuple(range(dy.ndim - 1))
    slope = t + t.mean(axis=-1, keepdims=True) + unit * (t * unit).mean(axis=-1, keepdims=True)
    dx = scale[..., None] * slope + (0 if dtotal is None else np.abs(dtotal))
    return 40 * dx, 40 * (np.abs(dy) * unit).sum(axis=rows), 40 * np.abs(dy).sum(axis=rows)


def draw_forward(rng, shape, dtype, options) -> tuple:
    """x, gamma, beta, residual; each row with a mean of its own, as large as its deviation or larger."""
    with_gamma, with_beta, with_residual = options
    x = reals(rng, shape, np.dtype(np.float64)) + 3 * rng.standard_normal((*shape[:-1], 1))
    return (
        x.astype(dtype),
        reals(rng, shape[-1:], dtype) if with_gamma else None,
        reals(rng, shape[-1:], dtype) if with_beta else None,
        reals(rng, shape, dtype) if with_residual else None,
    )
