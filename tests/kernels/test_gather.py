"""Rows gathered and cast in one pass."""

import numpy as np
import pytest

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "gather"


def test_rows_by_hand(backend):
    source = np.array([[0, 255], [3, 4], [5, 6]], np.uint8)
    expected = np.array([[5, 6], [0, 255], [0, 255]], np.float32)
    np.testing.assert_array_equal(backend.gather_rows(source, np.array([2, 0, 0])), expected, strict=True)


@pytest.mark.parametrize("source", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_extreme_integers_are_rounded_to_nearest(backend, dtype, source):
    numbers = (
        [False, True]
        if source == "bool"
        else [np.iinfo(source).min, np.iinfo(source).max, 16_777_217 % np.iinfo(source).max]
    )
    x = np.array(numbers, source)
    np.testing.assert_array_equal(backend.gather_rows(x, np.arange(x.size), dtype.name), x.astype(dtype), strict=True)


def test_float64_beyond_float32_becomes_infinite(backend):
    y = backend.gather_rows(np.array([1e300, -1e300, np.nan, 1e-300]), np.arange(4))
    np.testing.assert_array_equal(y, np.array([np.inf, -np.inf, np.nan, 0], np.float32))


def test_rows_of_a_strided_source(backend):
    source = np.arange(120, dtype=np.int16).reshape(10, 12)
    np.testing.assert_array_equal(backend.gather_rows(source[::2, ::3], [4, 1]), source[::2, ::3][[4, 1]])
    np.testing.assert_array_equal(backend.gather_rows(source[::-1], [0]), source[[9]])


def test_big_endian_and_other_dtypes_are_refused(backend):
    for source in (
        np.zeros((3, 2), ">f4"),
        np.zeros((3, 2), ">i4"),
        np.zeros((3, 2), complex),
        np.array([["a"]]),
        np.zeros(3, "M8[s]"),
    ):
        with pytest.raises(TypeError, match="source"):
            backend.gather_rows(source, [0])
    with pytest.raises(TypeError, match="index"):
        backend.gather_rows(np.zeros((3, 2)), np.array([0.0]))
    with pytest.raises(ValueError, match="dtype"):
        backend.gather_rows(np.zeros((3, 2)), [0], "float16")
    with pytest.raises(ValueError, match="source"):
        backend.gather_rows(np.float64(3), [0])
    with pytest.raises(ValueError, match="index"):
        backend.gather_rows(np.zeros((3, 2)), [[0]])


@pytest.mark.parametrize("bad", [3, -1, 2**40, -(2**40)])
def test_an_index_out_of_range_writes_nothing(backend, bad):
    out = np.full((3, 2), np.nan, np.float32)
    with pytest.raises(IndexError, match="index"):
        backend.gather_rows(np.zeros((3, 2), np.uint8), np.array([0, 1, bad]), out=out)
    assert np.isnan(out).all()


def test_no_rows(backend):
    assert backend.gather_rows(np.zeros((3, 2)), []).shape == (0, 2)
    with pytest.raises(IndexError):
        backend.gather_rows(np.zeros((0, 2)), [0])
