"""Resizing: values by hand, sizes against their definition, NaN and infinity, gradients, refusals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract

INTERPOLATIONS = ["nearest", "bilinear"]


class TestContract(Contract):
    family = "resample"


def line(values, dtype):
    return np.array(values, dtype).reshape(1, 1, -1, 1)


def test_values_by_hand(backend, dtype):
    x = line([0, 4, 8], dtype)
    by_hand = {
        ("nearest", 6): [0, 0, 4, 4, 8, 8],
        ("nearest", 2): [0, 8],
        ("nearest", 4): [0, 4, 4, 8],
        ("bilinear", 6): [0, 1, 3, 5, 7, 8],
        ("bilinear", 3): [0, 4, 8],
        ("bilinear", 1): [4],
        ("bilinear", 12): [0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8, 8],
    }
    for (interpolation, out), expected in by_hand.items():
        y = backend.resize2d_forward(x, (1, out), interpolation)
        np.testing.assert_array_equal(y, line(expected, dtype), strict=True)
        turned = backend.resize2d_forward(x.reshape(1, 3, 1, 1), (out, 1), interpolation)
        np.testing.assert_array_equal(turned.ravel(), y.ravel())


def definition(length, out, interpolation):
    """The weights (out, length) of one axis, as fractions."""
    weights = np.full((out, length), Fraction(0))
    for q in range(out):
        u = (q + Fraction(1, 2)) * length / out - Fraction(1, 2)
        if interpolation == "nearest":
            weights[q, (u + Fraction(1, 2)).__floor__()] = Fraction(1)
        else:
            u = min(max(u, Fraction(0)), Fraction(length - 1))
            low = u.__floor__()
            weights[q, low] += 1 - (u - low)
            if u != low:
                weights[q, low + 1] += u - low
    return weights.astype(float)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_all_small_sizes_against_the_definition(backend, rng, interpolation):
    for h, oh in itertools.product(range(1, 7), range(1, 9)):
        w, ow = (h * 3 + oh) % 5 + 1, (oh * 5 + h) % 7 + 1
        x, dy = rng.standard_normal((2, h, w, 3)), rng.standard_normal((2, oh, ow, 3))
        rows, columns = definition(h, oh, interpolation), definition(w, ow, interpolation)
        y = backend.resize2d_forward(x, (oh, ow), interpolation)
        # At most 8 by 8 terms around 1, in float64.
        np.testing.assert_allclose(y, np.einsum("ph,qw,nhwc->npqc", rows, columns, x), rtol=1e-13, atol=1e-13)
        dx = backend.resize2d_backward(dy, x.shape, interpolation)
        np.testing.assert_allclose(dx, np.einsum("ph,qw,npqc->nhwc", rows, columns, dy), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("shape", "size"), [((2, 4, 3, 5), (8, 7)), ((1, 7, 5, 2), (3, 5)), ((2, 3, 4, 9), (6, 2))])
def test_gradient(backend, rng, shape, size, interpolation):
    result = kernel_check(
        lambda x: backend.resize2d_forward(x, size, interpolation),
        lambda dy, y, arrays: {"x": backend.resize2d_backward(dy, shape, interpolation)},
        {"x": rng.standard_normal(shape)},
    )
    assert result, str(result)


def test_a_whole_factor_repeats_pixels(backend, dtype, rng):
    x = rng.standard_normal((2, 3, 5, 7)).astype(dtype)
    y = backend.resize2d_forward(x, (9, 10), "nearest")
    np.testing.assert_array_equal(y, x.repeat(3, axis=1).repeat(2, axis=2))
    np.testing.assert_array_equal(backend.resize2d_forward(x, (3, 5)), x)


def test_a_pixel_without_weight_is_not_read(backend, dtype):
    """Outputs on the very centre of a pixel take it alone, even beside an infinity."""
    x = line([1, np.inf, 3], dtype)
    y = backend.resize2d_forward(x, (1, 9)).ravel()  # every third output is on a centre
    np.testing.assert_array_equal(y[[0, 1, 4, 7, 8]], [1, 1, np.inf, 3, 3])
    assert np.isinf(y[[2, 3, 5, 6]]).all()
    dx = backend.resize2d_backward(line([np.nan, 1, 1, 1], dtype), (1, 1, 2, 1)).ravel()
    np.testing.assert_array_equal(dx, np.array([np.nan, 2], dtype))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.ones((1, 2, 3)), 4), ValueError, "4 axes"),
        ((np.ones((1, 0, 3, 1)), 4), ValueError, "at least one pixel"),
        ((np.ones((1, 2, 3, 1)), 0), ValueError, "size must be at least 1"),
        ((np.ones((1, 2, 3, 1)), (2, 3, 4)), ValueError, "size must be an integer or two"),
        ((np.ones((1, 2, 3, 1)), 2.5), TypeError, "size=2.5"),
        ((np.ones((1, 2, 3, 1)), (2**31, 1)), ValueError, r"less than 2\*\*31"),
        ((np.ones((1, 2, 3, 1)), (2**30, 2**30)), ValueError, r"2\*\*59"),
        ((np.ones((1, 2, 3, 1)), 4, "bicubic"), ValueError, "bilinear"),
    ],
)
def test_refused(backend, arguments, error, words):
    with pytest.raises(error, match=words):
        backend.resize2d_forward(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.ones((1, 2, 3, 1)), (1, 2, 3)), ValueError, "input_shape"),
        ((np.ones((1, 2, 3, 1)), (2, 2, 3, 1)), ValueError, r"\(2, 2, 3, 1\).*Received: .*\(1, 2, 3, 1\)"),
        ((np.ones((1, 2, 3, 1)), (1, 2, 3, 2)), ValueError, "dy must have shape"),
        ((np.ones((1, 0, 3, 1)), (1, 2, 3, 1)), ValueError, "dy must have at least one entry along axis 1"),
        ((np.ones((1, 2, 3, 1)), (1, 2, 3, 1), "area"), ValueError, "nearest"),
    ],
)
def test_gradients_refused(backend, arguments, error, words):
    with pytest.raises(error, match=words):
        backend.resize2d_backward(*arguments)
