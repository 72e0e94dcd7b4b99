"""Argument checks shared by twins and wrappers, so that both refuse the same input with the same messages.

Wrong dtypes raise TypeError; wrong ranks, shapes, names and values raise ValueError; row indices and labels out of
range raise IndexError. Everything is checked before anything is written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

__all__ = [
    "real",
    "reals",
    "given",
    "distinct",
    "shape",
    "steps",
    "result",
    "results",
    "how_many",
    "projections",
    "needed",
    "in_place",
    "index",
    "rows",
    "mask",
    "attention_mask",
    "window",
    "choice",
    "number",
    "word64",
    "count",
    "image_shape",
    "at_least_one",
    "norm_arguments",
    "norm_gradient_arguments",
]

_REAL = (np.dtype(np.float32), np.dtype(np.float64))
MOST_PROJECTIONS = 16
"""FNN_MOST_PROJECTIONS of src_c/fnn.h."""


def _read(name: str, x: Any) -> np.ndarray:
    """Convert a list (of lists) to an array; return an array unchanged."""
    if isinstance(x, np.ndarray):
        return x
    try:
        return np.asarray(x)
    except ValueError:
        raise TypeError(
            f"{name} must be an array, or a list whose rows have equal length. Received: {x!s:.80}."
        ) from None


def real(name: str, x: Any, ndim: int | None = None) -> np.ndarray:
    """Return `x` as a C-contiguous float32 or float64 array; a list becomes float64.

    Raises
    ------
    TypeError
        For every other dtype.
    ValueError
        If the rank is not `ndim`.

    Examples
    --------
    >>> real("x", [1, 2])
    array([1., 2.])
    """
    array = _read(name, x)
    if not isinstance(x, (np.ndarray, np.generic)) and array.dtype.kind in "biuf":
        array = array.astype(np.float64)
    if array.dtype not in _REAL:
        raise TypeError(
            f"{name} must be float32 or float64 in native byte order. Received: {array.dtype.str!r} ({array.dtype}). "
            f"Use {name}.astype(np.float32)."
        )
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes. Received: {array.ndim} axes, shape {array.shape}.")
    return np.asarray(array, order="C")


def reals(**arrays: tuple[Any, int | None]) -> list:
    """Convert several real arrays, ``name=(array, rank)``, which must share one dtype; None stays None.

    A flat list or a number takes the dtype of the arrays beside it.

    Raises
    ------
    TypeError
        If a dtype is not real, or two differ.
    ValueError
        If a rank is wrong.

    Examples
    --------
    >>> x, b = reals(x=([[1, 2]], 2), b=(None, 1))
    >>> x.dtype, b
    (dtype('float64'), None)
    """
    read: list[Any] = [None if x is None else real(name, x, ndim) for name, (x, ndim) in arrays.items()]
    for at, (x, _) in enumerate(arrays.values()):
        if at and read[at] is not None and not hasattr(x, "__array__") and read[at].ndim <= 1:
            read[at] = read[at].astype(read[0].dtype)
    given = [(name, x.dtype) for name, x in zip(arrays, read, strict=True) if x is not None]
    for name, dtype in given[1:]:
        if dtype != given[0][1]:
            first, other = given[0]
            raise TypeError(
                f"{name} and {first} must share one dtype. Received: {first} {other}, {name} {dtype}. "
                f"Use {name}.astype({first}.dtype) (a list becomes float64)."
            )
    return read


def given(**arrays: Any) -> None:
    """Raise TypeError for an array that is None, though it is needed.

    Examples
    --------
    >>> given(x=np.zeros(3), w=None)
    Traceback (most recent call last):
    TypeError: w must be an array of float32 or float64. Received: w=None.
    """
    for name, array in arrays.items():
        if array is None:
            raise TypeError(f"{name} must be an array of float32 or float64. Received: {name}=None.")


def distinct(**outputs: np.ndarray | None) -> None:
    """Raise ValueError if two of the arrays that results are to be written into share memory.

    Examples
    --------
    >>> a = np.zeros(3)
    >>> distinct(h=a, c=a[1:])
    Traceback (most recent call last):
    ValueError: c must not overlap h, another result. Received: the same memory. Use np.empty_like(c).
    """
    arrays = [(name, out) for name, out in outputs.items() if isinstance(out, np.ndarray)]
    for position, (name, out) in enumerate(arrays):
        for other, earlier in arrays[:position]:
            if np.may_share_memory(out, earlier):
                raise ValueError(
                    f"{name} must not overlap {other}, another result. Received: the same memory. "
                    f"Use np.empty_like({name})."
                )


def shape(name: str, x: np.ndarray, expected: Sequence[int], meaning: str = "") -> None:
    """Raise ValueError unless `x` has the shape `expected`; `meaning` names its axes.

    Examples
    --------
    >>> shape("b", np.zeros(3), (4,), "(N,)")
    Traceback (most recent call last):
    ValueError: b must have shape (N,) = (4,). Received: (3,).
    """
    if x.shape != tuple(expected):
        meaning = f"{meaning} = " if meaning else ""
        raise ValueError(f"{name} must have shape {meaning}{tuple(expected)}. Received: {x.shape}.")


def result(
    name: str,
    out: np.ndarray | None,
    expected: Sequence[int],
    dtype: Any,
    *inputs: np.ndarray | None,
    elementwise: bool = False,
) -> np.ndarray:
    """Return the array to write a result into: `out` if it is suitable, a new one if it is None.

    Raises
    ------
    TypeError
        If `out` is not an array of `dtype`.
    ValueError
        If its shape differs from `expected`, it is not C-contiguous or not writeable, or it overlaps one of `inputs`
        (with `elementwise` it may be one of them).

    Examples
    --------
    >>> result("y", None, (2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    if out is None:
        return np.empty(expected, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        received = f"dtype {out.dtype}" if isinstance(out, np.ndarray) else repr(type(out))
        hint = f"Use np.empty({tuple(expected)}, np.{dtype})."
        raise TypeError(f"{name} must be an array of {dtype}. Received: {received}. {hint}")
    shape(name, out, expected)
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError(f"{name} must be C-contiguous and writeable. Received: {_flags(out)}.")
    for x in inputs:
        same = elementwise and x is not None and x.ctypes.data == out.ctypes.data and x.nbytes == out.nbytes
        if x is not None and not same and np.may_share_memory(x, out):
            raise ValueError(f"{name} must not overlap an input. Received: the same memory. Use np.empty_like({name}).")
    return out


def results(
    name: str,
    given: Sequence[np.ndarray | None] | None,
    shapes: Sequence[Sequence[int]],
    dtype: Any,
    wanted: Sequence[bool],
    *inputs: np.ndarray | None,
) -> list[Any]:
    """Return the arrays to write several results into, None for those not `wanted`; as `result`, for each.

    Examples
    --------
    >>> [None if out is None else out.shape for out in results("dx", None, [(2,), (3,)], np.float32, [True, False])]
    [(2,), None]
    """
    if given is not None and how_many(name, given) != len(shapes):
        raise ValueError(f"{name} must have an entry for each of {len(shapes)} arrays. Received: {len(given)}.")
    made: list[np.ndarray | None] = []
    for i, (expected, needed_here) in enumerate(zip(shapes, wanted, strict=True)):
        out = given[i] if given is not None and needed_here else None
        made.append(result(f"{name}[{i}]", out, expected, dtype, *inputs, *made) if needed_here else None)
    return made


def how_many(name: str, arrays: Any) -> int:
    """Return the number of arrays in a list or tuple of them, at least one.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is empty.

    Examples
    --------
    >>> how_many("arrays", [np.ones(2), np.ones(2)])
    2
    """
    if not isinstance(arrays, (list, tuple)):
        raise TypeError(f"{name} must be a list of arrays. Received: {type(arrays).__name__}.")
    if not arrays:
        raise ValueError(f"{name} must hold at least one array. Received: {name}={arrays!r}.")
    return len(arrays)


def projections(w: Any) -> int:
    """Return the number of arrays in the list w of the kernels of projections, 1 to 16.

    Raises
    ------
    TypeError, ValueError
        As ``how_many``; also if there are more.

    Examples
    --------
    >>> projections([np.ones((2, 3)), np.ones((2, 5))])
    2
    """
    count = how_many("w", w)
    if count > MOST_PROJECTIONS:
        raise ValueError(
            f"w must hold at most {MOST_PROJECTIONS} arrays. Received: {count}. Call once for each part of them."
        )
    return count


def needed(name: str, value: Any, count: int) -> list[bool]:
    """Return which of `count` results are wanted, from a bool or a bool for each.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If there are not `count` of them.

    Examples
    --------
    >>> needed("need_dx", True, 2), needed("need_dx", [True, False], 2)
    ([True, True], [True, False])
    """
    each = [value] * count if isinstance(value, (bool, np.bool_)) else value
    if not isinstance(each, (list, tuple)) or not all(isinstance(entry, (bool, np.bool_)) for entry in each):
        raise TypeError(f"{name} must be a bool, or a bool for each array. Received: {name}={value!r}.")
    if len(each) != count:
        raise ValueError(f"{name} must have an entry for each of {count} arrays. Received: {name}={value!r}.")
    return [bool(entry) for entry in each]


def _flags(x: np.ndarray) -> str:
    return f"C-contiguous {x.flags.c_contiguous}, writeable {x.flags.writeable}"


def in_place(some: Any = None, /, *, optional: Collection[str] = (), **arrays: np.ndarray | None) -> np.ndarray | None:
    """Check flat arrays that a kernel updates in place: one length, one real dtype, C-contiguous, writeable.

    If it updates only `some` rows, the arrays are tables with two axes; those rows are returned. The `optional` arrays
    may be None.

    Raises
    ------
    TypeError
        If one is not an array, or has a different dtype than the first.
    ValueError
        If a shape differs, or one is not contiguous, not writeable, or overlaps another; if the rows do not ascend.
    IndexError
        If a row is out of range.

    Examples
    --------
    >>> in_place(w=np.zeros(3), g=np.zeros(4))
    Traceback (most recent call last):
    ValueError: g must have the shape of w, (3,). Received: (4,).
    """
    given: list[tuple[str, Any]] = [(name, x) for name, x in arrays.items() if x is not None or name not in optional]
    first, like = given[0]
    for position, (name, x) in enumerate(given):
        if not isinstance(x, np.ndarray) or x.dtype not in _REAL:
            received = f"dtype {x.dtype}" if isinstance(x, np.ndarray) else repr(type(x))
            raise TypeError(
                f"{name} must be a float32 or float64 array, which is updated in place. Received: {received}."
            )
        if x.dtype != like.dtype:
            raise TypeError(f"{name} must have the dtype of {first}, {like.dtype}. Received: {x.dtype}.")
        if some is not None and x.ndim != 2:
            raise ValueError(f"{name} must be a table (two axes) if rows are given. Received: shape {x.shape}.")
        if some is None and x.ndim != 1:
            raise ValueError(f"{name} must be flat (one axis). Received: shape {x.shape}. {_flat_view(name, x)}")
        if x.shape != like.shape:
            raise ValueError(f"{name} must have the shape of {first}, {like.shape}. Received: {x.shape}.")
        if not x.flags.c_contiguous or not (x.flags.writeable or (name == "g" and len(given) > 1)):
            raise ValueError(f"{name} must be C-contiguous and writeable. Received: {_flags(x)}.")
        for other, z in given[:position]:
            if np.may_share_memory(x, z):
                raise ValueError(f"{name} and {other} must not overlap. Received: overlapping arrays.")
    return None if some is None else rows("rows", some, len(like))


def _flat_view(name: str, x: np.ndarray) -> str:
    """Return how to get a flat view; the step would change a copy, and leave the array as it is."""
    if x.flags.c_contiguous:
        return f"Use {name}.reshape(-1)."
    if x.flags.f_contiguous:
        return f"Use {name}.T.reshape(-1): {name}.reshape(-1) copies, and the step would change the copy."
    return f"Use {name} = np.ascontiguousarray({name}), and keep that array: this view has no flat view."


def index(name: str, i: Any, size: int, ndim: int | None = 1) -> np.ndarray:
    """Return row numbers or labels as a C-contiguous int64 array, each in [0, size).

    `ndim` None allows any rank.

    Raises
    ------
    TypeError
        If they are not integers, or are uint64.
    ValueError
        If the rank is not `ndim`.
    IndexError
        If one is out of range.

    Examples
    --------
    >>> index("t", [0, 3], 3)
    Traceback (most recent call last):
    IndexError: t[1] must be from 0 to 2. Received: 3.
    """
    array = _read(name, i)
    empty_list = array.size == 0 and not isinstance(i, np.ndarray)  # an empty list has no dtype of its own
    if (array.dtype.kind not in "iu" or array.dtype == np.uint64) and not empty_list:
        raise TypeError(f"{name} must contain integers. Received: {array.dtype}. Use {name}.astype(np.int64).")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes. Received: {array.ndim} axes, shape {array.shape}.")
    array = np.asarray(array, np.int64, order="C")
    wrong = np.argwhere((array < 0) | (array >= size))
    if len(wrong):
        at, valid = wrong[0].tolist(), f"must be from 0 to {size - 1}" if size else "cannot index an axis of size 0"
        raise IndexError(f"{name}{at if at else ''} {valid}. Received: {array[tuple(at)]}.")
    return array


def rows(name: str, i: Any, size: int) -> np.ndarray:
    """Return row numbers as an int64 array: each in [0, size), strictly ascending.

    Examples
    --------
    >>> rows("rows", [2, 0], 3)
    Traceback (most recent call last):
    ValueError: rows must ascend strictly. Received: rows[1] = 0 after 2. Use np.unique(rows).
    """
    array = index(name, i, size)
    wrong = np.flatnonzero(array[1:] <= array[:-1])
    if wrong.size:
        at = int(wrong[0]) + 1
        received = f"{name}[{at}] = {array[at]} after {array[at - 1]}"
        raise ValueError(f"{name} must ascend strictly. Received: {received}. Use np.unique({name}).")
    return array


def mask(name: str, m: Any, expected: Sequence[int], meaning: str = "(B, T)") -> np.ndarray:
    """Return a mask, True where a step counts, as a C-contiguous bool array of the shape `expected`.

    Raises
    ------
    TypeError
        If it does not contain bools.
    ValueError
        If its shape differs.

    Examples
    --------
    >>> mask("mask", [[1, 0]], (1, 2))
    Traceback (most recent call last):
    TypeError: mask must be bool, True where a step counts. Received: int64. Use mask.astype(bool).
    """
    array = _read(name, m)
    if array.dtype != bool:
        raise TypeError(
            f"{name} must be bool, True where a step counts. Received: {array.dtype}. Use {name}.astype(bool)."
        )
    shape(name, array, expected, meaning)
    return np.asarray(array, order="C")


def attention_mask(m: Any, batch: int, heads: int, queries: int, keys: int) -> np.ndarray:
    """Return a mask of pairs, True where a query may see a key, as a C-contiguous bool array.

    Its shape is (Tq, Tk), (B, Tq, Tk) or (B, N, Tq, Tk), where one mask may stand for all sequences or all heads.

    Raises
    ------
    TypeError
        If it is not made of bool.
    ValueError
        If its shape differs.

    Examples
    --------
    >>> attention_mask([[True, False]], 2, 3, 1, 2).shape
    (1, 2)
    >>> attention_mask([True, False], 2, 3, 1, 5)
    Traceback (most recent call last):
    ValueError: mask must have shape (Tq, Tk), (B, Tq, Tk) or (B, N, Tq, Tk) with B=2, N=3, Tq=1, Tk=5. Received: (2,).
    """
    array = _read("mask", m)
    if array.dtype != bool:
        raise TypeError(
            f"mask must be bool, True where a query may see a key. Received: {array.dtype}. Use mask.astype(bool)."
        )
    outer = dict(zip(range(-3, -5, -1), (heads, batch) if array.ndim == 4 else (batch,), strict=False))
    fits = 2 <= array.ndim <= 4 and array.shape[-2:] == (queries, keys)
    if not fits or any(array.shape[axis] not in (1, outer[axis]) for axis in range(-3, -array.ndim - 1, -1)):
        raise ValueError(
            f"mask must have shape (Tq, Tk), (B, Tq, Tk) or (B, N, Tq, Tk) with B={batch}, N={heads}, Tq={queries}, "
            f"Tk={keys}. Received: {array.shape}."
        )
    return np.asarray(array, order="C")


def window(value: Any) -> int:
    """Return `value`, the keys from a query's own place to the farthest that it sees, as an integer of at least 1.

    Examples
    --------
    >>> window(0)
    Traceback (most recent call last):
    ValueError: window must be at least 1. Received: window=0.
    """
    try:
        size = operator.index(value)
    except TypeError:
        raise TypeError(f"window must be an integer. Received: window={value!r}.") from None
    if size < 1:
        raise ValueError(f"window must be at least 1. Received: window={size}.")
    return size


def winograd(window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], groups: int) -> None:
    """Raise ValueError unless the algorithm "winograd" computes such a convolution.

    Examples
    --------
    >>> winograd((3, 3), (1, 1), (1, 1), 1)
    """
    if (*window, *strides, *dilation, groups) != (3, 3, 1, 1, 1, 1, 1):
        raise ValueError(
            "The algorithm 'winograd' expects windows of 3 × 3, strides and dilation of 1, and groups=1. Received: a "
            f"window of {window[0]} × {window[1]}, strides={tuple(strides)}, dilation={tuple(dilation)}, "
            f"groups={groups}. Use algorithm='auto'."
        )


def choice(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return `value` if it is one of `allowed`, else raise ValueError.

    Examples
    --------
    >>> choice("algorithm", "fast", ("auto", "direct"))
    Traceback (most recent call last):
    ValueError: algorithm must be one of auto, direct. Received: algorithm='fast'.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}. Received: {name}={value!r}.")
    return value


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float in [low, high].

    Raises
    ------
    TypeError
        If it is not a number.
    ValueError
        If it is out of range, or NaN.

    Examples
    --------
    >>> number("rate", 0.2, 0, 1)
    0.2
    """
    try:
        if isinstance(value, str):
            raise TypeError
        value = float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number. Received: {name}={value!r}.") from None
    if not low <= value <= high:
        raise ValueError(f"{name} must be in [{low}, {high}]. Received: {name}={value}.")
    return value


def word64(name: str, value: Any) -> int:
    """Return `value` as an integer in [0, 2⁶⁴).

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> word64("key", 2**64 - 1)
    18446744073709551615
    """
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer. Received: {name}={value!r}.") from None
    if not 0 <= value < 2**64:
        raise ValueError(f"{name} must be in [0, 2**64). Received: {name}={value}.")
    return value


def count(name: str, value: Any, low: int = 0) -> int:
    """Return `value` as an integer from `low` that fits a C integer: a size, or the number of a step.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> count("step", 0, 1)
    Traceback (most recent call last):
    ValueError: step must be at least 1. Received: step=0.
    """
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer. Received: {name}={value!r}.") from None
    if value < low:
        raise ValueError(f"{name} must be at least {low}. Received: {name}={value}.")
    if value >= 2**63:
        raise ValueError(f"{name} must be less than 2**63. Received: {name}={value}.")
    return value


def steps(name: str, value: Any, image_shape: Sequence[int]) -> np.ndarray:
    """Return `value` as affine maps (N, 6) in units of 2⁻³² pixels, whose places stay below 2²⁸ pixels.

    Raises
    ------
    TypeError
        If they are not int64.
    ValueError
        If the shape is another, or a place is too far away.

    Examples
    --------
    >>> steps("steps", np.array([[1, 0, 2, 0, 1, 0]]) * 2**32, (1, 3, 4, 1)).shape
    (1, 6)
    """
    found = np.asarray(value)
    if found.dtype != np.int64 or not found.dtype.isnative:
        raise TypeError(f"{name} must be int64, in units of 2**-32 pixels. Received: dtype {found.dtype}.")
    shape(name, found, (image_shape[0], 6), "(N, 6)")
    if max(image_shape[1:3]) >= 2**28:
        raise ValueError(f"The sides of a warped image must be below 2**28 pixels. Received: {tuple(image_shape)}.")
    near = (np.abs(found.astype(np.float64)).reshape(-1, 2, 3) @ [image_shape[2], image_shape[1], 1.0] < 2.0**60).all(1)
    if not near.all():
        raise ValueError(f"{name} must lead to positions below 2**28 pixels. Received: {found[~near][0].tolist()}.")
    return np.ascontiguousarray(found)


def image_shape(name: str, value: Any) -> tuple[int, int, int, int]:
    """Return `value` as the four sizes of an image batch, the batch at least 0 and the others at least 1.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If there are not four sizes, or one is too small.

    Examples
    --------
    >>> image_shape("input_shape", [2, 5, 4, 3])
    (2, 5, 4, 3)
    """
    try:
        sizes = tuple(operator.index(size) for size in value)
    except TypeError:
        raise TypeError(f"{name} must be four integers. Received: {name}={value!r}.") from None
    if len(sizes) != 4 or sizes[0] < 0 or min(sizes[1:]) < 1:
        raise ValueError(f"{name} must be four sizes, all but the batch at least 1. Received: {name}={sizes}.")
    return sizes


def at_least_one(name: str, x: np.ndarray, *axes: int) -> None:
    """Raise ValueError if one of the `axes` of `x` is empty.

    Examples
    --------
    >>> at_least_one("z", np.zeros((3, 0)), 1)
    Traceback (most recent call last):
    ValueError: z must have at least one entry along axis 1. Received: shape (3, 0).
    """
    for axis in axes:
        if x.shape[axis] < 1:
            raise ValueError(f"{name} must have at least one entry along axis {axis}. Received: shape {x.shape}.")


def norm_arguments(x: np.ndarray, epsilon: Any, **by_channel: np.ndarray | None) -> float:
    """Check what a normalization is given: `x` with a last axis, arrays of one number a channel; return epsilon.

    Raises
    ------
    TypeError, ValueError
        If epsilon is not a number ≥ 0, `x` has no axis or an empty last one, or an array is not (C,).

    Examples
    --------
    >>> norm_arguments(np.zeros((2, 3)), 0.1, gamma=np.ones(4))
    Traceback (most recent call last):
    ValueError: gamma must have shape (C,) = (3,). Received: (4,).
    """
    if x.ndim == 0:
        raise ValueError("x must have at least one axis. Received: a single number.")
    at_least_one("x", x, x.ndim - 1)
    for name, array in by_channel.items():
        if array is not None:
            shape(name, array, x.shape[-1:], "(C,)")
    return number("epsilon", epsilon, 0)


def norm_gradient_arguments(
    dy: np.ndarray,
    x: np.ndarray,
    by_row: dict[str, np.ndarray],
    by_channel: dict[str, np.ndarray | None],
    dtotal: np.ndarray | None = None,
) -> None:
    """Check what the gradient of a normalization is given: statistics of one number a row among them.

    Examples
    --------
    >>> x = np.zeros((2, 3))
    >>> norm_gradient_arguments(x, x, {"mean": np.zeros(3)}, {})
    Traceback (most recent call last):
    ValueError: mean must have shape of x without its last axis = (2,). Received: (3,).
    """
    norm_arguments(x, 0, **by_channel)
    shape("dy", dy, x.shape, "of x")
    for name, array in by_row.items():
        shape(name, array, x.shape[:-1], "of x without its last axis")
    if dtotal is not None:
        shape("dtotal", dtotal, x.shape, "of x")
