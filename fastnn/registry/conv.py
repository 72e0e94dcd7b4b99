"""Registry rows of the family conv."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastnn.reference import col2im, conv2d_backward, conv2d_forward, im2col
from fastnn.reference._windows import windows
from fastnn.registry import Case, Kernel
from fastnn.registry._draw import eighths, nbytes, reals
from fastnn.registry._tolerance import activation_growth, slopes
from fastnn.shapes import conv2d_output_shape, conv2d_padding

# x shape, (KH, KW, F), options
SIZES = (
    ((1, 1, 1, 1), (1, 1, 1), {}),
    ((0, 4, 5, 3), (3, 2, 4), {}),
    ((2, 7, 9, 1), (3, 3, 8), {"activation": "relu"}),
    ((3, 8, 7, 3), (3, 2, 17), {"strides": (2, 1)}),
    ((1, 9, 17, 8), (3, 3, 7), {"padding": "same", "activation": "relu"}),
    ((2, 9, 8, 7), (5, 3, 9), {"strides": 2, "padding": "same"}),
    ((1, 31, 9, 2), (3, 5, 5), {"dilation": (2, 1), "padding": ((1, 2), (0, 3))}),
    ((2, 7, 8, 6), (3, 3, 9), {"groups": 3, "padding": "same"}),
    ((2, 9, 7, 8), (3, 2, 8), {"groups": 8, "strides": (1, 2)}),
    ((1, 8, 9, 17), (1, 1, 31), {"activation": "sigmoid"}),
    ((2, 9, 7, 5), (3, 3, 33), {"algorithm": "im2col", "activation": "tanh"}),
    ((2, 7, 9, 5), (3, 3, 16), {"algorithm": "direct", "padding": "same", "activation": "leaky_relu"}),
    ((1, 3, 3, 65), (3, 3, 31), {"algorithm": "direct"}),
    ((9, 6, 7, 5), (3, 3, 71), {"activation": "relu"}),
    ((5, 7, 9, 20), (3, 3, 131), {"padding": "same"}),
    ((3, 9, 9, 40), (3, 3, 70), {"algorithm": "im2col"}),
    ((17, 5, 6, 70), (2, 2, 9), {"strides": (1, 2)}),
    ((2, 7, 8, 40), (3, 3, 40), {"groups": 40, "padding": "same"}),
    ((2, 7, 8, 33), (3, 2, 99), {"groups": 33, "strides": 2}),
    ((2, 7, 9, 2), (3, 3, 3), {"algorithm": "winograd", "padding": "same", "activation": "relu"}),
    ((1, 3, 3, 1), (3, 3, 1), {"algorithm": "winograd"}),
    ((0, 8, 7, 8), (3, 3, 9), {"algorithm": "winograd"}),
    ((3, 8, 9, 17), (3, 3, 31), {"algorithm": "winograd", "padding": ((2, 0), (1, 2)), "activation": "tanh"}),
    ((2, 1, 31, 7), (3, 3, 8), {"algorithm": "winograd", "padding": "same"}),
    ((1, 8, 8, 31), (3, 3, 33), {"padding": "same", "activation": "relu"}),  # "auto" chooses it too
    ((2, 5, 3, 9), (5, 5, 9), {"groups": 9, "padding": "same"}),
    ((2, 13, 31, 17), (3, 3, 17), {"groups": 17, "strides": (3, 2), "dilation": (1, 3), "padding": "same"}),
    ((1, 4, 33, 8), (4, 4, 16), {"groups": 8, "strides": 3, "padding": "same", "activation": "tanh"}),
    ((3, 9, 11, 12), (2, 5, 12), {"groups": 12, "padding": ((3, 0), (1, 4)), "strides": (1, 3), "dilation": (2, 1)}),
    ((1, 6, 40, 2), (3, 4, 2), {"groups": 2, "padding": ((0, 5), (7, 2)), "activation": "relu"}),
    (
        (2, 6, 5, 4),
        (2, 4, 6),
        {"algorithm": "im2col", "strides": (3, 2), "dilation": (2, 1), "padding": ((2, 2), (1, 1))},
    ),
)
BENCH = (
    ("CNN, first layer: 32 x 28 x 28 x 1, 3 x 3, 32", (32, 28, 28, 1), (3, 3, 32), {"activation": "relu"}),
    ("CNN, second layer: 32 x 13 x 13 x 32, 3 x 3, 64", (32, 13, 13, 32), (3, 3, 64), {"activation": "relu"}),
    ("CNN, third layer: 32 x 5 x 5 x 64, 3 x 3, 64", (32, 5, 5, 64), (3, 3, 64), {"activation": "relu"}),
    ("same padding: 8 x 28 x 28 x 64, 3 x 3, 64", (8, 28, 28, 64), (3, 3, 64), {"padding": "same"}),
    ("depthwise: 8 x 28 x 28 x 64, 3 x 3", (8, 28, 28, 64), (3, 3, 64), {"padding": "same", "groups": 64}),
)


def _forward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    kh, kw, f = window
    w = (draw(rng, (kh, kw, x_shape[3] // options.get("groups", 1), f), dtype) / 2).astype(dtype)
    return Case((draw(rng, x_shape, dtype), w, draw(rng, (f,), dtype)), dict(options))


def _backward_case(rng, dtype, draw, x_shape, window, options) -> Case:
    (x, w, b), _ = _forward_case(rng, dtype, draw, x_shape, window, options)
    y = conv2d_forward(x, w, b, **options)
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
    return {name: kwargs[name] for name in ("strides", "padding", "dilation", "groups") if name in kwargs}


_B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, 4, 0, -5, 0, 1],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
    ]
)
_G = np.array([[6, 0, 0], [0, 0, 24], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4]]) / 24
_A = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [1, -2, 4, -8]])


def _tiles(image, pads, size: int):
    """The parts of images that tiles of 4 × 4 outputs read, (N, rows, columns, size, size, channels)."""
    (top, bottom), (left, right) = pads
    return windows(image, (size, size), (4, 4), ((top, bottom + 3), (left, right + 3)))


def _transformed(matrix, x):
    return np.einsum("ia,nhwabc,jb->nhwijc", np.abs(matrix), x, np.abs(matrix))


def _winograd_output(x, w, pads):
    """Σ of all terms' sizes, those that cancel too, of each output: the transforms and products in absolute values."""
    pixels = _transformed(_B, _tiles(x, pads, 6))
    filters = np.einsum("ia,abcf,jb->ijcf", np.abs(_G), w, np.abs(_G))
    y = np.einsum("ia,nhwijc,ijcf,jb->nhawbf", np.abs(_A), pixels, filters, np.abs(_A), optimize=True)
    n, h, _, v, _, f = y.shape
    rows, columns = (x.shape[i + 1] + sum(pads[i]) - 2 for i in range(2))
    return y.reshape(n, 4 * h, 4 * v, f)[:, :rows, :columns]


