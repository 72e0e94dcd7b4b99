"""Twins of the three matrix products that dense layers and convolutions are built on."""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["gemm_nn", "gemm_nt", "gemm_tn"]


def _product(a: np.ndarray, b: np.ndarray, c: np.ndarray | None, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Write left · right into `c`, where left and right are `a` and `b` or their transposes."""
    if left.shape[1] != right.shape[0]:
        raise ValueError(f"The inner sizes of a and b must be equal. Received: a {a.shape}, b {b.shape}.")
    c = checks.result("c", c, (left.shape[0], right.shape[1]), a.dtype, a, b)
    with np.errstate(all="ignore"):
        c[...] = left @ right
    return c


def gemm_nn(a: np.ndarray, b: np.ndarray, *, c: np.ndarray | None = None) -> np.ndarray:
    """Matrix product c = a · b, the form of X·W.

    c[m, n] = Σ_k a[m, k] · b[k, n]

    Parameters
    ----------
    a : array (M, K)
    b : array (K, N), the dtype of `a`
    c : array (M, N), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or inner sizes differ.

    Examples
    --------
    >>> gemm_nn([[1, 2], [3, 4]], [[1], [10]])
    array([[21.],
           [43.]])
    """
    a, b = checks.reals(a=(a, 2), b=(b, 2))
    return _product(a, b, c, a, b)


def gemm_nt(a: np.ndarray, b: np.ndarray, *, c: np.ndarray | None = None) -> np.ndarray:
    """Matrix product c = a · bᵀ, the form of dY·Wᵀ.

    c[m, k] = Σ_n a[m, n] · b[k, n]

    Parameters
    ----------
    a : array (M, N)
    b : array (K, N), the dtype of `a`
    c : array (M, K), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or inner sizes differ.

    Examples
    --------
    >>> gemm_nt([[1, 2], [3, 4]], [[1, 10]])
    array([[21.],
           [43.]])
    """
    a, b = checks.reals(a=(a, 2), b=(b, 2))
    return _product(a, b, c, a, b.T)


def gemm_tn(a: np.ndarray, b: np.ndarray, *, c: np.ndarray | None = None) -> np.ndarray:
    """Matrix product c = aᵀ · b, the form of Xᵀ·dY.

    c[k, n] = Σ_m a[m, k] · b[m, n]

    Parameters
    ----------
    a : array (M, K)
    b : array (M, N), the dtype of `a`
    c : array (K, N), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or inner sizes differ.

    Examples
    --------
    >>> gemm_tn([[1, 3], [2, 4]], [[1], [10]])
    array([[21.],
           [43.]])
    """
    a, b = checks.reals(a=(a, 2), b=(b, 2))
    return _product(a, b, c, a.T, b)
