"""Rows of a table looked up by id, and the gradient sums of these rows."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "embedding"


IDS = np.array([[2, 0], [2, 2]])
W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_rows_by_hand(backend, dtype):
    y = backend.embedding_forward(IDS, W.astype(dtype))
    np.testing.assert_array_equal(y, np.array([[[5, 6], [1, 2]], [[5, 6], [5, 6]]], dtype), strict=True)


def test_sums_by_hand(backend, dtype):
    dy = np.arange(8, dtype=dtype).reshape(2, 2, 2)
    dw, rows = backend.embedding_backward(dy, IDS, 4)
    np.testing.assert_array_equal(dw, np.array([[2, 3], [0, 0], [10, 13], [0, 0]], dtype), strict=True)
    np.testing.assert_array_equal(rows, np.array([0, 2]), strict=True)


def test_gradient(backend, rng):
    ids = rng.integers(0, 5, (3, 4))
    result = kernel_check(
        lambda w: backend.embedding_forward(ids, w),
        lambda dy, y, a: {"w": backend.embedding_backward(dy, ids, 6)[0]},
        {"w": rng.standard_normal((6, 3))},
    )
    assert result, str(result)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 2), (0, 4)])
def test_ids_of_every_dtype_and_rank(backend, rng, kind, shape):
    ids = np.asarray(rng.integers(0, 3, shape)).astype(kind)
    y = backend.embedding_forward(ids, W)
    np.testing.assert_array_equal(y, W[ids.astype(np.int64)], strict=True)
    dw, rows = backend.embedding_backward(np.ones((*shape, 2)), ids, 3)
    np.testing.assert_array_equal(dw, np.bincount(ids.ravel(), minlength=3)[:, None] * np.ones((3, 2)))
    np.testing.assert_array_equal(rows, np.unique(ids).astype(np.int64), strict=True)


def test_positions_are_added_in_order(backend, dtype):
    """1 + tiny − 1 depends on the order; the kernel adds in the order of positions, however far apart they are."""
    tiny = np.finfo(dtype).eps / 4
    ids = np.zeros(3001, np.int64)
    ids[1:-1] = 1 + np.arange(2999) % 7
    for order, expected in (([1, tiny, -1], 0), ([1, -1, tiny], tiny), ([tiny, 1, -1], 0)):
        dy = np.zeros((3001, 17), dtype)
        ids[1500] = 0
        dy[[0, 1500, 3000]] = np.array(order, dtype)[:, None]
        dw, _ = backend.embedding_backward(dy, ids, 9)
        np.testing.assert_array_equal(dw[0], np.full(17, expected, dtype))


def test_reals_are_the_twin_bit_for_bit(compiled, dtype, rng):
    from fastnn import reference

    ids = (300 * rng.random((32, 100)) ** 3).astype(np.int64)
    dy = rng.standard_normal((32, 100, 33)).astype(dtype)
    got, expected = (k.embedding_backward(dy, ids, 300) for k in (compiled, reference))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_only_stale_rows_are_cleared(backend, dtype):
    dw = np.full((5, 2), np.nan, dtype)
    one = np.ones((2, 2), dtype)
    first, rows = backend.embedding_backward(one, [3, 1], 5, dw=dw)
    assert first is dw
    dw[4] = 7  # not listed as stale
    second, rows = backend.embedding_backward(one, [0, 0], 5, rows, dw=dw)
    np.testing.assert_array_equal(second, np.array([[2, 2], [0, 0], [0, 0], [0, 0], [7, 7]], dtype))
    np.testing.assert_array_equal(rows, [0])
    none, rows = backend.embedding_backward(one[:0], np.zeros(0, np.int64), 5, [], dw=dw)
    np.testing.assert_array_equal(none[0], [2, 2])
    assert rows.shape == (0,)


def test_a_new_table_is_zero_except_in_its_rows(backend):
    dw, _ = backend.embedding_backward(np.ones((1, 2)), [1], 3, [0])
    np.testing.assert_array_equal(dw, [[0, 0], [1, 1], [0, 0]])
    with pytest.raises(IndexError, match="stale"):
        backend.embedding_backward(np.ones((1, 2)), [1], 3, [3])


def test_training_with_stale_rows_equals_clearing_the_whole_table(backend, dtype, rng):
    dw, stale = np.zeros((40, 5), dtype), None
    for _ in range(20):
        ids, dy = rng.integers(0, 40, (4, 3)), rng.standard_normal((4, 3, 5)).astype(dtype)
        _, stale = backend.embedding_backward(dy, ids, 40, stale, dw=dw)
        np.testing.assert_array_equal(dw, backend.embedding_backward(dy, ids, 40)[0], strict=True)


@pytest.mark.parametrize("bad", [3, -1, 2**40, -(2**40)])
def test_an_id_out_of_range_writes_nothing(backend, bad):
    ids = np.array([[0, 1], [bad, 2]])
    y, dw = np.full((2, 2, 2), np.nan), np.full((3, 2), np.nan)
    with pytest.raises(IndexError, match=rf"ids\[1, 0\].*Received: {bad}"):
        backend.embedding_forward(ids, W, y=y)
    with pytest.raises(IndexError, match=rf"ids\[1, 0\].*Received: {bad}"):
        backend.embedding_backward(np.ones((2, 2, 2)), ids, 3, dw=dw)
    with pytest.raises(IndexError, match="stale"):
        backend.embedding_backward(np.ones((1, 2)), [0], 3, [0, bad], dw=dw)
    assert np.isnan(y).all()
    assert np.isnan(dw).all()


def test_bad_calls(backend):
    for error, match, call in (
        (TypeError, "ids", lambda: backend.embedding_forward(np.zeros(3), W)),
        (TypeError, "ids", lambda: backend.embedding_forward(np.zeros(3, np.uint64), W)),
        (TypeError, "ids", lambda: backend.embedding_forward(np.zeros(3, bool), W)),
        (TypeError, "ids", lambda: backend.embedding_forward(["a"], W)),
        (ValueError, "w", lambda: backend.embedding_forward([0], W[0])),
        (ValueError, "w", lambda: backend.embedding_forward([0], W[None])),
        (TypeError, "w", lambda: backend.embedding_forward([0], W.astype(np.int64))),
        (IndexError, "ids", lambda: backend.embedding_forward([0], W[:0])),
        (ValueError, "dy", lambda: backend.embedding_backward(np.ones((2, 3)), [0], 3)),
        (ValueError, "dy", lambda: backend.embedding_backward(np.ones(2), [0, 1], 3)),
        (TypeError, "ids", lambda: backend.embedding_backward(np.ones((1, 3)), [0.5], 3)),
        (TypeError, "stale", lambda: backend.embedding_backward(np.ones((1, 3)), [0], 3, [0.5])),
        (TypeError, "vocabulary", lambda: backend.embedding_backward(np.ones((1, 3)), [0], 3.0)),
        (ValueError, "vocabulary", lambda: backend.embedding_backward(np.ones((1, 3)), [0], -1)),
        (ValueError, "dw", lambda: backend.embedding_backward(np.ones((1, 3)), [0], 3, dw=np.ones((2, 3)))),
    ):
        with pytest.raises(error, match=rf"\b{match}\b"):
            call()
