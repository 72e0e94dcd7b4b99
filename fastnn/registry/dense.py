"""Registry rows of the family dense."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import dense_forward
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.registry._tolerance import activation_growth, slopes

# M, K, N, bias, activation, algorithm
SIZES = (
    (0, 3, 2, True, "relu", "auto"),
    (1, 1, 1, True, "linear", "auto"),
    (1, 784, 17, True, "relu", "auto"),
    (3, 0, 5, True, "linear", "auto"),
    (7, 8, 9, False, "linear", "dense"),
    (9, 31, 17, True, "relu", "dense"),
    (31, 17, 7, True, "relu", "sparse"),
    (8, 9, 31, False, "leaky_relu", "sparse"),
    (17, 7, 10, True, "elu", "auto"),
    (5, 9, 17, True, "selu", "auto"),
    (9, 5, 33, True, "sigmoid", "auto"),
    (7, 11, 65, True, "tanh", "auto"),
    (33, 3, 8, False, "softplus", "auto"),
    (2, 7, 31, True, "exponential", "auto"),
    (8, 7, 9, True, "hard_sigmoid", "auto"),
    (101, 300, 71, True, "relu", "dense"),
    (67, 530, 90, True, "tanh", "dense"),
    (9, 150, 300, True, "relu", "sparse"),
    (70, 200, 33, True, "linear", "sparse"),
    (513, 13, 34, True, "linear", "auto"),  # backward in one pass over groups of rows
    (519, 50, 500, False, "tanh", "dense"),  # whose blocks are cut by the width,
    (4109, 15, 19, True, "relu", "dense"),  # or by the number of rows
)
BENCH = (
    ("MLP, first layer: 32 x 784 x 256, relu", (32, 784, 256, True, "relu", "auto")),
    ("MLP, last layer: 32 x 256 x 10", (32, 256, 10, True, "linear", "auto")),
    ("CNN, dense layer: 32 x 64 x 64, relu", (32, 64, 64, True, "relu", "auto")),
    ("transformer: 3200 x 64 x 256, relu", (3200, 64, 256, True, "relu", "auto")),
    ("transformer: 4096 x 128 x 512", (4096, 128, 512, True, "linear", "auto")),
)


def _thin(rng, x: np.ndarray) -> np.ndarray:
    """Set four fifths of x to zero, as in images of digits."""
    return np.where(rng.random(x.shape) < 0.8, 0, x).astype(x.dtype)


def _forward_case(rng, dtype, draw, m, k, n, bias, activation, algorithm) -> Case:
    x, w = draw(rng, (m, k), dtype), (draw(rng, (k, n), dtype) / 2).astype(dtype)
    x = _thin(rng, x) if algorithm == "sparse" else x
    return Case((x, w, draw(rng, (n,), dtype) if bias else None, activation, algorithm))


def _backward_case(rng, dtype, draw, m, k, n, bias, activation, algorithm) -> Case:
    x, w, b, *_ = _forward_case(rng, dtype, draw, m, k, n, bias, activation, algorithm).args
    y = dense_forward(x, w, b, activation)
    return Case((draw(rng, y.shape, dtype), x, w, y, activation, algorithm), {"need_db": bias})


def _cases(make, draw, keep=lambda activation: True):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for sizes in SIZES:
            if keep(sizes[4]):
                yield make(rng, dtype, draw, *sizes)

    return cases


def _bench(make):
    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, sizes in BENCH:
            yield label, make(rng, dtype, reals, *sizes)
        sizes = (32, 784, 256, True, "relu", "sparse")
        yield "MLP, first layer, four fifths zeros: 32 x 784 x 256, relu", make(rng, dtype, reals, *sizes)

    return bench


def _forward_tolerance(case, expected, eps):
    """The sums are within 2·(K + 1)·ε·Σ|x|·|w|, bias included; the activation scales that and adds its own error."""
    x, w, b, activation, _ = case.args
    sums = np.abs(x) @ np.abs(w) + (0 if b is None else np.abs(b))
    return (activation_growth(activation, 2 * (x.shape[1] + 1) * eps * sums, expected[0], eps),)


def _backward_tolerance(case, expected, eps):
    """2·(K + 4)·ε·Σ|a|·|b| with |dz| ≤ |dy|·(1 + |slope|): the error of the slope is absolute where 1 − y² cancels."""
    dy, x, w, y, activation, _ = case.args
    dz = np.abs(dy) * (1 + slopes(activation, y))
    db = 2 * (len(x) + 4) * eps * dz.sum(axis=0)
    return (
        2 * (w.shape[1] + 4) * eps * (dz @ np.abs(w).T),
        2 * (len(x) + 4) * eps * (np.abs(x).T @ dz),
        db if expected[2] is not None else None,
    )


def _forward_flops(x, w, b=None, activation="linear", algorithm="auto"):
    return 2 * x.shape[0] * w.size


def _backward_flops(dy, x, w, y=None, activation="linear", algorithm="auto", need_dx=True, need_db=True):
    return (2 if need_dx else 1) * 2 * x.shape[0] * w.size


def _forward_bytes(x, w, b=None, activation="linear", algorithm="auto"):
    return nbytes(x, w, b) + x.shape[0] * w.shape[1] * x.itemsize


def _backward_bytes(dy, x, w, y=None, activation="linear", algorithm="auto", need_dx=True, need_db=True):
    return nbytes(
        dy, x, w, w, y if activation != "linear" else None, x if need_dx else None, w[:1] if need_db else None
    )


# M, K, the Nᵢ, bias
PROJECTIONS = (
    (0, 3, (2, 4), True),
    (1, 7, (5,), True),
    (3, 0, (5, 2), True),
    (9, 31, (17, 17, 17), True),
    (7, 8, (9, 0, 1), False),
    (49, 33, (16, 8, 24), True),  # in stripes
    (131, 300, (71, 5), True),  # whose depth is cut
    (513, 13, (34, 17, 9), True),  # backward in one pass over groups of rows,
    (520, 14, (17, 3, 40), False),  # but for a narrow one,
    (519, 50, (500, 700, 31), True),  # or in two
)
PROJECTIONS_BENCH = (
    ("attention of a transformer: 3200 x 64 x (64, 64, 64)", (3200, 64, (64, 64, 64), True)),
    ("a batch of 1: 100 x 64 x (64, 64, 64)", (100, 64, (64, 64, 64), True)),
    ("keys and values in groups: 4096 x 128 x (128, 32, 32)", (4096, 128, (128, 32, 32), True)),
    ("attention of a decoder: 4096 x 128 x (128, 128, 128)", (4096, 128, (128, 128, 128), True)),
)


def _projections_case(rng, dtype, draw, m, k, widths, bias) -> Case:
    w = [(draw(rng, (k, n), dtype) / 2).astype(dtype) for n in widths]
    return Case((draw(rng, (m, k), dtype), w, [draw(rng, (n,), dtype) for n in widths] if bias else None))


def _projections_backward_case(rng, dtype, draw, m, k, widths, bias) -> Case:
    x, w, _ = _projections_case(rng, dtype, draw, m, k, widths, bias).args
    return Case(([draw(rng, (m, n), dtype) for n in widths], x, w), {"need_db": bias})


def _projections_tolerance(case, expected, eps):
    """As one layer each."""
    x, w, b = case.args
    return (
        [
            2 * (x.shape[1] + 1) * eps * (np.abs(x) @ np.abs(one) + (0 if b is None else np.abs(b[i])))
            for i, one in enumerate(w)
        ],
    )


def _projections_backward_tolerance(case, expected, eps):
    """As one layer each; dx is a sum over all columns."""
    dy, x, w = case.args
    terms = sum(one.shape[1] for one in w)
    rounding = 2 * (len(x) + 4) * eps
    return (
        2 * (terms + 4) * eps * sum(np.abs(a) @ np.abs(one).T for a, one in zip(dy, w, strict=True)),
        [rounding * (np.abs(x).T @ np.abs(a)) for a in dy],
        [rounding * np.abs(a).sum(axis=0) for a in dy] if expected[2] is not None else None,
    )


def _projections_flops(x, w, b=None):
    return 2 * len(x) * sum(one.size for one in w)


def _projections_backward_flops(dy, x, w, need_dx=True, need_db=True):
    return (2 if need_dx else 1) * _projections_flops(x, w)


def _projections_bytes(x, w, b=None):
    return nbytes(x, *w, *(b or [])) + len(x) * sum(one.shape[1] for one in w) * x.itemsize


def _projections_backward_bytes(dy, x, w, need_dx=True, need_db=True):
    return nbytes(*dy, x, *w, *w, x if need_dx else None, *[one[:1] for one in w if need_db])


def _projections_row(name: str, make, **properties) -> Kernel:
    def cases(draw):
        def drawn(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
            for sizes in PROJECTIONS:
                yield make(rng, dtype, draw, *sizes)

        return drawn

    def bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
        for label, sizes in PROJECTIONS_BENCH:
            yield label, make(rng, dtype, reals, *sizes)

    return Kernel(name, "dense", cases=cases(reals), exact=cases(eighths), bench=bench, **properties)


def _exact(activation: str) -> bool:
    return activation in ("linear", "relu")


KERNELS = (
    Kernel(
        "dense_forward",
        "dense",
        cases=_cases(_forward_case, reals),
        exact=_cases(_forward_case, eighths, _exact),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=_forward_flops,
        bytes=_forward_bytes,
        nan=(0, 2),
    ),
    Kernel(
        "dense_backward",
        "dense",
        cases=_cases(_backward_case, reals),
        exact=_cases(_backward_case, eighths, _exact),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=_backward_flops,
        bytes=_backward_bytes,
        results=("dx", "dw", "db"),
        nan=(),
    ),
    _projections_row(
        "projections_forward",
        _projections_case,
        tolerance=_projections_tolerance,
        flops=_projections_flops,
        bytes=_projections_bytes,
        nan=(0, 1, 2),
    ),
    _projections_row(
        "projections_backward",
        _projections_backward_case,
        tolerance=_projections_backward_tolerance,
        flops=_projections_backward_flops,
        bytes=_projections_backward_bytes,
        results=("dx", "dw", "db"),
        nan=(0, 1, 2),
    ),
)
