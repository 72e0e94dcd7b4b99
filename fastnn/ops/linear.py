"""Products of matrices, on the gemm kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active
from .broadcasting import broadcast_shapes, sum_to
from .function import Function, wanted
from .shaping import expand_dims, squeeze

__all__ = ["matmul"]


class Matmul(Function):
    """C = A·B over the last two axes; dA = dC·Bᵀ and dB = Aᵀ·dC, summed over axes that were stretched."""

    takes_several = True
    selects_gradients = True
    kind = "i"

    def compute_output_shape(self, input_shape: Any) -> Any:
        a, b = input_shape
        if a[-1] not in (None, b[-2]) and b[-2] is not None:
            raise ValueError(
                f"ops.matmul: the last axis of the first and the last but one of the second are of one length. "
                f"Received: shapes {tuple(a)} and {tuple(b)}."
            )
        return (*broadcast_shapes(self.name, [a[:-2], b[:-2]]), a[-2], b[-1])

    def forward(self, x, training=False):
        return product(*x), tuple(x)

    def backward(self, dy, ctx, need_dx=True):
        a, b = ctx
        need_a, need_b = wanted(need_dx, 2)
        da = sum_to(product(dy, np.swapaxes(b, -1, -2)), a.shape) if need_a else None
        if not need_b:
            return [da, None]
        if b.ndim == 2:  # all rows at once
            return [da, product(a.reshape(-1, a.shape[-1]).T, dy.reshape(-1, dy.shape[-1]))]
        return [da, sum_to(product(np.swapaxes(a, -1, -2), dy), b.shape)]


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A·B over the last two axes: one product for all rows if B is a matrix, else one for each pair of matrices."""
    if a.dtype.kind != "f":
        return np.matmul(a, b)
    if a.ndim == 2 and b.ndim == 2:
        return _gemm(a, b)
    if b.ndim == 2:
        return _gemm(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(part, (*batch, *part.shape[-2:])) for part in (a, b))
    c = np.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    for i in np.ndindex(batch):
        _gemm(a[i], b[i], c[i])
    return c


def _gemm(a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    """A·B of two matrices; one that lies transposed in memory is read as it lies."""
    kernels = active()
    if not b.flags.c_contiguous and b.T.flags.c_contiguous:
        return kernels.gemm_nt(a, b.T, c=c)
    if not a.flags.c_contiguous and a.T.flags.c_contiguous:
        return kernels.gemm_tn(a.T, b, c=c)
    return kernels.gemm_nn(a, b, c=c)


def matmul(x1: Any, x2: Any) -> Any:
    """The product of matrices, over the last two axes; those before broadcast.

    ``C = A·B``.  A vector is a row on the left and a column on the right.

    Parameters
    ----------
    x1 : array (…, M, K) or (K,), or Symbol
    x2 : array (…, K, N) or (K,), or Symbol

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    vectors = []
    a, b = x1, x2
    if len(_shape(x1)) == 1:
        a = expand_dims(x1, 0)
        vectors.append(-2)
    if len(_shape(x2)) == 1:
        b = expand_dims(x2, 1)
        vectors.append(-1)
    if not _shape(x1) or not _shape(x2):
        raise ValueError(
            f"ops.matmul takes matrices and vectors. Received: shapes {_shape(x1)} and {_shape(x2)}. Use ops.multiply."
        )
    y = Matmul()(a, b)
    return squeeze(y, tuple(vectors)) if vectors else y


def _shape(x: Any) -> Sequence[int | None]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
