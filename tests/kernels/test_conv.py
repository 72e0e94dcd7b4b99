"""Convolution against the loops that define it; im2col and col2im in the textbook order."""

import itertools

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract

ALGORITHMS = ["auto", "direct", "im2col"]


class TestContract(Contract):
    family = "conv"


def loops(x, w, b, strides, pads, dilation, groups):
    """The definition, one multiplication at a time."""
    (sh, sw), ((top, bottom), (left, right)), (dh, dw) = strides, pads, dilation
    n, h, width, _ = x.shape
    kh, kw, cg, f = w.shape
    oh = (h + top + bottom - dh * (kh - 1) - 1) // sh + 1
    ow = (width + left + right - dw * (kw - 1) - 1) // sw + 1
    y = np.zeros((n, oh, ow, f))
    for image, p, q, k in np.ndindex(n, oh, ow, f):
        first = k // (f // groups) * cg
        total = b[k]
        for i, j, channel in np.ndindex(kh, kw, cg):
            row, column = p * sh + i * dh - top, q * sw + j * dw - left
            if 0 <= row < h and 0 <= column < width:
                total += x[image, row, column, first + channel] * w[i, j, channel, k]
        y[image, p, q, k] = total
    return y


GEOMETRY = [
    ((1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 1), ((1, 0), (2, 1)), (1, 1), 1),
    ((1, 3), ((0, 2), (1, 1)), (2, 1), 1),
    ((2, 2), ((1, 1), (1, 1)), (1, 2), 2),
    ((1, 1), ((2, 2), (2, 2)), (1, 1), 4),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("strides", "pads", "dilation", "groups"), GEOMETRY)
