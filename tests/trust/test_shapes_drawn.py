"""Shapes, strides and geometries drawn by Hypothesis: compiled and twin are equal bit for bit on small integers.

Numbers are whole eighths, so every sum is exact in float32 and any two orders of it agree.
"""

import numpy as np
import pytest

from fastnn import kernels, reference
from fastnn.registry._draw import eighths
from fastnn.shapes import conv2d_output_shape, pool2d_output_shape

hypothesis = pytest.importorskip("hypothesis", reason="pip install 'fastnn-kernels[test]'")
st = hypothesis.strategies
given = hypothesis.given
quick = hypothesis.settings(
    max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)

DTYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.one_of(st.integers(1, 20), st.sampled_from([31, 33, 63, 64, 65, 100]))


class Numbers:
    """Random eighths, contiguous or not, with many zeros or few."""

    def __init__(self, seed: int, dtype: type, layout: str, zeros: float = 0.0):
        self.rng, self.dtype, self.layout, self.zeros = np.random.default_rng(seed), np.dtype(dtype), layout, zeros

    def __call__(self, *shape: int) -> np.ndarray:
        numbers = eighths(self.rng, shape, self.dtype)
        numbers[self.rng.random(shape) < self.zeros] = 0
        if self.layout == "fortran":
            return numbers.copy(order="F")
        if self.layout == "backwards":
            return np.ascontiguousarray(numbers[::-1])[::-1]
        if self.layout == "stepped":
            return np.repeat(numbers, 3, axis=-1)[..., ::3]
        return numbers


@st.composite
def numbers(draw):
    layout = draw(st.sampled_from(["plain", "plain", "fortran", "backwards", "stepped"]))
    return Numbers(draw(SEEDS), draw(DTYPES), layout, draw(st.sampled_from([0.0, 0.0, 0.7, 0.97, 1.0])))


def check(name, *args, **kwargs):
    """Compiled and twin give the same; returns it."""
    expected, got = getattr(reference, name)(*args, **kwargs), getattr(kernels, name)(*args, **kwargs)
    pairs = zip(*(result if isinstance(result, tuple) else (result,) for result in (got, expected)), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other, err_msg=f"{name} {kwargs}", strict=other is not None)
    return expected


@quick
@given(numbers(), LENGTHS, LENGTHS, st.one_of(LENGTHS, st.sampled_from([255, 256, 257, 520])))
def test_gemm(draw, m, n, k):
    check("gemm_nn", draw(m, k), draw(k, n))
    check("gemm_nt", draw(m, k), draw(n, k))
    check("gemm_tn", draw(k, m), draw(k, n))


@quick
@given(
    numbers(),
    LENGTHS,
    LENGTHS,
    LENGTHS,
    st.booleans(),
    st.sampled_from(["linear", "relu"]),
    st.sampled_from(["auto", "dense", "sparse"]),
)
def test_dense(draw, m, k, n, bias, activation, algorithm):
    x, w = draw(m, k), draw(k, n)
    y = check("dense_forward", x, w, draw(n) if bias else None, activation, algorithm)
    check("dense_backward", draw(m, n), x, w, y, activation, algorithm)
    check("dense_backward", draw(m, n), x, w, y, activation, algorithm, need_dx=False, need_db=bias)


@st.composite
def convolutions(draw, pooled=False):
    """x shape, w shape and the geometry of a convolution that fits."""
    small = st.integers(1, 3)
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    strides, dilation = draw(st.tuples(small, small)), draw(st.tuples(small, small))
    amounts = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = draw(st.one_of(st.sampled_from(["valid", "same"]), st.tuples(amounts, amounts)))
    groups = 1 if pooled else draw(st.sampled_from([1, 1, 1, 2, 3, 7]))
    channels = draw(st.sampled_from([1, 1, 2, 3, 5, 8, 17, 33]))
    filters = draw(st.sampled_from([1, 2, 3, 7, 8, 9, 16, 17, 33, 65]))
    if groups > 1:
        channels, filters = min(channels, 5), min(filters, 9)
        if draw(st.booleans()):
            channels = 1  # depthwise, where filters is 1 too
    height, width = (draw(st.integers(d * (k - 1) + 1, 14)) for d, k in zip(dilation, window, strict=True))
    x_shape = (draw(st.integers(0, 4)), height, width, channels * groups)
    geometry = {"strides": strides, "padding": padding, "dilation": dilation}
    return x_shape, (*window, channels, filters * groups), geometry | ({} if pooled else {"groups": groups})


