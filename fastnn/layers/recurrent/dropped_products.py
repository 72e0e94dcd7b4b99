"""Products with dropout: one set of factors for all gates, or one a gate, as a step computes them."""

from __future__ import annotations

import numpy as np

from ...backend import active

__all__ = ["products", "products_back"]


def products(v: np.ndarray, w: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """v·w, where each of the ``factors`` multiplies v for its own share of the columns of w."""
    multiply = active().gemm_nn
    if factors is None:
        return multiply(v, w)
    parts = np.split(w, len(factors), axis=1)
    return np.concatenate([multiply(v * f, np.ascontiguousarray(p)) for f, p in zip(factors, parts, strict=True)], 1)


def products_back(
    d: np.ndarray, v: np.ndarray, w: np.ndarray, grad: np.ndarray, factors: np.ndarray | None
) -> np.ndarray:
    """The gradient of v for ``products``; that of w is added to ``grad``."""
    kernels = active()
    if factors is None:
        grad += kernels.gemm_tn(v, d)
        return kernels.gemm_nt(d, w)
    dv = np.zeros_like(v)
    for i, (f, columns) in enumerate(zip(factors, np.split(np.arange(w.shape[1]), len(factors)), strict=True)):
        part = slice(columns[0], columns[-1] + 1)
        piece = np.ascontiguousarray(d[:, part])
        grad[:, part] += kernels.gemm_tn(v * factors[i], piece)
        dv += kernels.gemm_nt(piece, np.ascontiguousarray(w[:, part])) * f
    return dv
