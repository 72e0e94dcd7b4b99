"""Registry rows of the family simple_rnn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.registry import Case, Kernel
from fastnn.registry import _sequence as sequence
from fastnn.registry._draw import nbytes, reals, uniform

# Both have slopes of at most 1 and are within 1 of their argument, which the bounds below use.
ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear", "elu", "hard_sigmoid", "softplus", "leaky_relu")
OUTPUT_ACTIVATIONS = ("linear", "tanh", "sigmoid", "elu", "softplus")
EXACT = ("linear", "relu")
OUTPUTS = 3


def _activation(number: int, exact: bool, choice: tuple[str, ...] = ACTIVATIONS) -> str:
    choice = EXACT if exact else choice
    return choice[number % len(choice)]


def _forward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    drawn = sequence.draw(rng, dtype, sizes, words, exact=exact)
    options = drawn.options | ({"need_y": False} if "last" in words else {})
    yield Case((*drawn[:6], _activation(number, exact)), options)


def _backward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    x, w, u, b, h0, mask, options = sequence.draw(rng, dtype, sizes, words, exact=exact)
    activation = _activation(number, exact)
    y, _ = sequence.twins.simple_rnn_forward(x, w, u, b, h0, mask, activation, **options)
    dy, dh = sequence.gradients(rng, dtype, words, exact, y)
    yield Case((dy, dh, x, w, u, y, h0, mask, activation), options | sequence.needs(words, "need_dh0"))


def _output_weights(rng, dtype, units: int, bias: bool, exact: bool) -> tuple[np.ndarray, np.ndarray | None]:
    if exact:
        v, real = sequence.one_per_column(rng, (units, OUTPUTS), dtype), sequence.small_integers
    else:
        v, real = uniform(rng, (units, OUTPUTS), dtype, -1 / units, 1 / units), reals
    return v, real(rng, (OUTPUTS,), dtype) if bias else None


def _output_forward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    x, w, u, b, y0, mask, options = sequence.draw(rng, dtype, sizes, words, exact=exact, fed=OUTPUTS)
    v, c = _output_weights(rng, dtype, sizes[3], number % 2 == 0, exact)
    activations = _activation(number, exact), _activation(number // 2, exact, OUTPUT_ACTIVATIONS)
    yield Case((x, w, u, b, v, c, y0, mask, *activations), options)


def _output_backward(rng, dtype, sizes, words, number, exact) -> Iterator[Case]:
    (forward,) = _output_forward(rng, dtype, sizes, words, number, exact)
    x, w, u, _, v, _, *rest = forward.args
    y, hidden = sequence.twins.output_rnn_forward(*forward.args, **forward.kwargs)
    dy, dlast = sequence.gradients(rng, dtype, words, exact, y)
    yield Case((dy, dlast, x, w, u, v, y, hidden, *rest), {**forward.kwargs, **sequence.needs(words, "need_dy0")})


def _spread(source: np.ndarray, u: np.ndarray, mask: np.ndarray | None, options: dict) -> tuple:
    """Return the errors made at each step (B, T, U), propagated by |u| to all later ones: the twin on magnitudes."""
    kept = {name: value for name, value in sequence.dropout(options).items() if name != "x_dropout"}
    return sequence.twins.simple_rnn_forward(
        source, np.eye(source.shape[2]), np.abs(u), None, None, mask, "linear", **kept
    )


def _forward_tolerance(case, expected, eps):
    """The sums of a step, bounded by |h| ≤ Σ|x|·|w| + Σ|h|·|u| + |b| + 1, are 2·(D + U + 4)·ε off; the activation,
    with a slope of at most 1, adds 4·ε·(1 + |h|); later steps inherit that through |u|."""
    *arrays, mask, _ = case.args
    x, w, u, b, h0 = sequence.magnitudes(*arrays)
    b = np.ones(len(u)) if b is None else b + 1
    sums, _ = sequence.twins.simple_rnn_forward(x, w, u, b, h0, mask, "linear", **sequence.dropout(case.kwargs))
    y, h = _spread((2 * (x.shape[2] + len(u) + 4) + 4) * eps * (1 + sums), u, mask, case.kwargs)
    return None if expected[0] is None else y, h


def _backward_tolerance(case, expected, eps):
    """A step's sums of U products, and a slope whose own error is absolute, are 2·(U + 12)·ε of the magnitudes off;
    dw and db add up B·T such steps."""
    dy, dh, *rest = sequence.magnitudes(*case.args[:7])
    options = sequence.dropout(case.kwargs) | {"need_dh0": True, "need_dstates": True}

    def backward(dy, dh):
        return sequence.twins.simple_rnn_backward(dy, dh, *rest, case.args[7], "linear", **options)

    y = case.args[5]
    step = 2 * (y.shape[2] + 12) * eps
    return sequence.linear_bounds(backward, expected, (dy, dh), step, step + 2 * y.shape[0] * y.shape[1] * eps)


def _output_forward_tolerance(case, expected, eps):
    """As for simple_rnn, through both products: the errors of y propagate through |u| and |v|."""
    x, w, u, b, v, c, y0 = sequence.magnitudes(*case.args[:7])
    mask, options = case.args[7], sequence.dropout(case.kwargs)
    b, c = (np.ones(n) if bias is None else bias + 1 for bias, n in ((b, len(v)), (c, len(u))))
    y, hidden = sequence.twins.output_rnn_forward(x, w, u, b, v, c, y0, mask, "linear", "linear", **options)
    first = (2 * (x.shape[2] + len(u) + 4) + 4) * eps * (1 + hidden)
    second = (2 * (len(v) + 4) + 4) * eps * (1 + y.max(axis=(0, 1), initial=0))
    options.pop("x_dropout", None)
    return sequence.twins.output_rnn_forward(
        first, np.eye(len(v)), u, None, v, second, None, mask, "linear", "linear", **options
    )


def _output_backward_tolerance(case, expected, eps):
    """As for simple_rnn, with sums of U and of O products, and two slopes, per step."""
    dy, dlast, *rest = sequence.magnitudes(*case.args[:9])
    options = sequence.dropout(case.kwargs) | {"need_dy0": True, "need_dstates": True}

    def backward(dy, dlast):
        return sequence.twins.output_rnn_backward(dy, dlast, *rest, case.args[9], "linear", "linear", **options)

    v, y = case.args[5:7]
    step = 2 * (sum(v.shape) + 24) * eps
    return sequence.linear_bounds(backward, expected, (dy, dlast), step, step + 2 * y.shape[0] * y.shape[1] * eps)


def _output_flops(x, v) -> int:
    return 2 * x.shape[0] * x.shape[1] * v.size


def _row(name: str, make, tolerance, exact_steps: int, **properties) -> Kernel:
    return Kernel(
        name,
        "simple_rnn",
        cases=sequence.cases(make),
        exact=sequence.cases(make, exact_steps),
        bench=sequence.bench(make),
        tolerance=tolerance,
        **properties,
    )


KERNELS = (
    _row(
        "simple_rnn_forward",
        _forward,
        _forward_tolerance,
        5,
        flops=lambda x, w, u, *rest, **options: sequence.products(x, u),
        bytes=lambda x, w, u, b, *rest, **options: sequence.moved(x, options.get("need_y", True) * len(u), x, w, u, b),
        results=("y", "h"),
        nan=(0, 3, 4),
    ),
    _row(
        "simple_rnn_backward",
        _backward,
        _backward_tolerance,
        5,
        flops=lambda dy, dh, x, w, u, *rest, need_dx=True, **options: sequence.products(x, u, need_dx),
        bytes=lambda dy, dh, x, w, u, y, *rest, need_dx=True, **options: (
            nbytes(dy, dh, x, w, u, y, w, u) + need_dx * nbytes(x)
        ),
        results=("dx", "dw", "du", "db", "dh0", "dstates"),
        nan=(),
    ),
    _row(
        "output_rnn_forward",
        _output_forward,
        _output_forward_tolerance,
        4,
        flops=lambda x, w, u, b, v, *rest, **options: sequence.products(x, u) + _output_flops(x, v),
        bytes=lambda x, w, u, b, v, *rest, **options: sequence.moved(x, sum(v.shape), x, w, u, b, v),
        results=("y", "hidden"),
        nan=(0, 3, 6),
    ),
    _row(
        "output_rnn_backward",
        _output_backward,
        _output_backward_tolerance,
        4,
        flops=lambda dy, dlast, x, w, u, v, *rest, need_dx=True, **options: (
            sequence.products(x, u, need_dx) + 2 * _output_flops(x, v)
        ),
        bytes=lambda dy, dlast, x, w, u, v, y, hidden, *rest, need_dx=True, **options: (
            nbytes(dy, dlast, x, w, u, v, y, hidden, w, u, v) + need_dx * nbytes(x)
        ),
        results=("dx", "dw", "du", "db", "dv", "dc", "dy0", "dstates"),
        nan=(),
    ),
)