@quick
@given(
    numbers(),
    convolutions(),
    st.booleans(),
    st.sampled_from(["linear", "relu"]),
    st.sampled_from(["auto", "direct", "im2col"]),
)
def test_conv2d(draw, shapes, bias, activation, algorithm):
    x_shape, w_shape, geometry = shapes
    how = geometry | {"activation": activation, "algorithm": algorithm}
    x, w = draw(*x_shape), draw(*w_shape)
    y = check("conv2d_forward", x, w, draw(w_shape[3]) if bias else None, **how)
    assert y.shape == conv2d_output_shape(x_shape, w_shape, **geometry)
    check("conv2d_backward", draw(*y.shape), x, w, y, **how)
    check("conv2d_backward", draw(*y.shape), x, w, y, **how, need_dx=False, need_db=bias)


@quick
@given(
    numbers(),
    convolutions(pooled=True),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
    st.sampled_from(["linear", "relu"]),
)
def test_conv2d_pool(draw, shapes, pool, bias, activation):
    x_shape, w_shape, geometry = shapes
    _, oh, ow, _ = conv2d_output_shape(x_shape, w_shape, **geometry)
    hypothesis.assume(oh >= pool[0] and ow >= pool[1])
    how = geometry | {"pool_size": pool, "activation": activation}
    x, w = draw(*x_shape), draw(*w_shape)
    y, argmax = check("conv2d_pool_forward", x, w, draw(w_shape[3]) if bias else None, **how)
    check("conv2d_pool_backward", draw(*y.shape), x, w, y, argmax, **how)
    check("conv2d_pool_backward", draw(*y.shape), x, w, y, argmax, **how, need_dx=False, need_db=bias)


@quick
@given(
    numbers(),
    st.tuples(st.integers(0, 3), st.integers(1, 13), st.integers(1, 13), st.sampled_from([1, 2, 5, 8, 9, 16, 17, 33])),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.one_of(st.none(), st.tuples(st.integers(1, 6), st.integers(1, 6))),
    st.sampled_from(["valid", "same"]),
)
def test_pooling(draw, shape, pool, strides, padding):
    hypothesis.assume(padding == "same" or (shape[1] >= pool[0] and shape[2] >= pool[1]))
    how = {"pool_size": pool, "strides": strides, "padding": padding}
    x, dy = draw(*shape), draw(*pool2d_output_shape(shape, **how))
    _, argmax = check("max_pool2d_forward", x, **how)
    check("max_pool2d_backward", dy, argmax, shape, **how)
    check("average_pool2d_forward", x, **how)
    _, chosen = check("stochastic_pool2d_forward", x, 77, 5, **how)
    check("stochastic_pool2d_backward", dy, chosen, shape, **how)
    if shape[0]:
        _, winner = check("global_max_pool2d_forward", x)
        check("global_max_pool2d_backward", draw(shape[0], shape[3]), winner, shape)
        check("global_average_pool2d_forward", x)


@quick
@given(
    numbers(),
    st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3)),
)
def test_im2col(draw, shape, window):
    fh, fw, _, pad = window
    hypothesis.assume(shape[2] + 2 * pad >= fh and shape[3] + 2 * pad >= fw)
    col = check("im2col", draw(*shape), *window)
    check("col2im", draw(*col.shape), shape, *window)
