"""Other shapes for the same numbers: reshaping, axes in another order, stretching, repeating, padding."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .axes import axes_of, axis_of
from .broadcasting import broadcast_shapes, sum_to
from .function import Function

__all__ = [
    "broadcast_to",
    "expand_dims",
    "flip",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
]

Shape = tuple[int | None, ...]


class Reshape(Function):
    """The same numbers, row by row, in another shape.

    Parameters
    ----------
    shape : tuple of int or None
        -1: what is left.  None: the size of the same axis of the input.
    """

    gives_views = True

    def __init__(self, shape: Sequence[int | None]):
        self.shape = tuple(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        target = self._target(input_shape)
        if target.count(-1) > 1 or any(n is not None and n < -1 for n in target):
            raise ValueError(f"ops.reshape: at most one size is -1, to be filled in. Received: newshape={self.shape}.")
        # Open sizes that stand in both shapes at the same place cancel out; then what is left is known.
        kept = {i for i, n in enumerate(target) if n is None}
        before = [n for i, n in enumerate(input_shape) if i not in kept]
        after = [n for n in target if n not in (None, -1)]
        if None in before:
            return tuple(None if n == -1 else n for n in target)
        total, given = math.prod(before), math.prod(after)
        fits = total == given if -1 not in target else given and total % given == 0
        if not fits:
            raise ValueError(
                f"ops.reshape keeps the number of elements. Received: an array of shape {tuple(input_shape)} and "
                f"newshape={self.shape}."
            )
        return tuple(total // given if n == -1 else n for n in target)

    def _target(self, shape: Any) -> Shape:
        """The shape with sizes in the place of None, where they are known."""
        target = []
        for i, n in enumerate(self.shape):
            if n is None and i >= len(shape):
                raise ValueError(
                    f"ops.reshape: None stands for the size of the same axis of the input. Received: an array of shape "
                    f"{tuple(shape)} and newshape={self.shape}."
                )
            target.append(shape[i] if n is None else n)
        return tuple(target)

    def forward(self, x, training=False):
        return x.reshape(self._target(x.shape)), x.shape

    def backward(self, dy, shape, need_dx=True):
        return dy.reshape(shape)


class Transpose(Function):
    """The axes in another order."""

    gives_views = True

    def __init__(self, axes: Sequence[int] | None):
        self.axes = axes

    def order(self, shape: Any) -> tuple[int, ...]:
        """Which axis of the input stands at each place."""
        return tuple(range(len(shape)))[::-1] if self.axes is None else tuple(a % len(shape) for a in self.axes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axes is not None and len(axes_of(self.name, tuple(self.axes), input_shape)) < len(input_shape):
            raise ValueError(
                f"ops.transpose: axes names each axis once. Received: axes={self.axes} for an array of shape "
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
        self.axis = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)

    def compute_output_shape(self, input_shape: Any) -> Any:
        extra = len(self.axis)
        new = sorted(axis_of(self.name, axis, input_shape, extra) for axis in self.axis)
        if len(set(new)) < extra:
            raise ValueError(f"ops.expand_dims: each axis is given once. Received: axis={self.axis}.")
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
                f"ops.squeeze removes axes of length 1. Received: an array of shape {tuple(input_shape)}, "
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
                f"ops.broadcast_to stretches axes of length 1, and puts axes of a given size in front. Received: an "
                f"array of shape {tuple(shape)}, shape={self.shape}."
            )
        return tuple(shape[i - lead] if n is None else n for i, n in enumerate(self.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        target = self.target(input_shape)
        if broadcast_shapes(self.name, [tuple(input_shape), target]) != target:
            raise ValueError(
                f"ops.broadcast_to stretches axes of length 1 and no others. Received: an array of shape "
                f"{tuple(input_shape)}, shape={self.shape}."
            )
        return target

    def forward(self, x, training=False):
        return np.broadcast_to(x, self.target(x.shape)), x.shape

    def backward(self, dy, shape, need_dx=True):
        return sum_to(dy, shape)


class Repeat(Function):
    """Each number several times in a row; its gradient is the sum over them."""

    def __init__(self, repeats: Any, axis: int | None):
        self.repeats, self.axis = repeats, axis

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.axis is None:
            shape, axis = [None if None in input_shape else math.prod(input_shape)], 0
        else:
            shape, axis = list(input_shape), axis_of(self.name, self.axis, input_shape)
        counts, length = np.asarray(self.repeats), shape[axis]
        if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts < 0).any():
            raise ValueError(f"ops.repeat: repeats is an integer, or one for each place. Received: {self.repeats!r}.")
        if counts.size > 1 and length is not None and counts.size != length:
            raise ValueError(
                f"ops.repeat: repeats has one number for each of the {length} places of axis {self.axis}. Received: "
                f"{counts.size} numbers."
            )
        shape[axis] = int(counts.sum()) if counts.size > 1 else None if length is None else length * int(counts.sum())
        return tuple(shape)

    def forward(self, x, training=False):
        return np.repeat(x, self.repeats, self.axis), x.shape

    def backward(self, dy, shape, need_dx=True):
        axis = 0 if self.axis is None else self.axis % len(shape)
        length = math.prod(shape) if self.axis is None else shape[axis]
        counts = np.broadcast_to(self.repeats, (length,))
        if counts.size and (counts == counts[0]).all():
            split = (*dy.shape[:axis], length, counts[0], *dy.shape[axis + 1 :])
            return dy.reshape(split).sum(axis + 1).reshape(shape)
        dx = np.zeros((length,) if self.axis is None else shape, dy.dtype)
        places = [slice(None)] * axis + [np.repeat(np.arange(length), counts)]
        np.add.at(dx, tuple(places), dy)
        return dx.reshape(shape)


class Tile(Function):
    """The whole array several times side by side; the gradient is the sum over the copies."""

    def __init__(self, repeats: Sequence[int]):
        self.repeats = tuple(repeats)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape, counts = self.aligned(input_shape)
        return tuple(None if n is None else n * k for n, k in zip(shape, counts, strict=True))

    def aligned(self, shape: Any) -> tuple[Shape, tuple[int, ...]]:
        """The shape and the repeats, filled up in front to the same length."""
        lead = max(len(shape), len(self.repeats))
        return (1,) * (lead - len(shape)) + tuple(shape), (1,) * (lead - len(self.repeats)) + self.repeats

    def forward(self, x, training=False):
        return np.tile(x, self.repeats), x.shape

    def backward(self, dy, shape, need_dx=True):
        full, counts = self.aligned(shape)
        split = [size for pair in zip(counts, full, strict=True) for size in pair]
        return dy.reshape(split).sum(tuple(range(0, 2 * len(full), 2))).reshape(shape)


class Pad(Function):
    """More places at both ends of each axis."""

    def __init__(self, widths: Sequence[tuple[int, int]], mode: str, value: Any):
        self.widths, self.mode, self.value = widths, mode, value

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(self.widths) not in (1, len(input_shape)):
            raise ValueError(
                f"ops.pad: pad_width has a pair for each axis, or one pair for all. Received: pad_width={self.widths} "
                f"for an array of shape {tuple(input_shape)}."
            )
        widths = self.of(input_shape)
        return tuple(None if n is None else n + a + b for n, (a, b) in zip(input_shape, widths, strict=True))

    def of(self, shape: Any) -> list[tuple[int, int]]:
        """The widths of each axis."""
        return list(self.widths) * (len(shape) if len(self.widths) == 1 else 1)

    def forward(self, x, training=False):
        widths = self.of(x.shape)
        if self.mode == "constant":
            return np.pad(x, widths, constant_values=self.value), (widths, x.shape)
        return np.pad(x, widths, mode=self.mode), (widths, x.shape)

    def backward(self, dy, ctx, need_dx=True):
        widths, shape = ctx
        if self.mode == "constant":
            return dy[tuple(slice(a, a + n) for (a, _), n in zip(widths, shape, strict=True))]
        places = np.pad(np.arange(math.prod(shape)).reshape(shape), widths, mode=self.mode)
        return np.bincount(places.ravel(), dy.ravel(), math.prod(shape)).astype(dy.dtype).reshape(shape)


def reshape(x: Any, newshape: int | Sequence[int | None]) -> Any:
    """The same numbers, row by row, in another shape.

    Parameters
    ----------
    x : array or Symbol
    newshape : tuple of int or None
        One size may be -1, which is filled in.  None stands for the size of the same axis of the input, such as an open
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
    return Reshape(_sizes("reshape", "newshape", newshape))(x)


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
            f"ops.moveaxis: source and destination are of one length. Received: source={source}, "
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
    return BroadcastTo(_sizes("broadcast_to", "shape", shape))(x)


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Each number several times in a row.

    Parameters
    ----------
    x : array or Symbol
    repeats : int, or one for each place of the axis
    axis : int or None
        None: of the flattened array.

    Examples
    --------
    >>> repeat([1, 2], 2)
    array([1, 1, 2, 2])
    """
    return Repeat(np.asarray(repeats).tolist(), axis)(x)


def tile(x: Any, repeats: int | Sequence[int]) -> Any:
    """The whole array several times side by side along each axis.

    Examples
    --------
    >>> tile([1, 2], 2)
    array([1, 2, 1, 2])
    """
    return Tile(_sizes("tile", "repeats", repeats))(x)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """More places at both ends of each axis.

    Parameters
    ----------
    x : array or Symbol
    pad_width : int, pair, or one pair (before, after) for each axis
    mode : {"constant", "reflect", "symmetric", "edge", "wrap"}
    constant_values : number, optional
        Default: 0.

    Examples
    --------
    >>> pad([1, 2], (1, 2))
    array([0, 1, 2, 0, 0])
    >>> pad([1, 2, 3], 1, mode="reflect")
    array([2, 1, 2, 3, 2])
    """
    if mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        raise ValueError(
            f'ops.pad: mode is "constant", "reflect", "symmetric", "edge" or "wrap". Received: mode={mode!r}.'
        )
    if constant_values is not None and mode != "constant":
        raise ValueError(f'ops.pad takes constant_values with mode="constant" alone. Received: mode={mode!r}.')
    try:
        widths = np.asarray(pad_width)
        pairs = np.broadcast_to(widths, (len(widths) if widths.ndim == 2 else 1, 2))
        if widths.dtype.kind not in "iu" or (widths < 0).any():
            raise ValueError
    except ValueError:
        raise ValueError(
            f"ops.pad: pad_width is a number, a pair (before, after), or a pair for each axis, none below 0. Received: "
            f"pad_width={pad_width!r}."
        ) from None
    value = 0 if constant_values is None else constant_values
    return Pad([(int(a), int(b)) for a, b in pairs], mode, value)(x)


def _sizes(name: str, word: str, sizes: Any) -> tuple[int | None, ...]:
    """Sizes as a tuple of int or None, or the error that says so."""
    given = sizes if isinstance(sizes, (list, tuple, np.ndarray)) else (sizes,)
    try:
        return tuple(None if n is None else operator.index(n) for n in given)
    except TypeError:
        raise TypeError(f"ops.{name}: {word} is made of integers. Received: {word}={sizes!r}.") from None
