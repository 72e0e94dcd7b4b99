"""Several arrays merged elementwise or joined: values by hand, ties and NaN, gradients, results that overwrite."""

import itertools

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract

MODES = ["add", "subtract", "multiply", "average", "maximum", "minimum"]


class TestContract(Contract):
    family = "merge"


BY_HAND = {
    "add": [6, 4, -1, 2.5],
    "multiply": [6, 0, 0, -10.5],
    "average": [2, 4 / 3, -1 / 3, 2.5 / 3],
    "maximum": [3, 5, 4, 3.5],
    "minimum": [1, -1, -5, -2],
}


@pytest.mark.parametrize("mode", BY_HAND)
def test_values_by_hand(backend, dtype, mode):
    arrays = [np.array(a, dtype) for a in ([1, 5, 0, -2], [2, 0, -5, 3.5], [3, -1, 4, 1])]
    if mode == "multiply":
        arrays[2][3] = 1.5
    expected = np.array(BY_HAND[mode], np.float64)
    np.testing.assert_allclose(backend.merge_forward(arrays, mode), expected.astype(dtype), rtol=1e-7)


def test_subtract_is_first_minus_second(backend, dtype):
    one, other = np.array([5, 1], dtype), np.array([2, 4], dtype)
    y = backend.merge_forward([one, other], "subtract")
    np.testing.assert_array_equal(y, np.array([3, -3], dtype), strict=True)
    dx, dz = backend.merge_backward(np.array([1, 2], dtype), [one, other], "subtract")
    np.testing.assert_array_equal(dx, np.array([1, 2], dtype), strict=True)
    np.testing.assert_array_equal(dz, np.array([-1, -2], dtype), strict=True)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("mode", MODES)
def test_gradient(backend, rng, mode, count):
    if mode == "subtract" and count != 2:
        pytest.skip("subtract takes two arrays")
    values = rng.permutation(count * 33).reshape(count, 3, 11) / 10 - 5  # no two are closer than the step of the check
    names = [f"x{i}" for i in range(count)]

    def backward(dy, y, arrays):
        return dict(zip(names, backend.merge_backward(dy, [arrays[name] for name in names], mode), strict=True))

    def forward(**arrays):
        return backend.merge_forward([arrays[name] for name in names], mode) / 4 ** (count - 1)

    result = kernel_check(
        forward, lambda dy, y, a: backward(dy / 4 ** (count - 1), y, a), dict(zip(names, values, strict=True))
    )
    assert result, str(result)


@pytest.mark.parametrize("mode", ["maximum", "minimum"])
def test_the_first_of_equal_arrays_gets_the_gradient(backend, dtype, mode):
    dy = np.arange(1, 20, dtype=dtype)
    tied = [np.full(19, 2, dtype), np.full(19, 2, dtype), np.full(19, 2, dtype)]
    one, two, three = backend.merge_backward(dy, tied, mode)
    np.testing.assert_array_equal(one, dy)
    np.testing.assert_array_equal([two, three], np.zeros((2, 19), dtype))


@pytest.mark.parametrize("mode", ["maximum", "minimum"])
def test_a_nan_wins_and_gets_the_gradient(backend, dtype, mode):
    """In every array, at every place of a vector and of its tail."""
    for which, place in itertools.product(range(3), range(19)):
        arrays = [np.full(19, value, dtype) for value in (1, 5, 3)]
        arrays[which][place] = np.nan
        y = backend.merge_forward(arrays, mode)
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(y)), [place])
        gradients = backend.merge_backward(np.ones(19, dtype), arrays, mode)
        np.testing.assert_array_equal([g[place] for g in gradients], [float(i == which) for i in range(3)])
        np.testing.assert_array_equal(sum(gradients), np.ones(19, dtype))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("which", [0, 1])
def test_any_of_the_arrays_may_be_overwritten(backend, dtype, rng, mode, which):
    arrays = [rng.standard_normal(1500).astype(dtype) for _ in range(2)]
    expected = backend.merge_forward(arrays, mode)
    assert backend.merge_forward(arrays, mode, y=arrays[which]) is arrays[which]
    np.testing.assert_array_equal(arrays[which], expected)


def test_the_same_array_may_come_twice(backend, dtype):
    x = np.arange(9, dtype=dtype)
    np.testing.assert_array_equal(backend.merge_forward([x, x, x], "add"), 3 * x, strict=True)
    np.testing.assert_array_equal(backend.merge_backward(x, [x, x], "multiply"), [x * x, x * x])


def test_products_keep_zeros_and_infinities_apart(backend, dtype):
    """The gradient of one array never reads that array: no 0/0 from dividing the whole product by it."""
    zero, large = np.zeros(9, dtype), np.full(9, np.inf, dtype)
    dx, dz = backend.merge_backward(np.ones(9, dtype), [zero, large], "multiply")
    np.testing.assert_array_equal(dx, large)
    np.testing.assert_array_equal(dz, zero)


