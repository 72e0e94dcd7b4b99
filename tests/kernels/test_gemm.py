"""Matrix products: c = a·b, a·bᵀ, aᵀ·b."""

import numpy as np
import pytest

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "gemm"


A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
B = np.array([[1.0, -1.0], [0.0, 2.0], [10.0, 0.0]])
GOLDEN = [
    ("gemm_nn", A, B, [[31, 3], [64, 6]]),
    ("gemm_nt", A, B.T, [[31, 3], [64, 6]]),
    ("gemm_tn", A.T, B, [[31, 3], [64, 6]]),
]


@pytest.mark.parametrize(("name", "a", "b", "c"), GOLDEN)
def test_products_by_hand(backend, dtype, name, a, b, c):
    result = getattr(backend, name)(a.astype(dtype), b.astype(dtype))
    np.testing.assert_array_equal(result, np.array(c, dtype), strict=True)


@pytest.mark.parametrize("name", ["gemm_nn", "gemm_nt", "gemm_tn"])
def test_inner_sizes_must_agree(backend, name):
    shapes = {"gemm_nn": ((2, 3), (4, 5)), "gemm_nt": ((2, 3), (5, 4)), "gemm_tn": ((3, 2), (4, 5))}[name]
    with pytest.raises(ValueError, match="Received"):
        getattr(backend, name)(np.ones(shapes[0]), np.ones(shapes[1]))


def test_an_empty_sum_is_zero(backend):
    c = np.full((2, 3), np.nan)
    assert not backend.gemm_nn(np.zeros((2, 0)), np.zeros((0, 3)), c=c).any()


def test_infinity_times_zero_is_nan(backend):
    assert np.isnan(backend.gemm_nn([[np.inf, 1.0]], [[0.0], [1.0]])).all()
