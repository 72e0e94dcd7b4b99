"""Registry rows of the family conv_pool."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import conv2d_backward, conv2d_forward, conv2d_pool_forward, max_pool2d_backward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.shapes import conv2d_output_shape, pair, pool2d_output_shape

# x shape, (KH, KW, F), options
SIZES = (
    ((0, 6, 6, 3), (3, 3, 4), {}),
    ((1, 2, 2, 1), (1, 1, 1), {}),
    ((2, 9, 8, 1), (3, 3, 9), {}),
    ((1, 9, 11, 8), (3, 3, 17), {"activation": "linear"}),
    ((3, 7, 9, 7), (3, 2, 31), {"padding": "same"}),
    ((2, 17, 9, 3), (5, 3, 8), {"pool_size": (3, 2)}),
    ((1, 11, 13, 5), (3, 3, 7), {"strides": (2, 1), "pool_size": (2, 3), "activation": "linear"}),
    ((2, 9, 9, 4), (2, 3, 33), {"dilation": (2, 1), "padding": ((1, 0), (2, 1))}),
    ((2, 5, 5, 65), (3, 3, 16), {}),
    ((1, 17, 17, 2), (2, 2, 3), {"pool_size": 16}),
    ((1, 5, 7, 9), (1, 3, 5), {"pool_size": 1}),
    ((11, 7, 6, 3), (3, 3, 71), {}),
    ((19, 6, 7, 20), (3, 3, 131), {"padding": "same"}),
    ((17, 9, 9, 1), (3, 3, 32), {"activation": "linear"}),
)
BENCH = (
    ("CNN, first block: 32 x 28 x 28 x 1, 3 x 3, 32, relu, pool 2", (32, 28, 28, 1), (3, 3, 32), {}),
    ("CNN, second block: 32 x 13 x 13 x 32, 3 x 3, 64, relu, pool 2", (32, 13, 13, 32), (3, 3, 64), {}),
    ("CNN, third block: 32 x 5 x 5 x 64, 3 x 3, 64, relu, pool 2", (32, 5, 5, 64), (3, 3, 64), {}),
)


def _forward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    kh, kw, f = window
    w = (draw(rng, (kh, kw, x_shape[3], f), dtype) / 2).astype(dtype)
    return Case((draw(rng, x_shape, dtype), w, draw(rng, (f,), dtype)), dict(options))


def _backward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    (x, w, b), _ = _forward_case(rng, dtype, draw, x_shape, window, options)
    y, argmax = conv2d_pool_forward(x, w, b, **options)
    return Case((draw(rng, y.shape, dtype), x, w, y, argmax), dict(options))


def _cases(make, draw):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for sizes in SIZES:
            yield make(rng, dtype, draw, *sizes)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, *sizes in BENCH:
            yield label, make(rng, dtype, reals, *sizes)

    return bench


def _geometry(kwargs: dict) -> dict:
    return {name: kwargs[name] for name in ("strides", "padding", "dilation") if name in kwargs}


def _forward_tolerance(case, expected, eps):
    """The error of a maximum is at most that of its worst cell, 2·(K + 1)·ε·Σ|x|·|w|; a near tie may go either way."""
    x, w, b = (np.abs(a) for a in case.args)
    sums = conv2d_forward(x, w, b, **_geometry(case.kwargs))
    return 2 * (w[..., 0].size + 1) * eps * (sums.max() if sums.size else 0), None


def _backward_tolerance(case, expected, eps):
    """2·(K + 4)·ε·Σ|a|·|b|, with dy at the winners; K is KH·KW·F for dx and N·PH·PW for dw and db."""
    dy, x, w, _, argmax = case.args
    shape = conv2d_output_shape(x.shape, w.shape, **_geometry(case.kwargs))
    dz = max_pool2d_backward(np.abs(dy), argmax.astype(np.int32), shape, case.kwargs.get("pool_size", (2, 2)))
    dx, dw, db = conv2d_backward(dz, np.abs(x), np.abs(w), **_geometry(case.kwargs))
    pixels, filters = dy[..., 0].size, w[:, :, 0].size
    return 2 * (filters + 4) * eps * dx, 2 * (pixels + 4) * eps * dw, 2 * (pixels + 4) * eps * db


def _pooled(x, w, kwargs) -> int:
    shape = conv2d_output_shape(x.shape, w.shape, **_geometry(kwargs))
    return int(np.prod(pool2d_output_shape(shape, kwargs.get("pool_size", (2, 2)))))


def _forward_flops(x, w, b=None, **kwargs):
    """Count every output that the pooling reads."""
    rows, columns = pair("pool_size", kwargs.get("pool_size", (2, 2)))
    return 2 * _pooled(x, w, kwargs) * rows * columns * w[..., 0].size


def _backward_flops(dy, x, w, y, argmax, need_dx=True, **kwargs):
    """Count as the unfused layers do, including the zeros beside each winner: skipping those may exceed the peak."""
    rows, columns = pair("pool_size", kwargs.get("pool_size", (2, 2)))
    return (2 if need_dx else 1) * 2 * dy.size * rows * columns * w[..., 0].size


KERNELS = (
    Kernel(
        "conv2d_pool_forward",
        "conv_pool",
        cases=_cases(_forward_case, reals),
        exact=_cases(_forward_case, eighths),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=_forward_flops,
        bytes=lambda x, w, b=None, **kwargs: nbytes(x, w, b) + _pooled(x, w, kwargs) * (x.itemsize + 1),
        results=("y", "argmax"),
    ),
    Kernel(
        "conv2d_pool_backward",
        "conv_pool",
        cases=_cases(_backward_case, reals),
        exact=_cases(_backward_case, eighths),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=_backward_flops,
        bytes=lambda dy, x, w, y, argmax, need_dx=True, **kwargs: (
            nbytes(dy, x, w, w, y, argmax) + (nbytes(x) if need_dx else 0)
        ),
        results=("dx", "dw", "db"),
        nan=(),
    ),
)
