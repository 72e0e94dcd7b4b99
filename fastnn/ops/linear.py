"""Products of matrices, on the gemm kernels."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active
from ..shapes import Shape
from .arithmetic import multiply
from .axes import axis_of
from .broadcasting import broadcast_shapes, sum_to
from .function import Function, wanted
from .reductions import sum
from .shaping import expand_dims, reshape, squeeze, transpose

__all__ = ["dot", "einsum", "matmul", "outer", "tensordot"]

_SMALL = 1 << 18
"""Multiplications in a product of matrices: many smaller ones go to NumPy in one call, whose BLAS computes each on one
thread, so that the bits are the same at any number of threads."""


class Matmul(Function):
    """C = A·B over the last two axes; dA = dC·Bᵀ and dB = Aᵀ·dC, summed over axes that were stretched."""

    takes_several = True
    selects_gradients = True
    kind = "i"

    def compute_output_shape(self, input_shape: Any) -> Any:
        a, b = input_shape
        if a[-1] not in (None, b[-2]) and b[-2] is not None:
            raise ValueError(
                "ops.matmul: the last axis of the first array and the last but one of the second must have equal "
                f"lengths. Received: shapes {tuple(a)} and {tuple(b)}."
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
            return [da, _gemm(_rows(a).T, _rows(dy))]
        return [da, sum_to(product(np.swapaxes(a, -1, -2), dy), b.shape)]


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A·B over the last two axes: one product for all rows if B is a matrix, else one for each pair of matrices."""
    if a.dtype.kind != "f":
        return np.matmul(a, b)
    if a.ndim == 2 and b.ndim == 2:
        return _gemm(a, b)
    if b.ndim == 2:
        return _gemm(_rows(a), b).reshape(*a.shape[:-1], b.shape[-1])
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.shape[-2] * a.shape[-1] * b.shape[-1] <= _SMALL:
        return np.matmul(np.ascontiguousarray(a), np.ascontiguousarray(b))
    a, b = (np.broadcast_to(part, (*batch, *part.shape[-2:])) for part in (a, b))
    c = np.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    for i in np.ndindex(batch):
        _gemm(a[i], b[i], c[i])
    return c