def _winograd_weights(x, dz, pads):
    """The same of each weight."""
    pixels, slopes_ = _transformed(_B, _tiles(x, pads, 6)), _transformed(_A, _tiles(dz, ((0, 0), (0, 0)), 4))
    g = np.abs(_G)
    return np.einsum("ia,nhwijc,nhwijf,jb->abcf", g, pixels, slopes_, g, optimize=True)


def _by_winograd(x, w, kwargs) -> bool:
    """Whether "auto" may take Winograd's algorithm, or was told to."""
    plain = all(set(np.ravel(kwargs.get(name, 1))) == {1} for name in ("strides", "dilation", "groups"))
    return w.shape[:2] == (3, 3) and plain and kwargs.get("algorithm", "auto") in ("auto", "winograd") and x.size > 0


def _forward_tolerance(case, expected, eps):
    """The sums are within 2·(K + 1)·ε·Σ|x|·|w|, K = KH·KW·C / groups and the bias; the activation scales that.

    By Winograd's algorithm a sum has C products, and each of its three transforms adds at most 5 terms twice; 1/9
    is rounded itself and so is the product with it: (C + 32)·ε times the sizes of all terms, of which some cancel.
    """
    x, w, b = (np.abs(a) for a in case.args)
    length = w[..., 0].size + 1
    sums = 2 * length * eps * conv2d_forward(x, w, b, **_geometry(case.kwargs))
    if _by_winograd(x, w, case.kwargs):
        pads = conv2d_padding(x.shape, w.shape, 1, case.kwargs.get("padding", "valid"))
        sums = sums + (x.shape[3] + 32) * eps * _winograd_output(x, w, pads)
    return (activation_growth(case.kwargs.get("activation", "linear"), sums, expected[0], eps),)


def _backward_tolerance(case, expected, eps):
    """2·(K + 4)·ε·Σ|a|·|b| with |dz| ≤ |dy|·(1 + |slope|); K is KH·KW·F / groups for dx and N·OH·OW for dw and db.

    By Winograd's algorithm as forward: (F + 32)·ε and (tiles + 32)·ε times the sizes of all terms.
    """
    dy, x, w, y = case.args
    groups = case.kwargs.get("groups", 1)
    dz = np.abs(dy) * (1 + slopes(case.kwargs.get("activation", "linear"), y))
    dx, dw, db = conv2d_backward(dz, np.abs(x), np.abs(w), **_geometry(case.kwargs))
    pixels, filters = dy[..., 0].size, w.shape[0] * w.shape[1] * w.shape[3] // groups
    dx, dw = 2 * (filters + 4) * eps * dx, 2 * (pixels + 4) * eps * dw
    if _by_winograd(x, w, case.kwargs):
        pads = conv2d_padding(x.shape, w.shape, 1, case.kwargs.get("padding", "valid"))
        dw = dw + (pixels + 32) * eps * _winograd_weights(np.abs(x), dz, pads)
        turned = np.abs(w)[::-1, ::-1].transpose(0, 1, 3, 2)
        around = tuple((2 - before, 2 - after) for before, after in pads)
        dx = dx + (w.shape[3] + 32) * eps * _winograd_output(dz, turned, around)
    return dx, dw, 2 * (pixels + 4) * eps * db


