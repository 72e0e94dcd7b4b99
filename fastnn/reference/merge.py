"""Twins of the kernels that read several arrays at once: their sum, product, extremes; arrays joined end to end."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence

import numpy as np

from fastnn import checks
from fastnn.shapes import concatenated_shape, section_lengths

__all__ = ["concatenate_backward", "concatenate_forward", "merge_backward", "merge_forward"]

Arrays = Sequence[np.ndarray]

_STEPS: dict[str, Callable] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "average": operator.add,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def _check(arrays: Arrays, mode: str) -> list[np.ndarray]:
    """The arrays, real and of one shape."""
    checks.choice("mode", mode, _STEPS)
    count = checks.how_many("arrays", arrays)
    if mode == "subtract" and count != 2:
        raise ValueError(f"subtract takes two arrays. Received: {count}.")
    read = checks.reals(**{f"arrays[{i}]": (a, None) for i, a in enumerate(arrays)})
    for i, a in enumerate(read[1:], 1):
        checks.shape(f"arrays[{i}]", a, read[0].shape, "of arrays[0]")
    return read


def merge_forward(arrays: Arrays, mode: str, *, y: np.ndarray | None = None) -> np.ndarray:
    """Merge arrays of one shape elementwise, from the first to the last.

    add Σ xᵢ · subtract x₀ − x₁ · multiply Π xᵢ · average Σ xᵢ / n · maximum max xᵢ · minimum min xᵢ. A NaN in any of
    them is NaN in y.

    Parameters
    ----------
    arrays : list of n ≥ 1 arrays of one shape; two for subtract
    mode : {"add", "subtract", "multiply", "average", "maximum", "minimum"}
    y : array of that shape, optional
        Where to write; one of `arrays` is fine.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, the number of arrays or the mode do not fit.

    Examples
    --------
    >>> merge_forward([[1.0, 5.0], [3.0, 2.0]], "add"), merge_forward([[1.0, 5.0], [3.0, 2.0]], "maximum")
    (array([4., 7.]), array([3., 5.]))
    """
    arrays = _check(arrays, mode)
    y = checks.result("y", y, arrays[0].shape, arrays[0].dtype, *arrays, elementwise=True)
    with np.errstate(all="ignore"):
        merged = functools.reduce(_STEPS[mode], arrays)
        y[...] = merged / len(arrays) if mode == "average" else merged
    return y


def merge_backward(
    dy: np.ndarray,
    arrays: Arrays,
    mode: str,
    *,
    need_dx: bool | Sequence[bool] = True,
    dx: Sequence[np.ndarray | None] | None = None,
) -> list[np.ndarray | None]:
    """Gradients of `merge_forward`, one for each array.

    add dy · subtract dy, −dy · multiply dxᵢ = dy · Π_{j≠i} xⱼ · average dy / n · maximum and minimum: dy goes to the
    first of the arrays that holds the extreme (a NaN counts as one), 0 to the others.

    Parameters
    ----------
    dy : array of the shape of y
    arrays, mode
        Those of the forward kernel. Of add, subtract and average the values are not read.
    need_dx : bool, or a bool for each array
        Which gradients to compute; the others are None.
    dx : list of arrays of that shape, or None where not needed; optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, numbers of arrays or the mode do not fit.

    Examples
    --------
    >>> merge_backward([1.0, 1.0], [[1.0, 5.0], [3.0, 2.0]], "multiply")
    [array([3., 2.]), array([1., 5.])]
    """
    arrays = _check(arrays, mode)
    dy, *arrays = checks.reals(dy=(dy, None), **{f"arrays[{i}]": (a, None) for i, a in enumerate(arrays)})
    checks.shape("dy", dy, arrays[0].shape, "of the arrays")
    wanted = checks.needed("need_dx", need_dx, len(arrays))
    dx = checks.results("dx", dx, [a.shape for a in arrays], dy.dtype, wanted, dy, *arrays)
    with np.errstate(all="ignore"):
        factors = _gradients(dy, arrays, mode)
    for out, gradient in zip(dx, factors, strict=True):
        if out is not None:
            out[...] = gradient
    return dx


def _gradients(dy: np.ndarray, arrays: list[np.ndarray], mode: str) -> list[np.ndarray]:
    """The gradient of each array."""
    one, zero = dy.dtype.type(1), dy.dtype.type(0)
    if mode == "add":
        return [dy] * len(arrays)
    if mode == "subtract":
        return [dy, -dy]
    if mode == "average":
        return [dy / len(arrays)] * len(arrays)
    if mode == "multiply":  # dy · product before · product after
        return [
            functools.reduce(operator.mul, arrays[:i], dy) * functools.reduce(operator.mul, arrays[:i:-1], one)
            for i in range(len(arrays))
        ]
    extreme = functools.reduce(_STEPS[mode], arrays)
    gradients, left = [], np.ones(dy.shape, bool)
    for x in arrays:
        here = left & ((x == extreme) | np.isnan(x))
        gradients.append(np.where(here, dy, zero))
        left &= ~here
    return gradients


def concatenate_forward(arrays: Arrays, axis: int = -1, *, y: np.ndarray | None = None) -> np.ndarray:
    """Join arrays end to end along one axis.

    Parameters
    ----------
    arrays : list of n ≥ 1 arrays, of one shape but for `axis`
    axis : int
    y : array, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the axis do not fit.

    Examples
    --------
    >>> concatenate_forward([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]])
    """
    count = checks.how_many("arrays", arrays)
    arrays = checks.reals(**{f"arrays[{i}]": (arrays[i], None) for i in range(count)})
    shape = concatenated_shape([a.shape for a in arrays], axis)
    y = checks.result("y", y, shape, arrays[0].dtype, *arrays)
    y[...] = np.concatenate(arrays, axis)
    return y


def concatenate_backward(
    dy: np.ndarray,
    sizes: Sequence[int],
    axis: int = -1,
    *,
    need_dx: bool | Sequence[bool] = True,
    dx: Sequence[np.ndarray | None] | None = None,
) -> list[np.ndarray | None]:
    """Cut an array into pieces along one axis: the gradients of `concatenate_forward`.

    Parameters
    ----------
    dy : array
    sizes : list of int
        Length of each piece on `axis`; together that of dy.
    axis : int
    need_dx : bool, or a bool for each piece
        Which pieces to make; the others are None.
    dx : list of arrays, or None where not needed; optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes, sizes or the axis do not fit.

    Examples
    --------
    >>> concatenate_backward([[1.0, 2.0, 3.0]], [2, 1])
    [array([[1., 2.]]), array([[3.]])]
    """
    dy = checks.real("dy", dy)
    axis, sizes = section_lengths(dy.shape, sizes, axis)
    shapes = [(*dy.shape[:axis], size, *dy.shape[axis + 1 :]) for size in sizes]
    dx = checks.results("dx", dx, shapes, dy.dtype, checks.needed("need_dx", need_dx, len(sizes)), dy)
    for out, piece in zip(dx, np.split(dy, np.cumsum(sizes)[:-1], axis), strict=True):
        if out is not None:
            out[...] = piece
    return dx
