"""Warping: values by hand, every way beyond the image, against a map of one pixel at a time, gradients, refusals."""

import itertools
import math

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract

INTERPOLATIONS = ["nearest", "bilinear"]
FILL_MODES = ["constant", "nearest", "reflect", "wrap"]
STILL = [1.0, 0, 0, 0, 1, 0]


class TestContract(Contract):
    family = "warp"


def line(values, dtype=np.float64):
    return np.array(values, dtype).reshape(1, 1, -1, 1)


def units(places):
    return np.rint(np.array(places) * 2.0**32).astype(np.int64)


def shifted(x, columns, interpolation="nearest", fill_mode="reflect", *fill, backend):
    return (
        backend.warp2d_forward(x, units([[1, 0, columns, 0, 1, 0.0]]), interpolation, fill_mode, *fill).ravel().tolist()
    )


def test_values_by_hand(backend, dtype):
    x = line([1, 2, 3, 4], dtype)
    for fill_mode, left, right in (
        ("constant", [9, 9, 1, 2], [3, 4, 9, 9]),
        ("nearest", [1, 1, 1, 2], [3, 4, 4, 4]),
        ("reflect", [2, 1, 1, 2], [3, 4, 4, 3]),
        ("wrap", [3, 4, 1, 2], [3, 4, 1, 2]),
    ):
        fill = (9,) if fill_mode == "constant" else ()
        assert shifted(x, -2, "nearest", fill_mode, *fill, backend=backend) == left
        assert shifted(x, 2, "bilinear", fill_mode, *fill, backend=backend) == right
    assert shifted(x, 0.5, "bilinear", backend=backend) == [1.5, 2.5, 3.5, 4]
    assert shifted(x, 0.5, "bilinear", "wrap", backend=backend) == [1.5, 2.5, 3.5, 2.5]
    assert shifted(x, 0.5, "bilinear", "constant", 6, backend=backend) == [1.5, 2.5, 3.5, 5]
    assert shifted(x, 0.5, backend=backend) == [2, 3, 4, 4]
    assert shifted(x, -0.5, "nearest", "constant", 9, backend=backend) == [9, 2, 3, 4]
    assert shifted(x, 17, backend=backend) == [2, 3, 4, 4]  # two periods of eight and one pixel


def test_turns_and_stretches(backend, dtype, rng):
    x = rng.standard_normal((1, 5, 5, 3)).astype(dtype)
    quarter = units([[0, -1, 4, 1, 0, 0]])
    np.testing.assert_array_equal(backend.warp2d_forward(x, quarter), np.rot90(x, 1, (1, 2)))
    np.testing.assert_array_equal(backend.warp2d_forward(x, units([[-1, 0, 4, 0, 1, 0]])), x[:, :, ::-1])
    np.testing.assert_array_equal(backend.warp2d_forward(x, units([STILL])), x)
    doubled = backend.warp2d_forward(x, units([[0.5, 0, 0, 0, 0.5, 0]]), "nearest")
    np.testing.assert_array_equal(doubled[:, :4:2, :4:2], x[:, :2, :2])


def pixel(places, length, fill_mode):
    if fill_mode == "wrap":
        return places % length
    if fill_mode == "reflect":
        places %= 2 * length
        places = 2 * length - 1 - places if places >= length else places
    return places if fill_mode == "constant" else min(max(places, 0), length - 1)


def one_by_one(x, transforms, interpolation, fill_mode, fill):
    """A map of one pixel at a time, in float64."""
    n, h, w, _ = x.shape
    y = np.empty_like(x)

    def read(k, i, j):
        i, j = (int(at % length) if fill_mode == "wrap" else int(at) for at, length in ((i, h), (j, w)))
        return x[k, i, j] if 0 <= i < h and 0 <= j < w else np.full(x.shape[3], fill)

    for k, i, j in itertools.product(range(n), range(h), range(w)):
        a0, a1, a2, b0, b1, b2 = transforms[k]
        u, v = pixel(a0 * j + a1 * i + a2, w, fill_mode), pixel(b0 * j + b1 * i + b2, h, fill_mode)
        if interpolation == "nearest":
            y[k, i, j] = read(k, *(math.copysign(math.floor(abs(p) + 0.5), p) for p in (v, u)))
            continue
        top, left = math.floor(v), math.floor(u)
        b, a = v - top, u - left
        y[k, i, j] = (1 - b) * ((1 - a) * read(k, top, left) + a * read(k, top, left + 1)) + b * (
            (1 - a) * read(k, top + 1, left) + a * read(k, top + 1, left + 1)
        )
    return y


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_one_pixel_at_a_time(backend, rng, interpolation, fill_mode):
    x = rng.standard_normal((4, 6, 7, 2))
    transforms = rng.uniform(-2, 2, (4, 6)) * [1, 1, 12, 1, 1, 12]
    y = backend.warp2d_forward(x, units(transforms), interpolation, fill_mode, 0.5)
    # A place is rounded to 2⁻³³ pixels, and neighbours differ by less than 8.
    np.testing.assert_allclose(y, one_by_one(x, transforms, interpolation, fill_mode, 0.5), atol=1e-7)


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_gradient(backend, rng, interpolation, fill_mode):
    transforms = units(rng.uniform(-2, 2, (2, 6)) * [1, 1, 5, 1, 1, 5])
    result = kernel_check(
        lambda x: backend.warp2d_forward(x, transforms, interpolation, fill_mode),
        lambda dy, y, arrays: {"x": backend.warp2d_backward(dy, transforms, interpolation, fill_mode)},
        {"x": rng.standard_normal((2, 4, 5, 3))},
    )
    assert result, str(result)


def test_a_pixel_without_weight_is_not_read(backend, dtype):
    x = line([1, np.inf, 3], dtype)
    assert backend.warp2d_forward(x, units([STILL])).ravel().tolist() == [1, np.inf, 3]


SQUARE = np.ones((1, 2, 3, 1))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.ones((1, 2, 3)), units([STILL])), ValueError, "4 axes"),
        ((SQUARE, units([STILL, STILL])), ValueError, r"\(N, 6\) = \(1, 6\)"),
        ((SQUARE, np.array([STILL])), TypeError, "int64"),
        ((SQUARE, units([[1, 0, 2**29, 0, 1, 0]])), ValueError, r"2\*\*28 pixels"),
        ((SQUARE, units([[1, 0, 0, 2**27, 1, 0]])), ValueError, r"2\*\*28 pixels"),
        ((SQUARE, units([STILL]), "cubic"), ValueError, "bilinear"),
        ((SQUARE, units([STILL]), "nearest", "mirror"), ValueError, "reflect"),
    ],
)
def test_refused(backend, arguments, error, words):
    for kernel in (backend.warp2d_forward, backend.warp2d_backward):
        with pytest.raises(error, match=words):
            kernel(*arguments)


def test_fill_values_refused(backend):
    with pytest.raises(ValueError, match="fill_value"):
        backend.warp2d_forward(SQUARE, units([STILL]), "nearest", "constant", math.nan)