@pytest.mark.parametrize("mode", MODES)
def test_only_what_is_needed_is_made(backend, dtype, rng, mode):
    arrays = [rng.standard_normal(1100).astype(dtype) for _ in range(2)]
    dy = rng.standard_normal(1100).astype(dtype)
    full = backend.merge_backward(dy, arrays, mode)
    for need in itertools.product([False, True], repeat=2):
        some = backend.merge_backward(dy, arrays, mode, need_dx=need)
        for wanted, one, other in zip(need, some, full, strict=True):
            assert (one is not None) == wanted
            if wanted:
                np.testing.assert_array_equal(one, other)
    out = np.full(1100, np.nan, dtype)
    assert backend.merge_backward(dy, arrays, mode, need_dx=[False, True], dx=[None, out])[1] is out
    np.testing.assert_array_equal(out, full[1])


def test_many_arrays(backend, dtype):
    arrays = [np.full((3, 5), i, dtype) for i in range(200)]
    np.testing.assert_array_equal(backend.merge_forward(arrays, "add"), np.full((3, 5), 19900, dtype), strict=True)
    np.testing.assert_array_equal(backend.merge_forward(arrays, "maximum"), np.full((3, 5), 199, dtype), strict=True)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_joining_is_what_numpy_does_and_cutting_undoes_it(backend, dtype, rng, axis):
    shapes = np.full((4, 3), 5)
    shapes[:, axis] = [3, 0, 9, 1]
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    y = backend.concatenate_forward(arrays, axis)
    np.testing.assert_array_equal(y, np.concatenate(arrays, axis), strict=True)
    pieces = backend.concatenate_backward(y, [3, 0, 9, 1], axis)
    for piece, array in zip(pieces, arrays, strict=True):
        np.testing.assert_array_equal(piece, array, strict=True)
    _, none, third, fourth = backend.concatenate_backward(y, [3, 0, 9, 1], axis, need_dx=(True, False, True, True))
    assert none is None
    np.testing.assert_array_equal(third, arrays[2])
    np.testing.assert_array_equal(fourth, arrays[3])


X = np.ones((2, 3))


def test_bad_calls(backend):
    out = np.empty((2, 3))
    for error, words, call in (
        (TypeError, "list of arrays", lambda: backend.merge_forward(X, "add")),
        (ValueError, "at least one", lambda: backend.merge_forward([], "add")),
        (ValueError, "mode", lambda: backend.merge_forward([X, X], "sum")),
        (ValueError, "two arrays", lambda: backend.merge_forward([X, X, X], "subtract")),
        (ValueError, r"arrays\[1\]", lambda: backend.merge_forward([X, X[:1]], "add")),
        (ValueError, "dy|arrays", lambda: backend.merge_backward(X[:1], [X, X], "add")),
        (TypeError, "need_dx", lambda: backend.merge_backward(X, [X, X], "add", need_dx=1)),
        (TypeError, "need_dx", lambda: backend.merge_backward(X, [X, X], "add", need_dx=[1, 0])),
        (ValueError, "need_dx", lambda: backend.merge_backward(X, [X, X], "add", need_dx=[True])),
        (ValueError, "dx", lambda: backend.merge_backward(X, [X, X], "add", dx=[out])),
        (TypeError, "dx", lambda: backend.merge_backward(X, [X, X], "add", dx=out)),
        (ValueError, "dx", lambda: backend.merge_backward(X, [X, X], "add", dx=[out, out])),
        (TypeError, "list of arrays", lambda: backend.concatenate_forward(X)),
        (ValueError, "axis", lambda: backend.concatenate_forward([X, X], 2)),
        (TypeError, "axis", lambda: backend.concatenate_forward([X, X], 1.0)),
        (ValueError, r"arrays\[1\]", lambda: backend.concatenate_forward([X, X[:1]], 1)),
        (ValueError, r"arrays\[1\]", lambda: backend.concatenate_forward([X, X[0]], 0)),
        (ValueError, "axis", lambda: backend.concatenate_forward([np.float64(1)])),
        (ValueError, "sizes", lambda: backend.concatenate_backward(X, [1, 1], 1)),
        (ValueError, "sizes", lambda: backend.concatenate_backward(X, [4, -1], 1)),
        (ValueError, "sizes", lambda: backend.concatenate_backward(X, [], 1)),
        (TypeError, "sizes", lambda: backend.concatenate_backward(X, [1.5, 1.5], 1)),
        (TypeError, "sizes", lambda: backend.concatenate_backward(X, 3, 1)),
    ):
        with pytest.raises(error, match=words):
            call()