def test_against_loops(backend, rng, strides, pads, dilation, groups, algorithm):
    x = rng.integers(-3, 4, (2, 6, 7, 4)).astype(np.float64)
    w, b = rng.integers(-3, 4, (3, 2, 4 // groups, 8)).astype(np.float64), rng.integers(-3, 4, 8).astype(np.float64)
    y = backend.conv2d_forward(x, w, b, strides, pads, dilation, groups, algorithm=algorithm)
    np.testing.assert_array_equal(y, loops(x, w, b, strides, pads, dilation, groups), strict=True)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
@pytest.mark.parametrize(("strides", "pads", "dilation", "groups"), GEOMETRY)
def test_gradient(backend, rng, strides, pads, dilation, groups, activation, algorithm):
    options = (strides, pads, dilation, groups, activation, algorithm)

    def backward(dy, y, a):
        return dict(zip("xwb", backend.conv2d_backward(dy, a["x"], a["w"], y, *options), strict=True))

    arrays = {
        "x": rng.standard_normal((2, 5, 6, 4)),
        "w": rng.standard_normal((3, 2, 4 // groups, 4)),
        "b": rng.standard_normal(4),
    }
    result = kernel_check(lambda x, w, b: backend.conv2d_forward(x, w, b, *options), backward, arrays, samples=60)
    assert result, str(result)


def test_same_padding_puts_the_extra_cell_after(backend):
    """Four cells, window 2: one cell of padding, on the right."""
    x, w = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1), np.array([1.0, 10.0]).reshape(1, 2, 1, 1)
    np.testing.assert_array_equal(backend.conv2d_forward(x, w, padding="same").ravel(), [21, 32, 43, 4])


def test_depthwise_keeps_channels_apart(backend, dtype):
    x = np.stack([np.full((3, 3), 1.0), np.full((3, 3), 10.0)], axis=2)[None].astype(dtype)
    w = np.ones((3, 3, 1, 4), dtype)
    np.testing.assert_array_equal(backend.conv2d_forward(x, w, groups=2).ravel(), [9, 9, 90, 90])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_not_needed_is_none(backend, rng, algorithm):
    x, w, dy = rng.standard_normal((2, 5, 5, 3)), rng.standard_normal((3, 3, 3, 4)), rng.standard_normal((2, 3, 3, 4))
    full = backend.conv2d_backward(dy, x, w, algorithm=algorithm)
    dx, dw, db = backend.conv2d_backward(dy, x, w, algorithm=algorithm, need_dx=False, need_db=False)
    assert dx is None
    assert db is None
    np.testing.assert_array_equal(dw, full[1])


def test_im2col_has_the_textbook_order(backend):
    """(N·OH·OW, C·FH·FW): rows are windows, left to right, then down; columns are channels, then rows, then columns."""
    x = np.arange(2 * 2 * 3 * 3, dtype=float).reshape(2, 2, 3, 3)
    col = backend.im2col(x, 2, 2)
    assert col.shape == (8, 8)
    np.testing.assert_array_equal(col[0], [0, 1, 3, 4, 9, 10, 12, 13])
    np.testing.assert_array_equal(col[1], [1, 2, 4, 5, 10, 11, 13, 14])
    np.testing.assert_array_equal(col[7], [22, 23, 25, 26, 31, 32, 34, 35])
    assert backend.im2col(np.ones((1, 3, 7, 7)), 5, 5, stride=1, pad=0).shape == (9, 75)
    assert backend.im2col(np.ones((10, 3, 7, 7)), 5, 5, 1, 0).shape == (90, 75)


def test_im2col_pads_with_zeros_and_keeps_float32(backend):
    col = backend.im2col(np.ones((1, 1, 2, 2), np.float32), 2, 2, stride=2, pad=1)
    expected = [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal(col, np.array(expected, np.float32), strict=True)


@pytest.mark.parametrize(("stride", "pad"), list(itertools.product([1, 2, 3], [0, 1, 2])))
def test_col2im_is_the_adjoint_of_im2col(backend, rng, stride, pad):
    """⟨im2col(x), col⟩ = ⟨x, col2im(col)⟩ on integers, exactly."""
    x = rng.integers(-5, 6, (2, 3, 7, 8)).astype(float)
    there = backend.im2col(x, 3, 2, stride, pad)
    col = rng.integers(-5, 6, there.shape).astype(float)
    back = backend.col2im(col, x.shape, 3, 2, stride, pad)
    assert back.shape == x.shape
    assert (there * col).sum() == (x * back).sum()


def test_a_large_padded_batch_equals_its_parts(compiled, rng):
    """More padded images than one pass copies: 40 of 66 x 66 x 32 in float32, 22 MB."""
    x = rng.integers(-1, 2, (40, 64, 64, 32)).astype(np.float32)
    w = rng.integers(-1, 2, (3, 3, 32, 8)).astype(np.float32)
    dy = rng.integers(-1, 2, (40, 64, 64, 8)).astype(np.float32)
    y = compiled.conv2d_forward(x, w, padding="same")
    dx, dw, db = compiled.conv2d_backward(dy, x, w, padding="same")
    parts = [slice(0, 7), slice(7, 30), slice(30, 40)]
    gradients = [compiled.conv2d_backward(dy[part], x[part], w, padding="same") for part in parts]
    np.testing.assert_array_equal(np.concatenate([part_dx for part_dx, _, _ in gradients]), dx)
    np.testing.assert_array_equal(sum(part_dw for _, part_dw, _ in gradients), dw)
    np.testing.assert_array_equal(sum(part_db for _, _, part_db in gradients), db)
    for part in parts:
        np.testing.assert_array_equal(compiled.conv2d_forward(x[part], w, padding="same"), y[part])


@pytest.mark.parametrize("algorithm", ["auto", "winograd"])
@pytest.mark.parametrize("padding", ["valid", "same", ((3, 4), (5, 0)), ((0, 2), (1, 7))])
@pytest.mark.parametrize("shape", [(3, 8, 9, 25), (1, 17, 8, 31)])
def test_winograd_on_integers(compiled, rng, dtype, algorithm, padding, shape):
    """Parts of small integers and a ninth of their sums are exact: the algorithm equals the definition bit for bit."""
    x, w = rng.integers(-8, 9, shape).astype(dtype), rng.integers(-8, 9, (3, 3, shape[3], 24)).astype(dtype)
    y = compiled.conv2d_forward(x, w, padding=padding, algorithm="direct")
    np.testing.assert_array_equal(compiled.conv2d_forward(x, w, padding=padding, algorithm=algorithm), y)
    dy = rng.integers(-8, 9, y.shape).astype(dtype)
    expected = compiled.conv2d_backward(dy, x, w, padding=padding, algorithm="direct")
    for one, other in zip(
        compiled.conv2d_backward(dy, x, w, padding=padding, algorithm=algorithm), expected, strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("shape", [(4, 31, 35, 27), (1, 66, 90, 24), (70, 5, 6, 33), (1, 5, 170, 130)])
def test_winograd_of_many_tiles_on_integers(compiled, rng, dtype, padding, shape):
    """Blocks of tiles, several chunks of dw, and lines of an image cut into strips."""
    x, w = rng.integers(-1, 2, shape).astype(dtype), rng.integers(-1, 2, (3, 3, shape[3], 33)).astype(dtype)
    y = compiled.conv2d_forward(x, w, padding=padding, algorithm="direct")
    np.testing.assert_array_equal(compiled.conv2d_forward(x, w, padding=padding, algorithm="winograd"), y)
    dy = rng.integers(-1, 2, y.shape).astype(dtype)
    expected = compiled.conv2d_backward(dy, x, w, padding=padding, algorithm="direct")
    for one, other in zip(
        compiled.conv2d_backward(dy, x, w, padding=padding, algorithm="winograd"), expected, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_parts_of_the_filters_in_the_gradient_of_winograd(compiled, rng):
    x, dy = (rng.integers(-1, 2, (2, 33, 40, channels)).astype("float64") for channels in (6, 147))
    _, dw, _ = compiled.conv2d_backward(dy, x, np.ones((3, 3, 6, 147)), padding="same", algorithm="winograd")
    _, expected, _ = compiled.conv2d_backward(dy, x, np.ones((3, 3, 6, 147)), padding="same", algorithm="direct")
    np.testing.assert_array_equal(dw, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("which", ["x", "w", "dy", "b"])
def test_winograd_keeps_what_is_not_finite_in_its_place(compiled, rng, value, which):
    """The sums of a tile would mix it, and sums of pixels overflow: both are noticed, and computed directly."""
    arrays = {"x": rng.standard_normal((2, 7, 8, 9)), "w": rng.standard_normal((3, 3, 9, 10))}
    arrays |= {"dy": rng.standard_normal((2, 7, 8, 10)), "b": rng.standard_normal(10)}
    arrays = {name: a.astype("float32") for name, a in arrays.items()}
    place = (0,) * (arrays[which].ndim - 1)
    arrays[which][place] = value
    x, w, dy, b = (arrays[name] for name in ("x", "w", "dy", "b"))
    rows = []
    for algorithm in ("direct", "winograd"):
        options = {"padding": "same", "algorithm": algorithm}
        rows.append([compiled.conv2d_forward(x, w, b, **options), *compiled.conv2d_backward(dy, x, w, **options)])
    for one, other in zip(*rows, strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        np.testing.assert_array_equal(np.isinf(one), np.isinf(other))
        assert not np.isfinite(other).all() or np.allclose(one, other, rtol=1e-3, atol=1e-3)


def test_an_image_has_the_same_bits_alone_and_in_a_batch(compiled, rng):
    """ "auto" chooses by the shape of an image, whatever the size of the batch."""
    x = rng.standard_normal((5, 14, 14, 32)).astype("float32")
    w = rng.standard_normal((3, 3, 32, 32)).astype("float32")
    whole = compiled.conv2d_forward(x, w, padding="same")
    assert np.abs(whole - compiled.conv2d_forward(x, w, padding="same", algorithm="direct")).max() > 0
    np.testing.assert_array_equal(compiled.conv2d_forward(x[2:3], w, padding="same"), whole[2:3])


@pytest.mark.parametrize(
    "changed",
    [{"strides": 2}, {"strides": (1, 2)}, {"dilation": 2}, {"groups": 2}, {"window": (3, 2)}, {"window": (5, 5)}],
)
def test_winograd_is_refused_where_it_does_not_compute(backend, changed):
    changed = dict(changed)
    window = changed.pop("window", (3, 3))
    w = np.ones((*window, 4 // changed.get("groups", 1), 6))
    with pytest.raises(ValueError, match=r"3 × 3.*Received: .*Use algorithm='auto'"):
        backend.conv2d_forward(np.ones((1, 9, 9, 4)), w, algorithm="winograd", **changed)
    dy = np.ones(backend.conv2d_forward(np.ones((1, 9, 9, 4)), w, **changed).shape)
    with pytest.raises(ValueError, match="winograd"):
        backend.conv2d_backward(dy, np.ones((1, 9, 9, 4)), w, algorithm="winograd", **changed)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_gradient_of_winograd(backend, rng, activation, padding):
    options = ((1, 1), padding, (1, 1), 1, activation, "winograd")

    def backward(dy, y, a):
        return dict(zip("xwb", backend.conv2d_backward(dy, a["x"], a["w"], y, *options), strict=True))

    arrays = {
        "x": rng.standard_normal((2, 5, 6, 3)),
        "w": rng.standard_normal((3, 3, 3, 4)),
        "b": rng.standard_normal(4),
    }
    result = kernel_check(lambda x, w, b: backend.conv2d_forward(x, w, b, *options), backward, arrays, samples=60)
    assert result, str(result)


X, W = np.ones((1, 5, 5, 4)), np.ones((3, 3, 4, 6))


def test_bad_calls(backend):
    for error, call in (
        (ValueError, lambda: backend.conv2d_forward(X, np.ones((3, 3, 3, 6)))),
        (ValueError, lambda: backend.conv2d_forward(X, W, np.ones(5))),
        (ValueError, lambda: backend.conv2d_forward(X, np.ones((6, 3, 4, 6)))),
        (ValueError, lambda: backend.conv2d_forward(X, W, dilation=3)),
        (ValueError, lambda: backend.conv2d_forward(X, W, strides=0)),
        (ValueError, lambda: backend.conv2d_forward(X, W, strides=(1, -1))),
        (ValueError, lambda: backend.conv2d_forward(X, W, strides=(1, 1, 1))),
        (TypeError, lambda: backend.conv2d_forward(X, W, strides=1.5)),
        (ValueError, lambda: backend.conv2d_forward(X, W, padding="full")),
        (ValueError, lambda: backend.conv2d_forward(X, W, padding=((1, -1), (0, 0)))),
        (ValueError, lambda: backend.conv2d_forward(X, W, groups=3)),
        (ValueError, lambda: backend.conv2d_forward(X, W, groups=2)),
        (ValueError, lambda: backend.conv2d_forward(X, W, groups=0)),
        (ValueError, lambda: backend.conv2d_forward(X, W, activation="gelu")),
        (ValueError, lambda: backend.conv2d_forward(X, W, algorithm="fft")),
        (ValueError, lambda: backend.conv2d_forward(np.ones((1, 0, 5, 4)), W)),
        (ValueError, lambda: backend.conv2d_forward(np.ones((1, 5, 5, 0)), np.ones((3, 3, 0, 6)))),
        (ValueError, lambda: backend.conv2d_backward(np.ones((1, 3, 3, 5)), X, W)),
        (ValueError, lambda: backend.conv2d_backward(np.ones((1, 3, 3, 6)), X, W, activation="relu")),
        (ValueError, lambda: backend.im2col(X, 6, 3)),
        (ValueError, lambda: backend.im2col(X, 0, 3)),
        (ValueError, lambda: backend.im2col(X, 3, 3, 0)),
        (ValueError, lambda: backend.im2col(X, 3, 3, 1, -1)),
        (ValueError, lambda: backend.im2col(X[0], 3, 3)),
        (ValueError, lambda: backend.col2im(np.ones((4, 4)), (1, 1, 3, 4), 2, 2)),
        (ValueError, lambda: backend.col2im(np.ones((4, 4)), (1, 3, 3), 2, 2)),
    ):
        with pytest.raises(error):
            call()


@pytest.mark.parametrize(("padding", "written_out"), [(1, ((1, 1), (1, 1))), ((2, 0), ((2, 2), (0, 0)))])
def test_padding_in_integers(backend, padding, written_out):
    """As strides have them: one for both axes, or one for each; the same before and after."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 6, 5, 3)), rng.standard_normal((3, 2, 3, 4))
    y = backend.conv2d_forward(x, w, padding=padding)
    np.testing.assert_array_equal(y, backend.conv2d_forward(x, w, padding=written_out))
    for got, wanted in zip(
        backend.conv2d_backward(y, x, w, padding=padding),
        backend.conv2d_backward(y, x, w, padding=written_out),
        strict=True,
    ):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("padding", [-1, True, 1.0, (1, 2, 3), (1, (1, 1)), None])
def test_padding_that_is_refused(backend, padding):
    with pytest.raises((TypeError, ValueError), match="Received: padding="):
        backend.conv2d_forward(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)), padding=padding)
