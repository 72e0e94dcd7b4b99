"""Several arrays as one, and one as several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .axes import axis_of, length_along
from .function import Function
from .shaping import expand_dims, ravel, squeeze

__all__ = ["append", "concatenate", "hstack", "split", "stack", "unstack", "vstack"]


class Concatenate(Function):
    """One array after the other along an axis; each gets its part of the gradient."""

    takes_several = True

    def __init__(self, axis: int):
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = axis_of(self.name, self.axis, input_shape[0])
        result = list(input_shape[0])
        for shape in input_shape[1:]:
            if len(shape) != len(result):
                self._refuse(input_shape)
            for i, n in enumerate(shape):
                if i == axis:
                    result[i] = None if None in (n, result[i]) else n + result[i]
                elif None not in (n, result[i]) and n != result[i]:
                    self._refuse(input_shape)
                elif result[i] is None:
                    result[i] = n
        return tuple(result)

    def _refuse(self, shapes: Any) -> None:
        raise ValueError(
            f"ops.{self.name} joins arrays along axis {self.axis}; all other axes must have equal lengths. Received: "
            f"shapes {', '.join(map(str, shapes))}."
        )

    def forward(self, x, training=False):
        try:
            return np.concatenate(x, self.axis), [part.shape[self.axis] for part in x]
        except ValueError:  # sizes that were open when the symbols were made
            self._refuse([part.shape for part in x])

    def backward(self, dy, lengths, need_dx=True):
        return np.split(dy, np.cumsum(lengths)[:-1], self.axis)


class Split(Function):
    """Parts along an axis; where no loss depends on a part, its gradient is 0."""

    gives_views = True
    gives_several = True

    def __init__(self, parts: int | Sequence[int], axis: int):
        self.parts, self.axis = parts, axis

    def bounds(self, shape: Any) -> list[int]:
        """Where the parts end, but for the last."""
        if not isinstance(self.parts, int):
            return list(self.parts)
        length = shape[self.axis]
        return [length // self.parts * i for i in range(1, self.parts)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = axis_of(self.name, self.axis, input_shape)
        length = length_along(self.name, input_shape, axis, "Split along another axis.")
        if isinstance(self.parts, int) and (self.parts < 1 or length % self.parts):
            raise ValueError(
                f"ops.split cuts an axis into equal parts. Received: axis {self.axis} of length {length}, "
                f"indices_or_sections={self.parts}. Use a list of indices at which to cut."
            )
        parts = [len(range(length)[a:b]) for a, b in _pairs(self.bounds(input_shape))]
        return [(*input_shape[:axis], n, *input_shape[axis + 1 :]) for n in parts]

    def forward(self, x, training=False):
        return np.split(x, self.bounds(x.shape), self.axis), (x.shape, x.dtype)

    def backward(self, dy, ctx, need_dx=True):
        dx = np.zeros(*ctx)
        for into, part in zip(np.split(dx, self.bounds(dx.shape), self.axis), dy, strict=True):
            if part is not None:
                into[...] = part
        return dx


def _pairs(bounds: Sequence[int]) -> list[tuple[int | None, int | None]]:
    return list(zip([None, *bounds], [*bounds, None], strict=True))


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """One array after the other along an axis.

    Parameters
    ----------
    xs : list of array or Symbol
        Alike on all axes but this.
    axis : int

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> concatenate([[[1, 2]], [[3, 4]]], axis=1)
    array([[1, 2, 3, 4]])
    """
    return Concatenate(axis)(*_several("concatenate", xs))


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape along a new axis.

    Examples
    --------
    >>> stack([[1, 2], [3, 4]], axis=1)
    array([[1, 3],
           [2, 4]])
    """
    return Concatenate(axis)(*(expand_dims(part, axis) for part in _several("stack", x)))


def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """The second array after the first along an axis; None: after both are flattened.

    Examples
    --------
    >>> append([1, 2], [3])
    array([1, 2, 3])
    """
    if axis is None:
        x1, x2, axis = ravel(x1), ravel(x2), 0
    return Concatenate(axis)(x1, x2)


def hstack(xs: Sequence[Any]) -> Any:
    """Arrays beside each other: along axis 1, or axis 0 if they have no other.

    Examples
    --------
    >>> hstack([[1, 2], [3]])
    array([1, 2, 3])
    """
    parts = _several("hstack", xs)
    return concatenate(parts, 0 if _ndim(parts[0]) == 1 else 1)


def vstack(xs: Sequence[Any]) -> Any:
    """Arrays above each other, along axis 0; those with one axis are rows.

    Examples
    --------
    >>> vstack([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    """
    return concatenate([expand_dims(x, 0) if _ndim(x) == 1 else x for x in _several("vstack", xs)], 0)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts along an axis.

    Parameters
    ----------
    x : array or Symbol
    indices_or_sections : int or list of int
        The number of equal parts, or the places where parts end.
    axis : int

    Examples
    --------
    >>> split([1, 2, 3, 4], 2)
    [array([1, 2]), array([3, 4])]
    >>> split([1, 2, 3, 4], [1])
    [array([1]), array([2, 3, 4])]
    """
    if isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        indices_or_sections = [int(i) for i in indices_or_sections]
    return Split(indices_or_sections, axis)(x)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices along an axis, each without it.

    Parameters
    ----------
    x : array or Symbol
    num : int, optional
        Accepted as Keras does: the length of the axis.
    axis : int

    Examples
    --------
    >>> unstack([[1, 2], [3, 4]], axis=1)
    [array([1, 3]), array([2, 4])]
    """
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    place = axis_of("unstack", axis, shape)
    count = length_along("unstack", shape, place, "Use x[:, 0], x[:, 1], ... for slices along another axis.")
    if num is not None and num != count:
        raise ValueError(f"ops.unstack: axis {axis} of {shape} has {count} slices. Received: num={num}.")
    return [squeeze(part, place) for part in Split(count, place)(x)]


def _several(name: str, xs: Any) -> list[Any]:
    """The operands of a list, or the error that says so."""
    if isinstance(xs, (list, tuple)) or hasattr(xs, "__iter__"):
        parts = list(xs)
        if parts:
            return parts
    raise TypeError(f"ops.{name} takes a list with at least one array. Received: {xs!r}.")


def _ndim(x: Any) -> int:
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)