def _output(x, w, kwargs) -> int:
    return int(np.prod(conv2d_output_shape(x.shape, w.shape, **_geometry(kwargs))))


def _forward_flops(x, w, b=None, **kwargs):
    return 2 * _output(x, w, kwargs) * w[..., 0].size


def _backward_flops(dy, x, w, y=None, need_dx=True, **kwargs):
    return (2 if need_dx else 1) * 2 * dy.size * w[..., 0].size


# x shape of im2col (NCHW), (filter_h, filter_w, stride, pad)
BOOK = (
    ((1, 1, 1, 1), (1, 1)),
    ((0, 2, 4, 4), (3, 3)),
    ((2, 3, 7, 9), (3, 2)),
    ((1, 8, 9, 8), (3, 3, 2, 1)),
    ((3, 1, 17, 31), (5, 5, 1, 2)),
    ((2, 7, 5, 6), (2, 3, 3, 0)),
)


def _im2col_cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
    for shape, window in BOOK:
        yield Case((reals(rng, shape, dtype), *window))


def _col2im_case(rng, dtype, draw, shape, window) -> Case:
    return Case((draw(rng, im2col(np.zeros(shape, dtype), *window).shape, dtype), shape, *window))


def _col2im_cases(draw):
    def cases(rng: np.random.Generator, dtype: np.dtype) -> Iterator[Case]:
        for shape, window in BOOK:
            yield _col2im_case(rng, dtype, draw, shape, window)

    return cases


def _im2col_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    yield "32 x 32 x 13 x 13, 3 x 3", Case((reals(rng, (32, 32, 13, 13), dtype), 3, 3))


def _col2im_bench(rng: np.random.Generator, dtype: np.dtype) -> Iterator[tuple[str, Case]]:
    yield "32 x 32 x 13 x 13, 3 x 3", _col2im_case(rng, dtype, reals, (32, 32, 13, 13), (3, 3))


def _no_difference(case, expected, eps):
    return (0,)


def _col2im_tolerance(case, expected, eps):
    """A pixel is a sum of at most FH·FW cells: 2·K·ε·Σ|col|."""
    col, shape, fh, fw, *rest = case.args
    return (2 * fh * fw * eps * col2im(np.abs(col), shape, fh, fw, *rest),)


def _im2col_bytes(x, fh, fw, stride=1, pad=0):
    n, c, h, w = x.shape
    rows, columns = (h + 2 * pad - fh) // stride + 1, (w + 2 * pad - fw) // stride + 1
    return nbytes(x) + n * rows * columns * c * fh * fw * x.itemsize


KERNELS = (
    Kernel(
        "conv2d_forward",
        "conv",
        cases=_cases(_forward_case, reals),
        exact=_cases(_forward_case, eighths),
        bench=_bench(_forward_case),
        tolerance=_forward_tolerance,
        flops=_forward_flops,
        bytes=lambda x, w, b=None, **kwargs: nbytes(x, w, b) + _output(x, w, kwargs) * x.itemsize,
        nan=(0, 2),
    ),
    Kernel(
        "conv2d_backward",
        "conv",
        cases=_cases(_backward_case, reals),
        exact=_cases(_backward_case, eighths),
        bench=_bench(_backward_case),
        tolerance=_backward_tolerance,
        flops=_backward_flops,
        bytes=lambda dy, x, w, y=None, need_dx=True, **kwargs: nbytes(dy, x, w, w, y) + (nbytes(x) if need_dx else 0),
        results=("dx", "dw", "db"),
        nan=(),
    ),
    Kernel(
        "im2col",
        "conv",
        cases=_im2col_cases,
        exact=_im2col_cases,
        bench=_im2col_bench,
        tolerance=_no_difference,
        flops=lambda *args: 0,
        bytes=_im2col_bytes,
        results=(),
    ),
    Kernel(
        "col2im",
        "conv",
        cases=_col2im_cases(reals),
        exact=_col2im_cases(eighths),
        bench=_col2im_bench,
        tolerance=_col2im_tolerance,
        flops=lambda col, *rest: col.size,
        bytes=lambda col, shape, *rest: nbytes(col) + int(np.prod(shape)) * col.itemsize,
        results=(),
    ),
)
