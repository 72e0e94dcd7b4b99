"""Other shapes for the same numbers: reshaping, axes in another order, stretching."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..shapes import Shape
from .axes import axes_of, axis_of
from .broadcasting import broadcast_shapes, sum_to
from .function import Function

__all__ = [
    "broadcast_to",
    "expand_dims",
    "flip",
    "moveaxis",
    "ravel",
    "reshape",
    "roll",
    "squeeze",
    "swapaxes",
    "transpose",
]


class Reshape(Function):
    """The same numbers, row by row, in another shape.

    Parameters
    ----------
    shape : tuple of int or None
        -1: the rest.  None: the size of the same axis of the input.
    """

    gives_views = True

    def __init__(self, shape: Sequence[int | None]):
        self.shape = tuple(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        target = self._target(input_shape)
        if target.count(-1) > 1 or any(n is not None and n < -1 for n in target):
            raise ValueError(f"ops.reshape: only one size can be -1, to be filled in. Received: newshape={self.shape}.")
        # Open sizes at the same position of both shapes cancel out; the rest is known.
        kept = {i for i, n in enumerate(target) if n is None}
        before = [n for i, n in enumerate(input_shape) if i not in kept]
        after = [n for n in target if n not in (None, -1)]
        if None in before:
            return tuple(None if n == -1 else n for n in target)
        total, given = math.prod(before), math.prod(after)
        fits = total == given if -1 not in target else given and total % given == 0
        if not fits:
            raise ValueError(
                f"ops.reshape must keep the number of elements. Received: an array of shape {tuple(input_shape)} and "
                f"newshape={self.shape}."
            )
        return tuple(total // given if n == -1 else n for n in target)

    def _target(self, shape: Any) -> Shape:
        """The shape with sizes in the place of None, where they are known."""
        target = []
        for i, n in enumerate(self.shape):
            if n is None and i >= len(shape):
                raise ValueError(
                    f"ops.reshape: None means the size of the same axis of the input. Received: an array of shape "
                    f"{tuple(shape)} and newshape={self.shape}."
                )
            target.append(shape[i] if n is None else n)
        return tuple(target)

    def forward(self, x, training=False):
        target = self._target(x.shape)
        try:
            return x.reshape(target), x.shape
        except ValueError:  # sizes that were open when the symbol was made
            raise ValueError(
                f"ops.reshape must keep the number of elements. Received: an array of shape {x.shape} and "
                f"newshape={self.shape}."
            ) from None

    def backward(self, dy, shape, need_dx=True):
        return dy.reshape(shape)


class Transpose(Function):
    """The axes in another order."""

    gives_views = True

    def __init__(self, axes: Sequence[int] | None):
        self.axes = axes

    def order(self, shape: Any) -> tuple[int, ...]:
        """The axis of the input at each position."""
        return tuple(range(len(shape)))[::-1] if self.axes is None else tuple(a % len(shape) for a in self.axes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axes is not None and len(axes_of(self.name, tuple(self.axes), input_shape)) < len(input_shape):
            raise ValueError(
                f"ops.transpose: axes must name each axis once. Received: axes={self.axes} for an array of shape "
                f"{tuple(input_shape)}."
            )
        return tuple(input_shape[axis] for axis in self.order(input_shape))

    def forward(self, x, training=False):
        order = self.order(x.shape)
        return x.transpose(order), order

    def backward(self, dy, order, need_dx=True):
        return dy.transpose(np.argsort(order))


class ExpandDims(Function):
    """New axes of length 1."""

    gives_views = True

    def __init__(self, axis: int | Sequence[int]):
        self.axis: Any = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)

    def compute_output_shape(self, input_shape: Any) -> Any:
        extra = len(self.axis)
        new = sorted(axis_of(self.name, axis, input_shape, extra) for axis in self.axis)
        if len(set(new)) < extra:
            raise ValueError(f"ops.expand_dims: each axis can be given only once. Received: axis={self.axis}.")
        shape = list(input_shape)
        for axis in new:
            shape.insert(axis, 1)
        return tuple(shape)

    def forward(self, x, training=False):
        return np.expand_dims(x, self.axis), x.shape

    def backward(self, dy, shape, need_dx=True):
        return dy.reshape(shape)


class Squeeze(Function):
    """Axes of length 1 go away."""

    gives_views = True

    def __init__(self, axis: int | Sequence[int] | None):
        self.axis = axis

    def axes(self, shape: Any) -> tuple[int, ...]:
        """The axes that go away."""
        if self.axis is None:
            return tuple(i for i, n in enumerate(shape) if n == 1)
        return axes_of(self.name, self.axis, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axis is None and None in input_shape:
            raise ValueError(
                f"ops.squeeze cannot tell which axes have length 1 where one is open. Received: shape {input_shape}. "
                "Use squeeze(x, axis=...)."
            )
        axes = self.axes(input_shape)
        if any(input_shape[axis] not in (1, None) for axis in axes):
            raise ValueError(
                f"ops.squeeze can remove only axes of length 1. Received: an array of shape {tuple(input_shape)}, "
                f"axis={self.axis}."
            )
        return tuple(n for i, n in enumerate(input_shape) if i not in axes)

    def forward(self, x, training=False):
        return np.squeeze(x, self.axes(x.shape)), x.shape

    def backward(self, dy, shape, need_dx=True):
        return dy.reshape(shape)


class Flip(Function):
    """Back to front along axes."""

    gives_views = True

    def __init__(self, axis: int | Sequence[int] | None):
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_of(self.name, self.axis, input_shape)
        return input_shape

    def forward(self, x, training=False):
        return np.flip(x, axes_of(self.name, self.axis, x.shape)), None

    def backward(self, dy, ctx, need_dx=True):
        return np.flip(dy, axes_of(self.name, self.axis, dy.shape))


class Roll(Function):
    """Shifted along axes; what falls off at one end comes in at the other."""

    def __init__(self, shift: int | Sequence[int], axis: int | Sequence[int] | None):
        self.shift, self.axis = shift, axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes_of(self.name, self.axis, input_shape)
        return input_shape

    def forward(self, x, training=False):
        return np.roll(x, self.shift, self.axis), None

    def backward(self, dy, ctx, need_dx=True):
        return np.roll(dy, np.negative(self.shift), self.axis)


class BroadcastTo(Function):
    """Stretched to a shape; None: the size of the input there, counted from the right."""

    gives_views = True

    def __init__(self, shape: Sequence[int | None]):
        self.shape = tuple(shape)

    def target(self, shape: Any) -> Shape:
        """The shape with sizes in the place of None, where they are known."""
        lead = len(self.shape) - len(shape)
        if lead < 0 or None in self.shape[:lead]:
            raise ValueError(
                "ops.broadcast_to can stretch axes of length 1, and add axes in front. Received: an array of shape "
                f"{tuple(shape)}, shape={self.shape}."
            )
        return tuple(shape[i - lead] if n is None else n for i, n in enumerate(self.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        target = self.target(input_shape)
        if broadcast_shapes(self.name, [tuple(input_shape), target]) != target:
            raise ValueError(
                "ops.broadcast_to can stretch only axes of length 1. Received: an array of shape "
                f"{tuple(input_shape)}, shape={self.shape}."
            )
        return target

    def forward(self, x, training=False):
        return np.broadcast_to(x, self.target(x.shape)), x.shape

    def backward(self, dy, shape, need_dx=True):
        return sum_to(dy, shape)


def reshape(x: Any, newshape: int | Sequence[int | None]) -> Any:
    """The same numbers, row by row, in another shape.

    Parameters
    ----------
    x : array or Symbol
    newshape : tuple of int or None
        One size may be -1, which is filled in.  None means the size of the same axis of the input, such as an open
        batch: ``reshape(x, (None, 7, -1))``.

    Raises
    ------
    ValueError
        If the number of elements does not fit.

    Examples
    --------
    >>> reshape([[1, 2, 3], [4, 5, 6]], (3, -1))
    array([[1, 2],
           [3, 4],
           [5, 6]])
    """
    return Reshape(sizes_of("reshape", "newshape", newshape))(x)


def ravel(x: Any) -> Any:
    """All numbers, row by row, in one axis.

    Examples
    --------
    >>> ravel([[1, 2], [3, 4]])
    array([1, 2, 3, 4])
    """
    return Reshape((-1,))(x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order; None: in reverse.

    Examples
    --------
    >>> transpose(np.ones((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    return Transpose(axes)(x)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes change places.

    Examples
    --------
    >>> swapaxes(np.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    shape = np.shape(x) if not hasattr(x, "shape") else x.shape
    a, b = axis_of("swapaxes", axis1, shape, word="axis1"), axis_of("swapaxes", axis2, shape, word="axis2")
    order = list(range(len(shape)))
    order[a], order[b] = b, a
    return Transpose(order)(x)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Axes go to other places; the rest keep their order.

    Examples
    --------
    >>> moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    shape = np.shape(x) if not hasattr(x, "shape") else x.shape
    from_, to = (a if isinstance(a, (list, tuple)) else (a,) for a in (source, destination))
    if len(from_) != len(to):
        raise ValueError(
            f"ops.moveaxis: source and destination must have the same length. Received: source={source}, "
            f"destination={destination}."
        )
    from_ = [axis_of("moveaxis", a, shape, word="source") for a in from_]
    to = [axis_of("moveaxis", a, shape, word="destination") for a in to]
    order = [axis for axis in range(len(shape)) if axis not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        order.insert(place, axis)
    return Transpose(order)(x)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """New axes of length 1, at these places of the result.

    Examples
    --------
    >>> expand_dims([1, 2], -1).shape
    (2, 1)
    """
    return ExpandDims(axis)(x)


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Without axes of length 1; None: without all of them.

    Raises
    ------
    ValueError
        If an axis has another length, or sizes are open and ``axis`` is None.

    Examples
    --------
    >>> squeeze([[[1, 2]]], axis=0).shape
    (1, 2)
    """
    return Squeeze(axis)(x)


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Back to front along axes; None: along all.

    Examples
    --------
    >>> flip([1, 2, 3])
    array([3, 2, 1])
    """
    return Flip(axis)(x)


def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """Shifted along axes; what falls off at one end comes in at the other.

    Examples
    --------
    >>> roll([1, 2, 3], 1)
    array([3, 1, 2])
    """
    return Roll(shift, axis)(x)


def broadcast_to(x: Any, shape: Sequence[int | None]) -> Any:
    """Stretched to a shape: axes of length 1 grow, and new ones come in front.

    Parameters
    ----------
    x : array or Symbol
    shape : tuple of int or None
        None: the size that the input has there.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2))
    array([[1, 2],
           [1, 2]])
    """
    return BroadcastTo(sizes_of("broadcast_to", "shape", shape))(x)


def sizes_of(name: str, word: str, sizes: Any) -> Shape:
    """Sizes as a tuple of int or None, or the error that says so."""
    given = sizes if isinstance(sizes, (list, tuple, np.ndarray)) else (sizes,)
    try:
        return tuple(None if n is None else operator.index(n) for n in given)
    except TypeError:
        raise TypeError(f"ops.{name}: {word} must contain integers. Received: {word}={sizes!r}.") from None