def _rows(x: np.ndarray) -> np.ndarray:
    """All rows in one matrix."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


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


class Contract(Function):
    """The product of two arrays whose axes have letters: Σ over the letters that are not in the result.

    Each letter occurs once in an operand, and in at least two of the three: a, b, result.  So a gradient is a
    contraction too, with letters swapped: da of ``a,b->c`` is ``c,b->a``.
    """

    takes_several = True
    selects_gradients = True
    kind = "i"
    name = "einsum"

    def __init__(self, a: str, b: str, c: str):
        self.a, self.b, self.c = a, b, c

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes: dict[str, int | None] = {}
        for letters, shape in zip((self.a, self.b), input_shape, strict=True):
            for letter, n in zip(letters, shape, strict=True):
                if sizes.get(letter) is not None and n not in (None, sizes[letter]):
                    raise ValueError(
                        f'ops.einsum: a letter must have the same length in all operands. Received: "{letter}" of '
                        f'lengths {sizes[letter]} and {n}, in "{self.a},{self.b}->{self.c}" of shapes '
                        f"{' and '.join(str(tuple(s)) for s in input_shape)}."
                    )
                sizes[letter] = n if sizes.get(letter) is None else sizes[letter]
        return tuple(sizes[letter] for letter in self.c)

    def forward(self, x, training=False):
        return contract(self.a, x[0], self.b, x[1], self.c), tuple(x)

    def backward(self, dy, ctx, need_dx=True):
        a, b = ctx
        need_a, need_b = wanted(need_dx, 2)
        da = contract(self.c, dy, self.b, b, self.a) if need_a else None
        db = contract(self.a, a, self.c, dy, self.b) if need_b else None
        return [da, db]


def contract(a_letters: str, a: np.ndarray, b_letters: str, b: np.ndarray, c_letters: str) -> np.ndarray:
    """``einsum(f"{a_letters},{b_letters}->{c_letters}", a, b)`` as a product of matrices, or element by element."""
    summed = [x for x in a_letters if x in b_letters and x not in c_letters]
    rows = [x for x in a_letters if x not in b_letters]
    columns = [x for x in b_letters if x not in a_letters]
    if not summed or not (rows or columns):
        full = (*c_letters, *summed)
        y = _spread(a_letters, a, full) * _spread(b_letters, b, full)
        return y.sum(tuple(range(len(c_letters), len(full)))) if summed else y
    batch = [x for x in a_letters if x in b_letters and x in c_letters]
    sizes = dict(zip((*a_letters, *b_letters), (*a.shape, *b.shape), strict=True))
    lengths = [[sizes[x] for x in letters] for letters in (batch, rows, summed, columns)]
    m, k, n = (math.prod(part) for part in lengths[1:])
    left = a.transpose([a_letters.index(x) for x in (*batch, *rows, *summed)]).reshape(*lengths[0], m, k)
    right = b.transpose([b_letters.index(x) for x in (*batch, *summed, *columns)]).reshape(*lengths[0], k, n)
    y = product(left, right).reshape(*lengths[0], *lengths[1], *lengths[3])
    order = [*batch, *rows, *columns]
    return y.transpose([order.index(x) for x in c_letters])


def _spread(letters: str, x: np.ndarray, full: Sequence[str]) -> np.ndarray:
    """``x`` with its axes in the order of ``full``, and length 1 for the others."""
    order = [letters.index(letter) for letter in full if letter in letters]
    return x.transpose(order).reshape([x.shape[letters.index(f)] if f in letters else 1 for f in full])


class Diagonal(Function):
    """The numbers whose places agree on axes with the same letter, as in the diagonal ``ii->i``."""

    name = "einsum"

    def __init__(self, letters: str):
        self.letters = letters
        self.once = "".join(dict.fromkeys(letters))

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = dict(zip(self.letters, input_shape, strict=True))
        if any(n != sizes[letter] for letter, n in zip(self.letters, input_shape, strict=True)):
            raise ValueError(
                f'ops.einsum: axes with the same letter must have equal lengths. Received: "{self.letters}" for an '
                f"array of shape {tuple(input_shape)}."
            )
        return tuple(sizes[letter] for letter in self.once)

    def forward(self, x, training=False):
        return np.einsum(f"{self.letters}->{self.once}", x).copy(), x.shape

    def backward(self, dy, shape, need_dx=True):
        dx = np.zeros(shape, dy.dtype)
        np.einsum(f"{self.letters}->{self.once}", dx)[...] = dy  # einsum gives a view of the diagonal
        return dx


def einsum(subscripts: str, *operands: Any) -> Any:
    """Sums of products of arrays whose axes have letters.

    ``"bqd,bkd->bqk"`` is ``y[b, q, k] = Σ_d a[b, q, d]·b[b, k, d]``: letters that the result lacks are summed over.
    Two operands at a time become one product of matrices, from left to right.

    Parameters
    ----------
    subscripts : str
        ``"ij,jk->ik"``.  Without an arrow, the result has the letters that occur once, in alphabetical order.  ``...``
        means further axes, which broadcast.
    operands : array or Symbol

    Raises
    ------
    ValueError
        If letters and shapes do not fit.

    Examples
    --------
    >>> einsum("ij,jk->ik", [[1, 2]], [[3], [4]])
    array([[11]])
    >>> einsum("ii->", [[1, 2], [3, 4]]).tolist()
    5
    """
    letters, result, dots = _parse(subscripts, [_shape(x) for x in operands])
    arrays, letters = _without_stretched(operands, letters, dots)
    parts = []
    for i, (word, x) in enumerate(zip(letters, arrays, strict=True)):
        if len(set(word)) < len(word):
            x = Diagonal(word)(x)
            word = "".join(dict.fromkeys(word))
        elsewhere = {*result, *(letter for j, other in enumerate(letters) if j != i for letter in other)}
        alone = [axis for axis, letter in enumerate(word) if letter not in elsewhere]
        x = sum(x, tuple(alone)) if alone else x
        parts.append(("".join(letter for letter in word if letter in elsewhere), x))
    word, x = parts[0]
    for i, (other, y) in enumerate(parts[1:], 1):
        needed = {*result, *(letter for later, _ in parts[i + 1 :] for letter in later)}
        both = "".join(dict.fromkeys(word + other))
        c = result if i == len(parts) - 1 else "".join(letter for letter in both if letter in needed)
        x, word = Contract(word, other, c)(x, y), c
    return transpose(x, [word.index(letter) for letter in result]) if word != result else x


def _without_stretched(operands: Sequence[Any], letters: list[str], dots: str) -> tuple[list[Any], list[str]]:
    """Operands without axes of length 1 that belong to ``...`` and are longer in another operand."""
    sizes = [dict(zip(word, _shape(x), strict=True)) for word, x in zip(letters, operands, strict=True)]
    found, words = [], []
    for word, x, own in zip(letters, operands, sizes, strict=True):
        gone = [y for y in word if y in dots and own[y] == 1 and {other.get(y, 1) for other in sizes} != {1}]
        found.append(squeeze(x, tuple(word.index(y) for y in gone)) if gone else x)
        words.append("".join(y for y in word if y not in gone))
    return found, words


def _parse(subscripts: str, shapes: Sequence[Any]) -> tuple[list[str], str, str]:
    """The letters of each operand, of the result, and those for ``...``."""
    text = subscripts.replace(" ", "") if isinstance(subscripts, str) else ""
    left, arrow, result = text.partition("->")
    words = left.split(",")
    if not re.fullmatch(r"(,|[A-Za-z]|\.\.\.)*(->([A-Za-z]|\.\.\.)*)?", text) or text.count("...") > len(words) + 1:
        raise ValueError(f'ops.einsum takes subscripts such as "ij,jk->ik". Received: {subscripts!r}.')
    if len(words) != len(shapes):
        raise ValueError(f"ops.einsum: {subscripts!r} is for {len(words)} operands. Received: {len(shapes)}.")
    spare = [x for x in string.ascii_letters if x not in text]
    more = [len(shape) - len(word.replace("...", "")) for word, shape in zip(words, shapes, strict=True)]
    if any(n < 0 or (n and "..." not in word) for n, word in zip(more, words, strict=True)):
        raise ValueError(
            f"ops.einsum: {subscripts!r} must have a letter for each axis. Received: operands of shapes "
            f"{', '.join(str(tuple(s)) for s in shapes)}."
        )
    dots = "".join(spare[: max((n for n, word in zip(more, words, strict=True) if "..." in word), default=0)])
    full = [word.replace("...", dots[len(dots) - n :]) for n, word in zip(more, words, strict=True)]
    if not arrow:
        counts = Counter("".join(words).replace(".", ""))
        result = ("..." if "..." in text else "") + "".join(sorted(x for x, n in counts.items() if n == 1))
    result = result.replace("...", dots)
    if len(set(result)) < len(result) or not set(result) <= set("".join(full)):
        raise ValueError(
            f"ops.einsum: each letter of the result must occur there once, and in an operand. Received: {subscripts!r}."
        )
    return full, result, dots


def tensordot(x1: Any, x2: Any, axes: int | Sequence[Any] = 2) -> Any:
    """The sum of products over axes of both: the last ones of the first with the first ones of the second.

    Parameters
    ----------
    x1, x2 : array or Symbol
    axes : int, or a pair of ints or lists
        How many axes, or which of the first and which of the second.

    Examples
    --------
    >>> tensordot([[1, 2], [3, 4]], [10, 1], axes=1)
    array([12, 34])
    """
    a, b = _shape(x1), _shape(x2)
    if isinstance(axes, (int, np.integer)):
        first, second = range(len(a) - axes, len(a)), range(axes)
    else:
        first, second = ([axis] if isinstance(axis, int) else list(axis) for axis in axes)
    if len(first) != len(second):
        raise ValueError(f"ops.tensordot: axes must name equally many axes of both arrays. Received: {axes}.")
    letters = iter(string.ascii_letters)
    left, right = [next(letters) for _ in a], [next(letters) for _ in b]
    for i, j in zip(first, second, strict=True):
        right[axis_of("tensordot", j, b, word="axes")] = left[axis_of("tensordot", i, a, word="axes")]
    result = [x for x in left if x not in right] + [x for x in right if x not in left]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(result)}", x1, x2)


def dot(x1: Any, x2: Any) -> Any:
    """The product over the last axis of the first and the last but one of the second, or its only one.

    Examples
    --------
    >>> dot([1, 2], [3, 4]).tolist()
    11
    """
    a, b = _shape(x1), _shape(x2)
    if not a or not b:
        return multiply(x1, x2)
    if len(b) <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, (-1, -2))


def outer(x1: Any, x2: Any) -> Any:
    """Each number of the first times each of the second, (M,) and (N,) → (M, N); both are flattened.

    Examples
    --------
    >>> outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]])
    """
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


def _shape(x: Any) -> Shape:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
