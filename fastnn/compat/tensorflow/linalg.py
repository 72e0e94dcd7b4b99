"""``tf.linalg``: products by ``fastnn.ops``, with gradients; decompositions by NumPy, without."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import absent, ops
from ...graph import as_tensor
from .math import l2_normalize
from .tensors import eye, integers_kept, numbers_of, tensor

__all__ = [
    "band_part", "cholesky", "det", "diag", "diag_part", "eigh", "einsum", "eye", "global_norm", "inv",
    "l2_normalize", "matmul", "matrix_transpose", "matvec", "norm", "normalize", "qr", "set_diag", "slogdet", "solve",
    "svd", "tensordot", "trace",
]  # fmt: skip


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, name: str | None = None, **sparse: Any,
) -> Any:  # fmt: skip
    """The product of matrices.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0, 4.0]], transpose_b=True).tolist()
    [[11.0]]
    """
    a, b = tensor(a), tensor(b)
    if min(len(a.shape), len(b.shape)) < 2:
        raise ValueError(
            f"matmul multiplies matrices. Received: shapes {tuple(a.shape)} and {tuple(b.shape)}. Use tf.tensordot(a, "
            "b, 1), or tf.linalg.matvec(a, b)."
        )
    a = matrix_transpose(a) if transpose_a or adjoint_a else a
    b = matrix_transpose(b) if transpose_b or adjoint_b else b
    return integers_kept(ops.matmul(a, b), a, b)


def matvec(a: Any, b: Any, transpose_a: bool = False, name: str | None = None) -> Any:
    """A matrix times a vector."""
    a = matrix_transpose(a) if transpose_a else tensor(a)
    return ops.squeeze(ops.matmul(a, ops.expand_dims(tensor(b), -1)), -1)


def matrix_transpose(a: Any, name: str | None = None, conjugate: bool = False) -> Any:
    """Swap the last two axes."""
    return integers_kept(ops.swapaxes(tensor(a), -1, -2), tensor(a))


def einsum(equation: str, *inputs: Any, **options: Any) -> Any:
    """Sums of products, by letters."""
    return ops.einsum(equation, *map(tensor, inputs))


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """Sums of products along these axes."""
    a, b = tensor(a), tensor(b)
    return integers_kept(ops.tensordot(a, b, axes), a, b)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The length: the root of the sum of squares, or the norm of another order."""
    return ops.norm(_read(tensor), None if ord == "euclidean" else ord, axis, keepdims)


_read = tensor


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Any, Any]:
    """The array over its length, and the length."""
    length = norm(tensor, ord, axis, keepdims=True)
    return _read(tensor) / length, length


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Any:
    """The length of all arrays together; None among them counts as 0."""
    parts = [ops.sum(ops.square(tensor(t))) for t in t_list if t is not None]
    return ops.sqrt(functools.reduce(ops.add, parts, tensor(0.0)))


def trace(x: Any, name: str | None = None) -> Any:
    """The sum of the diagonal."""
    x = tensor(x)
    return ops.sum(x * np.eye(*x.shape[-2:], dtype=x.dtype), axis=(-2, -1))


def band_part(input: Any, num_lower: int, num_upper: int, name: str | None = None) -> Any:
    """Zeros outside this many diagonals below and above the main one; -1: all of them."""
    x = tensor(input)
    below = np.subtract.outer(np.arange(x.shape[-2]), np.arange(x.shape[-1]))
    keep = (below <= num_lower if num_lower >= 0 else True) & (-below <= num_upper if num_upper >= 0 else True)
    return integers_kept(ops.multiply(x, np.broadcast_to(keep, below.shape).astype(x.dtype)), x)


def diag(diagonal: Any, name: str | None = None) -> Any:
    """A matrix with this diagonal."""
    x = tensor(diagonal)
    return integers_kept(ops.multiply(ops.expand_dims(x, -1), np.eye(x.shape[-1], dtype=x.dtype)), x)


def diag_part(input: Any, name: str | None = None) -> Any:
    """The diagonal of a matrix."""
    return _numpy(lambda x: np.diagonal(x, axis1=-2, axis2=-1), input, name="linalg.diag_part")


def set_diag(input: Any, diagonal: Any, name: str | None = None) -> Any:
    """A matrix with another diagonal."""
    x = tensor(input)
    return ops.where(np.eye(*x.shape[-2:], dtype=bool), ops.expand_dims(tensor(diagonal), -1), x)


def _numpy(function: Callable[..., Any], *arrays: Any, name: str = "linalg") -> Any:
    """A function of NumPy, which has no gradient here."""
    found = function(*numbers_of(name, *arrays))
    return tuple(map(as_tensor, found)) if isinstance(found, tuple) else as_tensor(found)


def det(input: Any, name: str | None = None) -> Any:
    """The determinant."""
    return _numpy(np.linalg.det, input, name="linalg.det")


def slogdet(input: Any, name: str | None = None) -> Any:
    """The sign of the determinant, and the logarithm of its size."""
    return _numpy(lambda x: tuple(np.linalg.slogdet(x)), input, name="linalg.slogdet")


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The inverse."""
    return _numpy(np.linalg.inv, input, name="linalg.inv")


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """x of ``matrix @ x = rhs``."""
    return _numpy(np.linalg.solve, matrix, rhs, name="linalg.solve")


def cholesky(input: Any, name: str | None = None) -> Any:
    """The lower triangle whose square is the matrix."""
    return _numpy(np.linalg.cholesky, input, name="linalg.cholesky")


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """An orthogonal matrix and an upper triangle."""
    return _numpy(lambda x: tuple(np.linalg.qr(x, "complete" if full_matrices else "reduced")), input, name="linalg.qr")


def eigh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues and eigenvectors of a symmetric matrix."""
    return _numpy(lambda x: tuple(np.linalg.eigh(x)), tensor, name="linalg.eigh")


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values s, u and v: ``a = u · diag(s) · vᵀ``."""
    if not compute_uv:
        return _numpy(lambda x: np.linalg.svd(x, compute_uv=False), tensor, name="linalg.svd")

    def parts(x: np.ndarray) -> tuple[np.ndarray, ...]:
        u, s, vt = np.linalg.svd(x, full_matrices)
        return s, u, np.swapaxes(vt, -1, -2)

    return _numpy(parts, tensor, name="linalg.svd")


__getattr__ = absent.answer(__name__)
