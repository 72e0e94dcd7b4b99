"""Registry rows of the family pooling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fastnn.reference as reference
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.registry._tolerance import equal, roundings
from fastnn.shapes import pair, pool2d_output_shape

# x shape, pooling options
SIZES = (
    ((0, 4, 4, 3), {}),
    ((1, 2, 2, 1), {}),
    ((1, 1, 1, 7), {"pool_size": 1}),
    ((2, 7, 9, 8), {}),
    ((2, 8, 7, 17), {"padding": "same"}),
    ((3, 9, 8, 9), {"pool_size": (3, 2), "strides": (2, 1)}),
    ((1, 17, 9, 31), {"pool_size": (3, 3), "strides": 2, "padding": "same"}),
    ((2, 5, 31, 3), {"pool_size": (2, 5), "strides": (1, 3)}),
    ((1, 9, 7, 33), {"pool_size": (1, 2), "strides": (3, 4), "padding": "same"}),
    ((1, 3, 4, 5), {"pool_size": (5, 7), "padding": "same"}),
)
# Windows of two or four cells: their mean is exact.
EXACT = (
    ((2, 8, 6, 7), {}),
    ((1, 9, 17, 9), {"pool_size": (1, 2), "strides": 1}),
    ((3, 7, 9, 17), {"padding": "same"}),
)
GLOBAL = ((0, 2, 3, 4), (1, 1, 1, 1), (2, 7, 9, 8), (7, 2, 9, 17), (3, 8, 5, 17), (1, 3, 31, 33))
BENCH = (
    ("32 x 26 x 26 x 32, 2 x 2", (32, 26, 26, 32), {}),
    ("32 x 11 x 11 x 64, 2 x 2", (32, 11, 11, 64), {}),
    ("32 x 28 x 28 x 32, 3 x 3, strides 2, same", (32, 28, 28, 32), {"pool_size": 3, "strides": 2, "padding": "same"}),
)
Row = tuple[tuple[int, ...], dict]


def _forward(rng, dtype, draw, shape, options, stream: tuple = ()) -> Case:
    return Case((draw(rng, shape, dtype), *stream), dict(options))


def _selected_backward(name: str, rng, forward: Case) -> Case:
    """Return the backward call of a pooling that selects one cell per window."""
    x = forward.args[0]
    y, which = getattr(reference, f"{name}_forward")(*forward.args, **forward.kwargs)
    return Case((reals(rng, y.shape, x.dtype), which, x.shape), forward.kwargs)


def _average_backward(rng, forward: Case) -> Case:
    x = forward.args[0]
    y = reference.average_pool2d_forward(x, **forward.kwargs)
    return Case((reals(rng, y.shape, x.dtype), x.shape), forward.kwargs)


def _mean_backward(rng, forward: Case) -> Case:
    x = forward.args[0]
    y = reference.stochastic_pool2d_mean_forward(x, **forward.kwargs)
    return Case((reals(rng, y.shape, x.dtype), x, y), forward.kwargs)


def _cases(follow=lambda rng, case: case, stream: tuple = (), draw=reals, sizes: tuple[Row, ...] = SIZES):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape, options in sizes:
            yield _rounded(follow(rng, _forward(rng, dtype, draw, shape, options, stream)), draw)

    return cases


def _rounded(case: Case, draw) -> Case:
    """Return the same call with a dy of small scaled integers, if `draw` makes those."""
    if draw is not eighths:
        return case
    return Case((np.round(case.args[0] * 8) / 8, *case.args[1:]), case.kwargs)


def _bench(follow=lambda rng, case: case, stream: tuple = ()):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, shape, options in BENCH:
            yield label, follow(rng, _forward(rng, dtype, reals, shape, options, stream))

    return bench


def _cells(kwargs: dict) -> int:
    rows, columns = pair("pool_size", kwargs.get("pool_size", (2, 2)))
    return rows * columns


def _outputs(shape, kwargs: dict) -> int:
    return int(np.prod(pool2d_output_shape(shape, **kwargs)))


def _selected_tolerance(case, expected, eps):
    """A pixel is a sum of the dy of at most PH·PW windows: 2·K·ε·Σ|dy|."""
    dy, which, shape = case.args
    return (2 * _cells(case.kwargs) * eps * reference.max_pool2d_backward(np.abs(dy), which, shape, **case.kwargs),)


def _average_tolerance(case, expected, eps):
    """2·(K + 1)·ε·mean|x|: K additions and a division."""
    mean = reference.average_pool2d_forward(np.abs(case.args[0]), **case.kwargs)
    return (2 * (_cells(case.kwargs) + 1) * eps * mean,)


def _average_backward_tolerance(case, expected, eps):
    """2·(K + 1)·ε·Σ|dy| / count."""
    dy, shape = case.args
    return (2 * (_cells(case.kwargs) + 1) * eps * reference.average_pool2d_backward(np.abs(dy), shape, **case.kwargs),)


def _mean_tolerance(case, expected, eps):
    """2·(2·K + 1)·ε·Σp·|x|: two sums and a division; the plain mean of |x| bounds windows without a positive cell."""
    x = np.abs(case.args[0])
    size = expected[0] + reference.average_pool2d_forward(x, **case.kwargs)
    return (2 * (2 * _cells(case.kwargs) + 1) * eps * np.maximum(size, np.abs(expected[0])),)


def _mean_backward_tolerance(case, expected, eps):
    """2·(K + 8)·ε of the terms 2·x and y over the total: the gradient with |dy| and both terms added."""
    dy, x, y = case.args
    terms = reference.stochastic_pool2d_mean_backward(np.abs(dy), x, -np.abs(y), **case.kwargs)
    return (2 * (_cells(case.kwargs) + 8) * eps * terms,)


def _global_forward_cases(draw, shapes=GLOBAL):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape in shapes:
            yield Case((draw(rng, shape, dtype),))

    return cases


def _global_backward(kind: str, rng, x: np.ndarray) -> Case:
    dy = reals(rng, (x.shape[0], x.shape[3]), x.dtype)
    which = (reference.global_max_pool2d_forward(x)[1],) if kind == "max" else ()
    return Case((dy, *which, x.shape))


def _global_backward_cases(kind: str):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape in GLOBAL:
            yield _global_backward(kind, rng, reals(rng, shape, dtype))

    return cases


def _global_bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        yield "32 x 13 x 13 x 64", make(rng, reals(rng, (32, 13, 13, 64), dtype))

    return bench


def _global_average_tolerance(case, expected, eps):
    """2·(H·W + 1)·ε·mean|x|."""
    (x,) = case.args
    return (2 * (x.shape[1] * x.shape[2] + 1) * eps * np.abs(x).mean(axis=(1, 2)),)


def _forward_bytes(x, *stream, **kwargs):
    return nbytes(x) + _outputs(x.shape, kwargs) * x.itemsize


def _row(name, direction, cases, bench, tolerance, flops, bytes, exact=None, results=None, nan=(0,)) -> Kernel:
    forward = direction == "forward"
    results = results or (("y",) if forward else ("dx",))
    return Kernel(
        f"{name}_{direction}", "pooling", cases, bench, tolerance, flops, bytes, exact=exact, results=results, nan=nan
    )


def _windowed_flops(x, *stream, **kwargs):
    return _outputs(x.shape, kwargs) * _cells(kwargs)


def _selected_bytes(dy, which, shape, **kwargs):
    return nbytes(dy, which) + int(np.prod(shape)) * dy.itemsize


def _max_back(rng, case):
    return _selected_backward("max_pool2d", rng, case)


def _stochastic_back(rng, case):
    return _selected_backward("stochastic_pool2d", rng, case)


STREAM = (2**64 - 3, 2**33 + 1)
KERNELS = (
    _row(
        "max_pool2d",
        "forward",
        _cases(),
        _bench(),
        equal,
        _windowed_flops,
        _forward_bytes,
        exact=_cases(draw=eighths),
        results=("y", "argmax"),
    ),
    _row(
        "max_pool2d",
        "backward",
        _cases(_max_back),
        _bench(_max_back),
        _selected_tolerance,
        lambda dy, *rest, **kwargs: dy.size,
        _selected_bytes,
        exact=_cases(_max_back, draw=eighths),
    ),
    _row(
        "average_pool2d",
        "forward",
        _cases(),
        _bench(),
        _average_tolerance,
        _windowed_flops,
        _forward_bytes,
        exact=_cases(draw=eighths, sizes=EXACT),
    ),
    _row(
        "average_pool2d",
        "backward",
        _cases(_average_backward),
        _bench(_average_backward),
        _average_backward_tolerance,
        lambda dy, shape, **kwargs: dy.size * _cells(kwargs),
        lambda dy, shape, **kwargs: nbytes(dy) + int(np.prod(shape)) * dy.itemsize,
        exact=_cases(_average_backward, draw=eighths, sizes=EXACT),
    ),
    _row(
        "stochastic_pool2d",
        "forward",
        _cases(stream=STREAM),
        _bench(stream=STREAM),
        equal,
        _windowed_flops,
        _forward_bytes,
        exact=_cases(stream=STREAM, draw=eighths),
        results=("y", "chosen"),
    ),
    _row(
        "stochastic_pool2d",
        "backward",
        _cases(_stochastic_back, STREAM),
        _bench(_stochastic_back, STREAM),
        _selected_tolerance,
        lambda dy, *rest, **kwargs: dy.size,
        _selected_bytes,
        exact=_cases(_stochastic_back, STREAM, eighths),
    ),
    _row(
        "stochastic_pool2d_mean",
        "forward",
        _cases(),
        _bench(),
        _mean_tolerance,
        lambda x, **kwargs: 3 * _windowed_flops(x, **kwargs),
        _forward_bytes,
    ),
    _row(
        "stochastic_pool2d_mean",
        "backward",
        _cases(_mean_backward),
        _bench(_mean_backward),
        _mean_backward_tolerance,
        lambda dy, x, y, **kwargs: 4 * dy.size * _cells(kwargs),
        lambda dy, x, y, **kwargs: nbytes(dy, x, x, y),
    ),
    _row(
        "global_max_pool2d",
        "forward",
        _global_forward_cases(reals),
        _global_bench(lambda rng, x: Case((x,))),
        equal,
        lambda x: x.size,
        lambda x: nbytes(x),
        exact=_global_forward_cases(eighths),
        results=("y", "argmax"),
    ),
    _row(
        "global_max_pool2d",
        "backward",
        _global_backward_cases("max"),
        _global_bench(lambda rng, x: _global_backward("max", rng, x)),
        equal,
        lambda dy, *rest: dy.size,
        _selected_bytes,
        exact=_global_backward_cases("max"),
    ),
    _row(
        "global_average_pool2d",
        "forward",
        _global_forward_cases(reals),
        _global_bench(lambda rng, x: Case((x,))),
        _global_average_tolerance,
        lambda x: x.size,
        lambda x: nbytes(x),
        exact=_global_forward_cases(eighths, ((2, 8, 4, 7), (1, 1, 2, 17))),
    ),
    _row(
        "global_average_pool2d",
        "backward",
        _global_backward_cases("average"),
        _global_bench(lambda rng, x: _global_backward("average", rng, x)),
        roundings(2),
        lambda dy, shape: int(np.prod(shape)),
        lambda dy, shape: nbytes(dy) + int(np.prod(shape)) * dy.itemsize,
    ),
)
