"""Registry rows of the family conv_transpose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import conv2d_transpose_backward, conv2d_transpose_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.registry._tolerance import activation_growth, slopes
from fastnn.shapes import conv2d_transpose_output_shape

# x shape, (KH, KW, F), options
SIZES = (
    ((1, 1, 1, 1), (1, 1, 1), {}),
    ((0, 4, 5, 3), (3, 2, 4), {}),
    ((2, 7, 9, 1), (3, 3, 8), {"activation": "relu"}),
    ((3, 8, 7, 3), (3, 2, 17), {"strides": (2, 1)}),
    ((1, 9, 17, 8), (3, 3, 7), {"padding": "same", "activation": "relu"}),
    ((2, 9, 8, 7), (5, 3, 9), {"strides": 2, "padding": "same"}),
    ((2, 4, 3, 9), (2, 2, 5), {"strides": 3}),
    ((2, 4, 5, 6), (3, 1, 8), {"strides": (4, 2), "padding": "same", "activation": "tanh"}),
    ((1, 31, 9, 2), (3, 5, 5), {"dilation": (2, 1), "padding": ((1, 2), (0, 3))}),
    ((1, 8, 9, 17), (1, 1, 31), {"activation": "sigmoid"}),
    ((2, 9, 7, 33), (3, 3, 5), {"strides": 2, "padding": "same", "output_padding": 1}),
    ((2, 5, 4, 16), (4, 4, 16), {"strides": 2, "padding": ((1, 1), (1, 1)), "activation": "leaky_relu"}),
    ((1, 3, 3, 65), (3, 3, 31), {"strides": (3, 2), "output_padding": (2, 0)}),
    ((9, 6, 7, 5), (3, 3, 71), {"activation": "relu", "padding": "same"}),
    ((3, 5, 6, 70), (2, 2, 9), {"strides": (1, 2), "dilation": 2}),
    ((17, 1, 8, 20), (1, 5, 33), {"strides": (1, 2), "padding": "same"}),
)
BENCH = (
    (
        "decoder: 32 x 14 x 14 x 64, 3 x 3, 32, strides 2",
        (32, 14, 14, 64),
        (3, 3, 32),
        {"strides": 2, "padding": "same"},
    ),
    (
        "generator: 32 x 8 x 8 x 128, 4 x 4, 64, strides 2",
        (32, 8, 8, 128),
        (4, 4, 64),
        {"strides": 2, "padding": "same"},
    ),
    ("strides 1: 8 x 28 x 28 x 64, 3 x 3, 64", (8, 28, 28, 64), (3, 3, 64), {"padding": "same"}),
    ("twice as large: 8 x 28 x 28 x 64, 2 x 2, 32", (8, 28, 28, 64), (2, 2, 32), {"strides": 2, "activation": "relu"}),
)


def _forward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    w = (draw(rng, (*window, x_shape[3]), dtype) / 2).astype(dtype)
    return Case((draw(rng, x_shape, dtype), w, draw(rng, window[2:], dtype)), dict(options))


def _backward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    (x, w, b), _ = _forward_case(rng, dtype, draw, x_shape, window, options)
    y = conv2d_transpose_forward(x, w, b, **options)
    return Case((draw(rng, y.shape, dtype), x, w, y), dict(options))


def _cases(make, draw):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for x_shape, window, options in SIZES:
            if draw is reals or options.get("activation", "relu") == "relu":
                yield make(rng, dtype, draw, x_shape, window, options)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, *sizes in BENCH:
            yield label, make(rng, dtype, reals, *sizes)

    return bench


def _geometry(kwargs: dict) -> dict:
    return {name: kwargs[name] for name in ("strides", "padding", "output_padding", "dilation") if name in kwargs}


def _forward_tolerance(case, expected, eps):
    """The sums are within 2·(K + 1)·ε·Σ|x|·|w|, K = KH·KW·C and the bias; the activation scales that."""
    x, w, b = (np.abs(a) for a in case.args)
    length = w.shape[0] * w.shape[1] * w.shape[3] + 1
    sums = 2 * length * eps * conv2d_transpose_forward(x, w, b, **_geometry(case.kwargs))
    return (activation_growth(case.kwargs.get("activation", "linear"), sums, expected[0], eps),)


def _backward_tolerance(case, expected, eps):
    """2·(K + 4)·ε·Σ|a|·|b| with |dz| ≤ |dy|·(1 + |slope|); K is KH·KW·F for dx, N·H·W for dw, N·OH·OW for db."""
    dy, x, w, y = case.args
    dz = np.abs(dy) * (1 + slopes(case.kwargs.get("activation", "linear"), y))
    dx, dw, db = conv2d_transpose_backward(dz, np.abs(x), np.abs(w), **_geometry(case.kwargs))
    lengths = w[..., 0].size, x[..., 0].size, dy[..., 0].size
    return tuple(2 * (n + 4) * eps * sums for n, sums in zip(lengths, (dx, dw, db), strict=True))


def _output(x, w, kwargs) -> int:
    return int(np.prod(conv2d_transpose_output_shape(x.shape, w.shape, **_geometry(kwargs))))


KERNELS = (
    Kernel(
        "conv2d_transpose_forward",
        "conv_transpose",
        cases=_cases(_forward_case, reals),
        exact=_cases(_forward_case, eighths),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=lambda x, w, b=None, **kwargs: 2 * x.size * w[..., 0].size,
        bytes=lambda x, w, b=None, **kwargs: nbytes(x, w, b) + _output(x, w, kwargs) * x.itemsize,
        nan=(0, 2),
    ),
    Kernel(
        "conv2d_transpose_backward",
        "conv_transpose",
        cases=_cases(_backward_case, reals),
        exact=_cases(_backward_case, eighths),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=lambda dy, x, w, y=None, need_dx=True, **kwargs: (2 if need_dx else 1) * 2 * x.size * w[..., 0].size,
        bytes=lambda dy, x, w, y=None, need_dx=True, **kwargs: nbytes(dy, x, w, w, y) + (nbytes(x) if need_dx else 0),
        results=("dx", "dw", "db"),
        nan=(),
    ),
)
