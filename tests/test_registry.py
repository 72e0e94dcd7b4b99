"""The generators of cases are tested too: varied numbers, sizes that hurt, honest counts."""

import numpy as np
import pytest

from fastnn import registry
from tests.kernels.harness import call

ROWS = registry.kernels()
# The other exact kernels only move data, or round once.
SUMS = ("gemm", "dense", "conv", "conv_pool", "simple_rnn", "lstm", "gru")
TABLES = ("gather", "embedding")  # kernels that read some rows of what they are given
FLOAT32 = np.dtype(np.float32)


def arrays(row, rng=None):
    for case in row.cases(rng or np.random.default_rng(1), FLOAT32):
        yield from (a for _, a in case.arrays())


COUNTED = ("random_bits", "random_normal")  # they take a count, and no array


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_cases_are_not_constant(row):
    """Two random entries of an array differ; so do two calls."""
    large = [a for a in arrays(row) if a.size >= 64 and a.dtype.kind == "f"]
    if row.name not in COUNTED:
        assert large or row.name == "softmax_cross_entropy_forward"
    for a in large:
        assert np.unique(a).size > 2 or set(np.unique(a)) == {-1, 1} or set(np.unique(a)) == {0, 1}, row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_cases_repeat_from_their_seed(row):
    one, other = list(arrays(row)), list(arrays(row))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_sizes_hurt(row):
    if row.name in COUNTED:
        sizes = {case.args[0] for case in row.cases(np.random.default_rng(1), FLOAT32)}
    else:
        cases = list(row.cases(np.random.default_rng(1), FLOAT32))
        shapes = [a for case in cases for a in case.args if isinstance(a, tuple)]  # input_shape of backward kernels
        sizes = {n for a in arrays(row) for n in a.shape} | {n for shape in shapes for n in shape}
    assert {1, 7, 9} <= sizes, f"{row.name} has sizes {sorted(sizes)}"
    assert 0 in sizes, f"{row.name} has no empty case"
    assert sizes & {8, 17, 31}
    square = [a for a in arrays(row) if a.ndim == 2 and a.shape[0] == a.shape[1] > 1]
    assert len(square) < 2 * len(list(row.cases(np.random.default_rng(1), FLOAT32)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_have_the_dtype_asked_for(row, dtype):
    dtype = np.dtype(dtype)
    for draw in filter(None, (row.cases, row.exact)):
        for case in draw(np.random.default_rng(1), dtype):
            reals = [a for _, a in case.arrays() if a.dtype.kind == "f"]
            assert row.family == "gather" or all(a.dtype == dtype for a in reals)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.exact and row.family in SUMS and row.name != "im2col"], ids=lambda row: row.name
)
def test_exact_cases_are_exact(row):
    """Inputs of sums are whole eighths, small enough that float32 holds every partial sum."""
    for case in row.exact(np.random.default_rng(1), FLOAT32):
        for _, a in case.arrays():
            if a.dtype.kind == "f" and a.size:
                np.testing.assert_array_equal(a * 256, np.round(a * 256))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_operations_and_bytes_are_counted(row):
    for label, case in row.bench(np.random.default_rng(1), FLOAT32):
        assert isinstance(label, str)
        operations, moved = row.flops(*case.args, **case.kwargs), row.bytes(*case.args, **case.kwargs)
        given = sum(a.nbytes for _, a in case.arrays() if row.family not in TABLES)
        assert isinstance(operations, int)
        assert isinstance(moved, int)
        assert operations >= 0
        assert moved > 0
        assert moved >= 0.5 * given, f"{row.name} {label}: {moved} bytes counted, {given} given"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_tolerances_are_small_and_fit_the_results(row):
    """One bound per result; in float64 all are far below the size of the result."""
    for case in row.cases(np.random.default_rng(1), np.dtype(np.float64)):
        expected = call(row.twin(), row, case)
        allowed = row.tolerance(case, expected, float(np.finfo(np.float64).eps))
        assert len(allowed) == len(expected)
        for bound, result in zip(registry.flat(allowed), registry.flat(expected), strict=True):
            if bound is None or result is None or not np.size(result) or not np.abs(result).max():
                continue
            bound = np.broadcast_to(bound, np.shape(result))
            assert np.isfinite(bound).all()
            assert bound.max() <= 1e-9 * max(1, np.abs(result).max())
